//! Fault rules as users write them: their text form, and the check of a rule.

mod check;
mod text;

pub use check::{FaultRuleError, check_all};
pub use text::parse;

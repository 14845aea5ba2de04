//! Fault rules as users write them: their text form and their check.

mod check;
mod text;

pub use check::{FaultRuleError, check_all};
pub use text::parse;

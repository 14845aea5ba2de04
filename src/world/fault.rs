//! Injected faults: injection points for tests of the program, and fault rules for users.

mod kind;
mod point;
mod rule;
mod set;

pub use kind::FaultKind;
pub(crate) use kind::Moment;
pub use point::{Fault, Point, Rule};
pub use rule::FaultRule;
pub use set::{Faults, ListedRule};
pub(crate) use set::{Hit, Occasion};

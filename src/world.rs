//! The surroundings of an emulator: time, random numbers and faults.
//!
//! A start makes one [`World`] and hands it to every part. No other module reads the machine's
//! clock, waits for it or draws random numbers, so that a test can control all three.

mod clock;
mod deadline;
mod descriptors;
mod fault;
mod moment;
mod random;
mod surroundings;

pub(crate) use clock::{Alarm, Bell};
pub use clock::{Clock, Stopwatch, Timestamp, VirtualClock};
pub use deadline::RealDeadline;
pub(crate) use descriptors::descriptor_limit;
pub use descriptors::raise_descriptor_limit;
pub use fault::{Fault, FaultKind, FaultRule, Faults, ListedRule, Point, Rule};
pub(crate) use fault::{Hit, Moment, Occasion};
pub use random::Random;
pub use surroundings::World;

//! The parts of an emulator's environment that a test can replace: time, random numbers and faults.
//!
//! A starting emulator creates one [`World`] and passes it to all of its parts. No module outside
//! `world` reads the machine's clock, waits for a time or draws random numbers. A test can
//! therefore control time, random numbers and faults.

mod clock;
mod deadline;
mod descriptors;
mod fault;
mod moment;
mod random;
mod steady;
mod surroundings;
mod timestamp;

pub(crate) use clock::{Alarm, Bell};
pub use clock::{Clock, Stopwatch, VirtualClock};
pub use deadline::RealDeadline;
pub(crate) use descriptors::descriptor_limit;
pub use descriptors::raise_descriptor_limit;
pub use fault::{Fault, FaultKind, FaultRule, Faults, ListedRule, Point, Rule};
pub(crate) use fault::{Hit, Moment, Occasion};
pub use random::Random;
pub use steady::ShiftedClock;
pub use surroundings::World;
pub use timestamp::Timestamp;

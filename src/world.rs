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

pub use clock::{Alarm, Bell, Clock, Stopwatch, Timestamp, VirtualClock};
pub use deadline::RealDeadline;
pub use descriptors::{descriptor_limit, raise_descriptor_limit};
pub use fault::{
    Fault, FaultKind, FaultRule, Faults, Hit, ListedRule, Moment, Occasion, Point, Rule,
};
pub use random::Random;
pub use surroundings::World;

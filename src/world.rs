//! The surroundings of an emulator: time, random numbers and faults.
//!
//! A start makes one [`World`] and hands it to every part. No other module reads the machine's
//! clock, waits for it or draws random numbers, so that a test can control all three.

mod clock;
mod deadline;
mod fault;
mod random;

pub use clock::{Alarm, Bell, Clock, Stopwatch, Timestamp, VirtualClock};
pub use deadline::RealDeadline;
pub use fault::{Fault, Faults, Point, Rule};
pub use random::Random;

/// The surroundings of one emulator.
#[derive(Debug, Clone)]
pub struct World {
    /// The clock.
    pub clock: Clock,
    /// The source of random numbers, for request ids and the salt of iterators.
    pub random: Random,
    /// The faults to inject.
    pub faults: Faults,
}

impl World {
    /// Surroundings without fault rules.
    pub fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            random,
            faults: Faults::default(),
        }
    }
}

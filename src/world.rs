//! What the program may ask of its surroundings: time, chance and faults.
//!
//! A [`World`] is made once, at start, and handed to whatever needs it. Nothing else reads the
//! machine's clock, lets a task wait for it or draws a random number, so a test can hold both, and
//! have things go wrong.

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
    /// Who says what time it is.
    pub clock: Clock,
    /// Where request ids and the filler of iterators come from.
    pub random: Random,
    /// What goes wrong.
    pub faults: Faults,
}

impl World {
    /// Surroundings in which nothing goes wrong, until a rule says otherwise.
    pub fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            random,
            faults: Faults::default(),
        }
    }
}

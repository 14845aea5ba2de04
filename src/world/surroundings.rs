//! The surroundings of an emulator.

use super::clock::Clock;
use super::fault::{Fault, Faults, Point, suffer};
use super::random::Random;

/// The surroundings of one emulator.
#[derive(Debug, Clone)]
pub struct World {
    /// The clock that all deadlines and timestamps come from.
    pub clock: Clock,
    /// The source of request ids and of the random part of iterators and tokens.
    pub random: Random,
    /// The faults to inject.
    pub faults: Faults,
}

impl World {
    /// Surroundings without faults, until a rule is added.
    pub fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            random,
            faults: Faults::default(),
        }
    }

    /// Passes an injection point. A delay ends before this returns.
    ///
    /// # Errors
    /// The fault that fires at the point, for the caller to answer with.
    #[inline]
    pub async fn pass(&self, point: Point) -> Result<(), Fault> {
        match self.faults.at(point) {
            None => Ok(()),
            // Boxed, so that the future of a caller without faults stays small.
            Some(fault) => Box::pin(suffer(&self.clock, fault)).await,
        }
    }
}

//! The surroundings of an emulator.

use super::clock::Clock;
use super::fault::{Fault, Faults, Point};
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
            Some(Fault::Delay(ms)) => {
                // Boxed, so that the future of a caller without faults stays small.
                Box::pin(self.delay(ms)).await;
                Ok(())
            }
            Some(fault) => Err(fault),
        }
    }

    /// Waits for so many milliseconds of the clock.
    pub async fn delay(&self, ms: u32) {
        let until = self.clock.now().plus_millis(i64::from(ms));
        self.clock.lenient_alarm().wait(Some(until)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Rule, Timestamp, VirtualClock};

    #[tokio::test]
    async fn a_delay_ends_when_its_time_has_passed() {
        let clock = VirtualClock::starting_at(Timestamp::from_millis(0));
        let world = World::new(Clock::Virtual(clock.clone()), Random::seeded(1));
        world
            .faults
            .set(vec![Rule::new(Point::Decode, Fault::Delay(40)).unwrap()]);
        let late = async {
            let passed = world.pass(Point::Decode).await;
            (passed, world.clock.now().millis())
        };
        let (late, ()) = tokio::join!(late, clock.advance_to(Timestamp::from_millis(100)));
        assert_eq!(late, (Ok(()), 40));
    }
}

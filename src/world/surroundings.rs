//! The parts of an emulator's environment that a test can replace: clock, random numbers and
//! faults.

use super::clock::Clock;
use super::fault::{Fault, Faults, Point};
use super::random::Random;

/// The environment of one emulator that a test can replace.
#[derive(Debug, Clone)]
pub struct World {
    /// The clock for all timestamps and deadlines, except for deadlines in real time.
    pub clock: Clock,
    /// The source of random numbers for request ids, shard iterators and page tokens.
    pub random: Random,
    /// The faults to inject: fault rules, and rules of tests at injection points.
    pub faults: Faults,
}

impl World {
    /// Creates an environment without faults.
    pub fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            random,
            faults: Faults::default(),
        }
    }

    /// Lets a rule of a test inject its fault at the injection point `point`. If the fault is a
    /// delay, the function waits.
    ///
    /// # Errors
    /// The injected fault, if it is not a delay. The caller converts this fault to an error of its
    /// own type.
    #[inline]
    pub async fn pass(&self, point: Point) -> Result<(), Fault> {
        match self.faults.at(point) {
            None => Ok(()),
            Some(Fault::Delay(ms)) => {
                // The future is boxed, so that the future of every caller stays small.
                Box::pin(self.delay(ms)).await;
                Ok(())
            }
            Some(fault) => Err(fault),
        }
    }

    /// Waits for `ms` milliseconds of the emulator's clock.
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

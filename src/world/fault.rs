//! Faults that a test has happen: at which points of the program, of which kind, how often.
//!
//! Without a rule a point costs one look at a flag. What a fault does is the same whoever asked
//! for it, and it is never worse than what the service itself may do: a request is answered with
//! its internal failure, late, or not believed though it was done; a subscription ends.

use super::clock::Clock;
use super::random::Random;
use crate::lock::Lock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// A request is about to be decoded.
    Decode,
    /// A stream is about to be changed: after the request was checked, before the stream is locked.
    Change,
    /// Records are about to be appended to a shard that was chosen for them.
    Append,
    /// A commit is about to be made durable. As after a disk's own failure, the store writes
    /// nothing any more until it is opened again.
    Flush,
    /// What was made durable is about to be shown to readers; after a fault here likewise.
    Publish,
    /// Records are about to be read.
    Read,
    /// A subscription is about to push an event.
    Event,
    /// A mapping is about to invoke its function.
    Invoke,
    /// A mapping is about to deliver an on-failure record.
    Deliver,
}

impl Point {
    /// Every point there is.
    pub const ALL: [Self; 9] = [
        Self::Decode,
        Self::Change,
        Self::Append,
        Self::Flush,
        Self::Publish,
        Self::Read,
        Self::Event,
        Self::Invoke,
        Self::Deliver,
    ];
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It fails before anything is done.
    Error,
    /// It is done so many milliseconds later.
    Delay(u32),
    /// The answer is lost: a subscription ends without a word.
    Drop,
    /// Half of it: what is appended or flushed stays, but is answered as if it had failed; of an
    /// event a part is sent, and nothing after it.
    Tear,
}

impl Fault {
    /// Whether this can happen at `point`. The threads that write have no clock to wait by, and
    /// only where there are two halves one of them can be missing.
    pub const fn fits(self, point: Point) -> bool {
        match self {
            Self::Error => true,
            Self::Delay(_) => !matches!(point, Point::Flush | Point::Publish),
            Self::Drop => matches!(point, Point::Event | Point::Invoke),
            Self::Tear => matches!(point, Point::Append | Point::Flush | Point::Event),
        }
    }
}

/// A fault, where and how often it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    point: Point,
    fault: Fault,
    per_thousand: u32,
    budget: Option<u64>,
}

impl Rule {
    /// `fault` happens whenever `point` is passed; none where it cannot happen there.
    pub const fn new(point: Point, fault: Fault) -> Option<Self> {
        if !fault.fits(point) {
            return None;
        }
        Some(Self {
            point,
            fault,
            per_thousand: 1000,
            budget: None,
        })
    }

    /// So many times of a thousand, by chance.
    #[must_use]
    pub const fn per_thousand(self, per_thousand: u32) -> Self {
        Self {
            per_thousand,
            ..self
        }
    }

    /// At most so many times.
    #[must_use]
    pub const fn at_most(self, times: u64) -> Self {
        Self {
            budget: Some(times),
            ..self
        }
    }
}

/// The faults of one emulator. Clones have the same rules.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    /// There is a rule: without one nobody looks further.
    armed: AtomicBool,
    rules: Lock<Vec<Rule>>,
    chance: Random,
}

impl Default for Faults {
    fn default() -> Self {
        Self::by(Random::seeded(0))
    }
}

impl Faults {
    /// No faults yet; `chance` decides where a rule leaves it to chance.
    pub fn by(chance: Random) -> Self {
        Self(Arc::new(Rules {
            armed: AtomicBool::new(false),
            rules: Lock::default(),
            chance,
        }))
    }

    /// From now on these rules hold, and no others. Of several for one point the first that
    /// happens counts.
    pub fn set(&self, rules: Vec<Rule>) {
        let mut known = self.0.rules.lock();
        self.0.armed.store(!rules.is_empty(), Ordering::Release);
        *known = rules;
    }

    /// What goes wrong at `point` this time, if anything.
    #[inline]
    pub fn at(&self, point: Point) -> Option<Fault> {
        if !self.0.armed.load(Ordering::Acquire) {
            return None;
        }
        self.drawn(point)
    }

    #[cold]
    fn drawn(&self, point: Point) -> Option<Fault> {
        let mut rules = self.0.rules.lock();
        let mut here = rules.iter_mut().filter(|rule| rule.point == point);
        let drawn = here.find(|rule| {
            let left = rule.budget != Some(0);
            left && self.0.chance.number() % 1000 < u64::from(rule.per_thousand)
        })?;
        if let Some(budget) = &mut drawn.budget {
            *budget -= 1;
        }
        Some(drawn.fault)
    }
}

pub(super) async fn suffer(clock: &Clock, fault: Fault) -> Result<(), Fault> {
    let Fault::Delay(ms) = fault else {
        return Err(fault);
    };
    let until = clock.now().plus_millis(i64::from(ms));
    clock.lenient_alarm().wait(Some(until)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::World;
    use super::*;

    fn rule(point: Point, fault: Fault) -> Rule {
        Rule::new(point, fault).unwrap()
    }

    #[test]
    fn a_rule_happens_at_its_point_until_its_budget_is_spent() {
        let faults = Faults::default();
        assert_eq!(faults.at(Point::Read), None);
        faults.set(vec![rule(Point::Read, Fault::Error).at_most(2)]);
        assert_eq!(faults.at(Point::Decode), None);
        let drawn = [(); 3].map(|()| faults.at(Point::Read));
        assert_eq!(drawn, [Some(Fault::Error), Some(Fault::Error), None]);
        faults.set(vec![rule(Point::Read, Fault::Delay(3))]);
        assert_eq!(faults.at(Point::Read), Some(Fault::Delay(3)));
        faults.set(Vec::new());
        assert_eq!(faults.at(Point::Read), None);
    }

    #[test]
    fn the_same_chance_gives_the_same_faults() {
        let drawn = |seed| {
            let faults = Faults::by(Random::seeded(seed));
            faults.set(vec![rule(Point::Event, Fault::Drop).per_thousand(500)]);
            let drawn = (0..200).map(|_| faults.at(Point::Event).is_some());
            drawn.collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let happened = drawn(1).into_iter().filter(|happened| *happened).count();
        assert!((60..140).contains(&happened), "{happened}");
    }

    #[test]
    fn what_cannot_happen_at_a_point_is_no_rule() {
        for point in Point::ALL {
            assert!(Rule::new(point, Fault::Error).is_some());
        }
        assert_eq!(Rule::new(Point::Flush, Fault::Delay(1)), None);
        assert_eq!(Rule::new(Point::Read, Fault::Tear), None);
        assert_eq!(Rule::new(Point::Append, Fault::Drop), None);
    }

    #[tokio::test]
    async fn a_delay_ends_when_its_time_has_passed() {
        use super::super::{Timestamp, VirtualClock};
        let clock = VirtualClock::starting_at(Timestamp::from_millis(0));
        let world = World::new(Clock::Virtual(clock.clone()), Random::seeded(1));
        world
            .faults
            .set(vec![rule(Point::Decode, Fault::Delay(40))]);
        let late = async {
            let passed = world.pass(Point::Decode).await;
            (passed, world.clock.now().millis())
        };
        let (late, ()) = tokio::join!(late, clock.advance_to(Timestamp::from_millis(100)));
        assert_eq!(late, (Ok(()), 40));
    }
}

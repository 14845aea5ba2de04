//! Injection points: the places in the program where tests inject faults.
//!
//! An injected fault never does more harm than a failure of the real service: a request is answered
//! late, or is answered with an internal failure although its work may have been done, or a
//! subscription ends.

use crate::world::random::Random;

/// A place in the program where a test can inject a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// A request is about to be decoded.
    Decode,
    /// A stream is about to change. The request has been checked, and the lock of the stream is not
    /// yet taken.
    Change,
    /// Records are about to be appended to the shard chosen for them.
    Append,
    /// A commit is about to be made durable. After an error here the store refuses all writes until
    /// it is opened again, as after a failure of the disk.
    Flush,
    /// Durable records are about to be published. An error here has the same effect as at `Flush`.
    Publish,
    /// Records are about to be read from a shard.
    Read,
    /// A subscription is about to send an event.
    Event,
    /// An event source mapping is about to invoke its function.
    Invoke,
    /// An event source mapping is about to deliver an on-failure record.
    Deliver,
    /// A channel is about to write an object.
    DeliverObject,
    /// A channel has written an object, and is about to save its positions.
    Checkpoint,
}

impl Point {
    /// All injection points.
    pub const ALL: [Self; 11] = [
        Self::Decode,
        Self::Change,
        Self::Append,
        Self::Flush,
        Self::Publish,
        Self::Read,
        Self::Event,
        Self::Invoke,
        Self::Deliver,
        Self::DeliverObject,
        Self::Checkpoint,
    ];
}

/// A fault that happens at an injection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The step fails before it does any work.
    Error,
    /// The step starts this many milliseconds later.
    Delay(u32),
    /// At `Event` the subscription ends without an exception. At `Invoke` the function runs, but
    /// its answer is lost. At `Checkpoint` the channel stops until the next start, as after a kill.
    Drop,
    /// The step is done only in part. At `Append` and `Flush` the records are written, but the call
    /// is answered as if it had failed. At `Event` a part of the event is sent, and nothing after
    /// this part.
    Tear,
}

impl Fault {
    /// True when this fault can be injected at `point`. The committer cannot wait, so its points
    /// `Flush` and `Publish` take no delay. Only some steps can be dropped or done in part.
    pub const fn fits(self, point: Point) -> bool {
        match self {
            Self::Error => true,
            Self::Delay(_) => !matches!(point, Point::Flush | Point::Publish),
            Self::Drop => matches!(point, Point::Event | Point::Invoke | Point::Checkpoint),
            Self::Tear => matches!(point, Point::Append | Point::Flush | Point::Event),
        }
    }
}

/// A fault at an injection point, with the probability and the maximum number of its occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    point: Point,
    fault: Fault,
    per_thousand: u32,
    budget: Option<u64>,
}

impl Rule {
    /// A rule that injects `fault` each time the program passes `point`. `None` when the fault does
    /// not fit the point.
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

    /// Makes the fault happen at random, on average in `per_thousand` of 1000 passes.
    #[must_use]
    pub const fn per_thousand(self, per_thousand: u32) -> Self {
        Self {
            per_thousand,
            ..self
        }
    }

    /// Limits the rule to `times` faults in total.
    #[must_use]
    pub const fn at_most(self, times: u64) -> Self {
        Self {
            budget: Some(times),
            ..self
        }
    }
}

impl Rule {
    /// Decides at random if the rule fires at `point` now. Every fault that fires counts against
    /// the rule's maximum.
    pub(super) fn fires(&mut self, point: Point, chance: &Random) -> Option<Fault> {
        let left = self.budget != Some(0);
        let is_here = self.point == point && left;
        if !is_here || chance.number() % 1000 >= u64::from(self.per_thousand) {
            return None;
        }
        if let Some(budget) = &mut self.budget {
            *budget -= 1;
        }
        Some(self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fault::Faults;

    fn rule(point: Point, fault: Fault) -> Rule {
        Rule::new(point, fault).unwrap()
    }

    #[test]
    fn a_rule_fires_at_its_point_until_its_budget_is_spent() {
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
    fn a_fault_that_does_not_fit_a_point_is_no_rule() {
        for point in Point::ALL {
            assert!(Rule::new(point, Fault::Error).is_some());
        }
        assert_eq!(Rule::new(Point::Flush, Fault::Delay(1)), None);
        assert_eq!(Rule::new(Point::Read, Fault::Tear), None);
        assert_eq!(Rule::new(Point::Append, Fault::Drop), None);
    }
}

//! Injection points: the positions in the program where tests inject faults.
//!
//! An injected fault does no more harm than a failure of the real service: the answer to a request
//! is late, the answer is an internal failure, or a subscription ends. A request that is answered
//! with an internal failure may have done its work.

use crate::world::random::Random;

/// A position in the program where a test can inject a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// A request is about to be decoded.
    Decode,
    /// A stream is about to change. The request has been checked, but the lock of the stream is not
    /// taken yet.
    Change,
    /// Records are about to be appended to a shard.
    Append,
    /// A commit is about to be made durable. After an error at this point the store refuses all
    /// writes until it is opened again, as after a failure of the disk.
    Flush,
    /// Durable records are about to be published. An error at this point has the same effect as at
    /// `Flush`.
    Publish,
    /// Records are about to be read from a shard.
    Read,
    /// A subscription is about to send an event.
    Event,
    /// An event source mapping is about to invoke its function.
    Invoke,
    /// An event source mapping is about to deliver a failure record to its on-failure destination.
    Deliver,
    /// A channel is about to write an object to its destination.
    DeliverObject,
    /// A channel has written an object, and is about to save its positions in the shards.
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

/// A fault that a test injects at an injection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The work that follows the point fails before it does anything.
    Error,
    /// The work that follows the point starts this many milliseconds later.
    Delay(u32),
    /// At `Event`, the subscription ends without an exception. At `Invoke`, the function runs, but
    /// its answer is lost. At `Checkpoint`, the channel stops until the emulator's next start, as
    /// after a kill of the process.
    Drop,
    /// The work that follows the point is done only in part. At `Append` and `Flush`, the store
    /// writes the records, but the request is answered as if the write had failed. At `Event`, the
    /// subscription sends a part of the event and then nothing more.
    Tear,
}

impl Fault {
    /// Returns true if this fault can be injected at `point`. `Delay` cannot be injected at `Flush`
    /// and `Publish`, because the committer cannot wait. `Drop` and `Tear` can be injected only at
    /// some points.
    pub const fn fits(self, point: Point) -> bool {
        match self {
            Self::Error => true,
            Self::Delay(_) => !matches!(point, Point::Flush | Point::Publish),
            Self::Drop => matches!(point, Point::Event | Point::Invoke | Point::Checkpoint),
            Self::Tear => matches!(point, Point::Append | Point::Flush | Point::Event),
        }
    }
}

/// A rule that injects a fault at an injection point. The rule has a probability, and it can have a
/// maximum number of injected faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    point: Point,
    fault: Fault,
    per_thousand: u32,
    budget: Option<u64>,
}

impl Rule {
    /// Creates a rule that injects `fault` each time the program reaches `point`. Returns `None` if
    /// `fault` cannot be injected at `point`.
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

    /// Makes the rule inject its fault at random. On average the rule injects the fault in
    /// `per_thousand` of 1000 cases.
    #[must_use]
    pub const fn per_thousand(self, per_thousand: u32) -> Self {
        Self {
            per_thousand,
            ..self
        }
    }

    /// Makes the rule inject at most `times` faults in total.
    #[must_use]
    pub const fn at_most(self, times: u64) -> Self {
        Self {
            budget: Some(times),
            ..self
        }
    }
}

impl Rule {
    /// Decides at random if the rule injects its fault at `point` now. Returns and counts the fault
    /// if the rule injects it, and otherwise returns `None`.
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

//! Injection points: the places in the program where the simulation injects faults.
//!
//! A fault is never worse than the service's own failures: a request is answered with an internal
//! failure, late, or with an error although it was done; a subscription ends.

use crate::world::random::Random;

/// A place where a fault can be injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// A request is about to be decoded.
    Decode,
    /// A stream is about to be changed: after the request was checked, before the stream is locked.
    Change,
    /// Records are about to be appended to a shard that was chosen for them.
    Append,
    /// A commit is about to be made durable. As after a failure of the disk, the store refuses
    /// writes until it is opened again.
    Flush,
    /// Durable records are about to be published. A fault has the same effect as at `Flush`.
    Publish,
    /// Records are about to be read.
    Read,
    /// A subscription is about to send an event.
    Event,
    /// A mapping is about to invoke its function.
    Invoke,
    /// A mapping is about to deliver an on-failure record.
    Deliver,
}

impl Point {
    /// All points.
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

/// A fault of an injection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The step fails before it does anything.
    Error,
    /// The step is done so many milliseconds later.
    Delay(u32),
    /// A subscription ends without an exception.
    Drop,
    /// Half of the step: records are appended or flushed, but the call is answered as if it had
    /// failed; of an event a part is sent, and nothing after it.
    Tear,
}

impl Fault {
    /// The fault can be injected at `point`. The committer has no clock to wait by, and only some
    /// steps have halves.
    pub const fn fits(self, point: Point) -> bool {
        match self {
            Self::Error => true,
            Self::Delay(_) => !matches!(point, Point::Flush | Point::Publish),
            Self::Drop => matches!(point, Point::Event | Point::Invoke),
            Self::Tear => matches!(point, Point::Append | Point::Flush | Point::Event),
        }
    }
}

/// A fault of an injection point, and how often it is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    point: Point,
    fault: Fault,
    per_thousand: u32,
    budget: Option<u64>,
}

impl Rule {
    /// `fault` whenever `point` is passed; none where it cannot be injected there.
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

    /// Injects the fault in so many of a thousand passes, by chance.
    #[must_use]
    pub const fn per_thousand(self, per_thousand: u32) -> Self {
        Self {
            per_thousand,
            ..self
        }
    }

    /// Injects the fault at most so many times.
    #[must_use]
    pub const fn at_most(self, times: u64) -> Self {
        Self {
            budget: Some(times),
            ..self
        }
    }
}

impl Rule {
    /// Draws whether the rule fires at `point`, and counts it.
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

//! Lists of deadlines. At a deadline, a status of a stream, consumer, queue or channel ends by
//! itself, or a visibility timeout in a queue ends.

use super::lock_order;
use crate::lock::Lock;
use crate::world::{Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The event at a deadline of a stream: the end of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The status of the stream itself ends.
    Stream,
    /// The status of the stream's consumer with this name ends.
    Consumer(String),
}

/// Deadlines in the order of time. `O` is the type of a deadline's owner, such as a stream. `D` is
/// the type of a deadline's event, such as the end of the owner's status.
#[derive(Debug)]
pub(super) struct Deadlines<O, D> {
    waiting: Lock<Waiting<O, D>>,
    bell: Bell,
}

#[derive(Debug)]
struct Waiting<O, D> {
    /// The owners and the events of the deadlines. The key of a deadline is its time and a unique
    /// number: the value of `count` when the deadline was added.
    entries: BTreeMap<(Timestamp, u64), (Arc<O>, D)>,
    count: u64,
}

impl<O, D> Deadlines<O, D> {
    /// Creates a list without deadlines. `bell` wakes the task that waits for the deadlines.
    pub(super) fn new(bell: Bell) -> Self {
        let waiting = Waiting {
            entries: BTreeMap::new(),
            count: 0,
        };
        Self {
            waiting: Lock::ranked(lock_order::SINGLE, waiting),
            bell,
        }
    }

    /// Adds a deadline, and wakes the task that waits for the deadlines, because the new deadline
    /// may be the earliest.
    pub(super) fn add(&self, moment: Timestamp, owner: Arc<O>, due: D) {
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let count = waiting.count;
        waiting.entries.insert((moment, count), (owner, due));
        drop(waiting);
        self.bell.ring();
    }

    /// Returns the time of the earliest deadline. None if the list has no deadlines.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waiting = self.waiting.lock();
        let first = waiting.entries.first_key_value();
        first.map(|((moment, _), _)| *moment)
    }

    /// Removes and returns the earliest deadline if its time is `now` or earlier. Returns None
    /// otherwise.
    pub(super) fn take_due(&self, now: Timestamp) -> Option<(Arc<O>, D)> {
        let mut waiting = self.waiting.lock();
        let first = waiting.entries.first_entry();
        let first = first.filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

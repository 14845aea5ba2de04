//! A queue of deadlines, at which statuses of streams, consumers and queues end by themselves.

use super::lock_order;
use crate::lock::Lock;
use crate::world::{Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The status that ends at a deadline of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The status of the stream itself.
    Stream,
    /// The status of the stream's consumer with this name.
    Consumer(String),
}

/// Deadlines in the order of time. `O` is the owner of the status that ends, such as a stream. `D`
/// tells which status of the owner ends.
#[derive(Debug)]
pub(super) struct Deadlines<O, D> {
    waiting: Lock<Waiting<O, D>>,
    bell: Bell,
}

#[derive(Debug)]
struct Waiting<O, D> {
    /// The key is the time of the deadline, and the value that `count` had when the deadline was
    /// added. The count makes the key unique.
    entries: BTreeMap<(Timestamp, u64), (Arc<O>, D)>,
    count: u64,
}

impl<O, D> Deadlines<O, D> {
    /// A queue without deadlines. `bell` wakes the task that ends the statuses.
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

    /// Adds a deadline, and wakes the task that ends the statuses, because the new deadline may be
    /// the earliest.
    pub(super) fn add(&self, moment: Timestamp, owner: Arc<O>, due: D) {
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let count = waiting.count;
        waiting.entries.insert((moment, count), (owner, due));
        drop(waiting);
        self.bell.ring();
    }

    /// Time of the earliest deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waiting = self.waiting.lock();
        let first = waiting.entries.first_key_value();
        first.map(|((moment, _), _)| *moment)
    }

    /// Removes and returns the earliest deadline if it is at or before `now`.
    pub(super) fn take_due(&self, now: Timestamp) -> Option<(Arc<O>, D)> {
        let mut waiting = self.waiting.lock();
        let first = waiting.entries.first_entry();
        let first = first.filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

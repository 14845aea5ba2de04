//! States that end by themselves: those of streams, and those of queues.

use super::lock_order;
use crate::lock::Lock;
use crate::world::{Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A state that ends: of a stream, or of one of its consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The stream.
    Stream,
    /// The consumer of this name.
    Consumer(String),
}

/// The states that will end, in the order of their ends. A deadline has an owner `O`, such as a
/// stream, and the state `D` that ends.
#[derive(Debug)]
pub(super) struct Deadlines<O, D> {
    waiting: Lock<Waiting<O, D>>,
    bell: Bell,
}

#[derive(Debug)]
struct Waiting<O, D> {
    /// By moment, and by `count` at the time of the call.
    entries: BTreeMap<(Timestamp, u64), (Arc<O>, D)>,
    count: u64,
}

impl<O, D> Deadlines<O, D> {
    /// No deadlines. `bell` wakes the task that ends the states.
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

    /// Adds a deadline, and wakes the task, because this deadline may be its next.
    pub(super) fn add(&self, moment: Timestamp, owner: Arc<O>, due: D) {
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let count = waiting.count;
        waiting.entries.insert((moment, count), (owner, due));
        drop(waiting);
        self.bell.ring();
    }

    /// The first deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waiting = self.waiting.lock();
        let first = waiting.entries.first_key_value();
        first.map(|((moment, _), _)| *moment)
    }

    /// Removes and returns a deadline that is not after `now`.
    pub(super) fn take_due(&self, now: Timestamp) -> Option<(Arc<O>, D)> {
        let mut waiting = self.waiting.lock();
        let first = waiting.entries.first_entry();
        let first = first.filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

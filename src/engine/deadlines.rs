//! The queue of states that end by themselves.

use super::lock_order;
use super::stream::Stream;
use crate::lock::Lock;
use crate::world::{Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The owner of a state that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The stream.
    Stream,
    /// The consumer of this name.
    Consumer(String),
}

/// The states that will end, in the order of their ends.
#[derive(Debug)]
pub(super) struct Deadlines {
    queue: Lock<Queue>,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Queue {
    /// By moment, and by `count` at the time of the call.
    entries: BTreeMap<(Timestamp, u64), (Arc<Stream>, Due)>,
    count: u64,
}

impl Deadlines {
    /// An empty queue. `bell` wakes the task that ends the states.
    pub(super) fn new(bell: Bell) -> Self {
        Self {
            queue: Lock::ranked(lock_order::SINGLE, Queue::default()),
            bell,
        }
    }

    /// Adds a deadline, and wakes the task, because this deadline may be its next.
    pub(super) fn add(&self, moment: Timestamp, stream: Arc<Stream>, due: Due) {
        let mut queue = self.queue.lock();
        queue.count += 1;
        let count = queue.count;
        queue.entries.insert((moment, count), (stream, due));
        drop(queue);
        self.bell.ring();
    }

    /// The first deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let queue = self.queue.lock();
        let first = queue.entries.first_key_value();
        first.map(|((moment, _), _)| *moment)
    }

    /// Removes and returns a deadline that is not after `now`.
    pub(super) fn take_due(&self, now: Timestamp) -> Option<(Arc<Stream>, Due)> {
        let mut queue = self.queue.lock();
        let first = queue.entries.first_entry();
        let first = first.filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

//! The orders in which a queue looks at its received records: as they become visible, and as
//! their visibility timeouts end.
//!
//! Neither is updated when a record leaves it early. An item says enough to be recognized as stale
//! when its turn comes; lists that are mostly stale are cleaned by [`Ready::clean`] and
//! [`Timers::clean`], which cost a constant time for each item that was added.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A record of a queue: its shard and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordPlace {
    /// The index in the shard.
    pub(crate) index: u64,
    /// The shard.
    pub(crate) shard: u32,
}

/// Stale items that a list may hold beside as many as there are good ones.
const SLACK: usize = 1024;

/// Visible records in the order in which they became visible.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready(VecDeque<(RecordPlace, u64)>);

impl Ready {
    pub(super) fn push(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_back((place, delivery));
    }

    pub(super) fn push_first(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_front((place, delivery));
    }

    /// The next record that is still `good`, by its place and its newest delivery.
    pub(super) fn pop(&mut self, good: impl Fn(RecordPlace, u64) -> bool) -> Option<RecordPlace> {
        loop {
            let (place, delivery) = self.0.pop_front()?;
            if good(place, delivery) {
                return Some(place);
            }
        }
    }

    /// Forgets stale items when they are more than the `count` good ones.
    pub(super) fn clean(&mut self, count: usize, good: impl Fn(RecordPlace, u64) -> bool) {
        if self.0.len() > 2 * count + SLACK {
            self.0.retain(|(place, delivery)| good(*place, *delivery));
        }
        if self.0.capacity() > 4 * self.0.len() + SLACK {
            self.0.shrink_to(2 * self.0.len());
        }
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(RecordPlace, u64)>()
    }
}

/// Records in flight by the moments at which they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(i64, RecordPlace)>>);

impl Timers {
    pub(super) fn push(&mut self, due_ms: i64, place: RecordPlace) {
        self.0.push(Reverse((due_ms, place)));
    }

    /// The next that is due by `now_ms`, stale or not.
    pub(super) fn pop_due(&mut self, now_ms: i64) -> Option<(i64, RecordPlace)> {
        let Reverse((due_ms, _)) = self.0.peek()?;
        if *due_ms > now_ms {
            return None;
        }
        self.0.pop().map(|Reverse(item)| item)
    }

    /// The moment at which the first `good` record is due; stale ones before it are forgotten.
    pub(super) fn next(&mut self, good: impl Fn(i64, RecordPlace) -> bool) -> Option<i64> {
        loop {
            let Reverse((due_ms, place)) = *self.0.peek()?;
            if good(due_ms, place) {
                return Some(due_ms);
            }
            self.0.pop();
        }
    }

    /// Forgets stale items when they are more than the `count` good ones.
    pub(super) fn clean(&mut self, count: usize, good: impl Fn(i64, RecordPlace) -> bool) {
        if self.0.len() > 2 * count + SLACK {
            self.0
                .retain(|Reverse((due_ms, place))| good(*due_ms, *place));
        }
        if self.0.capacity() > 4 * self.0.len() + SLACK {
            self.0.shrink_to(2 * self.0.len());
        }
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(i64, RecordPlace)>()
    }
}

//! Orders of a queue's received records: `Ready` holds visible records, in the order in which
//! they became visible, and `Timers` holds records in flight, by the end of their visibility
//! timeouts.
//!
//! An item becomes stale when its record changes early, for example because a consumer acknowledges
//! the record. A stale item is not removed at once: it is recognized and dropped when it is the
//! first of its order. [`Ready::clean`] and [`Timers::clean`] remove the stale items of an order in
//! which they are the majority; this costs a constant time for each item added.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The place of a record in its stream: the shard and the index in this shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordPlace {
    pub(crate) index: u64,
    /// The index of the shard.
    pub(crate) shard: u32,
}

/// Number by which the stale items of an order may exceed its valid items before they are removed.
const SLACK: usize = 1024;

/// Visible records with the number of their newest delivery, in the order in which they became
/// visible.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready(VecDeque<(RecordPlace, u64)>);

impl Ready {
    pub(super) fn push(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_back((place, delivery));
    }

    pub(super) fn push_first(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_front((place, delivery));
    }

    /// Removes and returns the first record whose item is valid, and drops the stale items before
    /// it. `good` returns true for a valid item, given the record's place and the number of its
    /// delivery.
    pub(super) fn pop(&mut self, good: impl Fn(RecordPlace, u64) -> bool) -> Option<RecordPlace> {
        loop {
            let (place, delivery) = self.0.pop_front()?;
            if good(place, delivery) {
                return Some(place);
            }
        }
    }

    /// Removes the stale items when they outnumber the `count` valid items by far.
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

/// Records in flight, ordered by the end of their visibility timeouts (milliseconds since 1970).
#[derive(Debug, Clone, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(i64, RecordPlace)>>);

impl Timers {
    pub(super) fn push(&mut self, due_ms: i64, place: RecordPlace) {
        self.0.push(Reverse((due_ms, place)));
    }

    /// Removes and returns the first item, stale or not, whose visibility timeout ends at `now_ms`
    /// or earlier.
    pub(super) fn pop_due(&mut self, now_ms: i64) -> Option<(i64, RecordPlace)> {
        let Reverse((due_ms, _)) = self.0.peek()?;
        if *due_ms > now_ms {
            return None;
        }
        self.0.pop().map(|Reverse(item)| item)
    }

    /// The end of the first visibility timeout that `good` accepts, in milliseconds since 1970.
    /// Drops stale items before it.
    pub(super) fn next(&mut self, good: impl Fn(i64, RecordPlace) -> bool) -> Option<i64> {
        loop {
            let Reverse((due_ms, place)) = *self.0.peek()?;
            if good(due_ms, place) {
                return Some(due_ms);
            }
            self.0.pop();
        }
    }

    /// Removes the stale items when they outnumber the `count` valid items by far.
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

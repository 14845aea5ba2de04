//! Ordered lists of a queue's received records. `Ready` lists visible records in the order in which
//! they became visible. `Timers` lists records in flight by the end of their visibility timeouts.
//!
//! An item of a list becomes stale when the state of its record changes but the item stays in the
//! list. For example, a consumer acknowledges the record. A stale item stays in the list until it
//! is the first item, and is then dropped. [`Ready::clean`] and [`Timers::clean`] remove the stale
//! items of a list early if they are the majority. The amortized cost of this removal is constant
//! for each item that is added to the list.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The place of a record in its stream: the shard, and the record's index in this shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordPlace {
    pub(crate) index: u64,
    /// The index of the shard.
    pub(crate) shard: u32,
}

/// Largest permitted number of stale items in excess of the other items of the list. The stale
/// items are removed if there are more. An item is stale if its record is no longer in the state
/// that the list is for.
const SLACK: usize = 1024;

/// The visible records of a queue, in the order in which they became visible. Each item is the
/// place of a record and the number of the record's newest delivery.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready(VecDeque<(RecordPlace, u64)>);

impl Ready {
    pub(super) fn push(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_back((place, delivery));
    }

    pub(super) fn push_first(&mut self, place: RecordPlace, delivery: u64) {
        self.0.push_front((place, delivery));
    }

    /// Removes and returns the place of the first record that is still visible. Also removes the
    /// stale items before this record's item. `good(place, delivery)` returns true if the record at
    /// `place` is still visible, and its newest delivery has the number `delivery`.
    pub(super) fn pop(&mut self, good: impl Fn(RecordPlace, u64) -> bool) -> Option<RecordPlace> {
        loop {
            let (place, delivery) = self.0.pop_front()?;
            if good(place, delivery) {
                return Some(place);
            }
        }
    }

    /// Removes all stale items if they outnumber the visible records by more than `SLACK`. `count`
    /// is the number of visible records. `good(place, delivery)` returns true if the record at
    /// `place` is still visible, and its newest delivery has the number `delivery`.
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

/// The records in flight of a queue, ordered by the end of their visibility timeouts. Each item is
/// the end of a timeout, in milliseconds since 1970, and the place of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(i64, RecordPlace)>>);

impl Timers {
    pub(super) fn push(&mut self, due_ms: i64, place: RecordPlace) {
        self.0.push(Reverse((due_ms, place)));
    }

    /// Removes and returns the item with the earliest end of a visibility timeout, if this end is
    /// `now_ms` (milliseconds since 1970) or earlier. The item may be stale: its record may no
    /// longer be in flight. Returns `None` if every timeout ends after `now_ms`.
    pub(super) fn pop_due(&mut self, now_ms: i64) -> Option<(i64, RecordPlace)> {
        let Reverse((due_ms, _)) = self.0.peek()?;
        if *due_ms > now_ms {
            return None;
        }
        self.0.pop().map(|Reverse(item)| item)
    }

    /// Returns the end of the first visibility timeout that still applies, in milliseconds since
    /// 1970. Removes the stale items before this timeout's item. `good(due_ms, place)` returns true
    /// if the record at `place` is in flight until `due_ms`.
    pub(super) fn next(&mut self, good: impl Fn(i64, RecordPlace) -> bool) -> Option<i64> {
        loop {
            let Reverse((due_ms, place)) = *self.0.peek()?;
            if good(due_ms, place) {
                return Some(due_ms);
            }
            self.0.pop();
        }
    }

    /// Removes all stale items if they outnumber the records in flight by more than `SLACK`.
    /// `count` is the number of records in flight. `good(due_ms, place)` returns true if the record
    /// at `place` is in flight until `due_ms`.
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

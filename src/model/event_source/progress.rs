//! Progress of a mapping in a shard. Batches may finish in any order, but the saved position
//! advances in the order of the records. A record is done if it was delivered, dropped by a filter
//! or discarded.

use super::window::Window;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The position of a mapping in a shard: the part of its progress that survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardPosition {
    /// The index before which all records are done.
    pub next: u64,
    /// Index and arrival time (milliseconds since 1970) of the last record before [`Self::next`].
    /// `None` if there is no such record yet.
    pub last: Option<(u64, i64)>,
    /// True if the shard is closed and all of its records are done.
    pub finished: bool,
    /// For a mapping with several lanes, one index for each lane. All records of the lane before
    /// this index are done.
    pub lanes: Vec<u64>,
    /// The open tumbling window, and the JSON of the state from the function's last answer in this
    /// window. `None` if no window is open.
    pub window: Option<(Window, String)>,
}

/// The progress of a mapping in a shard. It tracks records by their indexes: from the first record
/// that is not done to the last record that was read. Of consecutive records that are done, only
/// the last one is tracked. Therefore the number of tracked records is at most twice the number of
/// records that are not done.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    read: BTreeMap<u64, Read>,
    undone: usize,
    /// The index before which all records are done.
    next: u64,
    /// Index and arrival time (milliseconds since 1970) of the last record before `next`. `None` if
    /// there is no such record yet.
    last: Option<(u64, i64)>,
}

#[derive(Debug, Clone, Copy)]
struct Read {
    arrival_ms: i64,
    done: bool,
}

impl Progress {
    /// Creates the progress of a mapping. All records before the index `next` are done. `last` is
    /// the index and the arrival time (milliseconds since 1970) of the last record before `next`.
    /// `None` if no record precedes `next`.
    pub const fn starting_at(next: u64, last: Option<(u64, i64)>) -> Self {
        Self {
            read: BTreeMap::new(),
            undone: 0,
            next,
            last,
        }
    }

    /// Begins to track the record at `index`, which was read from the shard. `done` is true when
    /// the record needs no delivery, for example because a filter dropped it.
    pub fn read(&mut self, index: u64, arrival_ms: i64, done: bool) {
        self.undone += usize::from(!done);
        self.read.insert(index, Read { arrival_ms, done });
        if done {
            self.merge(index);
        }
        self.advance();
    }

    /// Marks the record at `index` as done, because it was delivered or discarded.
    pub fn done(&mut self, index: u64) {
        if let Some(read) = self.read.get_mut(&index).filter(|read| !read.done) {
            read.done = true;
            self.undone -= 1;
            self.merge(index);
            self.advance();
        }
    }

    /// Merges the record at `index`, which is done, with the neighbouring records that are done,
    /// too.
    fn merge(&mut self, index: u64) {
        let before = self.read.range(..index).next_back();
        if let Some((before, _)) = before.filter(|(_, read)| read.done) {
            let before = *before;
            self.read.remove(&before);
        }
        let after = self.read.range(index + 1..).next();
        if after.is_some_and(|(_, read)| read.done) {
            self.read.remove(&index);
        }
    }

    fn advance(&mut self) {
        while let Some(read) = self.read.first_entry().filter(|read| read.get().done) {
            let (index, read) = read.remove_entry();
            self.next = index + 1;
            self.last = Some((index, read.arrival_ms));
        }
    }

    /// The index before which all records are done.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Index and arrival time (milliseconds since 1970) of the last record before [`Self::next`].
    /// `None` if there is no such record yet.
    pub const fn last(&self) -> Option<(u64, i64)> {
        self.last
    }

    /// Number of records that were read from the shard and are not done.
    pub const fn undone(&self) -> usize {
        self.undone
    }

    /// Drops every tracked record, so that the mapping reads the shard again, beginning at
    /// `Self::next`.
    pub fn forget(&mut self) {
        self.read.clear();
        self.undone = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_position_stands_just_before_the_first_record_that_is_not_done(
            gaps in prop::collection::vec((1_u64..5, any::<bool>()), 1..40),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let mut progress = Progress::starting_at(0, None);
            let mut records = Vec::new();
            let mut index = 0;
            for (gap, done) in gaps {
                index += gap;
                progress.read(index, index as i64, done);
                records.push((index, done));
            }
            for chosen in order {
                let at = chosen.index(records.len());
                records[at].1 = true;
                progress.done(records[at].0);
                let first = records.iter().position(|(_, done)| !done);
                let covered = first.unwrap_or(records.len());
                let last = covered.checked_sub(1).map(|at| records[at].0);
                prop_assert_eq!(progress.last().map(|(index, _)| index), last);
                prop_assert_eq!(progress.next(), last.map_or(0, |last| last + 1));
                let undone = records.iter().filter(|(_, done)| !done).count();
                prop_assert_eq!(progress.undone(), undone);
                prop_assert!(progress.read.len() <= 2 * undone);
            }
        }
    }

    #[test]
    fn done_records_behind_one_that_is_not_done_take_no_memory() {
        let mut progress = Progress::starting_at(0, None);
        progress.read(0, 0, false);
        for index in 1..1_000 {
            progress.read(index, 0, false);
            progress.done(index);
        }
        assert_eq!(progress.read.len(), 2);
        progress.done(0);
        assert_eq!((progress.next(), progress.last()), (1_000, Some((999, 0))));
    }

    #[test]
    fn what_is_forgotten_is_read_again() {
        let mut progress = Progress::starting_at(5, None);
        progress.read(5, 1, false);
        progress.read(6, 1, false);
        progress.done(6);
        progress.forget();
        assert_eq!((progress.next(), progress.undone()), (5, 0));
        progress.done(6);
        assert_eq!(
            progress.next(),
            5,
            "an index that is not known changes nothing"
        );
    }
}

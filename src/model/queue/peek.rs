//! A peek at the received records of a queue, which returns records without a receive, and the
//! purge of a queue.

use super::entry::{Entry, Standing};
use super::order::RecordPlace;
use super::records::QueueRecords;
use std::collections::BTreeSet;

/// The state of records that a peek selects among the received records of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeekState {
    /// Visible records, which the next receive can deliver.
    Visible,
    /// Records in flight: received, with a visibility timeout that has not ended.
    InFlight,
    /// Dead-letter records, in flight or visible.
    DeadLetter,
}

impl PeekState {
    fn shows(self, standing: Standing) -> bool {
        match self {
            Self::Visible => standing == Standing::Visible,
            Self::InFlight => standing == Standing::InFlight,
            Self::DeadLetter => standing.is_dead(),
        }
    }
}

impl QueueRecords {
    /// Returns at most `limit` received records of the shard `from.shard` that are in the state
    /// `state`. The search begins at the index `from.index`. Also returns the index at which the
    /// next call continues. The index is `None` if no more records are in this state.
    pub(crate) fn peek(
        &self,
        from: RecordPlace,
        state: PeekState,
        limit: usize,
    ) -> (Vec<(u64, Entry)>, Option<u64>) {
        let Some(known) = self.shards.get(&from.shard) else {
            return (Vec::new(), None);
        };
        let entries = known.entries.iter_from(from.index);
        let mut shown = entries.filter(|(_, entry)| state.shows(entry.standing));
        let taken = shown.by_ref().take(limit);
        let found = taken.map(|(index, entry)| (index, *entry)).collect();
        (found, shown.next().map(|(index, _)| index))
    }

    /// Returns the indexes of two kinds of records in `shard`. The first kind was received and is
    /// not settled. The second kind is settled although the queue knows no receive of the record.
    /// Indexes below `index` are left out.
    ///
    /// A returned index can be [`Self::next`] or larger only after a crash. The crash lost the
    /// receive of the record. Afterwards a client used the receipt handle that the receive had
    /// returned.
    pub(crate) fn passed_from(&self, shard: u32, index: u64) -> BTreeSet<u64> {
        let Some(known) = self.shards.get(&shard) else {
            return BTreeSet::new();
        };
        let received = known.entries.iter_from(index).map(|(index, _)| index);
        let settled = known.settled_ahead.range(index..).copied();
        received.chain(settled).collect()
    }

    /// Settles every record of a shard before the index `end`. The changes of these records are not
    /// collected for `Self::take_changes`, so the caller must save the whole state of the queue
    /// afterwards.
    pub(crate) fn purge(&mut self, shard: u32, end: u64) {
        let Some(known) = self.shards.get_mut(&shard) else {
            return;
        };
        known.next = known.next.max(end);
        known.settled_ahead = known.settled_ahead.split_off(&known.next);
        for (_, entry) in std::mem::take(&mut known.entries).iter() {
            *self.counts.of(entry.standing) -= 1;
        }
        self.clean();
    }
}

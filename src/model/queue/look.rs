//! Looks at the records of a queue that change nothing, and the settling of all of them.

use super::entry::{Entry, Standing};
use super::order::RecordPlace;
use super::records::QueueRecords;
use std::collections::BTreeSet;

/// The records that a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeekState {
    /// Records that a receive can get now.
    Visible,
    /// Received records whose visibility timeout runs.
    InFlight,
    /// Dead-letter records, in flight or not.
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
    /// At most `limit` received records of a shard, from a place on, and the index of the first one
    /// after them.
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

    /// The records of a shard at or after `index` that were received or settled although the queue
    /// has not come to them.
    pub(crate) fn passed_from(&self, shard: u32, index: u64) -> BTreeSet<u64> {
        let Some(known) = self.shards.get(&shard) else {
            return BTreeSet::new();
        };
        let received = known.entries.iter_from(index).map(|(index, _)| index);
        let settled = known.settled_ahead.range(index..).copied();
        received.chain(settled).collect()
    }

    /// Settles every record of a shard before `end`. The caller lists the whole state in the
    /// journal afterwards: no single change is noted.
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

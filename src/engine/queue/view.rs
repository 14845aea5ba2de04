//! The shards of a queue's stream at one moment.

use crate::engine::{Read, ReadBudget, Shard, Stream};
use crate::limits;
use crate::model::{QueueRecords, RecordPlace, UnreadRecord};
use crate::store::PeekResult;
use crate::world::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The shards and the horizon of a stream at one moment.
#[derive(Debug)]
pub(super) struct StreamView {
    /// The horizon of the stream. Records that arrived before it have expired.
    pub(super) horizon: Timestamp,
    /// All shards of the stream, in the order of their ids.
    pub(super) shards: Arc<[Arc<Shard>]>,
}

/// The next records of a shard that were never received.
pub(super) enum Unread {
    /// The records, and the index after the last of these records. The list is empty if the shard
    /// has no published record that was never received. The list is also empty if the next record
    /// does not fit in the answer.
    Found(Vec<UnreadRecord>, u64),
    /// The next record of the shard is on disk and not in memory.
    OnDisk,
}

impl StreamView {
    pub(super) fn of(stream: &Stream, now: Timestamp) -> Self {
        let (horizon, shards) = stream.all_shards(now);
        Self { horizon, shards }
    }

    /// Adds the stream's new shards to `records`, and removes from `records` the shards that the
    /// stream no longer has. The queue reads a new shard from its first record.
    pub(super) fn introduce(&self, records: &mut QueueRecords) {
        let known = records.known_shards();
        if known.eq(self.shards.iter().map(|shard| shard.id.index())) {
            return;
        }
        let ids: BTreeSet<u32> = self.shards.iter().map(|shard| shard.id.index()).collect();
        let gone: Vec<u32> = records
            .known_shards()
            .filter(|id| !ids.contains(id))
            .collect();
        gone.into_iter()
            .for_each(|shard| records.forget_shard(shard));
        ids.into_iter().for_each(|shard| records.know(shard));
    }

    /// Number of records of the queue that were never received and are not settled.
    pub(super) fn unread_count(&self, records: &QueueRecords) -> u64 {
        let unread = |shard: &Arc<Shard>| {
            let (id, log) = (shard.id.index(), shard.log());
            let next = records.next(id);
            let passed = records.passed_from(id, next);
            let passed = passed
                .iter()
                .filter(|at| log.has(**at, self.horizon))
                .count();
            let readable = log.amount_from(next, self.horizon).records;
            readable.saturating_sub(passed as u64)
        };
        self.shards.iter().map(unread).sum()
    }

    /// Removes from `records` the expired records whose receives were lost in a crash. The queue
    /// does not know the arrival times of these records, so this function asks the log for the
    /// first record that has not expired.
    pub(super) fn expire_ahead(&self, records: &mut QueueRecords) {
        for shard in self.shards.iter() {
            let id = shard.id.index();
            let next = records.next(id);
            if records.passed_from(id, next).is_empty() {
                continue;
            }
            if let PeekResult::Found(found, end) = shard.log().peek(next, self.horizon, 1) {
                let readable = found.first().map_or(end, |record| record.index);
                records.skip(id, readable);
            }
        }
    }

    /// True if the record at `place` cannot be read any more. False if the record can be read, or
    /// if the read of the log fails.
    pub(super) async fn has_expired(&self, place: RecordPlace) -> bool {
        let Some(shard) = self.shard(place.shard) else {
            return true;
        };
        let read = Read {
            from: shard.position(place.index, self.horizon),
            horizon: self.horizon,
            records: 1,
            bytes: 1,
        };
        let Ok(batch) = shard.read(read, ReadBudget::AtOnce).await else {
            return false;
        };
        let first = batch.iter().next().map(|record| record.number.index);
        first != Some(place.index)
    }

    fn shard(&self, id: u32) -> Option<&Arc<Shard>> {
        let at = self
            .shards
            .binary_search_by_key(&id, |shard| shard.id.index());
        at.ok().map(|at| &self.shards[at])
    }

    /// Returns the next records of `shard` that were never received: at most `count` records, with
    /// about `bytes` bytes in total. Subtracts the sizes of the returned records from `bytes`. The
    /// first record of an answer may be larger than `bytes`.
    pub(super) fn unread(
        &self,
        shard: &Shard,
        records: &QueueRecords,
        count: usize,
        bytes: &mut u64,
    ) -> Unread {
        let next = records.next(shard.id.index());
        let PeekResult::Found(found, mut after) = shard.log().peek(next, self.horizon, count)
        else {
            return Unread::OnDisk;
        };
        let mut unread = Vec::with_capacity(found.len());
        for record in found {
            if *bytes < record.weight && *bytes < limits::QUEUE_ANSWER_BYTES {
                after = record.index;
                break;
            }
            *bytes = bytes.saturating_sub(record.weight);
            let (index, arrival) = (record.index, record.arrival);
            unread.push(UnreadRecord { index, arrival });
        }
        Unread::Found(unread, after)
    }

    /// True if the queue may read `shard`. A child shard waits until all records of its parents
    /// have been received at least once. The service prefers this order but does not promise it.
    pub(super) fn is_eligible(
        &self,
        shard: &Shard,
        records: &mut QueueRecords,
        exhausted: &mut BTreeSet<u32>,
    ) -> bool {
        let parents = shard.parents.into_iter().flatten();
        parents.into_iter().all(|parent| {
            let id = parent.index();
            let parent = self.shard(id).filter(|_| !exhausted.contains(&id));
            parent.is_none_or(|parent| self.is_exhausted(parent, records, exhausted))
        })
    }

    /// True if the shard gets no more records, and all its records have been received at least
    /// once. Adds such a shard to `exhausted`.
    pub(super) fn is_exhausted(
        &self,
        shard: &Shard,
        records: &mut QueueRecords,
        exhausted: &mut BTreeSet<u32>,
    ) -> bool {
        let id = shard.id.index();
        let ahead = shard.log().peek(records.next(id), self.horizon, 1);
        let PeekResult::Found(found, after) = ahead else {
            return false;
        };
        if !found.is_empty() || !shard.is_complete_before(after) {
            return false;
        }
        records.advance(id, after);
        exhausted.insert(id);
        true
    }
}

//! Records read from a shard.

use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;

/// A request to read from a shard.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The lowest sequence number to read. No record needs to have this number.
    pub from: SequenceNumber,
    /// Records that arrived before this moment are expired.
    pub horizon: Timestamp,
    /// The largest number of records.
    pub records: usize,
    /// The most bytes of data and partition keys. One larger record is still read.
    pub bytes: u64,
}

/// Records read from a shard, in the segments that hold them.
#[derive(Debug)]
pub struct Batch {
    pub(super) records: crate::store::Batch,
    pub(super) created_s: u64,
    pub(super) shard: ShardId,
    pub(super) next: SequenceNumber,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    /// The sequence number.
    pub number: SequenceNumber,
    /// The moment at which the record was accepted.
    pub arrival: Timestamp,
    /// The partition key, if the record was put with one.
    pub partition_key: Option<&'a str>,
    /// The payload.
    pub data: &'a [u8],
    /// The stream was encrypted when the record was put.
    pub encrypted: bool,
}

/// The sequence number of the record at `index`.
pub(super) fn sequence_number(
    created_s: u64,
    shard: ShardId,
    index: u64,
    arrival: Timestamp,
) -> SequenceNumber {
    SequenceNumber::of_record(created_s, shard.index(), index, arrival)
}

impl Batch {
    /// The records, in order.
    pub fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.records.iter().map(|record| RecordView {
            number: sequence_number(self.created_s, self.shard, record.index, record.arrival),
            arrival: record.arrival,
            partition_key: record.partition_key,
            data: record.data,
            encrypted: record.encrypted,
        })
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when the batch has no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of data and partition keys of all records.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// The position after the batch.
    pub fn next(&self) -> SequenceNumber {
        self.next
    }

    /// True when the batch ended at the last published record.
    pub fn reached_end(&self) -> bool {
        self.records.reached_end()
    }

    /// `MillisBehindLatest`: milliseconds from the arrival of the last record to `now`, zero at the
    /// end of the shard. Before the end it is at least one, also when no time has passed, because
    /// readers stop at zero (a choice; it shows under a standing clock).
    pub fn millis_behind_latest(&self, now: Timestamp) -> i64 {
        let last = self.records.last().filter(|_| !self.reached_end());
        last.map_or(0, |(_, arrival)| now.millis_since(arrival).max(1))
    }

    /// The sequence number and the arrival time of the last record.
    pub fn last(&self) -> Option<(SequenceNumber, Timestamp)> {
        let (index, arrival) = self.records.last()?;
        let number = sequence_number(self.created_s, self.shard, index, arrival);
        Some((number, arrival))
    }
}

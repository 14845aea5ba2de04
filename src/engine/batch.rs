//! A read from a shard, and the records that it returns.

use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;

/// A request to read records from one shard.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Sequence number at which the read starts. No record needs to have this number.
    pub from: SequenceNumber,
    /// Records with an earlier arrival time are expired and are not returned.
    pub horizon: Timestamp,
    /// Maximum number of records.
    pub records: usize,
    /// Maximum bytes of data and partition keys. The first record is returned even if it is larger.
    pub bytes: u64,
}

/// Records read from a shard. They refer to the memory of their segments.
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
    /// Sequence number of the record.
    pub number: SequenceNumber,
    /// Time at which the record was appended.
    pub arrival: Timestamp,
    /// Partition key of the record. None if the record was written without one.
    pub partition_key: Option<&'a str>,
    /// Payload of the record.
    pub data: &'a [u8],
    /// True if the stream was encrypted when the record was written.
    pub encrypted: bool,
}

/// Sequence number of the record at `index` of a shard's log.
pub(super) fn sequence_number(
    created_s: u64,
    shard: ShardId,
    index: u64,
    arrival: Timestamp,
) -> SequenceNumber {
    SequenceNumber::of_record(created_s, shard.index(), index, arrival)
}

impl Batch {
    /// Iterates over the records in the order of their sequence numbers.
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

    /// True when the batch has no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of data and partition keys of all records.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Sequence number at which the next read has to start.
    pub fn next(&self) -> SequenceNumber {
        self.next
    }

    /// True when the batch ends with the last published record of the shard.
    pub fn reached_end(&self) -> bool {
        self.records.reached_end()
    }

    /// `MillisBehindLatest` in milliseconds: the time from the arrival of the batch's last record
    /// to `now`, or 0 if the batch reaches the end of the shard. A batch that does not reach the
    /// end has at least 1, because readers stop at 0 (a choice, which matters if the clock stands
    /// still).
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

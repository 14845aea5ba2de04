//! The parameters of a read from a shard, and the batch of records that the read returns.

use crate::admission::{Admission, BudgetPermit};
use crate::model::{SequenceNumber, ShardId};
use crate::store::{DiskRead, StoreError};
use crate::world::Timestamp;
use std::sync::Arc;

/// A request to read records from one shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Sequence number at which the read starts. The log need not contain a record with this
    /// number.
    pub(crate) from: SequenceNumber,
    /// Earliest arrival time of a record that the read returns. Usually this time is the horizon of
    /// the stream, because records that arrived before the horizon have expired.
    pub(crate) horizon: Timestamp,
    /// Maximum number of records that the read returns.
    pub(crate) records: usize,
    /// Maximum bytes of data and partition keys that the read returns. The first record is returned
    /// even if it is larger than this maximum.
    pub(crate) bytes: u64,
}

/// The source of the budget permit for a read. The permit covers the records that the read loads
/// from the disk. The read waits for the permit before it begins, so the wait does not block other
/// reads of the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadBudget<'a> {
    /// No permit is needed, because the caller drops the returned batch before it awaits anything.
    AtOnce,
    /// No permit is needed, because the reader reads only from memory. The read fails with
    /// [`StoreError::Busy`] if the records are on disk.
    OfMemory,
    /// No permit is needed, because the reader already holds a permit that covers this read.
    Held,
    /// The read needs a permit of the in-flight budget, from its part for answers.
    Answer(&'a Arc<Admission>),
    /// The read needs a permit of the in-flight budget, from its part for events.
    Event(&'a Arc<Admission>),
}

impl ReadBudget<'_> {
    /// Waits for the permit for `read`. Returns None if the read needs no permit.
    ///
    /// # Errors
    /// Returns [`StoreError::Busy`] if the budget stays exhausted, or if this value is
    /// [`ReadBudget::OfMemory`].
    pub(super) async fn permit(self, read: &DiskRead) -> Result<Option<BudgetPermit>, StoreError> {
        let (records, bytes) = read.estimate();
        let bytes = encoded_bytes(records, bytes);
        match self {
            Self::AtOnce | Self::Held => Ok(None),
            Self::OfMemory => Err(StoreError::Busy),
            Self::Event(admission) => Ok(Some(admission.event(bytes).await)),
            Self::Answer(admission) => {
                let permit = admission.answer_to_read(bytes).await;
                permit.map(Some).map_err(|_| StoreError::Busy)
            }
        }
    }
}

/// Upper bound for the bytes that a record adds to an answer or an event, without the bytes of its
/// data. Applies to a record with a partition key of normal length.
const RECORD_OVERHEAD: u64 = 220;

/// Estimates the bytes of an answer or an event with `records` records, whose data has `bytes`
/// bytes in total.
pub(super) fn encoded_bytes(records: usize, bytes: u64) -> u64 {
    bytes / 3 * 4 + records as u64 * RECORD_OVERHEAD + 512
}

/// Records read from a shard. The batch keeps the segments of the records in memory.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(super) records: crate::store::Batch,
    /// The budget permit for records that were read from the disk. None if the records were already
    /// in memory, or if the [`ReadBudget`] of the read demands no permit.
    pub(super) permit: Option<Box<BudgetPermit>>,
    pub(super) created_s: u64,
    pub(super) shard: ShardId,
    pub(super) next: SequenceNumber,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordView<'a> {
    /// Sequence number of the record.
    pub(crate) number: SequenceNumber,
    /// Time at which the record was appended.
    pub(crate) arrival: Timestamp,
    /// Partition key of the record. None if the record was written without one.
    pub(crate) partition_key: Option<&'a str>,
    /// Payload of the record.
    pub(crate) data: &'a [u8],
    /// True if the stream was encrypted when the record was written.
    pub(crate) encrypted: bool,
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
    /// Iterates over the records of the batch in the order of their sequence numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.records.iter().map(|record| RecordView {
            number: sequence_number(self.created_s, self.shard, record.index, record.arrival),
            arrival: record.arrival,
            partition_key: record.partition_key,
            data: record.data,
            encrypted: record.encrypted,
        })
    }

    /// Number of records in the batch.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// True if the batch has no records.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of data and partition keys of all records in the batch.
    pub(crate) fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Estimates the bytes that the batch takes in an answer or an event.
    pub(crate) fn encoded_bytes(&self) -> u64 {
        encoded_bytes(self.len(), self.bytes())
    }

    /// Takes the budget permit out of the batch, so that the caller can pass the permit on. Returns
    /// None if the batch has no permit.
    pub(crate) fn take_permit(&mut self) -> Option<BudgetPermit> {
        self.permit.take().map(|permit| *permit)
    }

    /// Returns a budget permit for an event of `bytes` bytes with the records of the batch. A batch
    /// that was read from the disk already has a permit, whose size is corrected to `bytes`. For a
    /// batch that was read from memory, this function waits for a permit.
    pub(crate) async fn event_permit(
        &mut self,
        admission: &Arc<Admission>,
        bytes: u64,
    ) -> BudgetPermit {
        match self.take_permit() {
            None => admission.event(bytes).await,
            Some(mut permit) => {
                permit.correct(bytes);
                permit
            }
        }
    }

    /// Sequence number at which the next read of the shard starts.
    pub(crate) fn next(&self) -> SequenceNumber {
        self.next
    }

    /// True if the batch ends with the last published record of the shard.
    pub(crate) fn reached_end(&self) -> bool {
        self.records.reached_end()
    }

    /// The sequence number and the arrival time of the last record in the batch. None if the batch
    /// is empty.
    pub(crate) fn last(&self) -> Option<(SequenceNumber, Timestamp)> {
        let (index, arrival) = self.records.last()?;
        let number = sequence_number(self.created_s, self.shard, index, arrival);
        Some((number, arrival))
    }
}

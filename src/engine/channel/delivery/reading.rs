//! Reads the records of a plan's ranges in parts.

use crate::admission::Admission;
use crate::engine::{Batch, Read, ReadBudget, RecordView, Shard, Stream};
use crate::limits;
use crate::model::ShardId;
use crate::model::channel::ShardRange;
use crate::store::StoreError;
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// A horizon before the arrival time of every record. A read with this horizon also returns expired
/// records, which the logs keep until a channel has delivered them or counted them as lost.
pub(super) const EVERY_RECORD: Timestamp = Timestamp::from_millis(i64::MIN);

/// Consecutive records of one range. A range has records of a single shard.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) shard: ShardId,
    batch: Batch,
    /// Index after the last record of the range.
    end: u64,
}

impl Part {
    /// The records of the part, in the order of their sequence numbers.
    pub(super) fn records(&self) -> impl Iterator<Item = RecordView<'_>> {
        let records = self.batch.iter();
        records.take_while(|record| record.number.index < self.end)
    }
}

/// Reads the records of several ranges, one range after another in the given order. Also reads
/// expired records, because an object contains every record of its plan, and because the channel
/// counts its lost records.
#[derive(Debug)]
pub(super) struct RangeReader {
    admission: Arc<Admission>,
    ranges: VecDeque<(Arc<Shard>, ShardRange)>,
}

impl RangeReader {
    /// Creates a reader for the records of `ranges`. Omits the ranges of shards that do not exist
    /// any more.
    pub(super) fn new(admission: &Arc<Admission>, stream: &Stream, ranges: &[ShardRange]) -> Self {
        stream.look(|state| {
            let shard =
                |range: &ShardRange| Some((state.shards.get(&range.shard)?.clone(), *range));
            Self {
                admission: admission.clone(),
                ranges: ranges.iter().filter_map(shard).collect(),
            }
        })
    }

    /// Reads the next part of the records. Returns None after the last part.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read, or if it stays busy for too long.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, StoreError> {
        while let Some((shard, range)) = self.ranges.front_mut() {
            let read = Read {
                from: shard.position(range.next, EVERY_RECORD),
                horizon: EVERY_RECORD,
                records: limits::CHANNEL_READ_RECORDS,
                bytes: limits::CHANNEL_READ_BYTES,
            };
            let batch = shard.read(read, ReadBudget::Event(&self.admission)).await?;
            let part = Part {
                shard: shard.id,
                end: range.end,
                batch,
            };
            let next = part.batch.next().index;
            let is_last = next >= range.end || part.batch.reached_end() || next <= range.next;
            range.next = next;
            if is_last {
                self.ranges.pop_front();
            }
            if part.records().next().is_some() {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

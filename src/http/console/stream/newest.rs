//! Reads the newest records of a stream.

use crate::engine::{Batch, Read, ReadBudget, RecordView, Shard, StoreError, Stream};
use crate::limits;
use crate::model::ShardId;
use crate::world::Timestamp;
use maud::Markup;
use std::sync::Arc;

/// Reads the newest records of all `shards`, at most `most` records in total. Returns the records
/// as rows, the newest first. `row` renders a record.
pub(super) async fn newest(
    stream: &Stream,
    shards: &[Arc<Shard>],
    now: Timestamp,
    most: usize,
    row: impl Fn(ShardId, &RecordView<'_>) -> Markup,
) -> Result<Vec<Markup>, StoreError> {
    let mut batches: Vec<(ShardId, Batch)> = Vec::new();
    for shard in shards {
        let from = shard.end().saturating_sub(most as u64);
        let read = Read {
            from: shard.position(from, now),
            horizon: stream.horizon(now),
            records: most,
            bytes: limits::LISTING_BYTES,
        };
        let batch = shard.read(read, ReadBudget::AtOnce).await?;
        if !batch.is_empty() {
            batches.push((shard.id, batch));
        }
    }
    let records = batches
        .iter()
        .flat_map(|(shard, batch)| batch.iter().map(|record| (*shard, record)));
    let mut records: Vec<(ShardId, RecordView<'_>)> = records.collect();
    records.sort_by_key(|(_, record)| std::cmp::Reverse((record.arrival, record.number.index)));
    records.truncate(most);
    let shown = records.iter().map(|(shard, record)| row(*shard, record));
    Ok(shown.collect())
}

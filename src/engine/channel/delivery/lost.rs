//! Finds and counts the lost records of a channel: records that expired, or that a clear of the
//! stream removed, before the channel delivered them.

use super::reading::{EVERY_RECORD, RangeReader};
use crate::engine::Engine;
use crate::engine::channel::item::Channel;
use crate::model::channel::{ChannelPosition, ShardRange};
use crate::model::{SequenceNumber, ShardId};
use crate::store::StoreError;
use crate::world::Timestamp;
use std::collections::BTreeMap;

/// Consecutive records of a shard that the channel has not delivered and will never deliver.
#[derive(Debug)]
pub(super) struct LostRecords {
    shard: ShardId,
    records: u64,
    first: SequenceNumber,
    last: SequenceNumber,
}

/// Finds the undelivered records that arrived before `horizon`. The logs still contain these
/// records, because a log keeps every record that a channel has still to deliver.
///
/// # Errors
/// Returns an error if the store cannot be read, or if it stays busy for too long.
pub(super) async fn undelivered_before(
    engine: &Engine,
    channel: &Channel,
    horizon: Timestamp,
) -> Result<Vec<LostRecords>, StoreError> {
    let mut all = Vec::new();
    let shards = channel.stream.look(|state| state.all().clone());
    for shard in shards.iter() {
        let next = channel.next(shard.id);
        let blocks = shard.log().blocks(next, EVERY_RECORD, 0);
        // No record of a block arrived before the block's `first_arrival`. If the first block's
        // `first_arrival` is not before the horizon, the shard has no lost records.
        if blocks
            .first()
            .is_none_or(|block| block.first_arrival >= horizon)
        {
            continue;
        }
        let range = ShardRange {
            shard: shard.id,
            next,
            end: shard.index_at_time(horizon).await?,
        };
        let mut reader = RangeReader::new(&engine.admission, &channel.stream, &[range]);
        let mut lost: Option<LostRecords> = None;
        while let Some(part) = reader.next().await? {
            for record in part.records() {
                let lost = lost.get_or_insert(LostRecords {
                    shard: shard.id,
                    records: 0,
                    first: record.number,
                    last: record.number,
                });
                lost.records += 1;
                lost.last = record.number;
            }
        }
        all.extend(lost);
    }
    Ok(all)
}

/// Counts the lost records of a channel, and logs their sequence numbers. Returns the number of
/// lost records.
pub(super) fn count_and_log_lost(channel: &Channel, lost: &[LostRecords]) -> u64 {
    for of_shard in lost {
        tracing::warn!(
            channel = %channel.arn,
            stream = %channel.stream.arn,
            shard = %of_shard.shard,
            records = of_shard.records,
            first = %of_shard.first,
            last = %of_shard.last,
            "records expired or were removed before a channel could deliver them"
        );
    }
    let records = lost.iter().map(|of_shard| of_shard.records).sum();
    channel.count_expired_records(records);
    records
}

/// Moves the positions of a channel past its lost records.
pub(super) fn skip(positions: &mut BTreeMap<ShardId, ChannelPosition>, lost: &[LostRecords]) {
    for of_shard in lost {
        let position = positions.entry(of_shard.shard).or_default();
        position.next = position.next.max(of_shard.last.index + 1);
    }
}

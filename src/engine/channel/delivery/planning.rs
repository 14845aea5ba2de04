//! Plans the next object of a channel.

use crate::engine::channel::item::Channel;
use crate::engine::{Read, ReadBudget, RecordView, Shard, StreamState};
use crate::limits;
use crate::model::ShardId;
use crate::model::channel::{Block, ChannelPosition, ObjectPlan, Offered, ShardRange};
use crate::store::StoreError;
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Upper bounds of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectLimit {
    /// Bytes of records and separators.
    pub(super) bytes: u64,
    /// Bytes after each record.
    pub(super) separator: u64,
}

/// The plan that was saved before an attempt that did not end with a checkpoint. None if there is
/// no such plan.
pub(super) fn saved_plan(channel: &Channel) -> Option<ObjectPlan> {
    let positions = channel.progress().positions;
    let planned = |(shard, position): (&ShardId, &ChannelPosition)| {
        Some(ShardRange {
            shard: *shard,
            next: position.next,
            end: position.planned?,
        })
    };
    let ranges: Vec<ShardRange> = positions.iter().filter_map(planned).collect();
    if ranges.is_empty() {
        return None;
    }
    let oldest = channel.stream.look(|state| {
        let first_arrival = |range: &ShardRange| {
            let log = state.shards.get(&range.shard)?.log();
            let blocks = log.blocks(range.next, state.expired_before, 0);
            blocks.first().map(|block| block.first_arrival)
        };
        ranges.iter().filter_map(first_arrival).min()
    });
    Some(ObjectPlan::resumed(ranges, oldest))
}

/// The arrival time of the first undelivered record of each shard that has such records.
pub(super) fn first_arrivals(channel: &Channel) -> BTreeMap<ShardId, Timestamp> {
    let (horizon, shards) = channel.stream.look(shards_to_read);
    let positions = channel.progress().positions;
    let first = |shard: &Arc<Shard>| {
        let next = positions.get(&shard.id).map_or(0, |position| position.next);
        let blocks = shard.log().blocks(next, horizon, 0);
        blocks.first().map(|block| (shard.id, block.first_arrival))
    };
    shards.iter().filter_map(first).collect()
}

/// True if a record that arrived first in a shard, at the time in `before`, is not stored any more.
/// Records that the user removed do not count.
pub(super) fn were_removed(
    channel: &Channel,
    before: &BTreeMap<ShardId, Timestamp>,
    now: &BTreeMap<ShardId, Timestamp>,
) -> bool {
    let (horizon, _) = channel.stream.look(shards_to_read);
    let mut kept = before.iter().filter(|(_, arrival)| **arrival >= horizon);
    kept.any(|(shard, arrival)| now.get(shard).is_none_or(|first| first > arrival))
}

/// The arrival time before which the user removed all records, and all shards.
fn shards_to_read(state: &StreamState) -> (Timestamp, Arc<[Arc<Shard>]>) {
    (state.expired_before, state.all().clone())
}

/// Plans an object of undelivered records. A shard takes part only if the object or an earlier one
/// has all records of its parents.
///
/// # Errors
/// Returns an error if the store cannot be read, or if it stays busy for too long.
pub(super) async fn plan(channel: &Channel, limit: ObjectLimit) -> Result<ObjectPlan, StoreError> {
    let (horizon, shards) = channel.stream.look(shards_to_read);
    let positions = channel.progress().positions;
    let mut plan = ObjectPlan::default();
    let mut is_complete: BTreeMap<ShardId, bool> = BTreeMap::new();
    for shard in shards.iter() {
        let position = positions.get(&shard.id);
        if position.is_some_and(|position| position.finished) {
            is_complete.insert(shard.id, true);
            continue;
        }
        let mut parents = shard.parents.iter().flatten();
        let is_ready = parents.all(|parent| is_complete.get(parent).is_none_or(|done| *done));
        if !is_ready {
            is_complete.insert(shard.id, false);
            continue;
        }
        let next = position.map_or(0, |position| position.next);
        let offered = offer(&mut plan, (shard, next), horizon, limit).await?;
        if offered == Offered::Full {
            break;
        }
        let planned = plan.ranges.last().filter(|range| range.shard == shard.id);
        let end = planned.map_or(next, |range| range.end);
        is_complete.insert(shard.id, shard.is_complete_before(end));
    }
    Ok(plan)
}

async fn offer(
    plan: &mut ObjectPlan,
    (shard, next): (&Arc<Shard>, u64),
    horizon: Timestamp,
    limit: ObjectLimit,
) -> Result<Offered, StoreError> {
    let free = limit.bytes.saturating_sub(plan.bytes());
    let blocks = shard.log().blocks(next, horizon, free);
    let limits = (limit.bytes, limit.separator);
    let offered = plan.offer((shard.id, next), &blocks, limits);
    if offered != Offered::TooLarge {
        return Ok(offered);
    }
    let records = single_records(shard, next, horizon).await?;
    // The segment holds more records than the object, even if all that were read belong to it.
    let _some = plan.offer((shard.id, next), &records, limits);
    plan.is_full = !plan.is_empty();
    Ok(Offered::Full)
}

/// The next records of a shard, one in each block.
async fn single_records(
    shard: &Shard,
    next: u64,
    horizon: Timestamp,
) -> Result<Vec<Block>, StoreError> {
    let read = Read {
        from: shard.position(next, horizon),
        horizon,
        records: limits::CHANNEL_READ_RECORDS,
        bytes: limits::CHANNEL_READ_BYTES,
    };
    // The batch is dropped before anything else is waited for.
    let batch = shard.read(read, ReadBudget::AtOnce).await?;
    let block = |record: RecordView<'_>| Block {
        end: record.number.index + 1,
        first_arrival: record.arrival,
        records: 1,
        bytes: record.data.len() as u64,
    };
    Ok(batch.iter().map(block).collect())
}

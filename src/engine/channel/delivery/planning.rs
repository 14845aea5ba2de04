//! Plans the next object of a channel: chooses the ranges of undelivered records that the object
//! will contain.

use super::reading::EVERY_RECORD;
use crate::engine::channel::item::Channel;
use crate::engine::{Read, ReadBudget, RecordView, Shard};
use crate::limits;
use crate::model::ShardId;
use crate::model::channel::{Block, ChannelPosition, ObjectPlan, Offered, ShardRange};
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The size limit of an object, and the size of its separators.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectLimit {
    /// Maximum bytes of records and separators in an object.
    pub(super) bytes: u64,
    /// Bytes of the separator after each record.
    pub(super) separator: u64,
}

/// Returns the saved plan that the channel has still to complete, or None if there is no such plan.
/// The channel completes a plan when it saves the positions after the plan.
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
            let blocks = log.blocks(range.next, EVERY_RECORD, 0);
            blocks.first().map(|block| block.first_arrival)
        };
        ranges.iter().filter_map(first_arrival).min()
    });
    Some(ObjectPlan::resumed(ranges, oldest))
}

/// Plans an object with undelivered records of a channel. The plan contains records of a shard only
/// if all records of the shard's parents are in this plan or already delivered.
///
/// # Errors
/// Returns an error if the store cannot be read, or if it stays busy for too long.
pub(super) async fn plan(channel: &Channel, limit: ObjectLimit) -> Result<ObjectPlan, StoreError> {
    let shards = channel.stream.look(|state| state.all().clone());
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
        let offered = offer(&mut plan, (shard, next), limit).await?;
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
    limit: ObjectLimit,
) -> Result<Offered, StoreError> {
    let free = limit.bytes.saturating_sub(plan.bytes());
    let blocks = shard.log().blocks(next, EVERY_RECORD, free);
    let limits = (limit.bytes, limit.separator);
    let offered = plan.offer((shard.id, next), &blocks, limits);
    if offered != Offered::TooLarge {
        return Ok(offered);
    }
    let records = single_records(shard, next).await?;
    // The first block of the shard did not fit in the object. Therefore the object is full even if
    // all records of this read fit in it.
    let _some = plan.offer((shard.id, next), &records, limits);
    plan.is_full = !plan.is_empty();
    Ok(Offered::Full)
}

/// Returns a block for each of the next records of a shard, from the index `next` on. Reads at most
/// `limits::CHANNEL_READ_RECORDS` records.
async fn single_records(shard: &Shard, next: u64) -> Result<Vec<Block>, StoreError> {
    let read = Read {
        from: shard.position(next, EVERY_RECORD),
        horizon: EVERY_RECORD,
        records: limits::CHANNEL_READ_RECORDS,
        bytes: limits::CHANNEL_READ_BYTES,
    };
    // The batch needs no permit, because it is dropped before this function waits again.
    let batch = shard.read(read, ReadBudget::AtOnce).await?;
    let block = |record: RecordView<'_>| Block {
        end: record.number.index + 1,
        first_arrival: record.arrival,
        records: 1,
        bytes: record.data.len() as u64,
    };
    Ok(batch.iter().map(block).collect())
}

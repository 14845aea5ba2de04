//! Removes records whose retention period has passed.
//!
//! Readers never see an expired record, because they read only records that arrived at the horizon
//! or later. The task in this file frees the memory and the disk space of expired records, and
//! removes closed shards whose records have all expired. The task keeps the records that a channel
//! has not delivered yet, and the records that an event source mapping has not read yet. The
//! mapping reports these records as discarded. While a snapshot is being saved, the task keeps all
//! records, so that the snapshot contains every record that was readable when its save reached the
//! stream.

use super::core::Engine;
use super::saved;
use super::stream::{Stream, has_expired};
use crate::limits;
use crate::model::ShardId;
use crate::model::event_source::ShardPosition;
use crate::world::{Alarm, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Removes expired records at regular intervals, until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let clock = &engine.world.clock;
    let next = || clock.now().plus_millis(limits::RETENTION_SWEEP_MS);
    while engine.wait(&mut alarm, Some(next())).await {
        let now = engine.world.clock.now();
        let positions = engine.event_sources.positions_by_stream(now);
        for stream in engine.streams() {
            let of_stream = positions.get(&stream.incarnation);
            trim(&engine, &stream, now, of_stream.map_or(&[], Vec::as_slice)).await;
        }
        engine.trim_queues(now).await;
    }
}

/// Removes the expired records of a stream. Keeps the records that a channel has not delivered yet,
/// and the records that a mapping has not read yet. `positions` contains the positions of each
/// mapping of the stream.
async fn trim(
    engine: &Engine,
    stream: &Arc<Stream>,
    now: Timestamp,
    positions: &[BTreeMap<ShardId, ShardPosition>],
) {
    let channels = engine.channels.of(stream);
    let ticket = stream.with_state(|state| {
        if engine.saves.in_use() > 0 {
            return None;
        }
        let horizon = state.horizon(now);
        let mut expired = Vec::new();
        for shard in state.shards.values() {
            let unread = positions.iter().map(|of| first_unread(of, shard.id)).min();
            let is_empty = channels.trim(shard, horizon, unread.unwrap_or(u64::MAX));
            if is_empty && has_expired(&shard.description(), horizon) {
                expired.push(shard.id);
            }
        }
        for id in &expired {
            if let Some(shard) = state.shards.remove(id) {
                engine.store.delete(shard.log().id());
            }
        }
        if !expired.is_empty() {
            state.rebuild_routes();
        }
        let changes = saved::removed_shards(stream, &expired);
        (!changes.is_empty()).then(|| engine.store.save(changes))
    });
    let Some(ticket) = ticket else { return };
    if ticket.durable().await.is_err() {
        tracing::error!(stream = %stream.arn, "expired shards could not be removed");
    }
}

/// Returns the index of the first record of `shard` that a mapping has not read yet. `positions`
/// are the positions of the mapping. Returns `u64::MAX` if the mapping is done with the shard.
fn first_unread(positions: &BTreeMap<ShardId, ShardPosition>, shard: ShardId) -> u64 {
    match positions.get(&shard) {
        Some(position) if position.finished => u64::MAX,
        Some(position) => position.next,
        None => 0,
    }
}

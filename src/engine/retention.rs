//! Removes records whose retention period has passed.
//!
//! Readers never see an expired record, because they read only records that arrived at the horizon
//! or later. The task in this file frees the memory and the disk space of expired records, and
//! removes closed shards whose records have all expired. The task keeps the records that a channel
//! has not delivered yet, and the records that an event source mapping has not read yet. The
//! mapping reports these records as discarded. While a snapshot is being saved, the task keeps all
//! records, so that the snapshot contains every record that was readable when its save reached the
//! stream.
//!
//! On the machine's clock the task runs at regular intervals. A virtual clock stops at every
//! deadline while it advances, and at regular intervals an advance of a year would take long.
//! Therefore, on a virtual clock, the task runs only when records expire, and once a day.

use super::core::Engine;
use super::saved;
use super::shard::Shard;
use super::stream::{Stream, closed_at, has_expired};
use crate::limits;
use crate::model::ShardId;
use crate::model::event_source::ShardPosition;
use crate::world::{Alarm, Clock, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Removes expired records at regular intervals and at the end of each save of a snapshot, until the
/// engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let clock = &engine.world.clock;
    let mut next = clock.now().plus_millis(limits::RETENTION_SWEEP_MS);
    while engine.wait(&mut alarm, Some(next)).await {
        let now = clock.now();
        let mut due = now.plus_millis(limits::RETENTION_SWEEP_MOST_MS);
        let positions = engine.event_sources.positions_by_stream(now);
        for stream in engine.streams() {
            let of_stream = positions.get(&stream.incarnation);
            let of_stream = of_stream.map_or(&[][..], Vec::as_slice);
            due = due.min(trim(&engine, &stream, now, of_stream).await);
        }
        engine.trim_queues(now).await;
        next = now.plus_millis(limits::RETENTION_SWEEP_MS);
        if matches!(clock, Clock::Virtual(_)) {
            next = next.max(due);
        }
    }
}

/// Removes the expired records of a stream. Keeps the records that a channel has not delivered yet,
/// and the records that a mapping has not read yet. `positions` contains the positions of each
/// mapping of the stream. Returns the time at which further records of the stream can be removed.
/// The time has passed if expired records are left.
async fn trim(
    engine: &Engine,
    stream: &Arc<Stream>,
    now: Timestamp,
    positions: &[BTreeMap<ShardId, ShardPosition>],
) -> Timestamp {
    let channels = engine.channels.of(stream);
    let mut due = Timestamp::from_millis(i64::MAX);
    let ticket = stream.with_state(|state| {
        if engine.saves.in_use() > 0 {
            due = now;
            return None;
        }
        let horizon = state.horizon(now);
        let mut expired = Vec::new();
        for shard in state.shards.values() {
            let unread = positions.iter().map(|of| first_unread(of, shard.id)).min();
            let is_empty = channels.trim(shard, horizon, unread.unwrap_or(u64::MAX));
            if is_empty && has_expired(&shard.description(), horizon) {
                expired.push(shard.id);
            } else {
                due = due.min(next_trim(shard, state.retention_ms()));
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
    if let Some(ticket) = ticket
        && ticket.durable().await.is_err()
    {
        tracing::error!(stream = %stream.arn, "expired shards could not be removed");
    }
    due
}

/// Returns the time at which records of a shard, or the closed shard itself, can be removed next.
fn next_trim(shard: &Shard, retention_ms: i64) -> Timestamp {
    let records = shard.log().first_trim();
    let first = records.or_else(|| closed_at(&shard.description()));
    first.map_or(Timestamp::from_millis(i64::MAX), |first| {
        first.plus_millis(retention_ms)
    })
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

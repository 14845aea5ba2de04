//! Removes records whose retention period has passed.
//!
//! Readers never see an expired record, because they read only from the horizon on. The task in
//! this file frees the memory and the disk space of expired records, and removes closed shards
//! whose records have all expired. Records that a channel has still to deliver stay.

use super::core::Engine;
use super::saved;
use super::stream::{Stream, has_expired};
use crate::limits;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Removes expired records at regular intervals, until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let clock = &engine.world.clock;
    let next = || clock.now().plus_millis(limits::RETENTION_SWEEP_MS);
    while engine.wait(&mut alarm, Some(next())).await {
        let now = engine.world.clock.now();
        for stream in engine.streams() {
            trim(&engine, &stream, now).await;
        }
        engine.trim_queues(now).await;
    }
}

async fn trim(engine: &Engine, stream: &Arc<Stream>, now: Timestamp) {
    let channels = engine.channels.of(stream);
    let ticket = stream.with_state(|state| {
        let horizon = state.horizon(now);
        let mut expired = Vec::new();
        for shard in state.shards.values() {
            let is_empty = channels.trim(shard, horizon);
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
            state.route();
        }
        let changes = saved::removed_shards(stream, &expired);
        (!changes.is_empty()).then(|| engine.store.save(changes))
    });
    let Some(ticket) = ticket else { return };
    if ticket.durable().await.is_err() {
        tracing::error!(stream = %stream.arn, "expired shards could not be removed");
    }
}

//! Records leave when their retention period has passed.
//!
//! Readers never see an expired record: they ask for what arrived after the horizon. This task
//! gives its memory and disk back, and takes closed shards that can hold nothing any more out of
//! the listings for good.

use super::stream::has_expired;
use super::{Engine, Stream, saved};
use crate::limits;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Trims at regular times until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let mut stop = engine.stop.subscribe();
    loop {
        let next = engine
            .world
            .clock
            .now()
            .plus_millis(limits::RETENTION_SWEEP_MS);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = alarm.wait(Some(next)) => {}
        }
        let now = engine.world.clock.now();
        for stream in engine.streams() {
            engine.trim(&stream, now).await;
        }
    }
}

impl Engine {
    async fn trim(&self, stream: &Arc<Stream>, now: Timestamp) {
        let horizon = stream.horizon(now);
        let changes = stream.with_state(|state| {
            let mut gone = Vec::new();
            for shard in state.shards.values() {
                shard.log().trim(horizon);
                if has_expired(&shard.description(), horizon) {
                    gone.push(shard.id);
                }
            }
            for id in &gone {
                if let Some(shard) = state.shards.remove(id) {
                    shard.log().delete();
                }
            }
            saved::removed_shards(stream, &gone)
        });
        if !changes.is_empty() && self.store.save(changes).durable().await.is_err() {
            tracing::error!(stream = %stream.arn, "expired shards could not be removed");
        }
    }
}

//! Splits busy shards of on-demand streams, if the options of the emulator enable such splits.
//!
//! The service splits a shard within 15 minutes when more than 500 KB/s are written to it. This
//! engine splits the busiest shard of each stream in the middle of its hash key range, at most once
//! a minute.

use super::accounts::Counts;
use super::core::Engine;
use super::stream::Stream;
use super::stream_state::StreamState;
use crate::limits;
use crate::model::{HashKey, HashKeyRange, StreamStatus};
use crate::store::{PendingChange, ReshardingOrder, StoreError};
use crate::world::Alarm;
use std::sync::Arc;

/// Splits busy shards at regular intervals, until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let clock = &engine.world.clock;
    let next = || clock.now().plus_millis(limits::SCALING_SWEEP_MS);
    while engine.wait(&mut alarm, Some(next())).await {
        for stream in engine.streams() {
            if let Err(error) = split_busiest(&engine, &stream).await {
                tracing::warn!(stream = %stream.arn, %error, "a busy shard was not split");
            }
        }
    }
}

async fn split_busiest(engine: &Arc<Engine>, stream: &Arc<Stream>) -> Result<(), StoreError> {
    let Some(order) = stream.look(busiest) else {
        return Ok(());
    };
    let split = engine.update(stream, |state, _: Counts| {
        let still_scales = state.status == StreamStatus::Active && state.settings.on_demand;
        let settings = state.settings.clone();
        Ok(still_scales.then_some(PendingChange {
            settings,
            resharding: Some(order),
        }))
    });
    split.await
}

/// Returns an order to split the busiest open shard, which is the shard with the most bytes written
/// since the last call of this function. Returns None if this number of bytes is not above the
/// threshold, or if the hash key range of the shard cannot be split. Also returns None if the
/// stream is not an ACTIVE on-demand stream.
fn busiest(state: &StreamState) -> Option<ReshardingOrder> {
    if !state.settings.on_demand || state.status != StreamStatus::Active {
        return None;
    }
    let shards = state.routes().iter();
    let (traffic, shard) = shards
        .map(|s| (s.bytes_since_last_call(), s))
        .max_by_key(|(t, _)| *t)?;
    let minute = limits::SCALING_SWEEP_MS.unsigned_abs() / 1000;
    if traffic <= limits::SCALING_BYTES_PER_SECOND * minute {
        return None;
    }
    let HashKeyRange { start, end } = shard.range();
    let middle = HashKey::new(start.value() + (end.value() - start.value()) / 2);
    let wide = shard.description().can_split_at(middle);
    let at = middle.value().to_be_bytes();
    wide.then_some(ReshardingOrder::Split {
        shard: shard.id.index(),
        at,
    })
}

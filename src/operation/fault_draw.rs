//! The draw of fault rules for calls and events.

use crate::engine::Engine;
use crate::model::{ShardId, StreamArn};
use crate::world::{Hit, Moment, Occasion};

/// A rule ends the subscription instead of its next event.
pub(super) fn ends_subscription(engine: &Engine, stream: &StreamArn, shard: ShardId) -> bool {
    if !engine.world.faults.is_armed() {
        return false;
    }
    let operation = "SubscribeToShard";
    draw(
        engine,
        Moment::Event,
        operation,
        Some(stream),
        &[Some(shard)],
    )
    .is_some()
}

/// The rule that fires on this call or event, if any.
pub(super) fn draw(
    engine: &Engine,
    moment: Moment,
    operation: &str,
    stream: Option<&StreamArn>,
    shards: &[Option<ShardId>],
) -> Option<Hit> {
    let arn = stream.map(ToString::to_string).unwrap_or_default();
    let shards: Vec<Option<String>> = shards
        .iter()
        .map(|shard| shard.map(|shard| shard.to_string()))
        .collect();
    engine.world.faults.draw(&Occasion {
        moment,
        operation,
        stream: stream.map(|stream| (&*stream.name, arn.as_str())),
        shards: &shards,
        now: engine.world.clock.now(),
    })
}

//! The selection of the fault rule that fires for a call or an event.

use crate::engine::Engine;
use crate::model::{ShardId, StreamArn};
use crate::world::{Hit, Moment, Occasion};

/// Returns true if a fault rule fires for the next event of a subscription. The rule ends the
/// subscription before this event.
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

/// Selects the fault rule that fires for this call or event. `None` if no rule fires. `shards` are
/// the shards that the call or event concerns. An unknown shard is `None`.
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

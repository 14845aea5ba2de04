//! The starting position in requests of GetShardIterator and SubscribeToShard.

use super::context::Context;
use super::shapes::{SequenceNumberText, ShardIteratorType};
use crate::engine::Shard;
use crate::error::Error;
use crate::model::{SequenceNumber, StreamArn, display_shard_index};
use crate::world::Timestamp;

/// The members of a GetShardIterator or SubscribeToShard request that give a starting position.
pub(super) struct Start<'a> {
    pub(super) kind: ShardIteratorType,
    pub(super) number: Option<&'a SequenceNumberText>,
    pub(super) at: Option<Timestamp>,
}

/// Checks a starting position, in the service's order, and returns the first sequence number to
/// read.
pub(super) async fn starting_position(
    context: &Context,
    stream: &StreamArn,
    shard: &Shard,
    start: Start<'_>,
) -> Result<SequenceNumber, Error> {
    use ShardIteratorType as Kind;
    let numbered = matches!(
        start.kind,
        Kind::AtSequenceNumber | Kind::AfterSequenceNumber
    );
    let now = context.engine.world.clock.now();
    match start.number {
        Some(_) if !numbered => {
            return Err(Error::starting_number_mismatch(start.kind.as_str(), true));
        }
        Some(number) => {
            return position_of(number.as_str(), stream, shard, start.kind);
        }
        None if numbered => {
            return Err(Error::starting_number_mismatch(start.kind.as_str(), false));
        }
        None => {}
    }
    let index = match (start.kind, start.at) {
        (Kind::AtTimestamp, None) => return Err(Error::timestamp_missing()),
        (Kind::AtTimestamp, Some(at)) if at > now => {
            return Err(Error::timestamp_in_future(at, now));
        }
        (Kind::AtTimestamp, Some(at)) => shard
            .index_at_time(at)
            .await
            .map_err(|_| Error::internal())?,
        (Kind::Latest, _) => shard.end(),
        _ => 0,
    };
    Ok(shard.position(index, now))
}

fn position_of(
    text: &str,
    stream: &StreamArn,
    shard: &Shard,
    kind: ShardIteratorType,
) -> Result<SequenceNumber, Error> {
    let Some(number) = SequenceNumber::parse(text) else {
        return Err(Error::starting_number_invalid(text, shard.id, stream));
    };
    if i64::from(number.shard_index) != i64::from(shard.id.index()) {
        let encoded = display_shard_index(number.shard_index);
        return Err(Error::starting_number_of_other_shard(encoded, shard.id));
    }
    if number.version == 0 {
        // The service was observed to fail with an internal error for a sequence number of version
        // 0, such as the number 0.
        return Err(Error::internal());
    }
    let is_last = number.version == 2 && number.index == SequenceNumber::LAST_INDEX;
    if is_last && kind == ShardIteratorType::AfterSequenceNumber {
        return Err(Error::starting_number_is_last());
    }
    let position = if kind == ShardIteratorType::AtSequenceNumber {
        number.position_at()
    } else {
        number.position_after()
    };
    position
        .filter(|_| number.created_s == shard.created_s)
        .ok_or_else(|| Error::starting_number_foreign(text, shard.id, stream))
}

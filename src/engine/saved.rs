//! Converts streams, shards and account settings to catalog entries.

use super::stream::Stream;
use super::stream_state::StreamState;
use crate::model::{self, AccountRegion, ShardId, StreamStatus};
use crate::store::{AccountValue, Change, ShardValue, StreamValue};
use crate::world::Timestamp;

/// Returns the catalog entries of a stream and of its shards `shards`. `status` is the stream's
/// status at the time when the entries become durable. Returns no entries if the removal of the
/// stream was already handed to the store. Otherwise a later deadline of the stream could save the
/// stream again.
pub(super) fn stream(
    stream: &Stream,
    state: &StreamState,
    status: StreamStatus,
    shards: &[ShardId],
) -> Vec<Change> {
    if state.removed {
        return Vec::new();
    }
    entries(stream, state, value(stream, state, status), shards)
}

/// The catalog entries of a stream and all its shards, for a snapshot.
pub(super) fn in_snapshot(stream: &Stream, state: &StreamState) -> Vec<Change> {
    let value = StreamValue {
        record_count: Some(stream.records_since_clear()),
        ..value(stream, state, state.status)
    };
    let shards: Vec<_> = state.shards.keys().copied().collect();
    entries(stream, state, value, &shards)
}

fn value(stream: &Stream, state: &StreamState, status: StreamStatus) -> StreamValue {
    StreamValue {
        account: stream.arn.scope.account.to_string(),
        region: stream.arn.scope.region.to_string(),
        name: stream.arn.name.to_string(),
        created_ms: stream.created.millis(),
        status: status.as_str().to_owned(),
        due_ms: state.due.map(Timestamp::millis),
        was_active: state.was_active || status == StreamStatus::Active,
        expired_before_ms: state.expired_before.millis(),
        settings: state.settings.clone(),
        pending: state.pending.clone(),
        tags: state
            .tags
            .iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect(),
        policy: state.policy.clone(),
        consumers: state.consumers.clone(),
        history: state.history.clone(),
        identity: Some(stream.identity).filter(|identity| *identity != stream.incarnation),
        tail_mark: Some(stream.tail_mark),
        record_count: None,
    }
}

fn entries(
    stream: &Stream,
    state: &StreamState,
    value: StreamValue,
    shards: &[ShardId],
) -> Vec<Change> {
    let incarnation = stream.incarnation;
    let mut changes = vec![Change::Stream(incarnation, Some(Box::new(value)))];
    let shards = shards.iter().filter_map(|id| state.shard(*id));
    changes.extend(shards.map(|shard| {
        let key = (incarnation, shard.id.index());
        Change::Shard(key, Some(shard_value(&shard)))
    }));
    changes
}

pub(super) fn account(account_region: &AccountRegion, value: &AccountValue) -> Change {
    let AccountRegion { account, region } = account_region;
    let key = (account.to_string(), region.to_string());
    Change::Account(key, Some(value.clone()))
}

/// Returns the catalog changes that remove a stream and its shards. Marks the stream as removed, so
/// that later changes of the stream are not saved.
pub(super) fn removed(stream: &Stream, state: &mut StreamState) -> Vec<Change> {
    state.removed = true;
    let ids: Vec<_> = state.shards.keys().copied().collect();
    let mut changes = removed_shards(stream, &ids);
    changes.push(Change::Stream(stream.incarnation, None));
    changes
}

/// Catalog changes that remove the shards `ids` of a stream.
pub(super) fn removed_shards(stream: &Stream, ids: &[ShardId]) -> Vec<Change> {
    let removed = |id: &ShardId| Change::Shard((stream.incarnation, id.index()), None);
    ids.iter().map(removed).collect()
}

/// The catalog entry for the time of a virtual clock.
pub(super) fn clock(now: Timestamp) -> Change {
    Change::Clock(now.millis())
}

fn shard_value(shard: &model::Shard) -> ShardValue {
    ShardValue {
        start: shard.hash_key_range.start.value().to_be_bytes(),
        end: shard.hash_key_range.end.value().to_be_bytes(),
        created_s: shard.created_s,
        closed_s: shard.closed_s,
        parent: shard.parent.map(ShardId::index),
        adjacent_parent: shard.adjacent_parent.map(ShardId::index),
    }
}

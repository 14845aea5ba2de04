//! Checks of restored values. A damaged or edited catalog may contain values that are well-formed
//! but impossible. Without these checks, such values would cause a panic later.

use crate::engine::stream_state::StreamState;
use crate::limits;
use crate::model::{self, HashKey, HashKeyRange, SequenceNumber, ShardId, StreamArn};
use crate::store::{ReshardingOrder, ShardValue, StreamSettings, StreamValue};

/// Returns the shard that `value` describes. `index` is the number of the shard. Returns None if no
/// shard can have these values.
pub(super) fn shard(index: u32, value: &ShardValue) -> Option<model::Shard> {
    let key = |bytes| HashKey::new(u128::from_be_bytes(bytes));
    let range = HashKeyRange {
        start: key(value.start),
        end: key(value.end),
    };
    // A child shard has a greater number than its parents.
    let parents = [value.parent, value.adjacent_parent];
    let parents = parents.into_iter().flatten().all(|parent| parent < index);
    let closed = value
        .closed_s
        .is_none_or(|closed| closed >= value.created_s && is_possible(closed));
    // The children of the shard get greater numbers, so enough greater numbers must remain.
    let numbered = index <= ShardId::MAX_INDEX / 2;
    let sound = parents && closed && numbered && range.start <= range.end;
    (sound && is_possible(value.created_s)).then(|| model::Shard {
        id: ShardId::new(index),
        hash_key_range: range,
        created_s: value.created_s,
        closed_s: value.closed_s,
        parent: value.parent.map(ShardId::new),
        adjacent_parent: value.adjacent_parent.map(ShardId::new),
    })
}

/// True if a shard can have been created or closed at `second`, which is a time in seconds since
/// the epoch. The latest possible time is one day after the latest time that a clock can show,
/// because child shards are created some seconds ahead of the clock.
fn is_possible(second: u64) -> bool {
    const LAST_S: u64 = limits::LAST_MOMENT_MS.unsigned_abs() / 1000 + 86_400;
    const { assert!(LAST_S + 86_400 < SequenceNumber::CREATED_LIMIT_S) };
    second <= LAST_S
}

/// True if the values in `value` are possible for a stream. The region is not checked, because any
/// text is a valid region.
pub(super) fn is_stream(value: &StreamValue) -> bool {
    let (account, name) = (&value.account, &value.name);
    let arn = StreamArn::parse(&format!("arn:aws:kinesis::{account}:stream/{name}"));
    let pending = value.pending.as_ref().map(|pending| &pending.settings);
    arn.is_some() && is_sound(&value.settings) && pending.is_none_or(is_sound)
}

fn is_sound(settings: &StreamSettings) -> bool {
    let hours = i32::try_from(settings.retention_hours);
    let period = limits::MIN_RETENTION_HOURS..=limits::MAX_RETENTION_HOURS;
    hours.is_ok_and(|hours| period.contains(&hours))
}

/// True if the open shards of the stream cover the hash key space exactly once.
pub(super) fn is_covered(state: &StreamState) -> bool {
    let ranges: Vec<_> = state.routes().iter().map(|shard| shard.range()).collect();
    let whole = ranges
        .first()
        .zip(ranges.last())
        .is_some_and(|(first, last)| {
            first.start == HashKeyRange::ALL.start && last.end == HashKeyRange::ALL.end
        });
    whole
        && ranges
            .windows(2)
            .all(|pair| pair[0].is_followed_by(&pair[1]))
}

/// True if the pending split, merge or scaling of the stream is possible.
pub(super) fn can_reshard(state: &StreamState) -> bool {
    let pending = state.pending.as_ref();
    let open = |index: &u32| {
        let mut open = state.routes().iter().map(|shard| shard.description());
        open.find(|shard| shard.id.index() == *index)
    };
    match pending.and_then(|pending| pending.resharding.as_ref()) {
        None => true,
        Some(ReshardingOrder::Split { shard, at }) => {
            let key = HashKey::new(u128::from_be_bytes(*at));
            open(shard).is_some_and(|shard| shard.can_split_at(key))
        }
        Some(ReshardingOrder::Merge { lower, upper }) => {
            let pair = open(lower).zip(open(upper));
            pair.is_some_and(|(lower, upper)| lower.can_merge_with(&upper))
        }
        Some(ReshardingOrder::Scale { count }) => (1..=MOST_SHARDS).contains(count),
    }
}

/// Upper bound for the shard count of a pending scaling. No limit permits so many shards.
const MOST_SHARDS: u32 = 1 << 24;

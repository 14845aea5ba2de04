//! Converts mappings and their positions to catalog entries.

use super::mapping::{Mapping, MappingState, Origin, Plan};
use crate::model::event_source::{FunctionArn, ShardPosition, Source};
use crate::model::{AccountId, ShardId};
use crate::store::{Change, MappingValue};
use crate::world::Timestamp;

/// The catalog changes that save the definition and the state of a mapping. Marks the state as
/// saved at `now`. Returns no changes if the mapping was removed. Otherwise the mapping would exist
/// again after the next start.
pub(super) fn mapping(mapping: &Mapping, state: &mut MappingState, now: Timestamp) -> Vec<Change> {
    state.is_unsaved = false;
    state.saved_at = now;
    match state.is_removed {
        true => Vec::new(),
        false => vec![definition(mapping, state)],
    }
}

/// The catalog entries of a mapping and all its positions, for a snapshot.
pub(super) fn whole(mapping: &Mapping, state: &MappingState) -> Vec<Change> {
    let mut changes = vec![definition(mapping, state)];
    if let Some(incarnation) = state.incarnation {
        let positions = state.positions.iter();
        let changed = positions.map(|(shard, at)| position(mapping, (incarnation, *shard), at));
        changes.extend(changed);
    }
    changes
}

/// True if every field of `value` is valid, so that a mapping can be restored from the value.
pub(super) fn is_sound(value: &MappingValue) -> bool {
    let function = FunctionArn::parse(&value.function);
    let plan = function.is_some_and(|of| Plan::new(value.settings.clone(), of).is_ok());
    let account = AccountId::parse(&value.account);
    plan && account.is_some() && Source::parse(&value.source).is_some()
}

fn definition(mapping: &Mapping, state: &MappingState) -> Change {
    let value = MappingValue {
        account: mapping.scope.account.to_string(),
        region: mapping.scope.region.to_string(),
        number: mapping.number,
        source: mapping.source.to_string(),
        function: state.plan.function.to_string(),
        position: state.position,
        settings: state.plan.settings.clone(),
        tags: state.tags.clone(),
        is_from_options: mapping.origin == Origin::Options,
        enabled: state.enabled,
        is_deleting: state.is_deleting(),
        modified_ms: state.modified.millis(),
        result: state.result.as_str().to_owned(),
        is_started: state.is_started,
        incarnation: state.incarnation,
    };
    Change::Mapping(mapping.uuid.into_bytes(), Some(Box::new(value)))
}

/// The catalog change that saves the position of a mapping in a shard. `incarnation` is the
/// incarnation number of the stream.
pub(super) fn position(
    mapping: &Mapping,
    (incarnation, shard): (u64, ShardId),
    position: &ShardPosition,
) -> Change {
    let key = (mapping.uuid.into_bytes(), incarnation, shard.index());
    Change::MappingPosition(key, Some(position.clone()))
}

/// The catalog changes that remove all positions of a mapping in its stream.
pub(super) fn removed_positions(mapping: &Mapping, state: &MappingState) -> Vec<Change> {
    let Some(incarnation) = state.incarnation else {
        return Vec::new();
    };
    let gone = |shard: &ShardId| {
        let key = (mapping.uuid.into_bytes(), incarnation, shard.index());
        Change::MappingPosition(key, None)
    };
    state.positions.keys().map(gone).collect()
}

/// The catalog changes that remove a mapping and its positions.
pub(super) fn removed(mapping: &Mapping, state: &MappingState) -> Vec<Change> {
    let mut changes = removed_positions(mapping, state);
    changes.push(Change::Mapping(mapping.uuid.into_bytes(), None));
    changes
}

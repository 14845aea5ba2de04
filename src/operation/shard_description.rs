//! The description of a shard, as answers contain it.

use super::placement::{NumberText, ShardText};
use super::present::present;
use crate::model::{self, ShardId};
use crate::wire::output;

output! {
    /// The description of a shard: its id, its ranges and its parents.
    pub struct ShardDescription {
        "AdjacentParentShardId" => adjacent_parent: Option<ShardText>,
        "HashKeyRange" => hash_key_range: HashKeyRange,
        "ParentShardId" => parent: Option<ShardText>,
        "SequenceNumberRange" => sequence_number_range: SequenceNumberRange,
        "ShardId" => id: ShardText,
    }
}

output! {
    /// The hash key range of a shard. Both ends are included.
    pub struct HashKeyRange {
        "EndingHashKey" => end: String,
        "StartingHashKey" => start: String,
    }
}

output! {
    /// The sequence number range of a shard. An open shard has no ending number.
    pub struct SequenceNumberRange {
        "EndingSequenceNumber" => end: Option<NumberText>,
        "StartingSequenceNumber" => start: NumberText,
    }
}

output! {
    /// A child of a closed shard. Readers of the closed shard continue with its children.
    pub struct ChildShard {
        "HashKeyRange" => hash_key_range: HashKeyRange,
        "ParentShards" => parents: Vec<ShardText>,
        "ShardId" => id: ShardText,
    }
}
present!(
    ShardDescription,
    HashKeyRange,
    SequenceNumberRange,
    ChildShard
);

impl ShardDescription {
    pub(super) fn of(shard: &model::Shard) -> Self {
        Self {
            adjacent_parent: shard.adjacent_parent.map(ShardText),
            hash_key_range: HashKeyRange::of(shard.hash_key_range),
            parent: shard.parent.map(ShardText),
            sequence_number_range: SequenceNumberRange {
                end: shard.ending_sequence_number().map(NumberText),
                start: NumberText(shard.starting_sequence_number()),
            },
            id: ShardText(shard.id),
        }
    }
}

impl HashKeyRange {
    fn of(range: model::HashKeyRange) -> Self {
        Self {
            end: range.end.to_string(),
            start: range.start.to_string(),
        }
    }
}

impl ChildShard {
    pub(super) fn of(shard: &model::Shard) -> Self {
        let parents = shard.parent.into_iter().chain(shard.adjacent_parent);
        Self {
            hash_key_range: HashKeyRange::of(shard.hash_key_range),
            parents: parents.map(ShardText).collect(),
            id: ShardText(shard.id),
        }
    }
}

/// Returns true if the shard's id is greater than `start`, or if `start` is `None`. The id and
/// `start` are compared as strings, because `start` may be any text.
pub(super) fn is_after(shard: ShardId, start: Option<&str>) -> bool {
    start.is_none_or(|start| shard.to_string().as_str() > start)
}

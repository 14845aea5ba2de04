//! Shards as listings show them.

use crate::model::{self, ShardId};
use crate::wire::output;

output! {
    /// A shard.
    pub struct ShardDescription {
        "AdjacentParentShardId" => adjacent_parent: Option<String>,
        "HashKeyRange" => hash_key_range: HashKeyRange,
        "ParentShardId" => parent: Option<String>,
        "SequenceNumberRange" => sequence_number_range: SequenceNumberRange,
        "ShardId" => id: String,
    }
}

output! {
    /// The hash keys of a shard, both ends included.
    pub struct HashKeyRange {
        "EndingHashKey" => end: String,
        "StartingHashKey" => start: String,
    }
}

output! {
    /// The sequence numbers of a shard; an open one has no last one.
    pub struct SequenceNumberRange {
        "EndingSequenceNumber" => end: Option<String>,
        "StartingSequenceNumber" => start: String,
    }
}

output! {
    /// A shard that goes on where a closed one ends.
    pub struct ChildShard {
        "HashKeyRange" => hash_key_range: HashKeyRange,
        "ParentShards" => parents: Vec<String>,
        "ShardId" => id: String,
    }
}
super::present!(
    ShardDescription,
    HashKeyRange,
    SequenceNumberRange,
    ChildShard
);

impl ShardDescription {
    pub(in crate::operation) fn of(shard: &model::Shard) -> Self {
        Self {
            adjacent_parent: shard.adjacent_parent.map(|id| id.to_string()),
            hash_key_range: HashKeyRange::of(shard.hash_key_range),
            parent: shard.parent.map(|id| id.to_string()),
            sequence_number_range: SequenceNumberRange {
                end: shard
                    .ending_sequence_number()
                    .map(|number| number.to_string()),
                start: shard.starting_sequence_number().to_string(),
            },
            id: shard.id.to_string(),
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
    pub(in crate::operation) fn of(shard: &model::Shard) -> Self {
        let parents = shard.parent.into_iter().chain(shard.adjacent_parent);
        Self {
            hash_key_range: HashKeyRange::of(shard.hash_key_range),
            parents: parents.map(|id| id.to_string()).collect(),
            id: shard.id.to_string(),
        }
    }
}

/// Whether a shard comes after the text of an exclusive start, which need not be a shard's id.
pub(in crate::operation) fn is_after(shard: ShardId, start: Option<&str>) -> bool {
    start.is_none_or(|start| shard.to_string().as_str() > start)
}

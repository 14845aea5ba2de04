//! The stored forms of the values in the catalog: a version byte, then CBOR. Never the wire forms.

use crate::model::event_source::{Settings, StartingPosition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Changes when a stored form changes in a way that an older program cannot read.
const VERSION: u8 = 1;

/// A stream without its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the stream")]
pub struct StreamValue {
    pub account: String,
    pub region: String,
    pub name: String,
    pub created_ms: i64,
    pub status: String,
    /// The time at which the status ends by itself.
    pub due_ms: Option<i64>,
    /// True when the stream ever was ACTIVE.
    pub was_active: bool,
    /// Records that arrived before this had expired under an earlier retention period.
    pub expired_before_ms: i64,
    pub settings: StreamSettings,
    /// The change that is made when UPDATING ends.
    pub pending: Option<PendingChange>,
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub consumers: BTreeMap<String, Consumer>,
    pub history: History,
}

/// The settings of a stream. Most changes go through UPDATING.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSettings {
    /// True when its capacity follows demand.
    pub on_demand: bool,
    /// The retention period in hours.
    pub retention_hours: u32,
    /// The largest record, in KiB.
    pub max_record_kib: u32,
    /// True when it spreads records over the shards itself.
    pub auto_distribution: bool,
    /// The key of its encryption, if it is encrypted.
    pub key_id: Option<String>,
    /// The warm throughput in MiB/s, if one was set.
    pub warm_throughput_mibps: Option<u32>,
    /// The shard-level metrics that are enabled, by name.
    pub metrics: BTreeSet<String>,
}

/// A change that UPDATING ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The settings afterwards.
    pub settings: StreamSettings,
    /// The change of the shards.
    pub resharding: Option<ReshardingOrder>,
}

/// A change of a stream's shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReshardingOrder {
    /// Makes two shards of one.
    Split {
        /// The index of the shard.
        shard: u32,
        /// The first hash key of the upper child, big-endian.
        at: [u8; 16],
    },
    /// Makes one shard of two neighbours.
    Merge {
        /// The index of the lower shard.
        lower: u32,
        /// The index of the upper shard.
        upper: u32,
    },
    /// Makes open shards of equal size.
    Scale {
        /// Number of open shards afterwards.
        count: u32,
    },
}

/// A registered consumer of enhanced fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The time of registration, in milliseconds since the epoch; its seconds are part of the ARN.
    pub created_ms: i64,
    /// True when it is being deleted.
    pub deleting: bool,
    /// The end of CREATING or DELETING, in milliseconds since the epoch; none when ACTIVE.
    pub due_ms: Option<i64>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The resource policy.
    pub policy: Option<String>,
}

/// The changes of a stream that the service counts over a day: their times, in milliseconds since
/// the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// UpdateShardCount calls.
    pub shard_counts: Vec<i64>,
    /// Switches between the capacity modes.
    pub mode_switches: Vec<i64>,
    /// Times encryption was started or its key changed.
    pub encryptions: Vec<i64>,
    /// Times encryption was stopped.
    pub decryptions: Vec<i64>,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the shard")]
pub struct ShardValue {
    pub start: [u8; 16],
    pub end: [u8; 16],
    pub created_s: u64,
    pub closed_s: Option<u64>,
    pub parent: Option<u32>,
    pub adjacent_parent: Option<u32>,
}

/// The settings of an account in a region: its commitment to a minimum of throughput.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountValue {
    /// The time at which the commitment was last enabled, in milliseconds since the epoch.
    pub started_ms: Option<i64>,
    /// The past or future end of the commitment, in milliseconds since the epoch.
    pub ended_ms: Option<i64>,
}

/// An event source mapping without its positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the mapping")]
pub struct MappingValue {
    pub account: String,
    pub region: String,
    /// The position in lists of mappings.
    pub number: u64,
    /// The ARN of the stream or the consumer.
    pub source: String,
    /// The ARN of the function.
    pub function: String,
    pub position: StartingPosition,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    /// True when an option made the mapping, not the API.
    pub is_from_options: bool,
    pub enabled: bool,
    pub is_deleting: bool,
    pub modified_ms: i64,
    /// `LastProcessingResult`.
    pub result: String,
    /// True when the starting points of the shards are fixed.
    pub is_started: bool,
    /// The incarnation of the stream that the positions are of.
    pub incarnation: Option<u64>,
}

/// A queue. Its records are in a log of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the queue")]
pub struct QueueValue {
    pub account: String,
    pub region: String,
    pub id: String,
    pub name: String,
    /// The incarnation of its stream.
    pub stream: u64,
    pub created_ms: i64,
    pub status: String,
    pub due_ms: Option<i64>,
    pub visibility_timeout_s: u32,
    pub max_receive_count: Option<u32>,
    /// The type of its starting position, the moment that was given with it, and the moment that it
    /// stands for.
    pub start: String,
    pub given_ms: Option<i64>,
    pub started_ms: i64,
    /// The key of its receipt handles.
    pub secret: [u8; 32],
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
}

/// The stored form of a value.
pub(super) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
    bytes
}

/// Reads the stored form of a value; none if it is not one.
pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (version, rest) = bytes.split_first()?;
    (*version == VERSION)
        .then(|| ciborium::from_reader(rest).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_and_another_version_is_refused() {
        let shard = ShardValue {
            start: [0; 16],
            end: [0xff; 16],
            created_s: 1_700_000_000,
            closed_s: None,
            parent: Some(1),
            adjacent_parent: None,
        };
        let mut bytes = to_bytes(&shard);
        assert_eq!(from_bytes(&bytes), Some(shard));
        bytes[0] = VERSION + 1;
        assert_eq!(from_bytes::<ShardValue>(&bytes), None);
        assert_eq!(from_bytes::<ShardValue>(&[]), None);
    }
}

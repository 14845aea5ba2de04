//! The values of the catalog and their encoding: a version byte, then CBOR. This encoding is used
//! only on disk, never in the API.

use crate::model::channel::ChannelSettings;
use crate::model::event_source::{Settings, StartingPosition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the encoding. The version has to change when older programs can no longer read the
/// encoding.
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
    /// Time at which the present status ends, in milliseconds since the epoch. None if the status
    /// has no end.
    pub due_ms: Option<i64>,
    /// True if the stream has ever been ACTIVE.
    pub was_active: bool,
    /// Records with an arrival time before this one, in milliseconds since the epoch, stay expired
    /// even if a longer retention period is set later.
    pub expired_before_ms: i64,
    pub settings: StreamSettings,
    /// The change that takes effect when UPDATING ends.
    pub pending: Option<PendingChange>,
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub consumers: BTreeMap<String, Consumer>,
    pub history: History,
    /// Identity number of the stream. None if it equals the incarnation number.
    #[serde(default)]
    pub identity: Option<u64>,
    /// Random number of the stream in the event ids of tails. None in entries of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_mark: Option<u64>,
    /// Number of acknowledged records since the last clear of the stream. None except in the
    /// entries of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
}

/// The settings of a stream. The stream is in status UPDATING while most of these settings change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSettings {
    /// True in the on-demand capacity mode, false in the provisioned mode.
    pub on_demand: bool,
    /// Retention period in hours.
    pub retention_hours: u32,
    /// Maximum size of a record in KiB.
    pub max_record_kib: u32,
    /// True if records are distributed over the shards independently of their partition keys.
    pub auto_distribution: bool,
    /// The KMS key. None if the stream is not encrypted.
    pub key_id: Option<String>,
    /// Warm throughput in MiB/s. None if it was never set.
    pub warm_throughput_mibps: Option<u32>,
    /// Names of the enabled shard-level metrics.
    pub metrics: BTreeSet<String>,
}

/// A change of a stream that takes effect at the end of UPDATING.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The settings after the change.
    pub settings: StreamSettings,
    /// The split, merge or scaling of shards. None if the shards stay as they are.
    pub resharding: Option<ReshardingOrder>,
}

/// A split, merge or scaling of a stream's shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReshardingOrder {
    /// Splits a shard in two.
    Split {
        /// Index of the shard.
        shard: u32,
        /// First hash key of the upper child shard, big-endian.
        at: [u8; 16],
    },
    /// Merges two adjacent shards.
    Merge {
        /// Index of the shard with the lower hash keys.
        lower: u32,
        /// Index of the shard with the higher hash keys.
        upper: u32,
    },
    /// Replaces the open shards by shards with equal hash key ranges.
    Scale {
        /// Number of open shards after the scaling.
        count: u32,
    },
}

/// A registered consumer with enhanced fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Registration time in milliseconds since the epoch. The consumer's ARN contains it in
    /// seconds.
    pub created_ms: i64,
    /// True in the status DELETING.
    pub deleting: bool,
    /// End of the status CREATING or DELETING in milliseconds since the epoch. None in the status
    /// ACTIVE.
    pub due_ms: Option<i64>,
    /// Tags of the consumer.
    pub tags: BTreeMap<String, String>,
    /// Resource policy of the consumer, in JSON.
    pub policy: Option<String>,
}

/// Times, in milliseconds since the epoch, of the changes of a stream that are limited to a number
/// within 24 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Calls of UpdateShardCount.
    pub shard_counts: Vec<i64>,
    /// Switches between the capacity modes.
    pub mode_switches: Vec<i64>,
    /// Calls that started the encryption or changed its key.
    pub encryptions: Vec<i64>,
    /// Calls that stopped the encryption.
    pub decryptions: Vec<i64>,
}

/// The saved form of a shard.
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

/// The settings of an account in a region: the minimum throughput billing commitment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountValue {
    /// Time at which the commitment was last enabled, in milliseconds since the epoch.
    pub started_ms: Option<i64>,
    /// Past or future end of the commitment, in milliseconds since the epoch.
    pub ended_ms: Option<i64>,
}

/// An event source mapping without its positions in the shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the mapping")]
pub struct MappingValue {
    pub account: String,
    pub region: String,
    /// Number of the mapping. Lists of mappings are in the order of these numbers.
    pub number: u64,
    /// ARN of the stream or the consumer that the mapping reads.
    pub source: String,
    /// ARN of the function.
    pub function: String,
    pub position: StartingPosition,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    /// True if the mapping comes from an option of the server, not from the API.
    pub is_from_options: bool,
    pub enabled: bool,
    pub is_deleting: bool,
    pub modified_ms: i64,
    /// `LastProcessingResult` of the API.
    pub result: String,
    /// True if the starting position in every shard has been determined.
    pub is_started: bool,
    /// Incarnation number of the stream that the saved positions refer to.
    pub incarnation: Option<u64>,
}

/// A queue. The state of its records is in a separate log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the queue")]
pub struct QueueValue {
    pub account: String,
    pub region: String,
    pub id: String,
    pub name: String,
    /// Incarnation number of the queue's stream.
    pub stream: u64,
    pub created_ms: i64,
    pub status: String,
    pub due_ms: Option<i64>,
    pub visibility_timeout_s: u32,
    pub max_receive_count: Option<u32>,
    /// Type of the starting position. `given_ms` is the time in the request, and `started_ms` the
    /// time at which the queue actually starts.
    pub start: String,
    pub given_ms: Option<i64>,
    pub started_ms: i64,
    /// Secret key of the queue's receipt handles.
    pub secret: [u8; 32],
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
}

/// A channel without its positions in the shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the channel")]
pub struct ChannelValue {
    pub account: String,
    pub region: String,
    pub id: String,
    pub name: String,
    /// Incarnation number of the channel's stream.
    pub stream: u64,
    pub created_ms: i64,
    pub status: String,
    /// The reason for the status FAILED.
    pub reason: Option<String>,
    pub due_ms: Option<i64>,
    pub settings: ChannelSettings,
    pub tags: BTreeMap<String, String>,
    /// Name of the newest metadata file of the table that the channel writes.
    pub table_metadata: Option<String>,
}

/// Encodes a value.
pub(super) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
    bytes
}

/// Decodes a value. None if the bytes are not a valid encoding.
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

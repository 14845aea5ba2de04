//! The values of the catalog, and their encoding. An encoded value is a version byte and then CBOR.
//! The encoding is used only on disk and in snapshots, never in the service's API.

use crate::model::channel::ChannelSettings;
use crate::model::event_source::{Settings, StartingPosition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the encoding. The version has to change when older programs can no longer read the
/// encoding.
const VERSION: u8 = 1;

/// The saved form of a stream without its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the stream")]
pub struct StreamValue {
    pub account: String,
    pub region: String,
    pub name: String,
    pub created_ms: i64,
    pub status: String,
    /// Time at which the present status of the stream ends, in milliseconds since the epoch. `None`
    /// if the status has no end.
    pub due_ms: Option<i64>,
    /// True if the stream has ever been ACTIVE.
    pub was_active: bool,
    /// Time before which all records have expired, in milliseconds since the epoch. These records
    /// stay expired even if a request later sets a longer retention period.
    pub expired_before_ms: i64,
    pub settings: StreamSettings,
    /// The change of the stream that takes effect when the status UPDATING ends.
    pub pending: Option<PendingChange>,
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub consumers: BTreeMap<String, Consumer>,
    pub history: History,
    /// Identity number of the stream. `None` if the identity number equals the incarnation number.
    #[serde(default)]
    pub identity: Option<u64>,
    /// Random number of the stream, which is a part of the event ids of the stream's tails. `None`
    /// if an older version of the program wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_mark: Option<u64>,
    /// Number of the stream's records that were acknowledged to producers since the last clear of
    /// the stream. `None` except in the entries of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
}

/// The settings of a stream. While most of these settings change, the stream is in status UPDATING.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSettings {
    /// True if the stream is in on-demand mode. False if it is in provisioned mode.
    pub on_demand: bool,
    /// Retention period of the stream, in hours.
    pub retention_hours: u32,
    /// Maximum size of one record of the stream, in KiB.
    pub max_record_kib: u32,
    /// True if records are distributed over the shards independently of their partition keys.
    pub auto_distribution: bool,
    /// The KMS key of the stream. `None` if the stream is not encrypted.
    pub key_id: Option<String>,
    /// Warm throughput of the stream in MiB/s. `None` if no request has set the warm throughput.
    pub warm_throughput_mibps: Option<u32>,
    /// Names of the enabled shard-level metrics of the stream.
    pub metrics: BTreeSet<String>,
}

/// A change of a stream that takes effect when the status UPDATING ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The settings of the stream after the change.
    pub settings: StreamSettings,
    /// The split, merge or scaling of the stream's shards. `None` if the shards stay as they are.
    pub resharding: Option<ReshardingOrder>,
}

/// A split, merge or scaling of the shards of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReshardingOrder {
    /// Splits one shard into two child shards.
    Split {
        /// Index of the shard to split.
        shard: u32,
        /// First hash key of the child shard with the higher hash keys, big-endian.
        at: [u8; 16],
    },
    /// Merges two adjacent shards into one.
    Merge {
        /// Index of the shard with the lower hash keys.
        lower: u32,
        /// Index of the shard with the higher hash keys.
        upper: u32,
    },
    /// Replaces the open shards of the stream by `count` shards with equal hash key ranges.
    Scale {
        /// Number of open shards of the stream after the scaling.
        count: u32,
    },
}

/// The saved form of a registered consumer with enhanced fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Registration time of the consumer, in milliseconds since the epoch. The consumer's ARN
    /// contains the time in seconds.
    pub created_ms: i64,
    /// True if the consumer is in status DELETING.
    pub deleting: bool,
    /// Time at which the status CREATING or DELETING of the consumer ends, in milliseconds since
    /// the epoch. `None` if the consumer is in status ACTIVE.
    pub due_ms: Option<i64>,
    /// Tags of the consumer.
    pub tags: BTreeMap<String, String>,
    /// Resource policy of the consumer, in JSON. `None` if the consumer has no policy.
    pub policy: Option<String>,
}

/// The times of a stream's recent changes, in milliseconds since the epoch. The service permits
/// only a limited number of these changes within 24 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Times of the UpdateShardCount calls that changed the stream.
    pub shard_counts: Vec<i64>,
    /// Times of the switches between the capacity modes.
    pub mode_switches: Vec<i64>,
    /// Times of the StartStreamEncryption calls that started the stream's encryption or changed its
    /// key.
    pub encryptions: Vec<i64>,
    /// Times of the StopStreamEncryption calls that stopped the stream's encryption.
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

/// The saved settings of an account in a region. The only setting is the minimum throughput billing
/// commitment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountValue {
    /// Time at which the account's last minimum throughput billing commitment started, in
    /// milliseconds since the epoch. `None` if the account never had one.
    pub started_ms: Option<i64>,
    /// Time at which the account's minimum throughput billing commitment ended or will end, in
    /// milliseconds since the epoch. `None` if no end is set.
    pub ended_ms: Option<i64>,
}

/// The saved form of an event source mapping, without its positions in the shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the mapping")]
pub struct MappingValue {
    pub account: String,
    pub region: String,
    /// Number of the mapping. Lists of mappings are in the order of these numbers.
    pub number: u64,
    /// ARN of the stream or consumer that the mapping reads.
    pub source: String,
    /// ARN of the function that the mapping invokes.
    pub function: String,
    pub position: StartingPosition,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    /// True if an option of the server defines the mapping. False if a request created it.
    pub is_from_options: bool,
    pub enabled: bool,
    pub is_deleting: bool,
    pub modified_ms: i64,
    /// The mapping's `LastProcessingResult` in the API of Lambda.
    pub result: String,
    /// True if the mapping's starting positions in all shards are already determined.
    pub is_started: bool,
    /// Incarnation number of the stream to which the mapping's saved positions belong. `None` if
    /// the mapping has no stream yet.
    pub incarnation: Option<u64>,
}

/// The saved form of a queue. The state of the queue's records is in the queue's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the queue")]
pub struct QueueValue {
    pub account: String,
    pub region: String,
    pub id: String,
    pub name: String,
    /// Incarnation number of the stream that the queue reads.
    pub stream: u64,
    pub created_ms: i64,
    pub status: String,
    pub due_ms: Option<i64>,
    pub visibility_timeout_s: u32,
    pub max_receive_count: Option<u32>,
    /// Type of the queue's starting position. The field `given_ms` is the time in the CreateQueue
    /// request. The queue delivers only records that arrived at the time `started_ms` or later.
    pub start: String,
    pub given_ms: Option<i64>,
    pub started_ms: i64,
    /// Secret key with which the queue signs its receipt handles.
    pub secret: [u8; 32],
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
}

/// The saved form of a channel, without its positions in the shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the channel")]
pub struct ChannelValue {
    pub account: String,
    pub region: String,
    pub id: String,
    pub name: String,
    /// Incarnation number of the stream that the channel reads.
    pub stream: u64,
    pub created_ms: i64,
    pub status: String,
    /// The reason for the status FAILED of the channel. `None` in any other status.
    pub reason: Option<String>,
    pub due_ms: Option<i64>,
    pub settings: ChannelSettings,
    pub tags: BTreeMap<String, String>,
    /// Name of the newest metadata file of the Iceberg table to which the channel delivers. `None`
    /// if no such file is known.
    pub table_metadata: Option<String>,
}

/// Encodes a catalog value.
pub(super) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
    bytes
}

/// Decodes a catalog value. Returns `None` if `bytes` are not a valid encoding.
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

//! The catalog: the metadata that survives a restart.
//!
//! | key | value | removed |
//! |---|---|---|
//! | `s`, incarnation u64 | [`StreamValue`] | at the end of DELETING |
//! | `h`, incarnation u64, index u32 | [`ShardValue`] | when its records have expired |
//! | `q`, incarnation u64 | [`QueueValue`] | at the end of DELETING |
//! | `a`, account, `/`, region | [`AccountValue`] | never |
//! | `e`, UUID | [`MappingValue`] | with the event source mapping |
//! | `p`, UUID, incarnation u64, index u32 | [`ShardPosition`] | with the mapping or the stream |
//! | `c` | milliseconds of a virtual clock, i64 | never |
//!
//! A new kind of entry takes a variant of [`Change`], a member of [`Catalog`], and a line in
//! [`Change::to_pair`] and in [`Catalog::insert`].

use super::key::Pair;
use super::value::{self, AccountValue, MappingValue, QueueValue, ShardValue, StreamValue};
use crate::model::event_source::ShardPosition;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A change of the catalog; without a value the entry is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The settings of an account in a region.
    Account {
        /// The account's twelve digits.
        account: String,
        /// The region.
        region: String,
        /// The settings.
        value: Option<AccountValue>,
    },
    /// A stream.
    Stream {
        /// The incarnation.
        incarnation: u64,
        /// The stream.
        value: Option<Box<StreamValue>>,
    },
    /// A shard.
    Shard {
        /// The incarnation of its stream.
        incarnation: u64,
        /// The index in the stream.
        index: u32,
        /// The shard.
        value: Option<ShardValue>,
    },
    /// An event source mapping.
    Mapping {
        /// The UUID.
        uuid: [u8; 16],
        /// The mapping.
        value: Option<Box<MappingValue>>,
    },
    /// The position of an event source mapping in a shard.
    MappingPosition {
        /// The UUID of the mapping.
        uuid: [u8; 16],
        /// The incarnation of the stream, and the index of the shard in it.
        shard: (u64, u32),
        /// The position.
        value: Option<ShardPosition>,
    },
    /// A queue, whose records are in a log of its own.
    Queue {
        /// The incarnation.
        incarnation: u64,
        /// The queue.
        value: Option<Box<QueueValue>>,
    },
    /// The time of a virtual clock, in milliseconds since the epoch.
    Clock(i64),
}

impl Change {
    /// The stored form.
    pub(crate) fn to_pair(&self) -> Pair {
        match self {
            Self::Account {
                account,
                region,
                value,
            } => (account_key(account, region), stored(value.as_ref())),
            Self::Stream { incarnation, value } => {
                (stream_key(*incarnation), stored(value.as_ref()))
            }
            Self::Shard {
                incarnation,
                index,
                value,
            } => (shard_key(*incarnation, *index), stored(value.as_ref())),
            Self::Mapping { uuid, value } => (mapping_key(uuid), stored(value.as_ref())),
            Self::MappingPosition { uuid, shard, value } => {
                (position_key(uuid, *shard), stored(value.as_ref()))
            }
            Self::Queue { incarnation, value } => (queue_key(*incarnation), stored(value.as_ref())),
            Self::Clock(ms) => (CLOCK.to_vec(), Some(ms.to_be_bytes().to_vec())),
        }
    }
}

/// Everything in the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Settings, by account and region.
    pub accounts: BTreeMap<(String, String), AccountValue>,
    /// Streams, by incarnation.
    pub streams: BTreeMap<u64, StreamValue>,
    /// Shards, by the incarnation of their stream and their index.
    pub shards: BTreeMap<(u64, u32), ShardValue>,
    /// Event source mappings, by UUID.
    pub mappings: BTreeMap<[u8; 16], MappingValue>,
    /// Positions, by the UUID of the mapping, the incarnation of the stream and the shard's index.
    pub positions: BTreeMap<([u8; 16], u64, u32), ShardPosition>,
    /// Queues, by incarnation.
    pub queues: BTreeMap<u64, QueueValue>,
    /// The time of a virtual clock, in milliseconds since the epoch.
    pub clock_ms: Option<i64>,
}

impl Catalog {
    /// Adds an entry in its stored form. For recovery and for fuzzers.
    ///
    /// # Errors
    /// The kind of entry that cannot be read.
    #[doc(hidden)]
    pub fn insert(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), &'static str> {
        if let Some(incarnation) = parse_stream(key) {
            self.streams.insert(incarnation, read(bytes, "a stream")?);
        } else if let Some(shard) = parse_shard(key) {
            self.shards.insert(shard, read(bytes, "a shard")?);
        } else if let Some(incarnation) = parse_queue(key) {
            self.queues.insert(incarnation, read(bytes, "a queue")?);
        } else if let Some((account, region)) = parse_account(key) {
            let key = (account.to_owned(), region.to_owned());
            self.accounts.insert(key, read(bytes, "an account")?);
        } else if let Some(uuid) = parse_mapping(key) {
            let mapping = read(bytes, "an event source mapping")?;
            self.mappings.insert(uuid, mapping);
        } else if let Some(key) = parse_position(key) {
            let position = read(bytes, "a position of a mapping")?;
            self.positions.insert(key, position);
        } else if key == CLOCK {
            let ms = bytes.try_into().map_err(|_| "the clock")?;
            self.clock_ms = Some(i64::from_be_bytes(ms));
        } else {
            return Err("an entry of another version");
        }
        Ok(())
    }
}

/// The stored form of a value; none for an entry that is removed.
fn stored(value: Option<&impl Serialize>) -> Option<Vec<u8>> {
    value.map(value::to_bytes)
}

/// Reads the stored form of an entry of this `kind`.
fn read<T: DeserializeOwned>(bytes: &[u8], kind: &'static str) -> Result<T, &'static str> {
    value::from_bytes(bytes).ok_or(kind)
}

const CLOCK: &[u8] = b"c";

pub(super) fn stream_key(incarnation: u64) -> Vec<u8> {
    [b"s".as_slice(), &incarnation.to_be_bytes()].concat()
}

pub(super) fn parse_stream(key: &[u8]) -> Option<u64> {
    parse_incarnation(key.strip_prefix(b"s")?)
}

fn parse_incarnation(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn shard_key(incarnation: u64, index: u32) -> Vec<u8> {
    let (incarnation, index) = (incarnation.to_be_bytes(), index.to_be_bytes());
    [b"h".as_slice(), &incarnation, &index].concat()
}

pub(super) fn parse_shard(key: &[u8]) -> Option<(u64, u32)> {
    parse_pair(key.strip_prefix(b"h")?)
}

/// The incarnation of a stream, and the index of a shard in it.
fn parse_pair(bytes: &[u8]) -> Option<(u64, u32)> {
    let (incarnation, index) = bytes.split_first_chunk()?;
    let index = index.try_into().ok()?;
    Some((u64::from_be_bytes(*incarnation), u32::from_be_bytes(index)))
}

fn queue_key(incarnation: u64) -> Vec<u8> {
    [b"q".as_slice(), &incarnation.to_be_bytes()].concat()
}

fn parse_queue(key: &[u8]) -> Option<u64> {
    parse_incarnation(key.strip_prefix(b"q")?)
}

pub(super) fn account_key(account: &str, region: &str) -> Vec<u8> {
    format!("a{account}/{region}").into_bytes()
}

pub(super) fn parse_account(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key.strip_prefix(b"a")?)
        .ok()?
        .split_once('/')
}

fn mapping_key(uuid: &[u8; 16]) -> Vec<u8> {
    [b"e".as_slice(), uuid].concat()
}

fn parse_mapping(key: &[u8]) -> Option<[u8; 16]> {
    key.strip_prefix(b"e")?.try_into().ok()
}

fn position_key(uuid: &[u8; 16], (incarnation, index): (u64, u32)) -> Vec<u8> {
    let (incarnation, index) = (incarnation.to_be_bytes(), index.to_be_bytes());
    [b"p".as_slice(), uuid, &incarnation, &index].concat()
}

fn parse_position(key: &[u8]) -> Option<([u8; 16], u64, u32)> {
    let (uuid, shard) = key.strip_prefix(b"p")?.split_first_chunk()?;
    let (incarnation, index) = parse_pair(shard)?;
    Some((*uuid, incarnation, index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_of_mappings_round_trip(uuid: [u8; 16], incarnation: u64, index: u32) {
            prop_assert_eq!(parse_mapping(&mapping_key(&uuid)), Some(uuid));
            let key = position_key(&uuid, (incarnation, index));
            prop_assert_eq!(parse_position(&key), Some((uuid, incarnation, index)));
            prop_assert_eq!(parse_mapping(&key), None);
            prop_assert_eq!(parse_position(&mapping_key(&uuid)), None);
        }

        #[test]
        fn keys_round_trip_and_sort_like_their_numbers(a: (u64, u32), b: (u64, u32)) {
            prop_assert_eq!(parse_stream(&stream_key(a.0)), Some(a.0));
            prop_assert_eq!(parse_shard(&shard_key(a.0, a.1)), Some(a));
            prop_assert_eq!(parse_queue(&queue_key(a.0)), Some(a.0));
            prop_assert_eq!(parse_queue(&stream_key(a.0)), None);
            prop_assert_eq!(parse_shard(&stream_key(a.0)), None);
            prop_assert_eq!(parse_stream(&shard_key(a.0, a.1)), None);
            prop_assert_eq!(shard_key(a.0, a.1).cmp(&shard_key(b.0, b.1)), a.cmp(&b));
        }
    }

    #[test]
    fn a_change_reads_back_as_an_entry() {
        let mut catalog = Catalog::default();
        let account = Change::Account {
            account: "000000000000".to_owned(),
            region: "any/thing".to_owned(),
            value: Some(AccountValue::default()),
        };
        for change in [account, Change::Clock(-5)] {
            let (key, bytes) = change.to_pair();
            catalog.insert(&key, &bytes.unwrap()).unwrap();
        }
        assert_eq!(catalog.clock_ms, Some(-5));
        let key = ("000000000000".to_owned(), "any/thing".to_owned());
        assert_eq!(catalog.accounts.get(&key), Some(&AccountValue::default()));
        assert_eq!(catalog.insert(b"c", b"short"), Err("the clock"));
        assert_eq!(
            catalog.insert(b"?", b""),
            Err("an entry of another version")
        );
    }
}

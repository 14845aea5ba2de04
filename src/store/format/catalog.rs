//! For a new kind of entry, add a variant of [`Change`], a field of [`Catalog`], and a line in
//! [`Change::to_pair`] and in [`Catalog::insert`].

use super::key::Pair;
use super::value::{
    self, AccountValue, ChannelValue, MappingValue, QueueValue, ShardValue, StreamValue,
};
use crate::model::channel::ChannelPosition;
use crate::model::event_source::ShardPosition;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A change of one catalog entry. The value None removes the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The settings of an account in a region.
    Account {
        /// Id of the account, which has twelve digits.
        account: String,
        /// Name of the region.
        region: String,
        /// New settings.
        value: Option<AccountValue>,
    },
    /// A stream, without its shards.
    Stream {
        /// Incarnation number of the stream.
        incarnation: u64,
        /// New state of the stream.
        value: Option<Box<StreamValue>>,
    },
    /// A shard of a stream.
    Shard {
        /// Incarnation number of the stream.
        incarnation: u64,
        /// Index of the shard in the stream.
        index: u32,
        /// New state of the shard.
        value: Option<ShardValue>,
    },
    /// An event source mapping.
    Mapping {
        /// UUID of the mapping.
        uuid: [u8; 16],
        /// New state of the mapping.
        value: Option<Box<MappingValue>>,
    },
    /// The position of an event source mapping in a shard.
    MappingPosition {
        /// UUID of the mapping.
        uuid: [u8; 16],
        /// Incarnation number of the stream, and index of the shard in the stream.
        shard: (u64, u32),
        /// New position.
        value: Option<ShardPosition>,
    },
    /// A queue. The state of its records is in a separate log, its journal.
    Queue {
        /// Incarnation number of the queue.
        incarnation: u64,
        /// New state of the queue.
        value: Option<Box<QueueValue>>,
    },
    /// A channel, without its positions.
    Channel {
        /// Incarnation number of the channel.
        incarnation: u64,
        /// New state of the channel.
        value: Option<Box<ChannelValue>>,
    },
    /// The position of a channel in a shard of its stream.
    ChannelPosition {
        /// Incarnation number of the channel.
        incarnation: u64,
        /// Index of the shard in the stream.
        shard: u32,
        /// New position.
        value: Option<ChannelPosition>,
    },
    /// The time of a virtual clock, in milliseconds since the epoch.
    Clock(i64),
}

impl Change {
    /// Encodes the key and the value of the entry.
    pub(crate) fn to_pair(&self) -> Pair {
        let (key, value) = match self {
            Self::Account {
                account,
                region,
                value,
            } => (Key::Account(account, region), stored(value.as_ref())),
            Self::Stream { incarnation, value } => {
                (Key::Stream(*incarnation), stored(value.as_ref()))
            }
            Self::Shard {
                incarnation,
                index,
                value,
            } => (Key::Shard(*incarnation, *index), stored(value.as_ref())),
            Self::Mapping { uuid, value } => (Key::Mapping(*uuid), stored(value.as_ref())),
            Self::MappingPosition { uuid, shard, value } => (
                Key::Position(*uuid, shard.0, shard.1),
                stored(value.as_ref()),
            ),
            Self::Queue { incarnation, value } => {
                (Key::Queue(*incarnation), stored(value.as_ref()))
            }
            Self::Channel { incarnation, value } => {
                (Key::Channel(*incarnation), stored(value.as_ref()))
            }
            Self::ChannelPosition {
                incarnation,
                shard,
                value,
            } => (
                Key::ChannelPosition(*incarnation, *shard),
                stored(value.as_ref()),
            ),
            Self::Clock(ms) => (Key::Clock, Some(ms.to_be_bytes().to_vec())),
        };
        (key.to_bytes(), value)
    }
}

/// The decoded contents of the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Account settings, by account id and region.
    pub accounts: BTreeMap<(String, String), AccountValue>,
    /// Streams, by incarnation number.
    pub streams: BTreeMap<u64, StreamValue>,
    /// Shards, by incarnation number of the stream and index of the shard.
    pub shards: BTreeMap<(u64, u32), ShardValue>,
    /// Event source mappings, by UUID.
    pub mappings: BTreeMap<[u8; 16], MappingValue>,
    /// Positions of mappings, by UUID of the mapping, incarnation number of the stream and index of
    /// the shard.
    pub positions: BTreeMap<([u8; 16], u64, u32), ShardPosition>,
    /// Queues, by incarnation number.
    pub queues: BTreeMap<u64, QueueValue>,
    /// Channels, by incarnation number.
    pub channels: BTreeMap<u64, ChannelValue>,
    /// Positions of channels, by incarnation number of the channel and index of the shard.
    pub channel_positions: BTreeMap<(u64, u32), ChannelPosition>,
    /// Time of a virtual clock, in milliseconds since the epoch. None if no virtual clock was used.
    pub clock_ms: Option<i64>,
}

impl Catalog {
    /// Decodes an entry and adds it. This is used by recovery and by fuzzers.
    ///
    /// # Errors
    /// Returns the kind of the entry if it cannot be decoded.
    #[doc(hidden)]
    pub fn insert(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), &'static str> {
        match Key::parse(key).ok_or("an entry of another version")? {
            Key::Stream(incarnation) => {
                self.streams.insert(incarnation, read(bytes, "a stream")?);
            }
            Key::Shard(incarnation, index) => {
                let shard = read(bytes, "a shard")?;
                self.shards.insert((incarnation, index), shard);
            }
            Key::Queue(incarnation) => {
                self.queues.insert(incarnation, read(bytes, "a queue")?);
            }
            Key::Account(account, region) => {
                let key = (account.to_owned(), region.to_owned());
                self.accounts.insert(key, read(bytes, "an account")?);
            }
            Key::Mapping(uuid) => {
                let mapping = read(bytes, "an event source mapping")?;
                self.mappings.insert(uuid, mapping);
            }
            Key::Position(uuid, incarnation, index) => {
                let position = read(bytes, "a position of a mapping")?;
                self.positions.insert((uuid, incarnation, index), position);
            }
            Key::Channel(incarnation) => {
                self.channels.insert(incarnation, read(bytes, "a channel")?);
            }
            Key::ChannelPosition(incarnation, index) => {
                let position = read(bytes, "a position of a channel")?;
                self.channel_positions
                    .insert((incarnation, index), position);
            }
            Key::Clock => {
                let ms = bytes.try_into().map_err(|_| "the clock")?;
                self.clock_ms = Some(i64::from_be_bytes(ms));
            }
        }
        Ok(())
    }
}

/// Encodes a value. None stands for the removal of the entry.
fn stored(value: Option<&impl Serialize>) -> Option<Vec<u8>> {
    value.map(value::to_bytes)
}

/// Decodes an entry of this `kind`.
fn read<T: DeserializeOwned>(bytes: &[u8], kind: &'static str) -> Result<T, &'static str> {
    value::from_bytes(bytes).ok_or(kind)
}

/// The key of a catalog entry. Within one kind, encoded keys sort in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Stream(u64),
    Shard(u64, u32),
    Queue(u64),
    Account(&'a str, &'a str),
    Mapping([u8; 16]),
    Position([u8; 16], u64, u32),
    Channel(u64),
    ChannelPosition(u64, u32),
    Clock,
}

impl<'a> Key<'a> {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let incarnation = |kind: &[u8], number: u64| [kind, &number.to_be_bytes()].concat();
        match self {
            Self::Stream(number) => incarnation(b"s", number),
            Self::Queue(number) => incarnation(b"q", number),
            Self::Channel(number) => incarnation(b"n", number),
            Self::Shard(number, index) => {
                [incarnation(b"h", number), index.to_be_bytes().into()].concat()
            }
            Self::ChannelPosition(number, index) => {
                [incarnation(b"o", number), index.to_be_bytes().into()].concat()
            }
            Self::Account(account, region) => format!("a{account}/{region}").into_bytes(),
            Self::Mapping(uuid) => [b"e".as_slice(), &uuid].concat(),
            Self::Position(uuid, number, index) => {
                let kind = [b"p".as_slice(), &uuid].concat();
                [incarnation(&kind, number), index.to_be_bytes().into()].concat()
            }
            Self::Clock => b"c".to_vec(),
        }
    }

    pub(super) fn parse(key: &'a [u8]) -> Option<Self> {
        let incarnation = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_be_bytes);
        let shard = |bytes: &[u8]| {
            let (number, index) = bytes.split_at_checked(8)?;
            let index = index.try_into().ok().map(u32::from_be_bytes);
            incarnation(number).zip(index)
        };
        let (kind, rest) = key.split_first()?;
        match kind {
            b's' => incarnation(rest).map(Self::Stream),
            b'q' => incarnation(rest).map(Self::Queue),
            b'n' => incarnation(rest).map(Self::Channel),
            b'h' => shard(rest).map(|(number, index)| Self::Shard(number, index)),
            b'o' => shard(rest).map(|(number, index)| Self::ChannelPosition(number, index)),
            b'a' => {
                let (account, region) = std::str::from_utf8(rest).ok()?.split_once('/')?;
                Some(Self::Account(account, region))
            }
            b'e' => rest.try_into().ok().map(Self::Mapping),
            b'p' => {
                let (uuid, rest) = rest.split_first_chunk()?;
                shard(rest).map(|(number, index)| Self::Position(*uuid, number, index))
            }
            b'c' if rest.is_empty() => Some(Self::Clock),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_round_trip_and_sort_like_their_numbers(
            uuid: [u8; 16],
            a: (u64, u32),
            b: (u64, u32),
        ) {
            let keys = [
                Key::Stream(a.0),
                Key::Queue(a.0),
                Key::Shard(a.0, a.1),
                Key::Mapping(uuid),
                Key::Position(uuid, a.0, a.1),
                Key::Channel(a.0),
                Key::ChannelPosition(a.0, a.1),
                Key::Account("000000000000", "any/thing"),
                Key::Clock,
            ];
            for key in keys {
                let bytes = key.to_bytes();
                prop_assert_eq!(Key::parse(&bytes), Some(key));
            }
            let shard = |(number, index)| Key::Shard(number, index).to_bytes();
            prop_assert_eq!(shard(a).cmp(&shard(b)), a.cmp(&b));
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

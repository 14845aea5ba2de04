//! The catalog, with its entries, the keys of the entries, and the changes of entries. A new kind
//! of entry needs a variant of [`Change`], a field of [`Catalog`], and a line in
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

/// A change of one catalog entry. A variant holds the key of the entry, which is the same as in
/// [`Catalog`], and the new value of the entry. The value `None` removes the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The settings of an account in a region. The key is the account id and the name of the
    /// region.
    Account((String, String), Option<AccountValue>),
    /// A stream without its shards. The key is the stream's incarnation number.
    Stream(u64, Option<Box<StreamValue>>),
    /// A shard. The key is the incarnation number of the shard's stream and the shard's index.
    Shard((u64, u32), Option<ShardValue>),
    /// An event source mapping. The key is the mapping's UUID.
    Mapping([u8; 16], Option<Box<MappingValue>>),
    /// The position of an event source mapping in a shard. The key is the UUID of the mapping, the
    /// incarnation number of the stream and the index of the shard.
    MappingPosition(([u8; 16], u64, u32), Option<ShardPosition>),
    /// A queue. The key is the queue's incarnation number. The state of the queue's records is not
    /// in the catalog, but in the queue's journal.
    Queue(u64, Option<Box<QueueValue>>),
    /// A channel without its positions. The key is the channel's incarnation number.
    Channel(u64, Option<Box<ChannelValue>>),
    /// The position of a channel in a shard of its stream. The key is the incarnation number of the
    /// channel and the index of the shard.
    ChannelPosition((u64, u32), Option<ChannelPosition>),
    /// The time of the virtual clock, in milliseconds since the epoch.
    Clock(i64),
}

impl Change {
    /// Encodes the key and the new value of the catalog entry.
    pub(crate) fn to_pair(&self) -> Pair {
        match self {
            Self::Account((account, region), value) => pair(Key::Account(account, region), value),
            Self::Stream(stream, value) => pair(Key::Stream(*stream), value),
            Self::Shard((stream, index), value) => pair(Key::Shard(*stream, *index), value),
            Self::Mapping(uuid, value) => pair(Key::Mapping(*uuid), value),
            Self::MappingPosition((uuid, stream, index), value) => {
                pair(Key::Position(*uuid, *stream, *index), value)
            }
            Self::Queue(queue, value) => pair(Key::Queue(*queue), value),
            Self::Channel(channel, value) => pair(Key::Channel(*channel), value),
            Self::ChannelPosition((channel, index), value) => {
                pair(Key::ChannelPosition(*channel, *index), value)
            }
            Self::Clock(ms) => (Key::Clock.to_bytes(), Some(ms.to_be_bytes().into())),
        }
    }
}

/// Encodes the key and the value of a catalog entry. If `value` is `None`, the returned pair
/// removes the entry.
fn pair(key: Key<'_>, value: &Option<impl Serialize>) -> Pair {
    (key.to_bytes(), value.as_ref().map(value::to_bytes))
}

/// The decoded contents of the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Settings of accounts, by account id and region.
    pub accounts: BTreeMap<(String, String), AccountValue>,
    /// Streams, by their incarnation numbers.
    pub streams: BTreeMap<u64, StreamValue>,
    /// Shards, by incarnation number of the stream and index of the shard.
    pub shards: BTreeMap<(u64, u32), ShardValue>,
    /// Event source mappings, by their UUIDs.
    pub mappings: BTreeMap<[u8; 16], MappingValue>,
    /// Positions of mappings in shards, by UUID of the mapping, incarnation number of the stream
    /// and index of the shard.
    pub positions: BTreeMap<([u8; 16], u64, u32), ShardPosition>,
    /// Queues, by their incarnation numbers.
    pub queues: BTreeMap<u64, QueueValue>,
    /// Channels, by their incarnation numbers.
    pub channels: BTreeMap<u64, ChannelValue>,
    /// Positions of channels in shards, by incarnation number of the channel and index of the
    /// shard.
    pub channel_positions: BTreeMap<(u64, u32), ChannelPosition>,
    /// Time of the virtual clock, in milliseconds since the epoch. `None` if no virtual clock was
    /// used.
    pub clock_ms: Option<i64>,
}

impl Catalog {
    /// Decodes a catalog entry from its key and its value `bytes`, and adds the entry to the
    /// catalog.
    ///
    /// # Errors
    /// The kind of the entry, if the entry cannot be decoded.
    #[doc(hidden)]
    pub fn insert(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), &'static str> {
        match Key::parse(key).ok_or("an entry of another version")? {
            Key::Stream(stream) => add(&mut self.streams, stream, bytes, "a stream"),
            Key::Shard(stream, index) => add(&mut self.shards, (stream, index), bytes, "a shard"),
            Key::Queue(queue) => add(&mut self.queues, queue, bytes, "a queue"),
            Key::Account(account, region) => {
                let key = (account.to_owned(), region.to_owned());
                add(&mut self.accounts, key, bytes, "an account")
            }
            Key::Mapping(uuid) => add(&mut self.mappings, uuid, bytes, "an event source mapping"),
            Key::Position(uuid, stream, index) => {
                let key = (uuid, stream, index);
                add(&mut self.positions, key, bytes, "a position of a mapping")
            }
            Key::Channel(channel) => add(&mut self.channels, channel, bytes, "a channel"),
            Key::ChannelPosition(channel, index) => {
                let (positions, key) = (&mut self.channel_positions, (channel, index));
                add(positions, key, bytes, "a position of a channel")
            }
            Key::Clock => {
                let ms = bytes.try_into().map_err(|_| "the clock")?;
                self.clock_ms = Some(i64::from_be_bytes(ms));
                Ok(())
            }
        }
    }
}

/// Decodes the value `bytes` of a catalog entry, and adds the entry to `entries`. If the value
/// cannot be decoded, the function returns `kind`, the kind of the entry, as the error.
fn add<K: Ord, V: DeserializeOwned>(
    entries: &mut BTreeMap<K, V>,
    key: K,
    bytes: &[u8],
    kind: &'static str,
) -> Result<(), &'static str> {
    entries.insert(key, value::from_bytes(bytes).ok_or(kind)?);
    Ok(())
}

/// The key of a catalog entry. Encoded keys of one kind sort in the order of the numbers in the
/// keys. A consumer has no key: it is part of [`StreamValue`].
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
        let key = ("000000000000".to_owned(), "any/thing".to_owned());
        let account = Change::Account(key.clone(), Some(AccountValue::default()));
        for change in [account, Change::Clock(-5)] {
            let (entry, bytes) = change.to_pair();
            catalog.insert(&entry, &bytes.unwrap()).unwrap();
        }
        assert_eq!(catalog.clock_ms, Some(-5));
        assert_eq!(catalog.accounts.get(&key), Some(&AccountValue::default()));
        assert_eq!(catalog.insert(b"c", b"short"), Err("the clock"));
        assert_eq!(
            catalog.insert(b"?", b""),
            Err("an entry of another version")
        );
    }
}

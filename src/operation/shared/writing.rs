//! Records on their way in: the checks that PutRecord and PutRecords share, in their order.

use super::super::Context;
use super::super::shapes::{Data, HashKeyText, PartitionKey, SequenceNumberText};
use super::{StreamRef, check_stream_key};
use crate::engine::{PutSettings, Stream};
use crate::error::Error;
use crate::model::{
    HashKey, NewRecord, SEQUENCE_NUMBER_DIGITS, SHARD_ID_CHARACTERS, SequenceNumber, ShardId,
    StreamArn,
};
use crate::wire::{Expected, Format, Node, Present, Violations};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A record as a request offers it.
pub(in crate::operation) struct Offered {
    pub(in crate::operation) partition_key: Expected<PartitionKey>,
    pub(in crate::operation) explicit_hash_key: Option<HashKeyText>,
    pub(in crate::operation) data: Data,
}

/// Checks records against the stream they are for, up to their hash keys. `path` says where in the
/// request the member `name` of record `at` stands.
pub(in crate::operation) fn admit(
    context: &Context,
    given: &StreamRef,
    offered: &[Offered],
    path: impl Fn(usize, &str) -> String,
) -> Result<(Arc<Stream>, PutSettings), Error> {
    let found = context
        .stream(given)
        .map(|stream| (stream.put_settings(), stream));
    let auto = found
        .as_ref()
        .is_ok_and(|(settings, _)| settings.auto_distribution);
    if !auto
        && offered
            .iter()
            .any(|record| record.partition_key.0.is_none())
    {
        // The newest shape leaves the key optional; what the service says then is not recorded,
        // so it is what it said before (a choice).
        let missing = indexes(offered, |record| record.partition_key.0.is_none());
        let report = Violations::missing(missing.map(|at| path(at, "partitionKey")));
        return Err(Error::invalid(report.message()));
    }
    let (settings, stream) = found?;
    if !settings.writable {
        return Err(Error::stream_not_found(&stream.arn));
    }
    if settings.encrypted {
        check_stream_key(context, &stream)?;
    }
    check_sizes(context, offered, &settings, path)?;
    Ok((stream, settings))
}

fn check_sizes(
    context: &Context,
    offered: &[Offered],
    settings: &PutSettings,
    path: impl Fn(usize, &str) -> String,
) -> Result<(), Error> {
    let sum: usize = offered.iter().map(Offered::size_bytes).sum();
    if let Some(limit) = context.engine.limits.put_records_bytes {
        // One record is bounded by its stream's own maximum, a batch by their sum.
        if offered.len() > 1 && sum as u64 > limit {
            return Err(Error::records_too_large(limit));
        }
    }
    let max = usize::try_from(settings.max_record_bytes).unwrap_or(usize::MAX);
    if offered.iter().any(|record| record.size_bytes() > max) {
        let oversized = indexes(offered, |record| record.size_bytes() > max);
        let report = Violations::too_long(oversized.map(|at| path(at, "data")), max);
        return Err(Error::invalid(report.message()));
    }
    Ok(())
}

fn indexes(offered: &[Offered], chosen: impl Fn(&Offered) -> bool) -> impl Iterator<Item = usize> {
    let chosen = move |(at, record): (usize, &Offered)| chosen(record).then_some(at);
    offered.iter().enumerate().filter_map(chosen)
}

/// The record with the hash key that decides its shard. Under AUTO the keys decide nothing.
pub(in crate::operation) fn routed(
    context: &Context,
    settings: &PutSettings,
    offered: Offered,
) -> Result<NewRecord, Error> {
    let partition_key = offered.partition_key.0.map(PartitionKey::into_text);
    let explicit = match &offered.explicit_hash_key {
        None => None,
        Some(text) => {
            let key = HashKey::parse(text.as_str());
            Some(key.ok_or_else(|| Error::explicit_hash_key_range(text.as_str()))?)
        }
    };
    let hash_key = match (explicit, &partition_key) {
        _ if settings.auto_distribution => {
            HashKey::new(u128::from_le_bytes(context.engine.world.random.bytes()))
        }
        (Some(key), _) => key,
        (None, key) => HashKey::of_partition_key(key.as_deref().unwrap_or_default()),
    };
    Ok(NewRecord {
        partition_key,
        hash_key,
        data: offered.data.0,
    })
}

impl Offered {
    fn size_bytes(&self) -> usize {
        let key = self
            .partition_key
            .0
            .as_ref()
            .map_or(0, |key| key.as_str().len());
        self.data.0.len() + key
    }
}

/// Checks a SequenceNumberForOrdering. Whatever number we gave out is below the next one, so it
/// need not be handed on.
pub(in crate::operation) fn check_ordering(
    context: &Context,
    stream: &StreamArn,
    settings: &PutSettings,
    number: Option<&SequenceNumberText>,
) -> Result<(), Error> {
    let Some(number) = number else { return Ok(()) };
    if settings.auto_distribution {
        return Err(Error::ordering_not_expected());
    }
    let now = context.engine.world.clock.now();
    let past = |time_s: u64| i64::try_from(time_s).is_ok_and(|time_s| time_s <= now.seconds());
    let parsed = SequenceNumber::parse(number.as_str());
    match parsed.filter(|parsed| parsed.time_s.is_none_or(past)) {
        Some(_) => Ok(()),
        None => Err(Error::ordering_number_invalid(number.as_str(), stream)),
    }
}

/// Whether the stream that an unread request names distributes by itself.
pub(in crate::operation) fn is_auto(context: &Context, input: &Node) -> bool {
    let text = |member| input.member(member).and_then(Node::text);
    let by_arn = text("StreamARN").and_then(StreamArn::parse);
    let arn = by_arn.or_else(|| text("StreamName").map(|name| context.arn(name)));
    let stream = arn.and_then(|arn| context.engine.find(&arn.scope, &arn.name));
    stream.is_some_and(|stream| stream.put_settings().auto_distribution)
}

/// A sequence number on its way out, written without a detour through the heap.
#[derive(Debug, Clone, Copy)]
pub(in crate::operation) struct NumberText(pub(in crate::operation) SequenceNumber);

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
        self.0.write_decimal(&mut digits);
        serializer.serialize_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

/// A shard id on its way out, likewise.
#[derive(Debug, Clone, Copy)]
pub(in crate::operation) struct ShardText(pub(in crate::operation) ShardId);

impl Serialize for ShardText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut characters = [0; SHARD_ID_CHARACTERS];
        self.0.write(&mut characters);
        serializer.serialize_str(std::str::from_utf8(&characters).expect("an id is ASCII"))
    }
}

/// A place in JSON: a structure of the two texts.
pub(in crate::operation) const PLACE_BYTES: usize =
    r#"{"SequenceNumber":"","ShardId":""}"#.len() + SEQUENCE_NUMBER_DIGITS + SHARD_ID_CHARACTERS;

/// The heads of CBOR: a map of two, its names and the texts' lengths.
const CBOR_NUMBER: &[u8] = b"\xa2\x6eSequenceNumber\x78\x38";
const CBOR_SHARD: &[u8] = b"\x67ShardId\x74";
const _: () = assert!(SEQUENCE_NUMBER_DIGITS == 0x38 && SHARD_ID_CHARACTERS == 0x74 - 0x60);

/// Writes where a record was put, as a structure. Digits and shard ids need no escaping and the
/// names are known, so it is a few copies; by way of serde it costs three times that.
pub(in crate::operation) fn write_place(
    format: Format,
    NumberText(number): NumberText,
    ShardText(shard): ShardText,
    body: &mut Vec<u8>,
) {
    let [before, between, behind]: [&[u8]; 3] = match format {
        Format::Json => [b"{\"SequenceNumber\":\"", b"\",\"ShardId\":\"", b"\"}"],
        Format::Cbor => [CBOR_NUMBER, CBOR_SHARD, b""],
    };
    let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
    number.write_decimal(&mut digits);
    let mut id = [0; SHARD_ID_CHARACTERS];
    shard.write(&mut id);
    for part in [before, digits.as_slice(), between, id.as_slice(), behind] {
        body.extend_from_slice(part);
    }
}

impl Present for NumberText {}
impl Present for ShardText {}

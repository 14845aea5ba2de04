//! The shard id and the sequence number of a written record, as answers contain them.

use crate::model::{SEQUENCE_NUMBER_DIGITS, SHARD_ID_CHARACTERS, SequenceNumber, ShardId};
use crate::wire::{Format, Present};
use serde::{Serialize, Serializer};

/// A sequence number in an answer. It is encoded without an allocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberText(pub(super) SequenceNumber);

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
        self.0.write_decimal(&mut digits);
        serializer.serialize_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

/// A shard id in an answer. It is encoded without an allocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardText(pub(super) ShardId);

impl Serialize for ShardText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut characters = [0; SHARD_ID_CHARACTERS];
        self.0.write(&mut characters);
        serializer.serialize_str(std::str::from_utf8(&characters).expect("an id is ASCII"))
    }
}

/// Number of bytes of the JSON that `write_placement` writes.
pub(super) const PLACEMENT_BYTES: usize =
    r#"{"SequenceNumber":"","ShardId":""}"#.len() + SEQUENCE_NUMBER_DIGITS + SHARD_ID_CHARACTERS;

/// The bytes before a sequence number in CBOR: the head of a map with two members, the member's
/// name, and the head of a string of 56 bytes.
const CBOR_NUMBER: &[u8] = b"\xa2\x6eSequenceNumber\x78\x38";
/// The bytes before a shard id in CBOR: the member's name, and the head of a string of 20 bytes.
const CBOR_SHARD: &[u8] = b"\x67ShardId\x74";
const _: () = assert!(SEQUENCE_NUMBER_DIGITS == 0x38 && SHARD_ID_CHARACTERS == 0x74 - 0x60);

/// Appends the sequence number and the shard id of a record to `body` as a structure. No text in
/// the structure needs escaping, so a few copies of bytes suffice. serde takes three times as long.
pub(super) fn write_placement(
    format: Format,
    NumberText(number): NumberText,
    ShardText(shard): ShardText,
    body: &mut Vec<u8>,
) {
    let [before, between, behind]: [&[u8]; 3] = match format {
        Format::Json => [b"{\"SequenceNumber\":\"", b"\",\"ShardId\":\"", b"\"}"],
        Format::Cbor | Format::RpcV2Cbor => [CBOR_NUMBER, CBOR_SHARD, b""],
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

//! The answer of GetRecords, written straight from the segments that hold the records.
//!
//! Its cost is base64 and copying, so the records are spliced into the buffer: base64 needs no
//! escaping, and no text is made on the way.

use super::super::Document;
use super::super::shared::ChildShard;
use crate::engine::{Batch, RecordView};
use crate::model::{EncryptionType, SEQUENCE_NUMBER_DIGITS};
use crate::wire::{self, Format};
use crate::world::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium_io::Write as _;
use ciborium_ll::{Encoder, Header};
use std::io::Write as _;

/// Records and the way on, or the end of a shard and its children.
#[derive(Debug)]
pub struct Output {
    millis_behind_latest: i64,
    batch: Option<Batch>,
    next: Option<String>,
    children: Vec<ChildShard>,
}

/// What a record takes beside its data, at most in common cases: for the first guess of a size.
const RECORD_OVERHEAD: usize = 220;

impl Output {
    pub(super) fn of(batch: Batch, next: String, now: Timestamp) -> Self {
        let last = batch.last_arrival().filter(|_| !batch.reached_end());
        Self {
            millis_behind_latest: last.map_or(0, |arrival| now.millis_since(arrival)),
            batch: Some(batch),
            next: Some(next),
            children: Vec::new(),
        }
    }

    pub(super) fn at_shard_end(children: impl Iterator<Item = ChildShard>) -> Self {
        let children = children.collect();
        Self {
            millis_behind_latest: 0,
            batch: None,
            next: None,
            children,
        }
    }

    fn records(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.batch.iter().flat_map(Batch::iter)
    }

    fn count(&self) -> usize {
        self.batch.as_ref().map_or(0, Batch::len)
    }

    fn size_guess(&self) -> usize {
        let bytes = self.batch.as_ref().map_or(0, Batch::bytes);
        let bytes = usize::try_from(bytes).unwrap_or_default();
        bytes / 3 * 4 + self.count() * RECORD_OVERHEAD + 512
    }
}

impl Document for Output {
    const MEMBERS: &'static [&'static str] = &[
        "ChildShards",
        "MillisBehindLatest",
        "NextShardIterator",
        "Records",
    ];

    fn encode(&self, format: Format) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.size_guess());
        match format {
            Format::Json => self.write_json(&mut body),
            Format::Cbor => self
                .write_cbor(&mut body)
                .expect("a vector takes every byte"),
        }
        body
    }
}

impl Output {
    fn write_json(&self, body: &mut Vec<u8>) {
        body.push(b'{');
        if !self.children.is_empty() {
            body.extend_from_slice(b"\"ChildShards\":");
            body.extend(wire::encode(Format::Json, &self.children));
            body.push(b',');
        }
        let _ = write!(
            body,
            "\"MillisBehindLatest\":{},",
            self.millis_behind_latest
        );
        if let Some(next) = &self.next {
            let _ = write!(body, "\"NextShardIterator\":\"{next}\",");
        }
        body.extend_from_slice(b"\"Records\":[");
        for (at, record) in self.records().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            write_record_json(&record, body);
        }
        body.extend_from_slice(b"]}");
    }

    fn write_cbor(&self, body: &mut Vec<u8>) -> Result<(), std::io::Error> {
        let members = 2 + usize::from(self.next.is_some()) + usize::from(!self.children.is_empty());
        let mut encoder = Encoder::from(&mut *body);
        encoder.push(Header::Map(Some(members)))?;
        if !self.children.is_empty() {
            encoder.text("ChildShards", None)?;
            encoder.write_all(&wire::encode(Format::Cbor, &self.children))?;
        }
        encoder.text("MillisBehindLatest", None)?;
        encoder.push(Header::Positive(self.millis_behind_latest.unsigned_abs()))?;
        if let Some(next) = &self.next {
            encoder.text("NextShardIterator", None)?;
            encoder.text(next, None)?;
        }
        encoder.text("Records", None)?;
        encoder.push(Header::Array(Some(self.count())))?;
        for record in self.records() {
            write_record_cbor(&record, &mut encoder)?;
        }
        Ok(())
    }
}

fn write_record_json(record: &RecordView<'_>, body: &mut Vec<u8>) {
    let ms = record.arrival.millis();
    let (seconds, fraction) = (ms.div_euclid(1000), ms.rem_euclid(1000));
    let _ = write!(
        body,
        "{{\"ApproximateArrivalTimestamp\":{seconds}.{fraction:03},\"Data\":\""
    );
    push_base64(record.data, body);
    body.push(b'"');
    if record.encrypted {
        let _ = write!(body, ",\"EncryptionType\":\"{}\"", EncryptionType::Kms);
    }
    if let Some(key) = record.partition_key {
        body.extend_from_slice(b",\"PartitionKey\":");
        push_text(key, body);
    }
    body.extend_from_slice(b",\"SequenceNumber\":\"");
    let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
    record.number.write_decimal(&mut digits);
    body.extend_from_slice(&digits);
    body.extend_from_slice(b"\"}");
}

fn push_base64(data: &[u8], body: &mut Vec<u8>) {
    let start = body.len();
    body.resize(start + data.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(data, &mut body[start..])
        .expect("the room is exactly as long");
}

/// A text in quotes; most keys hold nothing that needs escaping.
fn push_text(text: &str, body: &mut Vec<u8>) {
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        body.push(b'"');
        body.extend_from_slice(text.as_bytes());
        body.push(b'"');
    } else {
        body.extend(wire::encode(Format::Json, &text));
    }
}

fn write_record_cbor(
    record: &RecordView<'_>,
    encoder: &mut Encoder<&mut Vec<u8>>,
) -> Result<(), std::io::Error> {
    let optional = usize::from(record.encrypted) + usize::from(record.partition_key.is_some());
    encoder.push(Header::Map(Some(3 + optional)))?;
    encoder.text("ApproximateArrivalTimestamp", None)?;
    encoder.push(Header::Tag(1))?;
    encoder.push(Header::Positive(record.arrival.millis().unsigned_abs()))?;
    encoder.text("Data", None)?;
    encoder.bytes(record.data, None)?;
    if record.encrypted {
        encoder.text("EncryptionType", None)?;
        encoder.text(EncryptionType::Kms.as_str(), None)?;
    }
    if let Some(key) = record.partition_key {
        encoder.text("PartitionKey", None)?;
        encoder.text(key, None)?;
    }
    encoder.text("SequenceNumber", None)?;
    let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
    record.number.write_decimal(&mut digits);
    encoder.text(
        std::str::from_utf8(&digits).expect("digits are ASCII"),
        None,
    )
}

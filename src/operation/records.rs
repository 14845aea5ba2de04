//! The encoding of a batch of records in JSON and CBOR, directly from the segments that contain the
//! records.
//!
//! Base64 and copying dominate the cost, so base64 is written directly into the body, without an
//! intermediate string. Base64 needs no JSON escaping.

use crate::engine::{Batch, RecordView};
use crate::model::{EncryptionType, SEQUENCE_NUMBER_DIGITS};
use crate::wire::{self, Format};
use crate::world::Timestamp;
use base64_turbo::STANDARD;
use ciborium_ll::{Encoder, Header};
use std::io::Write as _;

/// Returns the estimated number of bytes of a batch in an answer.
pub(super) fn size_guess(batch: Option<&Batch>) -> usize {
    let bytes = batch.map_or(512, Batch::encoded_bytes);
    usize::try_from(bytes).unwrap_or_default()
}

/// Appends the records of a batch to `body` as a JSON array.
pub(super) fn write_records_json(batch: Option<&Batch>, body: &mut Vec<u8>) {
    body.push(b'[');
    for (at, record) in batch.into_iter().flat_map(Batch::iter).enumerate() {
        if at > 0 {
            body.push(b',');
        }
        write_record_json(&record, body);
    }
    body.push(b']');
}

/// Writes the records of a batch as a CBOR array. `format` is one of the two CBOR formats.
///
/// # Errors
/// Never fails: writing to a `Vec` cannot fail.
pub(super) fn write_records_cbor(
    format: Format,
    batch: Option<&Batch>,
    encoder: &mut Encoder<&mut Vec<u8>>,
) -> Result<(), std::io::Error> {
    encoder.push(Header::Array(Some(batch.map_or(0, Batch::len))))?;
    for record in batch.into_iter().flat_map(Batch::iter) {
        write_record_cbor(format, &record, encoder)?;
    }
    Ok(())
}

fn write_record_json(record: &RecordView<'_>, body: &mut Vec<u8>) {
    body.extend_from_slice(b"{\"ApproximateArrivalTimestamp\":");
    push_seconds(record.arrival, body);
    body.extend_from_slice(b",\"Data\":\"");
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

/// Appends a time to `body`, in seconds since 1970 with three decimals. The digits are written
/// without `write!`, which used 20 % of the total time for encoding a record.
pub(super) fn push_seconds(moment: Timestamp, body: &mut Vec<u8>) {
    let millis = moment.millis();
    body.extend_from_slice(
        itoa::Buffer::new()
            .format(millis.div_euclid(1000))
            .as_bytes(),
    );
    let fraction = u16::try_from(millis.rem_euclid(1000)).expect("less than a thousand");
    let digit = |unit: u16| b'0' + u8::try_from(fraction / unit % 10).expect("a digit");
    body.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
}

/// Appends `data` to `body` as base64.
pub(super) fn push_base64(data: &[u8], body: &mut Vec<u8>) {
    let start = body.len();
    body.resize(start + data.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(data, &mut body[start..])
        .expect("the buffer has the encoded length");
}

/// Appends a JSON string to `body`. Most partition keys need no escaping, and are copied unchanged.
pub(super) fn push_text(text: &str, body: &mut Vec<u8>) {
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

/// Returns the value that the CBOR tag for timestamps contains. In RPC v2 CBOR the value is a float
/// of seconds since 1970, otherwise an integer of milliseconds since 1970.
#[allow(
    clippy::cast_precision_loss,
    reason = "exact to the millisecond for 285,000 years"
)]
fn arrival(format: Format, moment: Timestamp) -> Header {
    match format {
        Format::RpcV2Cbor => Header::Float(moment.millis() as f64 / 1000.0),
        _ => Header::Positive(moment.millis().unsigned_abs()),
    }
}

fn write_record_cbor(
    format: Format,
    record: &RecordView<'_>,
    encoder: &mut Encoder<&mut Vec<u8>>,
) -> Result<(), std::io::Error> {
    let optional = usize::from(record.encrypted) + usize::from(record.partition_key.is_some());
    encoder.push(Header::Map(Some(3 + optional)))?;
    encoder.text("ApproximateArrivalTimestamp", None)?;
    encoder.push(Header::Tag(1))?;
    encoder.push(arrival(format, record.arrival))?;
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

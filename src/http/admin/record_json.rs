//! Writes a record as JSON text. Data that is text, JSON or an aggregate of records is also shown
//! in decoded form.
//!
//! The text is one line. Its length is bounded by the size of the record: see [`largest_text`].

use crate::engine::RecordView;
use crate::limits;
use crate::model::{Aggregate, HashKeyRange, ShardId, UserRecord};
use crate::world::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::fmt::Write as _;
use std::io;

/// Maximum number of bytes in a record's text for each byte of its data. The text contains the data
/// in base64, and also decoded, with escapes.
const TEXT_WEIGHT: u64 = 5;
/// Maximum nesting depth of data that is shown as JSON. JSON data with a deeper nesting is shown as
/// text, because many JSON parsers refuse it. The value is a choice.
const MOST_DEPTH: usize = 100;

/// Upper bound of the length of a record's JSON text in bytes. `data` is the data of the record.
/// The bound does not include the partition key and the names of the members.
pub(super) fn largest_text(data: &[u8]) -> u64 {
    let decoded = data.len() as u64 * TEXT_WEIGHT;
    match Aggregate::is_likely(data) {
        true => 2 * decoded + limits::AGGREGATE_TEXT_BYTES as u64,
        false => decoded,
    }
}

/// Appends the members of the JSON object of a record, without the braces.
pub(super) fn write_members(text: &mut String, shard: ShardId, record: &RecordView<'_>) {
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#""ShardId":"{shard}","SequenceNumber":"{}","PartitionKey":"#,
        record.number
    );
    match record.partition_key {
        Some(key) => write_string(text, key),
        None => text.push_str("null"),
    }
    let arrival = record.arrival.to_rfc3339();
    let _ = write!(text, r#","ApproximateArrivalTimestamp":"{arrival}","#);
    write_data(text, record.data);
    if let Aggregate::Records(records) = Aggregate::of(record.data, &HashKeyRange::ALL) {
        write_user_records(text, &records);
    }
}

/// Appends the JSON object of a record that a tail sends. The member `LagMs` is the time from the
/// arrival of the record until `now`, in milliseconds.
pub(super) fn write_with_lag(
    text: &mut String,
    shard: ShardId,
    record: &RecordView<'_>,
    now: Timestamp,
) {
    // A record may arrive ahead of the clock.
    let lag_ms = now.millis().saturating_sub(record.arrival.millis()).max(0);
    text.push('{');
    write_members(text, shard, record);
    // Writing to a String cannot fail.
    let _ = write!(text, r#","LagMs":{lag_ms}}}"#);
}

/// Appends the JSON object of a record.
pub(super) fn write(text: &mut String, shard: ShardId, record: &RecordView<'_>) {
    text.push('{');
    write_members(text, shard, record);
    text.push('}');
}

/// Appends the member `Aggregated` with the user records of an aggregated record. A small
/// aggregated record can contain very many user records. Therefore the list ends after
/// `limits::AGGREGATE_TEXT_BYTES` bytes of text, and the member `AggregatedLeftOut` is the number
/// of user records that the list leaves out.
fn write_user_records(text: &mut String, records: &[UserRecord<'_>]) {
    text.push_str(r#","Aggregated":["#);
    let end = text.len() + limits::AGGREGATE_TEXT_BYTES;
    let mut left_out = records.len();
    for record in records {
        if text.len() >= end {
            break;
        }
        let comma = if left_out < records.len() { "," } else { "" };
        let _ = write!(text, r#"{comma}{{"PartitionKey":"#);
        write_string(text, record.partition_key);
        text.push(',');
        write_data(text, record.data);
        text.push('}');
        left_out -= 1;
    }
    text.push(']');
    if left_out > 0 {
        let _ = write!(text, r#","AggregatedLeftOut":{left_out}"#);
    }
}

/// Appends the data of a record: the member `Data` in base64, and also `Json` if the data is JSON
/// or `Text` if the data is readable text.
fn write_data(text: &mut String, data: &[u8]) {
    text.push_str(r#""Data":""#);
    STANDARD.encode_string(data, text);
    text.push('"');
    let Ok(decoded) = str::from_utf8(data) else {
        return;
    };
    if is_document(decoded) {
        text.push_str(r#","Json":"#);
        write_compact(text, decoded);
    } else if is_readable(decoded) {
        text.push_str(r#","Text":"#);
        write_string(text, decoded);
    }
}

/// Appends a text as a JSON string.
fn write_string(text: &mut String, value: &str) {
    // Writing to a String cannot fail.
    let _ = serde_json::to_writer(Sink(text), value);
}

/// A writer that appends JSON text to a string.
struct Sink<'a>(&'a mut String);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.push_str(part);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True if the text is a JSON object or array with at most `MOST_DEPTH` levels of nesting, and with
/// values that strict decoders accept.
fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<Decodable>(text).is_ok()
        && depth(text) <= MOST_DEPTH
}

/// A JSON value whose numbers and strings were decoded and dropped. The decoding fails for a number
/// beyond the range of `f64`, and for a string that is not Unicode, such as half a surrogate pair.
struct Decodable;

impl<'de> Deserialize<'de> for Decodable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Decodable)
    }
}

impl<'de> Visitor<'de> for Decodable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The number of nested levels at the deepest point of a valid JSON document.
fn depth(document: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in outside_strings(document) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// The bytes of a valid JSON document that are not inside a string.
fn outside_strings(document: &str) -> impl Iterator<Item = u8> {
    let (mut is_inside, mut is_escaped) = (false, false);
    document.bytes().filter(move |byte| {
        let was_inside = is_inside;
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_inside = !is_inside,
            _ => {}
        }
        !was_inside && *byte != b'"'
    })
}

/// Appends a valid JSON document without the white space outside of its strings.
fn write_compact(text: &mut String, document: &str) {
    let mut rest = document;
    while !rest.is_empty() {
        let end = rest
            .find(['"', ' ', '\t', '\n', '\r'])
            .unwrap_or(rest.len());
        text.push_str(&rest[..end]);
        rest = &rest[end..];
        let taken = match rest.starts_with('"') {
            true => {
                let length = string_length(rest);
                text.push_str(&rest[..length]);
                length
            }
            false => rest.len().min(1),
        };
        rest = &rest[taken..];
    }
}

/// The number of bytes of the JSON string at the start of `text`, with its quotation marks.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// True if the text has no control characters other than white space.
fn is_readable(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| letter.is_control() && !letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn decoded(data: &[u8]) -> Value {
        let mut text = String::from("{");
        write_data(&mut text, data);
        text.push('}');
        assert!(!text.contains(['\n', '\r']), "{text}");
        let mut document: Value = serde_json::from_str(&text).unwrap();
        let members = document.as_object_mut().unwrap();
        assert_eq!(members.remove("Data"), Some(json!(STANDARD.encode(data))));
        document
    }

    #[test]
    fn data_is_json_text_or_neither() {
        assert_eq!(decoded(b" {\"a\": 1}"), json!({"Json": {"a": 1}}));
        assert_eq!(decoded(b"[1, 2"), json!({"Text": "[1, 2"}));
        assert_eq!(decoded(b"17\n"), json!({"Text": "17\n"}));
        assert_eq!(decoded(b"a\x00b"), json!({}));
        assert_eq!(decoded(b"\xff\xfe"), json!({}));
        assert_eq!(decoded(b""), json!({"Text": ""}));
    }

    #[test]
    fn json_that_strict_decoders_refuse_is_shown_as_text() {
        for data in [
            r#"{"a":1e999}"#,
            r#"[-1e999]"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"\udc00":1}"#,
        ] {
            assert_eq!(decoded(data.as_bytes()), json!({ "Text": data }));
        }
        let data = r#"{"\ud83d\ude00":[1e308,-9223372036854775809,true,null,"\u0000"]}"#;
        assert!(decoded(data.as_bytes()).get("Json").is_some());
    }

    #[test]
    fn json_is_shown_on_one_line_as_it_is() {
        let data = "\r\n{ \"a b\\n\\\"\" :\t[ 1.50, \" \\\\\" , {} ] }\n";
        let mut text = String::new();
        write_compact(&mut text, data);
        assert_eq!(text, "{\"a b\\n\\\"\":[1.50,\" \\\\\",{}]}");
        assert_eq!(
            decoded(data.as_bytes())["Json"],
            serde_json::from_str::<Value>(data).unwrap()
        );
    }

    #[test]
    fn json_that_is_nested_deeply_is_shown_as_text() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(decoded(nested(MOST_DEPTH).as_bytes()).get("Json").is_some());
        let deep = nested(MOST_DEPTH + 1);
        assert_eq!(decoded(deep.as_bytes()), json!({ "Text": deep }));
        assert_eq!(depth(r#"["[[[", {"a": [1]}, "\"[["]"#), 3);
    }

    #[test]
    fn a_long_list_of_user_records_ends_early() {
        let key = "k".repeat(256);
        let record = UserRecord {
            partition_key: &key,
            data: b"",
        };
        let records = vec![record; 100_000];
        let mut text = String::from(r#"{"Data":"""#);
        write_user_records(&mut text, &records);
        text.push('}');
        assert!(text.len() < limits::AGGREGATE_TEXT_BYTES + 1_000);
        let document: Value = serde_json::from_str(&text).unwrap();
        let shown = document["Aggregated"].as_array().unwrap().len();
        assert_eq!(document["AggregatedLeftOut"], json!(records.len() - shown));
        assert!(shown > 1_000);
    }
}

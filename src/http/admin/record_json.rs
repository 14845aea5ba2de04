//! Writes a record as JSON. Data that is text, JSON or an aggregate of records is also shown in
//! decoded form.

use crate::engine::RecordView;
use crate::model::{Aggregate, HashKey, HashKeyRange, ShardId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The JSON object of a record of a stream.
pub(super) fn record(shard: ShardId, record: &RecordView<'_>) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("ShardId".to_owned(), json!(shard.to_string()));
    document.insert(
        "SequenceNumber".to_owned(),
        json!(record.number.to_string()),
    );
    document.insert("PartitionKey".to_owned(), json!(record.partition_key));
    let arrival = record.arrival.to_rfc3339();
    document.insert("ApproximateArrivalTimestamp".to_owned(), json!(arrival));
    let whole = HashKeyRange {
        start: HashKey::MIN,
        end: HashKey::MAX,
    };
    let aggregate = Aggregate::of(record.data, &whole);
    add_data(&mut document, record.data);
    if let Aggregate::Records(records) = aggregate {
        let user_record = |record: &crate::model::UserRecord<'_>| {
            let mut document = Map::new();
            document.insert("PartitionKey".to_owned(), json!(record.partition_key));
            add_data(&mut document, record.data);
            Value::Object(document)
        };
        let records: Value = records.iter().map(user_record).collect();
        document.insert("Aggregated".to_owned(), records);
    }
    document
}

/// Adds the data of a record to the record's JSON object: `Data` in base64, and also `Json` if the
/// data is JSON or `Text` if the data is readable text.
fn add_data(document: &mut Map<String, Value>, data: &[u8]) {
    document.insert("Data".to_owned(), json!(STANDARD.encode(data)));
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        document.insert("Json".to_owned(), value);
    } else if is_readable(text) {
        document.insert("Text".to_owned(), json!(text));
    }
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

    fn decoded(data: &[u8]) -> Value {
        let mut document = Map::new();
        add_data(&mut document, data);
        document.remove("Data");
        Value::Object(document)
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
}

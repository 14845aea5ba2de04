//! The event that a mapping passes to a function. The event is JSON. Its members are in the order
//! that a recorded event from Lambda shows.

use super::super::{SequenceNumber, ShardId};
use super::window::{Window, WindowFlags};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;

/// The members that have the same value in all records of an event.
#[derive(Debug, Clone)]
pub struct EventHead {
    before_arrival: &'static str,
    after_arrival: String,
    shard: ShardId,
    source: String,
    /// Number of bytes of a record's JSON in the event, without the partition key, the arrival time
    /// and the data of the record.
    record_bytes: usize,
}

/// The values of one record in an event.
#[derive(Debug, Clone, Copy)]
pub struct EventRecord<'a> {
    /// The partition key. `None` for a record that was put without a partition key.
    pub partition_key: Option<&'a str>,
    /// The sequence number of the record.
    pub number: SequenceNumber,
    /// The arrival time in milliseconds since 1970.
    pub arrival_ms: i64,
    /// The data, not encoded in base64.
    pub data: &'a [u8],
}

impl EventHead {
    /// Creates the members that have the same value in all records of `shard`. `source` is the ARN
    /// of the mapping's stream or consumer. `role` is the ARN of the function's role.
    pub fn new(shard: ShardId, source: &str, region: &str, role: &str) -> Self {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut head = Self {
            before_arrival: r#""kinesisSchemaVersion":"1.0","partitionKey":"#,
            after_arrival: format!(
                r#"","eventName":"aws:kinesis:record","invokeIdentityArn":{},"awsRegion":{},"eventSourceARN":{}}}"#,
                text(role),
                text(region),
                text(source),
            ),
            shard,
            source: source.to_owned(),
            record_bytes: 0,
        };
        let mut empty = Vec::new();
        head.record(&EMPTY, &mut empty);
        head.record_bytes =
            empty.len() - key_bytes(EMPTY.partition_key) - arrival_bytes(EMPTY.arrival_ms);
        head
    }

    /// Appends `record` to `out` as JSON.
    fn record(&self, record: &EventRecord<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"kinesis":{"#);
        out.extend_from_slice(self.before_arrival.as_bytes());
        push_text(record.partition_key, out);
        push(
            out,
            format_args!(r#","sequenceNumber":"{}","data":""#, record.number),
        );
        push_base64(record.data, out);
        push(
            out,
            format_args!(
                r#"","approximateArrivalTimestamp":{}"#,
                Seconds(record.arrival_ms)
            ),
        );
        push(
            out,
            format_args!(
                r#"}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{}:{}"#,
                self.shard, record.number
            ),
        );
        out.extend_from_slice(self.after_arrival.as_bytes());
    }

    /// Returns the number of bytes of an event without records. `window` is the tumbling window of
    /// the event, and the JSON of the window's state. It is `None` for a mapping without tumbling
    /// windows.
    pub fn frame_bytes(&self, window: Option<(Window, &str)>) -> usize {
        let event = EventWriter::new(self, 0);
        match window {
            None => event.finish().len(),
            Some((window, state)) => {
                let flags = WindowFlags::default();
                event.finish_window(&window, "", flags).len() + state.len()
            }
        }
    }

    /// Returns the number of bytes of a record's JSON in the event, without the comma between two
    /// records.
    pub fn record_bytes(&self, record: &EventRecord<'_>) -> usize {
        self.record_bytes
            + key_bytes(record.partition_key)
            + arrival_bytes(record.arrival_ms)
            + record.data.len().div_ceil(3) * 4
    }
}

/// A record without data, to measure the bytes that are the same for all records of a shard.
const EMPTY: EventRecord<'_> = EventRecord {
    partition_key: None,
    number: SequenceNumber::first_of(0, 0),
    arrival_ms: 0,
    data: &[],
};

/// Returns the number of bytes of a partition key in JSON, with its quotes.
fn key_bytes(key: Option<&str>) -> usize {
    let Some(key) = key else {
        return "null".len();
    };
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if key.bytes().all(is_plain) {
        return key.len() + 2;
    }
    serde_json::Value::from(key).to_string().len()
}

/// Returns the number of bytes of an arrival time in JSON.
fn arrival_bytes(arrival_ms: i64) -> usize {
    let seconds = arrival_ms.div_euclid(1000);
    let sign = usize::from(seconds < 0);
    let digits = seconds.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
    sign + digits + ".000".len()
}

/// Builds an event by appending its records one after the other.
#[derive(Debug)]
pub struct EventWriter<'a> {
    head: &'a EventHead,
    body: Vec<u8>,
    is_first: bool,
}

impl<'a> EventWriter<'a> {
    /// Begins an event in a new buffer with a capacity of `bytes` bytes.
    pub fn new(head: &'a EventHead, bytes: usize) -> Self {
        let mut body = Vec::with_capacity(bytes);
        body.extend_from_slice(br#"{"Records":["#);
        Self {
            head,
            body,
            is_first: true,
        }
    }

    /// Appends a record to the event.
    pub fn push(&mut self, record: &EventRecord<'_>) {
        if !std::mem::take(&mut self.is_first) {
            self.body.push(b',');
        }
        self.head.record(record, &mut self.body);
    }

    /// Ends the event and returns its JSON.
    pub fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(b"]}");
        self.body
    }

    /// Ends the event of a mapping with tumbling windows, and returns the event's JSON. `state` is
    /// the JSON of the state from the function's last answer in this window.
    pub fn finish_window(mut self, window: &Window, state: &str, flags: WindowFlags) -> Vec<u8> {
        let [start, end] = window.bounds();
        let source = serde_json::Value::from(self.head.source.as_str());
        push(
            &mut self.body,
            format_args!(
                r#"],"shardId":"{}","eventSourceARN":{source},"window":{{"start":"{start}","end":"{end}"}},"state":{state},"isFinalInvokeForWindow":{},"isWindowTerminatedEarly":{}}}"#,
                self.head.shard, flags.is_final, flags.is_early
            ),
        );
        self.body
    }
}

/// A time in milliseconds. It is displayed as seconds with three decimals.
struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, ms) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        write!(formatter, "{seconds}.{ms:03}")
    }
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes every byte");
}

fn push_text(text: Option<&str>, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, &text).expect("a text is JSON");
}

fn push_base64(data: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(data, &mut out[start..]);
    debug_assert_eq!(written, Ok(out.len() - start));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const SOURCE: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

    fn head() -> EventHead {
        let role = "arn:aws:iam::000000000000:role/minikin";
        EventHead::new(ShardId::new(0), SOURCE, "us-east-1", role)
    }

    fn number(index: u64) -> SequenceNumber {
        SequenceNumber {
            created_s: 1_700_000_000,
            shard: 0,
            index,
            time_s: 1_700_000_001,
        }
    }

    #[test]
    fn case_1_an_event_has_the_members_that_were_recorded() {
        let head = head();
        let mut event = EventWriter::new(&head, 100);
        event.push(&EventRecord {
            partition_key: Some("k"),
            number: number(1),
            arrival_ms: 1_789_809_023_187,
            data: b"hello",
        });
        let digits = number(1).to_string();
        let expected = format!(
            r#"{{"Records":[{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"k","sequenceNumber":"{digits}","data":"aGVsbG8=","approximateArrivalTimestamp":1789809023.187}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000000:{digits}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::000000000000:role/minikin","awsRegion":"us-east-1","eventSourceARN":"{SOURCE}"}}]}}"#
        );
        assert_eq!(String::from_utf8(event.finish()).unwrap(), expected);
    }

    #[test]
    fn a_window_stands_behind_the_records() {
        let head = head();
        let flags = WindowFlags {
            is_final: true,
            is_early: false,
        };
        let window = Window::of(1_789_654_275_123, 10);
        let event = EventWriter::new(&head, 0).finish_window(&window, r#"{"n":1}"#, flags);
        let expected = format!(
            r#"{{"Records":[],"shardId":"shardId-000000000000","eventSourceARN":"{SOURCE}","window":{{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"}},"state":{{"n":1}},"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}"#
        );
        assert_eq!(String::from_utf8(event).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn any_records_are_json_of_the_size_foretold(
            records in prop::collection::vec(
                (prop::option::of(".{0,20}"), prop::collection::vec(any::<u8>(), 0..100),
                    0_i64..13_000_000_000_000), 0..9),
            state in prop::option::of(Just(r#"{"n":1}"#.to_owned())),
            arrival_of_window in 0_i64..13_000_000_000_000,
        ) {
            let head = head();
            let mut event = EventWriter::new(&head, 0);
            let window = Window::of(arrival_of_window, 10);
            let window = state.as_deref().map(|state| (window, state));
            let mut bytes = head.frame_bytes(window) + records.len().saturating_sub(1);
            for (key, data, arrival_ms) in &records {
                let record = EventRecord {
                    partition_key: key.as_deref(), number: number(7), arrival_ms: *arrival_ms, data,
                };
                bytes += head.record_bytes(&record);
                event.push(&record);
            }
            let event = match window {
                None => event.finish(),
                Some((window, state)) => {
                    event.finish_window(&window, state, WindowFlags::default())
                }
            };
            prop_assert_eq!(event.len(), bytes);
            let event: Value = serde_json::from_slice(&event).unwrap();
            let shown = event["Records"].as_array().unwrap();
            prop_assert_eq!(shown.len(), records.len());
            for (shown, (key, data, arrival_ms)) in shown.iter().zip(&records) {
                let kinesis = &shown["kinesis"];
                prop_assert_eq!(kinesis["partitionKey"].as_str(), key.as_deref());
                let decoded = STANDARD.decode(kinesis["data"].as_str().unwrap()).unwrap();
                prop_assert_eq!(&decoded, data);
                let seconds = kinesis["approximateArrivalTimestamp"].as_f64().unwrap();
                prop_assert_eq!((seconds * 1000.0).round() as i64, *arrival_ms);
            }
        }
    }
}

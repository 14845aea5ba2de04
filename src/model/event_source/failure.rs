//! Failure records. A mapping sends a failure record about each discarded batch to its on-failure
//! destination.

use super::super::ShardId;
use super::window::{Window, WindowFlags};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

/// The reason why a mapping discards a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The batch failed on its first attempt and on all of its retries.
    RetryAttemptsExhausted,
    /// The records are older than the mapping permits, or the stream's retention removed them.
    /// Using this condition for removed records is a choice.
    RecordAgeExceeded,
}

impl Condition {
    /// Returns the name of the condition, as recorded from Lambda.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// The range of a batch: its first record, its last record, and the number of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRange {
    /// Sequence numbers of the batch's first and last record.
    pub numbers: [String; 2],
    /// Arrival times of the batch's first and last record, in milliseconds since 1970.
    pub arrivals_ms: [i64; 2],
    /// Number of records in the batch.
    pub count: usize,
}

/// A failure record: the description of a discarded batch for the on-failure destination.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureRecord {
    /// The id of the batch. The function received this id as the id of its request.
    pub request_id: String,
    /// The ARN of the function, as in the mapping's settings.
    pub function_arn: String,
    /// The reason why the batch is discarded.
    pub condition: Condition,
    /// Number of attempts to deliver the batch. The JSON shows at least 1. Recordings of Lambda
    /// show 1 even for a batch without an attempt.
    pub invocations: u32,
    /// The function version that sent the last answer, and Lambda's name for the error in this
    /// answer. The name is `None` for an answer without an error. The pair is `None` if the reason
    /// for the discard is not an answer of the function.
    pub response: Option<(String, Option<String>)>,
    /// The time at which the batch is discarded, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The shard that holds the batch's records.
    pub shard: ShardId,
    /// The ARN of the stream or consumer from which the mapping reads.
    pub source: String,
    /// The first and the last record of the batch, and the number of its records. `None` for the
    /// final invocation of a tumbling window, because that invocation has no records.
    pub range: Option<BatchRange>,
    /// The tumbling window of the batch, and the window's flags in the event. `None` for a mapping
    /// without tumbling windows.
    pub window: Option<(Window, WindowFlags)>,
}

/// The JSON of a failure record. Its members are in the order that a recorded failure record from
/// Lambda shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    timestamp: String,
    #[serde(rename = "KinesisBatchInfo")]
    batch: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_window_info: Option<TimeWindowInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    function_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    shard_id: String,
    #[serde(flatten)]
    range: Option<RangeInfo<'a>>,
    stream_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RangeInfo<'a> {
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
    batch_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimeWindowInfo {
    window: Bounds,
    is_final_invoke_for_window: bool,
    is_window_terminated_early: bool,
}

#[derive(Serialize)]
struct Bounds {
    start: String,
    end: String,
}

impl FailureRecord {
    /// Returns the failure record as JSON. The record contains the whole event if `payload` is the
    /// event's text. If `payload` is `None`, the record contains no event.
    pub fn to_json(&self, payload: Option<&str>) -> String {
        serde_json::to_string(&self.document(payload)).expect("texts and numbers are JSON")
    }

    fn document<'a>(&'a self, payload: Option<&'a str>) -> Document<'a> {
        let response = self.response.as_ref();
        Document {
            request_context: RequestContext {
                request_id: &self.request_id,
                function_arn: &self.function_arn,
                condition: self.condition.as_str(),
                approximate_invoke_count: self.invocations.max(1),
            },
            response_context: response.map(|(version, error)| ResponseContext {
                status_code: 200,
                executed_version: version,
                function_error: error.as_deref(),
            }),
            version: "1.0",
            payload,
            timestamp: moment(self.timestamp_ms),
            batch: BatchInfo {
                shard_id: self.shard.to_string(),
                range: self.range.as_ref().map(RangeInfo::of),
                stream_arn: &self.source,
            },
            time_window_info: self.window.as_ref().map(|(window, flags)| {
                let [start, end] = window.bounds();
                TimeWindowInfo {
                    window: Bounds { start, end },
                    is_final_invoke_for_window: flags.is_final,
                    is_window_terminated_early: flags.is_early,
                }
            }),
        }
    }
}

impl<'a> RangeInfo<'a> {
    fn of(range: &'a BatchRange) -> Self {
        let [start, end] = &range.numbers;
        let [first, last] = range.arrivals_ms.map(moment);
        Self {
            start_sequence_number: start,
            end_sequence_number: end,
            approximate_arrival_of_first_record: first,
            approximate_arrival_of_last_record: last,
            batch_size: range.count,
        }
    }
}

/// Formats a time, given in milliseconds since 1970, like `2026-09-19T09:10:45.948Z`.
fn moment(ms: i64) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    utc(ms).format(format).unwrap_or_default()
}

fn utc(ms: i64) -> OffsetDateTime {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Returns the key under which a bucket holds a failure record. The key contains the mapping's
/// UUID, the shard, the time of the discard in UTC, and the random UUID `random`. `timestamp_ms` is
/// the time of the discard in milliseconds since 1970. The form of the key was recorded from
/// Lambda.
pub fn object_key(mapping: &str, shard: ShardId, timestamp_ms: i64, random: &str) -> String {
    let format =
        format_description!("[year]/[month]/[day]/[year]-[month]-[day]T[hour].[minute].[second]");
    let time = utc(timestamp_ms).format(format).unwrap_or_default();
    format!("aws/lambda/{mapping}/{shard}/{time}-{random}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parsed(record: &FailureRecord, payload: Option<&str>) -> Value {
        serde_json::from_str(&record.to_json(payload)).unwrap()
    }

    fn record() -> FailureRecord {
        FailureRecord {
            request_id: "30d0e7bd".to_owned(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:orders:prod".to_owned(),
            condition: Condition::RetryAttemptsExhausted,
            invocations: 3,
            response: Some(("$LATEST".to_owned(), Some("Unhandled".to_owned()))),
            timestamp_ms: 1_789_809_045_948,
            shard: ShardId::new(0),
            source: "arn:aws:kinesis:us-east-1:000000000000:stream/orders".to_owned(),
            range: Some(BatchRange {
                numbers: ["1".to_owned(), "2".to_owned()],
                arrivals_ms: [1_789_809_023_187; 2],
                count: 2,
            }),
            window: None,
        }
    }

    #[test]
    fn the_record_is_what_was_recorded() {
        let shown = parsed(&record(), None);
        assert_eq!(shown["timestamp"], "2026-09-19T09:10:45.948Z");
        assert_eq!(
            shown["requestContext"],
            json!({
                "requestId": "30d0e7bd",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:orders:prod",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 3,
            })
        );
        let response = json!({
            "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
        });
        assert_eq!(shown["responseContext"], response);
        let info = &shown["KinesisBatchInfo"];
        assert_eq!(
            info["approximateArrivalOfFirstRecord"],
            "2026-09-19T09:10:23.187Z"
        );
        assert_eq!(info["batchSize"], 2);
        assert!(shown.get("payload").is_none() && shown.get("timeWindowInfo").is_none());
    }

    #[test]
    fn the_members_have_the_recorded_order() {
        let expected = concat!(
            r#"{"requestContext":{"requestId":"30d0e7bd","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:orders:prod","condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"#,
            r#""responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"#,
            r#""version":"1.0","payload":"p","timestamp":"2026-09-19T09:10:45.948Z","#,
            r#""KinesisBatchInfo":{"shardId":"shardId-000000000000","startSequenceNumber":"1","endSequenceNumber":"2","approximateArrivalOfFirstRecord":"2026-09-19T09:10:23.187Z","#,
            r#""approximateArrivalOfLastRecord":"2026-09-19T09:10:23.187Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/orders"}}"#,
        );
        assert_eq!(record().to_json(Some("p")), expected);
    }

    #[test]
    fn a_payload_is_a_text_and_an_expired_batch_has_no_response() {
        let expired = FailureRecord {
            condition: Condition::RecordAgeExceeded,
            invocations: 0,
            response: None,
            ..record()
        };
        let shown = parsed(&expired, Some("{\"Records\":[]}"));
        assert_eq!(shown["payload"], "{\"Records\":[]}");
        assert_eq!(shown["requestContext"]["approximateInvokeCount"], 1);
        assert!(shown.get("responseContext").is_none());
    }

    #[test]
    fn the_last_invocation_of_a_window_has_no_records() {
        let last = FailureRecord {
            range: None,
            window: Some((
                Window::of(1_789_654_275_123, 10),
                WindowFlags {
                    is_final: true,
                    is_early: false,
                },
            )),
            ..record()
        };
        let shown = parsed(&last, None);
        let info = shown["KinesisBatchInfo"].as_object().unwrap();
        assert_eq!(info.len(), 2);
        assert_eq!(shown["timeWindowInfo"]["isFinalInvokeForWindow"], true);
    }

    #[test]
    fn an_object_is_named_after_mapping_shard_and_time() {
        assert_eq!(
            object_key("u", ShardId::new(7), 1_789_809_045_948, "r"),
            "aws/lambda/u/shardId-000000000007/2026/09/19/2026-09-19T09.10.45-r"
        );
    }
}

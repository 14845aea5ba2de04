//! `POST streams/NAME/records`: writes records to a stream. Each line of the body is one record as
//! a JSON object.
//!
//! All lines are checked before the first record is written, so that a malformed line changes
//! nothing. The records of only one batch of lines are in memory at a time.

use super::own_body::{LargeBody, OwnBody};
use super::query::refused;
use super::state::{Admin, Refused, Streamed};
use crate::engine::{Engine, Placed, PutFailure, PutSettings, Stream};
use crate::http::body::{self, FrameWithPermit, Frames};
use crate::limits;
use crate::model::NewRecord;
use crate::operation::{self, StartRecord};
use crate::options::record_of_line;
use axum::Extension;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json as value};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Writes the records in the body to the stream. Each line of the body is a JSON object with
/// `PartitionKey`, `ExplicitHashKey` and one of `Data` (in base64), `Text` and `Json`. The shards'
/// write limits apply.
pub(super) async fn put(
    admin: &Admin,
    stream: &Stream,
    body: LargeBody,
) -> Result<Response, Refused> {
    let mut body = body.0;
    let engine = &admin.engine;
    // All batches are checked and written with the present settings of the stream, even if the
    // settings change before the last batch.
    let settings = stream.put_settings();
    let count = check(&settings, body.text()?).await?;
    if !settings.writable {
        let text = "the stream accepts no records in its present status";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    }
    let mut results = Vec::with_capacity(count);
    let mut lines = lines(body.text()?);
    while let Some(records) = batch(&mut lines)? {
        let routed = route(&settings, records, results.len())?;
        results.extend(stream.put_many(engine, routed).await);
    }
    drop(lines);
    body.bytes = Bytes::new();
    let answer = Answer {
        engine: engine.clone(),
        failed: results.iter().filter(|result| result.is_err()).count(),
        results,
        written: None,
        _body: body,
    };
    Ok(answer.into_response())
}

/// Checks all records in a body, and returns the number of records.
async fn check(settings: &PutSettings, text: &str) -> Result<usize, Refused> {
    let mut count = 0;
    let mut lines = lines(text);
    while let Some(records) = batch(&mut lines)? {
        count += route(settings, records, count)?.len();
        // Yield, so that a large body does not delay other requests.
        tokio::task::yield_now().await;
    }
    Ok(count)
}

/// Converts a batch of parsed records to records with hash keys. `before` is the number of records
/// in earlier batches, for error messages.
fn route(
    settings: &PutSettings,
    records: Vec<StartRecord>,
    before: usize,
) -> Result<Vec<NewRecord>, Refused> {
    let routed = operation::route_records(settings, records);
    routed.map_err(|(at, error)| refused(&format!("record {}: {error}", before + at + 1)))
}

/// The lines of `text` that are not empty, each with its line number. The first line of the text
/// has number 1.
fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.lines().zip(1..).filter(|(line, _)| !line.is_empty())
}

/// Takes up to `limits::PUT_LINES` lines from `lines`, and parses each line to a record. Returns
/// None if no line remains.
fn batch<'a>(
    lines: &mut impl Iterator<Item = (&'a str, usize)>,
) -> Result<Option<Vec<StartRecord>>, Refused> {
    let lines = lines.take(limits::PUT_LINES);
    let records = lines.map(|(line, number)| record_of_line(line, number));
    let records: Vec<_> = records
        .collect::<Result<_, _>>()
        .map_err(|problem| refused(&problem.to_string()))?;
    Ok(Some(records).filter(|records| !records.is_empty()))
}

/// The answer to a request that writes records. The text of the answer is made in parts.
struct Answer {
    engine: Arc<Engine>,
    failed: usize,
    results: Vec<Result<Placed, PutFailure>>,
    /// Number of results in the parts that were made so far. None if no part was made.
    written: Option<usize>,
    /// The body of the request, without its bytes. It still holds the permit of the in-flight
    /// budget for these bytes. The permit now covers the results. It is large enough, because a
    /// result needs about as many bytes as the shortest possible line.
    _body: OwnBody,
}

impl Answer {
    /// Makes the next part of the answer's text. Returns None after the last part.
    fn part(&mut self) -> Option<String> {
        let mut text = String::new();
        let from = self.written.unwrap_or(0);
        if self.written.is_none() {
            // Writing to a String cannot fail.
            let _ = write!(text, r#"{{"FailedRecordCount":{},"Records":["#, self.failed);
        } else if from == self.results.len() {
            return None;
        }
        let until = self.results.len().min(from + limits::PUT_LINES);
        for (at, result) in (from..until).zip(&self.results[from..until]) {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{}", entry(result));
        }
        if until == self.results.len() {
            text.push_str("]}");
        }
        self.written = Some(until);
        Some(text)
    }

    /// Makes the response. An answer of one part is sent whole, with its length. The parts of a
    /// longer answer are made while the client reads the answer.
    fn into_response(mut self) -> Response {
        let headers = [(header::CONTENT_TYPE, "application/json")];
        if self.results.len() <= limits::PUT_LINES {
            return (headers, self.part().unwrap_or_default()).into_response();
        }
        let body = Body::new(body::Body::frames(self));
        (Extension(Streamed), headers, body).into_response()
    }
}

impl Frames for Answer {
    fn unread_limit(&self) -> Option<Duration> {
        let seconds = self.engine.limits.unread_answer_seconds;
        seconds.map(Duration::from_secs)
    }

    fn reader(&self) -> String {
        "a reader of the results of a put".to_owned()
    }

    async fn next(&mut self) -> Option<Result<FrameWithPermit, axum::Error>> {
        let part = self.part()?.into_bytes();
        let permit = self.engine.admission.event(part.len() as u64).await;
        Some(Ok((part, Some(permit))))
    }
}

/// The JSON object of the result of one record, with the members that PutRecords gives to a result.
fn entry(result: &Result<Placed, PutFailure>) -> Value {
    match result {
        Ok(placed) => value!({
            "ShardId": placed.shard.to_string(),
            "SequenceNumber": placed.number.to_string(),
        }),
        Err(PutFailure::Throttled(_)) => {
            value!({ "ErrorCode": "ProvisionedThroughputExceededException" })
        }
        Err(_) => value!({ "ErrorCode": "InternalFailure" }),
    }
}

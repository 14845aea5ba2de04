//! `GET streams/NAME/tail`: sends the records of a stream as server-sent events when they are
//! published.
//!
//! The id of each event contains the positions of the tail in all shards. A client that sends the
//! id as `Last-Event-ID` continues after that event. The first event has an id and no data. With
//! this id, a client that loses its connection before the first record can continue without missing
//! a record.
//!
//! A stream may lack the position of `Last-Event-ID`, for example because the stream was deleted
//! and created again. The tail then sends the event `restarted` and continues at the stream's first
//! record.
//!
//! The event `end` is the last event of a tail that has ended. The load of a snapshot closes the
//! connection without this event, so that the client connects again and continues in the stream of
//! the snapshot.

use super::position::ListingStart;
use super::query::{Query, refused};
use super::record_json;
use super::scan::Selection;
use super::state::{Admin, Refused, Streamed, failed};
use super::tail_id::{self, StreamMark, TailId};
use crate::admission::BudgetPermit;
use crate::engine::{
    Batch, Engine, RecordView, Stream, StreamState, Tail, TailError, TailStart, TailStep,
};
use crate::http::body::{self, FrameWithPermit, Frames};
use crate::limits;
use crate::model::ShardId;
use crate::world::{Clock, RealDeadline};
use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// The message of the event `restarted`.
const RESTARTED: &str = "the stream does not have the position after the last event: another stream \
                         of this name, or an older state of it, took its place. The tail goes on at \
                         its first record";
/// Content type of server-sent events.
const EVENT_STREAM: &str = "text/event-stream";

/// Number of bytes that the permit of an event covers in addition to the record's text and the
/// event's id.
const EVENT_OVERHEAD: u64 = 400;
/// Length of a burst in seconds, for a tail with a rate limit. The tail skips records if its
/// backlog has more records than the rate limit permits in this time.
const TAIL_BURST_SECONDS: u64 = 4;
/// Maximum number of bytes that each shard adds to the id of an event.
const ID_BYTES: u64 = 32;

/// A function that appends a record to a text, as one line.
type Write = dyn Fn(&mut String, ShardId, &RecordView<'_>) + Send + Sync;

/// The form of the records that a tail sends, and the rate limit of the tail.
pub(in crate::http) struct TailForm {
    /// Appends a record to the data of an event, as one line.
    pub(in crate::http) write: Box<Write>,
    /// Rate limit of the tail, in records per second. If more records arrive, the tail skips the
    /// oldest records. None for no limit.
    pub(in crate::http) per_second: Option<u64>,
}

impl TailForm {
    /// The form for the path `tail`: every record, as a JSON object with its lag by `clock`.
    pub(super) fn json(clock: &Clock) -> Self {
        let clock = clock.clone();
        Self {
            write: Box::new(move |text, shard, record| {
                record_json::write_with_lag(text, shard, record, clock.now());
            }),
            per_second: None,
        }
    }
}

/// Answers with a tail: sends the records of the stream in `form` as they are published.
pub(in crate::http) async fn tail(
    admin: &Admin,
    stream: &Arc<Stream>,
    mut query: Query,
    headers: &HeaderMap,
    form: TailForm,
) -> Result<Response, Refused> {
    let selection = Selection::take(&mut query, ListingStart::Latest)?;
    query.end()?;
    let start = start(stream, &selection, headers)?;
    let is_restarted = start.is_none();
    let start = start.unwrap_or(TailStart::TrimHorizon);
    let now = admin.engine.world.clock.now();
    selection.check_shard(stream, now)?;
    let tail = Tail::begin(&admin.engine, stream, selection.shard, start).await;
    let events = TailEvents {
        tail: tail.map_err(|error| refusal(&error))?,
        engine: admin.engine.clone(),
        stream: stream.clone(),
        selection,
        phase: Phase::Greeting,
        is_restarted,
        form,
        sent_since_pause: 0,
    };
    let body = Body::new(body::Body::frames(events));
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((Extension(Streamed), headers, body).into_response())
}

/// The position at which the tail starts. A request with `Last-Event-ID` continues after the event
/// with this id. Any other request starts at the position `from` of its query string. None if the
/// stream lacks the position of `Last-Event-ID`.
fn start(
    stream: &Stream,
    selection: &Selection,
    headers: &HeaderMap,
) -> Result<Option<TailStart>, Refused> {
    let malformed = || refused("Last-Event-ID is not the id of an event of this path");
    if let Some(value) = headers.get(HeaderName::from_static("last-event-id")) {
        let id = value.to_str().ok().and_then(TailId::parse);
        let id = id.ok_or_else(malformed)?;
        // An id with another identity number or random number is from another stream: an earlier
        // stream of this name, or a stream of another emulator. An id with a shard that the stream
        // lacks was sent before an older snapshot was loaded.
        let next_shard = stream.look(StreamState::next_shard);
        let is_here =
            id.mark == StreamMark::of(stream) && id.cut.keys().all(|shard| *shard < next_shard);
        return Ok(is_here.then_some(TailStart::Cut(id.cut)));
    }
    Ok(Some(match selection.from {
        ListingStart::TrimHorizon => TailStart::TrimHorizon,
        ListingStart::Latest => TailStart::Latest,
        ListingStart::Time(moment) => TailStart::Time(moment),
        ListingStart::Number(number) => {
            let position = (ShardId::new(number.shard), number.index);
            TailStart::Cut(BTreeMap::from([position]))
        }
    }))
}

fn refusal(error: &TailError) -> Refused {
    match error {
        TailError::TooMany(most) => {
            let text =
                format!("{most} tails are open already. The limit is set by --limit tails=N");
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, &text)
        }
        TailError::TooManyShards => Refused::new(StatusCode::CONFLICT, &too_many_shards()),
        TailError::Store(error) => failed(error),
    }
}

fn too_many_shards() -> String {
    let most = limits::TAIL_SHARDS;
    format!("a tail follows {most} shards at most; name one with shard")
}

/// The progress of a tail: the kind of event that it sends next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Greeting,
    Records,
    Over,
}

/// Produces the events of a tail as frames of a response body.
struct TailEvents {
    tail: Tail,
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    selection: Selection,
    phase: Phase,
    /// True if the request has a `Last-Event-ID` whose position the stream lacks.
    is_restarted: bool,
    form: TailForm,
    /// Number of records that the tail has sent since its last pause for the rate limit.
    sent_since_pause: u64,
}

impl Frames for TailEvents {
    fn unread_limit(&self) -> Option<Duration> {
        self.tail.unread_limit()
    }

    fn reader(&self) -> String {
        format!("a tail of {}", self.stream.arn)
    }

    async fn next(&mut self) -> Option<Result<FrameWithPermit, axum::Error>> {
        match self.phase {
            Phase::Over => return None,
            Phase::Greeting => {
                self.phase = Phase::Records;
                return Some(Ok((self.greeting().into_bytes(), None)));
            }
            Phase::Records => {}
        }
        // Yield, so that the frames of many tails do not delay other requests.
        tokio::task::yield_now().await;
        loop {
            if self.catch_up().await {
                return Some(Ok((b"event: skipped\ndata: records\n\n".to_vec(), None)));
            }
            match self.tail.next().await {
                Ok(None) => return None,
                Ok(Some(TailStep::End(reason))) => return Some(Ok(self.end(reason))),
                Ok(Some(TailStep::Records(shard, mut batch))) => {
                    if let Some(made) = self.records(shard, &mut batch).await {
                        return Some(Ok(made));
                    }
                    // No record of the batch matches the selection. Yield, so that the loop does
                    // not occupy the thread.
                    tokio::task::yield_now().await;
                }
                Err(TailError::Store(error)) => {
                    tracing::error!(%error, stream = %self.stream.arn, "a tail cannot be served");
                    self.phase = Phase::Over;
                    return Some(Err(axum::Error::new(error)));
                }
                Err(TailError::TooManyShards | TailError::TooMany(_)) => {
                    return Some(Ok(self.end(&too_many_shards())));
                }
            }
        }
    }
}

impl TailEvents {
    fn greeting(&self) -> String {
        let mut text = String::from("id: ");
        let mark = StreamMark::of(&self.stream);
        tail_id::write(&mut text, mark, self.tail.positions(), None);
        text.push_str("\n\n");
        if self.is_restarted {
            let data = json!({ "message": RESTARTED });
            // Writing to a String cannot fail.
            let _ = write!(text, "event: restarted\ndata: {data}\n\n");
        }
        text
    }

    /// Pauses for the time that the rate limit demands after the records sent so far. Then skips
    /// records if the tail is too far behind. Returns true if it has skipped records.
    async fn catch_up(&mut self) -> bool {
        let sent = std::mem::take(&mut self.sent_since_pause);
        let Some(most) = self.form.per_second.filter(|_| sent > 0) else {
            return false;
        };
        let pause = Duration::from_millis((sent * 1000 / most).min(1000));
        self.tail.pause(RealDeadline::lasting(pause)).await;
        self.tail.skip_to_newest(most * TAIL_BURST_SECONDS, most)
    }

    /// Ends the tail, and returns the event `end` with `reason` as its message.
    fn end(&mut self, reason: &str) -> FrameWithPermit {
        self.phase = Phase::Over;
        let data = json!({ "message": reason });
        (format!("event: end\ndata: {data}\n\n").into_bytes(), None)
    }

    /// Makes events from the records in `batch` that match the selection, until a frame is full.
    /// Returns None if no record matches.
    async fn records(&mut self, shard: ShardId, batch: &mut Batch) -> Option<FrameWithPermit> {
        let permit = self.permit(batch).await;
        let mut text = String::new();
        let mark = StreamMark::of(&self.stream);
        for record in batch.iter() {
            if text.len() >= limits::TAIL_FRAME_BYTES {
                return Some((text.into_bytes(), Some(permit)));
            }
            let next = record.number.index + 1;
            if self.shows(&record) {
                let positions = self.tail.positions();
                text.push_str("id: ");
                tail_id::write(&mut text, mark, positions, Some((shard, next)));
                text.push_str("\ndata: ");
                (self.form.write)(&mut text, shard, &record);
                text.push_str("\n\n");
                self.sent_since_pause += 1;
            }
            self.tail.note_delivered(shard, next);
        }
        self.tail.note_delivered(shard, batch.next().index);
        (!text.is_empty()).then(|| (text.into_bytes(), Some(permit)))
    }

    fn shows(&self, record: &RecordView<'_>) -> bool {
        let is_in_time = match self.selection.from {
            ListingStart::Time(moment) => record.arrival >= moment,
            _ => true,
        };
        is_in_time && self.selection.shows(record)
    }

    /// Waits for a budget permit for the events of a batch.
    async fn permit(&self, batch: &mut Batch) -> BudgetPermit {
        let ids = self.tail.positions().count() as u64 * ID_BYTES;
        let events = batch.len() as u64 * (EVENT_OVERHEAD + ids);
        let frame = limits::TAIL_FRAME_BYTES as u64;
        let texts = batch
            .iter()
            .map(|record| record_json::largest_text(record.data));
        let (all, largest) = texts.fold((0, 0), |(all, largest), text| {
            (all + text, text.max(largest))
        });
        let most = frame + largest;
        let bytes = all + events;
        let admission = &self.engine.admission;
        batch.event_permit(admission, bytes.min(most)).await
    }
}

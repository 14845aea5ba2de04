//! The event frames of a SubscribeToShard answer. Each frame is encoded when the connection is
//! ready for it.

use super::fault_draw::ends_subscription;
use super::records::{size_guess, write_records_cbor, write_records_json};
use super::shard_description::ChildShard;
use crate::admission::BudgetPermit;
use crate::engine::{Batch, EndReason, Engine, Event, Subscription};
use crate::error::{Error, Kind};
use crate::model::{SequenceNumber, ShardId, StreamArn};
use crate::wire::{self, Format, frame};
use crate::world::{Fault, Point};
use ciborium_ll::{Encoder, Header};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// A subscription, encoded as a stream of event frames.
#[derive(Debug)]
pub struct Events {
    engine: Arc<Engine>,
    subscription: Subscription,
    stream: StreamArn,
    shard: ShardId,
    consumer: String,
    format: Format,
    initiated: bool,
    /// True if the last frame has been encoded.
    over: bool,
}

/// The message for an internal failure in an event stream. The text comes from reports by users of
/// the service (amazon-kinesis-client issue 529, amazon-kinesis-client-python issue 136).
const INTERNAL: &str = "Internal Service Error";

const MESSAGE: &str = ":message-type";
const CONTENT: &str = ":content-type";

impl Events {
    pub(super) fn new(
        engine: Arc<Engine>,
        subscription: Subscription,
        stream: StreamArn,
        shard: ShardId,
        consumer: String,
    ) -> Self {
        let (format, initiated, over) = (Format::Json, false, false);
        Self {
            engine,
            subscription,
            stream,
            shard,
            consumer,
            format,
            initiated,
            over,
        }
    }

    pub(super) fn in_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Returns the longest time for which a client may leave a frame unread. After this time, the
    /// server closes the connection.
    pub fn unread_limit(&self) -> Option<Duration> {
        self.subscription.unread_event_limit()
    }

    /// Returns the consumer, the shard and the stream of the subscription, for the log.
    pub fn subscriber(&self) -> String {
        format!("{} of {} of {}", self.consumer, self.shard, self.stream)
    }

    /// Returns the next frame, and the permit of the in-flight budget that the frame holds. `None`
    /// at the end of the subscription. The first frame is `initial-response`: the call of an SDK
    /// does not return before it has received this frame.
    pub async fn next(&mut self) -> Option<(Vec<u8>, Option<BudgetPermit>)> {
        if !self.initiated {
            self.initiated = true;
            let nothing = BTreeMap::<&str, &str>::new();
            let response = self.event("initial-response", wire::encode(self.format, &nothing));
            return Some((response, None));
        }
        if self.over {
            return None;
        }
        let event = self.subscription.next().await?;
        if ends_subscription(&self.engine, &self.stream, self.shard) {
            self.over = true;
            return Some((self.ended(&Error::internal()), None));
        }
        let passed = self.subscription.pass(Point::Event).await;
        let Err(fault) = passed else {
            return Some(self.message(event).await);
        };
        self.over = true;
        match fault {
            Fault::Drop => None,
            Fault::Tear => {
                let (mut message, permit) = self.message(event).await;
                message.truncate(message.len() / 2);
                Some((message, permit))
            }
            Fault::Error | Fault::Delay(_) => Some((self.ended(&Error::internal()), None)),
        }
    }

    async fn message(&self, event: Event) -> (Vec<u8>, Option<BudgetPermit>) {
        let mut permit = None;
        let message = match event {
            Event::Records {
                mut batch,
                continuation,
                millis_behind_latest,
            } => {
                if let Some(batch) = &mut batch {
                    let (admission, bytes) = (&self.engine.admission, batch.encoded_bytes());
                    permit = Some(batch.event_permit(admission, bytes).await);
                }
                self.records(batch.as_ref(), continuation, millis_behind_latest)
            }
            Event::ShardEnd {
                children,
                millis_behind_latest,
            } => {
                let children: Vec<_> = children.iter().map(ChildShard::of).collect();
                self.shard_end(&children, millis_behind_latest)
            }
            Event::Ended(EndReason::TakenOver) => self.ended(&Error::already_subscribed(
                &self.stream,
                self.shard,
                &self.consumer,
            )),
            Event::Ended(EndReason::StreamDeleted) => {
                self.ended(&Error::stream_not_found(&self.stream))
            }
            Event::Failed => self.ended(&Error::internal()),
        };
        (message, permit)
    }

    /// Logs the exception that ends the subscription, and encodes its frame.
    fn ended(&self, error: &Error) -> Vec<u8> {
        tracing::info!(
            subscriber = self.subscriber(),
            "a subscription ended: {error}"
        );
        self.exception(error)
    }

    fn event(&self, name: &str, payload: Vec<u8>) -> Vec<u8> {
        let headers = [
            (":event-type", name),
            (CONTENT, self.format.content_type()),
            (MESSAGE, "event"),
        ];
        frame(&headers, |message| message.extend_from_slice(&payload))
    }

    /// Encodes an exception as a frame. Clients know only the exceptions that the service model
    /// lists for the event stream. The frame therefore calls `InternalFailure` by the name
    /// `InternalFailureException`.
    fn exception(&self, error: &Error) -> Vec<u8> {
        let name = match error.kind {
            Kind::InternalFailure => "InternalFailureException",
            kind => kind.name(),
        };
        let headers = [
            (":exception-type", name),
            (CONTENT, self.format.content_type()),
            (MESSAGE, "exception"),
        ];
        let message = error.message.as_deref().unwrap_or(INTERNAL);
        let members = BTreeMap::from([("message", message)]);
        let payload = wire::encode(self.format, &members);
        frame(&headers, |message| message.extend_from_slice(&payload))
    }

    fn records(
        &self,
        batch: Option<&Batch>,
        continuation: SequenceNumber,
        millis_behind_latest: i64,
    ) -> Vec<u8> {
        let mut payload = Vec::with_capacity(size_guess(batch));
        match self.format {
            Format::Json => {
                let _ = write!(
                    payload,
                    "{{\"ContinuationSequenceNumber\":\"{continuation}\","
                );
                let _ = write!(payload, "\"MillisBehindLatest\":{millis_behind_latest},");
                payload.extend_from_slice(b"\"Records\":");
                write_records_json(batch, &mut payload);
                payload.push(b'}');
            }
            format => {
                let figures = (continuation, millis_behind_latest);
                records_cbor(format, batch, figures, &mut payload)
                    .expect("a vector takes every byte");
            }
        }
        self.event(EVENT, payload)
    }

    /// Encodes the last event of a subscription to a closed shard. Clients recognize the end of the
    /// shard by the missing ContinuationSequenceNumber.
    fn shard_end(&self, children: &[ChildShard], millis_behind_latest: i64) -> Vec<u8> {
        let last = LastEvent {
            children,
            millis_behind_latest,
            records: [],
        };
        self.event(EVENT, wire::encode(self.format, &last))
    }
}

const EVENT: &str = "SubscribeToShardEvent";

/// The payload of the last event of a subscription to a closed shard.
#[derive(serde::Serialize)]
struct LastEvent<'a> {
    #[serde(rename = "ChildShards")]
    children: &'a [ChildShard],
    #[serde(rename = "MillisBehindLatest")]
    millis_behind_latest: i64,
    #[serde(rename = "Records")]
    records: [(); 0],
}

fn records_cbor(
    format: Format,
    batch: Option<&Batch>,
    (continuation, millis_behind_latest): (SequenceNumber, i64),
    payload: &mut Vec<u8>,
) -> Result<(), std::io::Error> {
    let mut encoder = Encoder::from(&mut *payload);
    encoder.push(Header::Map(Some(3)))?;
    encoder.text("ContinuationSequenceNumber", None)?;
    encoder.text(&continuation.to_string(), None)?;
    encoder.text("MillisBehindLatest", None)?;
    encoder.push(Header::Positive(millis_behind_latest.unsigned_abs()))?;
    encoder.text("Records", None)?;
    write_records_cbor(format, batch, &mut encoder)
}

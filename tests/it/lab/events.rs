//! A subscription, whose frames are read one at a time.

use super::raw::Connection;
use super::request::{CBOR, JSON, RPC_V2};
use super::{Answer, Request, cbor, within};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use minikin::Body;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

/// A subscription whose `initial-response` was read.
#[derive(Debug)]
pub(crate) struct Events(Source);

/// The source of the frames.
#[derive(Debug)]
enum Source {
    Connection(Connection),
    /// A body in this process, and the task that reads its frames as soon as they exist.
    Body {
        frames: UnboundedReceiver<Vec<u8>>,
        _reading: JoinSet<()>,
    },
}

/// An event, an exception or the end of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// An event as JSON, whatever its format.
    Event(Value),
    /// An exception of this type.
    Exception(String),
    /// The end of the body.
    End,
    /// The end of the connection before the end of the body.
    Cut,
    /// A part of a message.
    Torn,
}

impl Events {
    /// Subscribes over a connection of its own.
    ///
    /// # Errors The answer, if it is not a stream of events.
    pub(crate) async fn begin(mut connection: Connection, call: &Request) -> Result<Self, Answer> {
        let head = connection.begin(call).await;
        if head.status != 200 {
            return Err(connection.finish(head).await);
        }
        let mut events = Self(Source::Connection(connection));
        let initial_response = events.message().await.unwrap();
        assert_eq!(
            header(&initial_response, ":event-type"),
            Some("initial-response")
        );
        Ok(events)
    }

    /// Reads a subscription in this process.
    pub(crate) async fn of_body(mut body: Body) -> Self {
        let (sender, receiver) = unbounded_channel();
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            while let Some(frame) = body.frame().await {
                let data = frame.unwrap().into_data().unwrap();
                if sender.send(data.to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut events = Self(Source::Body {
            frames: receiver,
            _reading: reading,
        });
        let initial_response = events.message().await.unwrap();
        assert_eq!(
            header(&initial_response, ":event-type"),
            Some("initial-response")
        );
        events
    }

    /// True if a further frame has arrived.
    pub(crate) fn has_more(&self) -> bool {
        match &self.0 {
            Source::Connection(_) => false,
            Source::Body { frames, .. } => !frames.is_empty(),
        }
    }

    /// The next event, exception or end.
    pub(crate) async fn next(&mut self) -> Pushed {
        let message = match self.message().await {
            Ok(message) => message,
            Err(end) => return end,
        };
        if let Some(kind) = header(&message, ":exception-type") {
            return Pushed::Exception(kind.to_owned());
        }
        let kind = header(&message, ":event-type");
        assert_eq!(kind, Some("SubscribeToShardEvent"), "{message:?}");
        let payload = message.payload();
        Pushed::Event(match header(&message, ":content-type") {
            Some(JSON) => serde_json::from_slice(payload).unwrap(),
            Some(CBOR | RPC_V2) => cbor::to_json(&cbor::read(payload)),
            other => panic!("{other:?} {message:?}"),
        })
    }

    /// The next message, which is one chunk or frame. Returns the end as the error.
    async fn message(&mut self) -> Result<Message, Pushed> {
        let chunk = match &mut self.0 {
            Source::Connection(connection) => connection.next_chunk().await.ok_or(Pushed::Cut)?,
            Source::Body { frames, .. } => {
                let frame = within("a frame of a subscription", frames.recv()).await;
                frame.unwrap_or_default()
            }
        };
        if chunk.is_empty() {
            return Err(Pushed::End);
        }
        let mut bytes = BytesMut::from(chunk.as_slice());
        let decoded = MessageFrameDecoder::new().decode_frame(&mut bytes).unwrap();
        let DecodedFrame::Complete(message) = decoded else {
            return Err(Pushed::Torn);
        };
        assert!(bytes.is_empty(), "a chunk is one frame");
        Ok(message)
    }
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let mut headers = message.headers().iter();
    let header = headers.find(|header| header.name().as_str() == name)?;
    Some(header.value().as_string().unwrap().as_str())
}

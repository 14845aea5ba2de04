//! A subscription as its frames, one at a time.

use super::raw::Connection;
use super::request::{CBOR, JSON};
use super::{Answer, Request, cbor};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use serde_json::Value;

/// A subscription whose greeting was read.
#[derive(Debug)]
pub(crate) struct Events(Connection);

/// What a subscription gives next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// An event, in terms of JSON whichever format it is in.
    Event(Value),
    /// The exception of this type.
    Exception(String),
    /// The body's end.
    End,
    /// The connection's end before that.
    Cut,
}

impl Events {
    /// Subscribes over a connection of its own.
    ///
    /// # Errors
    /// The answer that is none of events.
    pub(crate) async fn begin(mut connection: Connection, call: &Request) -> Result<Self, Answer> {
        let head = connection.begin(call).await;
        if head.status != 200 {
            return Err(connection.finish(head).await);
        }
        let mut events = Self(connection);
        let greeting = events.message().await.unwrap();
        assert_eq!(header(&greeting, ":event-type"), Some("initial-response"));
        Ok(events)
    }

    /// What comes next.
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
            Some(CBOR) => cbor::to_json(&cbor::read(payload)),
            other => panic!("{other:?} {message:?}"),
        })
    }

    /// The next message, which is a chunk of its own; or the end.
    async fn message(&mut self) -> Result<Message, Pushed> {
        let chunk = self.0.next_chunk().await.ok_or(Pushed::Cut)?;
        if chunk.is_empty() {
            return Err(Pushed::End);
        }
        let mut bytes = BytesMut::from(chunk.as_slice());
        let decoded = MessageFrameDecoder::new().decode_frame(&mut bytes).unwrap();
        let DecodedFrame::Complete(message) = decoded else {
            panic!("a chunk that holds no whole frame")
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

//! The bodies of answers.

use super::connection::{InFlightSubscription, counted};
use super::slow_reader::{self, FrameTimeout};
use crate::engine::tasks;
use crate::operation::Events;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body of a request: hyper's, from a connection, or any other source of bytes.
pub trait Incoming:
    hyper::body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static
{
}

impl<B> Incoming for B where
    B: hyper::body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static
{
}

/// The body of an answer.
#[derive(Debug)]
pub struct Body(Kind);

/// The next frame, with the subscription that makes the frames after it.
type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Box<Events>)>> + Send>>;

enum Kind {
    /// All bytes at once.
    Whole(Option<Bytes>),
    /// No bytes and no length: the service's answer to a body that is too large.
    WithoutLength,
    /// Frames, each made once the client has taken the frames before it.
    Events {
        next: Next,
        timeout: Option<Arc<FrameTimeout>>,
        /// Keeps the connection from being idle.
        _in_flight: Option<InFlightSubscription>,
    },
}

impl Body {
    /// A body of these bytes.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// An empty body without a length.
    pub(super) fn without_length() -> Self {
        Self(Kind::WithoutLength)
    }

    /// A body of events, which the running task has to write.
    pub(super) fn events(events: Box<Events>) -> Self {
        let timeout = events.unread_limit();
        let timeout = timeout.map(|timeout| FrameTimeout::begin(events.subscriber(), timeout));
        Self(Kind::Events {
            next: next(events),
            timeout,
            _in_flight: slow_reader::connection().map(InFlightSubscription::begin),
        })
    }
}

fn next(mut events: Box<Events>) -> Next {
    Box::pin(async move {
        let (frame, permit) = events.next().await?;
        Some((counted(frame, permit, None), events))
    })
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::WithoutLength => "WithoutLength",
            Self::Events { .. } => "Events",
        })
    }
}

/// Makes the next frame of a subscription. None at its end, an error when it panics.
fn poll_event(
    next: &mut Next,
    timeout: Option<&FrameTimeout>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
    if let Some(timeout) = timeout {
        timeout.frame_taken();
    }
    let made = match tasks::caught(|| next.as_mut().poll(context)) {
        Ok(polled) => ready!(polled),
        Err(panic) => {
            tracing::error!(panic, "a subscription panicked");
            return Poll::Ready(Some(Err(axum::Error::new(panic))));
        }
    };
    let Some((frame, events)) = made else {
        return Poll::Ready(None);
    };
    *next = self::next(events);
    if let Some(timeout) = timeout {
        timeout.frame_made();
    }
    Poll::Ready(Some(Ok(Frame::data(frame))))
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let kind = &mut self.get_mut().0;
        match kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::WithoutLength => Poll::Ready(None),
            Kind::Events { next, timeout, .. } => {
                let made = ready!(poll_event(next, timeout.as_deref(), context));
                if !matches!(made, Some(Ok(_))) {
                    // The consumer can subscribe again as soon as the last frame is out.
                    *kind = Kind::WithoutLength;
                }
                Poll::Ready(made)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::WithoutLength | Kind::Events { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::WithoutLength | Kind::Events { .. } => SizeHint::default(),
        }
    }
}

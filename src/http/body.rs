//! The bodies of answers.

use super::connection::{InFlightSubscription, counted};
use super::slow_reader::{self, FrameTimeout};
use crate::admission::BudgetPermit;
use crate::engine::tasks;
use crate::operation::Events;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

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

/// A source of the frames of a body.
pub(super) trait Frames: Send + 'static {
    /// The time for which the client may leave a frame unread.
    fn unread_limit(&self) -> Option<Duration>;

    /// The reader of the frames, for the log.
    fn reader(&self) -> String;

    /// The next frame and the permit for its bytes. None at the end; an error cuts the body off.
    fn next(&mut self) -> impl Future<Output = Option<Result<Made, axum::Error>>> + Send;
}

/// The bytes of a frame, and the permit for them.
pub(super) type Made = (Vec<u8>, Option<BudgetPermit>);

impl Frames for Box<Events> {
    fn unread_limit(&self) -> Option<Duration> {
        Events::unread_limit(self)
    }

    fn reader(&self) -> String {
        self.subscriber()
    }

    async fn next(&mut self) -> Option<Result<Made, axum::Error>> {
        Events::next(self).await.map(Ok)
    }
}

/// The next frame, with the work that makes the frame after it.
type Next = Pin<Box<dyn Future<Output = Option<Result<Linked, axum::Error>>> + Send>>;

/// A frame, and the work that makes the one after it.
struct Linked(Bytes, Next);

enum Kind {
    /// All bytes at once.
    Whole(Option<Bytes>),
    /// No bytes and no length: the service's answer to a body that is too large.
    WithoutLength,
    /// Frames, each made once the client has taken the frames before it.
    Frames {
        next: Next,
        timeout: Option<RunningTimeout>,
        /// Keeps the connection from being idle.
        _in_flight: Option<InFlightSubscription>,
    },
    /// Frames that passed through the router of our own paths.
    Routed(axum::body::Body),
}

/// The timeout of a body's frames. It ends with the body, which a client may not have asked for.
struct RunningTimeout(Arc<FrameTimeout>);

impl Drop for RunningTimeout {
    fn drop(&mut self) {
        self.0.frame_taken();
    }
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

    /// A body of frames, which the running task has to write.
    pub(super) fn frames(frames: impl Frames) -> Self {
        let timeout = frames.unread_limit();
        let timeout = timeout.map(|timeout| FrameTimeout::begin(frames.reader(), timeout));
        Self(Kind::Frames {
            next: next(frames),
            timeout: timeout.map(RunningTimeout),
            _in_flight: slow_reader::connection().map(InFlightSubscription::begin),
        })
    }

    /// The same body, after it passed through the router of our own paths.
    pub(super) fn routed(body: axum::body::Body) -> Self {
        Self(Kind::Routed(body))
    }
}

fn next(mut frames: impl Frames) -> Next {
    Box::pin(async move {
        let made = frames.next().await?;
        Some(made.map(|(frame, permit)| Linked(counted(frame, permit, None), next(frames))))
    })
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::WithoutLength => "WithoutLength",
            Self::Frames { .. } => "Frames",
            Self::Routed(_) => "Routed",
        })
    }
}

/// Makes the next frame. None at the end, an error when it panics.
fn poll_made(
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
            tracing::error!(panic, "the frames of a body panicked");
            return Poll::Ready(Some(Err(axum::Error::new(panic))));
        }
    };
    let Linked(frame, after) = match made {
        Some(Ok(made)) => made,
        Some(Err(error)) => return Poll::Ready(Some(Err(error))),
        None => return Poll::Ready(None),
    };
    *next = after;
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
            Kind::Routed(body) => Pin::new(body).poll_frame(context),
            Kind::Frames { next, timeout, .. } => {
                let timeout = timeout.as_ref().map(|running| &*running.0);
                let made = ready!(poll_made(next, timeout, context));
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
            Kind::WithoutLength | Kind::Frames { .. } => false,
            Kind::Routed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::WithoutLength | Kind::Frames { .. } => SizeHint::default(),
            Kind::Routed(body) => body.size_hint(),
        }
    }
}

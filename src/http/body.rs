//! Response bodies. The bytes of a body are either in memory as a whole, or a stream of frames that
//! are made while the client reads the body.

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

/// The body of a request. A request over a connection has hyper's body. A request from within the
/// process can have any stream of bytes as its body.
pub trait Incoming:
    hyper::body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static
{
}

impl<B> Incoming for B where
    B: hyper::body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static
{
}

/// The body of a response.
#[derive(Debug)]
pub struct Body(Kind);

/// Makes the frames of a response body while the client reads the body.
pub(super) trait Frames: Send + 'static {
    /// Longest time for which the client may leave a frame unread. None: no limit.
    fn unread_limit(&self) -> Option<Duration>;

    /// A name of the client that reads the body, for the log.
    fn reader(&self) -> String;

    /// Makes the next frame of the body, with the budget permit for the frame's bytes. Returns None
    /// after the last frame. An error aborts the response.
    fn next(&mut self)
    -> impl Future<Output = Option<Result<FrameWithPermit, axum::Error>>> + Send;
}

/// The bytes of a frame, and the budget permit for these bytes. The permit is None for a frame that
/// needs no permit.
pub(super) type FrameWithPermit = (Vec<u8>, Option<BudgetPermit>);

impl Frames for Box<Events> {
    fn unread_limit(&self) -> Option<Duration> {
        Events::unread_limit(self)
    }

    fn reader(&self) -> String {
        self.subscriber()
    }

    async fn next(&mut self) -> Option<Result<FrameWithPermit, axum::Error>> {
        Events::next(self).await.map(Ok)
    }
}

/// The future that makes the next frame of a body. It yields None after the last frame.
type Next = Pin<Box<dyn Future<Output = Option<Result<Linked, axum::Error>>> + Send>>;

/// A frame of a body, and the future that makes the frame after it.
struct Linked(Bytes, Next);

enum Kind {
    /// A body in memory, which hyper takes as one frame. None if the body is empty or was taken.
    Whole(Option<Bytes>),
    /// An empty body without a `Content-Length`. The service sends such an answer to an oversized
    /// request.
    WithoutLength,
    /// A body that is streamed. A frame is made only after hyper has taken the frame before it.
    Frames {
        next: Next,
        timeout: Option<RunningTimeout>,
        /// Counts the streamed body as in flight on the connection, so that the connection does not
        /// count as idle. None for the answer to a request from within the process.
        _in_flight: Option<InFlightSubscription>,
    },
    /// A body that axum's router for minikin's own paths has returned.
    Routed(axum::body::Body),
}

/// A running timeout for unread frames of a body. Dropping the body stops the timeout, because the
/// client may cancel the response before its end.
struct RunningTimeout(Arc<FrameTimeout>);

impl Drop for RunningTimeout {
    fn drop(&mut self) {
        self.0.frame_taken();
    }
}

impl Body {
    /// Makes a body in memory from `bytes`.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// Makes an empty body without a `Content-Length`.
    pub(super) fn without_length() -> Self {
        Self(Kind::WithoutLength)
    }

    /// Makes a body that streams `frames`. Must be called in the task that writes the response,
    /// because that task runs the timeout for unread frames.
    pub(super) fn frames(frames: impl Frames) -> Self {
        let timeout = frames.unread_limit();
        let timeout = timeout.map(|timeout| FrameTimeout::begin(frames.reader(), timeout));
        Self(Kind::Frames {
            next: next(frames),
            timeout: timeout.map(RunningTimeout),
            _in_flight: slow_reader::connection().map(InFlightSubscription::begin),
        })
    }

    /// Makes a body from the body of a response of axum's router for minikin's own paths.
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

/// Polls the future of the next frame, and starts the timeout for the frame as soon as the frame is
/// made. Yields None after the last frame, and an error if the future fails or panics.
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
                    // Drop the frames, and with them the subscription, so that the consumer can
                    // subscribe again immediately.
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

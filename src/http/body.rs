//! Response bodies. A body is whole in memory, or a stream of frames that are made while the client
//! reads it.

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

/// The body of a request: hyper's body if the request came over a connection, or any other stream
/// of bytes.
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

/// Produces the frames of a streamed response body.
pub(super) trait Frames: Send + 'static {
    /// Longest time for which the client may leave a frame unread. None for no limit.
    fn unread_limit(&self) -> Option<Duration>;

    /// The name of the client that reads the frames, for the log.
    fn reader(&self) -> String;

    /// Makes the next frame, with the budget permit for its bytes. Returns None after the last
    /// frame. An error aborts the response.
    fn next(&mut self)
    -> impl Future<Output = Option<Result<FrameWithPermit, axum::Error>>> + Send;
}

/// The bytes of a frame, and the budget permit for these bytes.
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

/// The future that makes the next frame.
type Next = Pin<Box<dyn Future<Output = Option<Result<Linked, axum::Error>>> + Send>>;

/// A frame, and the future that makes the following frame.
struct Linked(Bytes, Next);

enum Kind {
    /// The whole body as one frame. None after hyper has taken the frame.
    Whole(Option<Bytes>),
    /// An empty body without a `Content-Length`, as the service sends after an oversized request.
    WithoutLength,
    /// A stream of frames. A frame is made only after hyper has taken all earlier frames.
    Frames {
        next: Next,
        timeout: Option<RunningTimeout>,
        /// Prevents the idle timeout of the connection while the body is streamed.
        _in_flight: Option<InFlightSubscription>,
    },
    /// A body that axum's router for minikin's own paths returned.
    Routed(axum::body::Body),
}

/// Stops the timeout for unread frames when the body is dropped, because a client may cancel the
/// response early.
struct RunningTimeout(Arc<FrameTimeout>);

impl Drop for RunningTimeout {
    fn drop(&mut self) {
        self.0.frame_taken();
    }
}

impl Body {
    /// A body that consists of `bytes`.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// An empty body without a `Content-Length`.
    pub(super) fn without_length() -> Self {
        Self(Kind::WithoutLength)
    }

    /// A body that streams `frames`. Must be called in the task that writes the response, because
    /// the timeout for unread frames is registered with the running task.
    pub(super) fn frames(frames: impl Frames) -> Self {
        let timeout = frames.unread_limit();
        let timeout = timeout.map(|timeout| FrameTimeout::begin(frames.reader(), timeout));
        Self(Kind::Frames {
            next: next(frames),
            timeout: timeout.map(RunningTimeout),
            _in_flight: slow_reader::connection().map(InFlightSubscription::begin),
        })
    }

    /// A body that axum's router for minikin's own paths returned.
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

/// Makes the next frame, and starts the timeout for it. Yields None after the last frame, and an
/// error if making the frame panics.
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
                    // Drop the frames, which ends the subscription. The consumer can then subscribe
                    // again at once.
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

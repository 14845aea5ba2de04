//! The bodies of answers.

use super::slow_reader::{self, Unread};
use super::connection::{Streaming, held};
use crate::engine::tasks;
use crate::operation::Events;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body of a request: one that comes over a connection, or any other that gives bytes.
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

/// The next frame in the making, and what makes the one after it.
type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Box<Events>)>> + Send>>;

enum Kind {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// Nothing, but sent without a length, as the service does for a body that is too large.
    Unsized,
    /// Frames, each made when the client has taken those before it.
    Events {
        coming: Next,
        unread: Option<Arc<Unread>>,
        /// As long as it goes on, its connection is not idle.
        _streaming: Option<Streaming>,
    },
}

impl Body {
    /// A body of these bytes.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// An empty body without a length.
    pub(super) fn without_length() -> Self {
        Self(Kind::Unsized)
    }

    /// A body of frames, to be written by the running task.
    pub(super) fn events(events: Box<Events>) -> Self {
        let patience = events.patience();
        let unread = patience.map(|limit| Unread::of(events.subscriber(), limit));
        Self(Kind::Events {
            coming: next(events),
            unread,
            _streaming: slow_reader::connection().map(Streaming::begin),
        })
    }
}

fn next(mut events: Box<Events>) -> Next {
    Box::pin(async move {
        let (frame, share) = events.next().await?;
        Some((held(frame, share, None), events))
    })
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Unsized => "Unsized",
            Self::Events { .. } => "Events",
        })
    }
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
            Kind::Unsized => Poll::Ready(None),
            Kind::Events { coming, unread, .. } => {
                if let Some(unread) = unread {
                    unread.asked();
                }
                let polled = tasks::caught(|| coming.as_mut().poll(context));
                let made = match polled {
                    Ok(polled) => ready!(polled),
                    Err(panic) => {
                        tracing::error!(panic, "a subscription panicked");
                        *kind = Kind::Unsized;
                        return Poll::Ready(Some(Err(axum::Error::new(panic))));
                    }
                };
                let Some((frame, events)) = made else {
                    // The subscription's seat is free as soon as its last frame is out.
                    *kind = Kind::Unsized;
                    return Poll::Ready(None);
                };
                *coming = next(events);
                if let Some(unread) = unread {
                    unread.made();
                }
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Unsized | Kind::Events { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Unsized | Kind::Events { .. } => SizeHint::default(),
        }
    }
}

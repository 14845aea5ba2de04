//! The body of a request that may be answered before the whole body was read.
//!
//! Most clients read the answer only after they have sent the whole body. If the server closed the
//! connection earlier, such a client would report a broken connection. Therefore the server reads
//! the rest of the body and drops it, while the client reads the answer.

use crate::engine::tasks::Tasks;
use crate::limits;
use crate::world::RealDeadline;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::EXPECT;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// The body of a request. When this value is dropped, a task reads the rest of the body and drops
/// it.
#[derive(Debug)]
pub(super) struct DrainedBody<B>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    /// The wrapped body. None after its end or after an error.
    body: Option<B>,
    /// True if the last poll found no bytes, so that the body's reader waits for the client. If the
    /// value is dropped in this state, no further bytes of the body are read.
    is_waiting: bool,
}

impl<B: Body<Data = Bytes> + Unpin + Send + 'static> DrainedBody<B> {
    /// Wraps the body of a request that has these `headers`.
    pub(super) fn new(body: B, headers: &HeaderMap) -> Self {
        Self {
            body: Some(body),
            // A client that sends the header `Expect` waits for an interim answer before it sends
            // the body. Therefore an unread body of such a client is not drained.
            is_waiting: headers.contains_key(EXPECT),
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin + Send + 'static> Body for DrainedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        self.is_waiting = polled.is_pending();
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body<Data = Bytes> + Unpin + Send + 'static> Drop for DrainedBody<B> {
    fn drop(&mut self) {
        let body = self.body.take().filter(|body| !body.is_end_stream());
        let Some(mut body) = body.filter(|_| !self.is_waiting) else {
            return;
        };
        if Handle::try_current().is_err() {
            return;
        }
        // The task ends at the latest when the connection ends.
        Tasks::spawn_part("rest of a body", async move {
            let rest = async {
                let mut left = limits::BODY_REST_BYTES;
                while left > 0
                    && let Some(Ok(frame)) = body.frame().await
                {
                    left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                }
            };
            let limit = RealDeadline::lasting(limits::BODY_REST);
            let _ended = limit.with(rest).await;
        });
    }
}

//! Receives the body of a request within the limits of size and time and within the in-flight
//! budget.
//!
//! The bytes of a chunk are counted against the budget before the chunk is stored. The announced
//! `Content-Length` is not counted. Therefore a client that announces a large body and sends little
//! occupies little of the budget.
//!
//! While the budget is exhausted, the server does not read the body further. The HTTP/2 window or
//! the socket's buffer then fills up, and the client has to wait.

use super::drained_body::DrainedBody;
use crate::admission::{Admission, BudgetExhausted, BudgetPermit};
use crate::error::Error;
use crate::limits::{self, Limits};
use crate::world::{RealDeadline, Stopwatch};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::Body;
use hyper::http::request::Parts;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::select;

thread_local! {
    /// The buffer in which this thread assembled the last body. Its memory is used again for the
    /// next body if the last body was dropped by then.
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// The outcome of receiving the body of a request.
#[derive(Debug)]
pub(super) enum BodyOutcome {
    /// The whole body was received. The permit covers the body's bytes in the in-flight budget.
    Whole(Bytes, BudgetPermit),
    /// The body is larger than permitted. No byte of the body was stored if the announced length
    /// was already too large.
    TooLarge {
        /// The announced length, or the number of bytes that had arrived when the limit was
        /// exceeded.
        bytes: u64,
    },
    /// The in-flight budget is exhausted, or the body arrives too slowly. The error is the answer
    /// to the request.
    Refused(Error),
}

/// The limits of size and time for the bodies of requests, and the in-flight budget for them.
#[derive(Debug)]
pub(super) struct Bounds {
    admission: Arc<Admission>,
    /// Largest permitted body, in bytes.
    bytes: u64,
    /// Longest wait for further bytes of a body. None: no limit.
    stall: Option<Duration>,
    /// Longest time from the first wait for bytes of a body to the end of this body. None: no
    /// limit.
    time_limit: Option<Duration>,
}

impl Bounds {
    /// The bounds for requests to the Kinesis and Lambda APIs.
    pub(super) fn new(admission: Arc<Admission>, limits: &Limits) -> Self {
        let bytes = limits.request_bytes.unwrap_or(u64::MAX);
        Self::with_size(bytes, admission, limits)
    }

    /// The bounds for requests to minikin's own paths.
    pub(super) fn of_own_paths(admission: Arc<Admission>, limits: &Limits) -> Self {
        Self::with_size(limits::OWN_BODY_BYTES, admission, limits)
    }

    /// Largest permitted body, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn with_size(bytes: u64, admission: Arc<Admission>, limits: &Limits) -> Self {
        Self {
            admission,
            bytes,
            stall: limits.body_stall_seconds.map(Duration::from_secs),
            time_limit: limits.body_seconds.map(Duration::from_secs),
        }
    }

    /// Receives the body of a request. `only` is true if no other request is in flight on the
    /// connection. Such a request has a separate part of the in-flight budget.
    ///
    /// # Errors
    /// The client aborts the request before the end of the body.
    pub(super) async fn receive<B: Body<Data = Bytes> + Unpin + Send + 'static>(
        &self,
        head: &Parts,
        body: B,
        only: bool,
    ) -> Result<BodyOutcome, B::Error> {
        let body = DrainedBody::new(body, &head.headers);
        let announced = body.size_hint().exact();
        if let Some(bytes) = announced.filter(|announced| *announced > self.bytes) {
            return Ok(BodyOutcome::TooLarge { bytes });
        }
        let Ok(permit) = self.admission.request(only).await else {
            return Ok(BodyOutcome::Refused(Error::unavailable()));
        };
        let mut receiving = Receiving {
            body,
            permit,
            bounds: self,
            announced,
            pace: Pace::of(self),
            received: 0,
        };
        Ok(match receiving.whole(&head.method).await {
            Ok(whole) => BodyOutcome::Whole(whole, receiving.permit),
            Err(Ended::CutOff(error)) => return Err(error),
            Err(Ended::TooLarge) => BodyOutcome::TooLarge {
                bytes: receiving.received,
            },
            Err(Ended::TooSlow) => BodyOutcome::Refused(Error::too_slow()),
            Err(Ended::BudgetExhausted) => BodyOutcome::Refused(Error::unavailable()),
        })
    }
}

/// The reason why a body is not received in full.
enum Ended<E> {
    CutOff(E),
    TooLarge,
    TooSlow,
    BudgetExhausted,
}

impl<E> From<BudgetExhausted> for Ended<E> {
    fn from(_: BudgetExhausted) -> Self {
        Self::BudgetExhausted
    }
}

/// The state of a body that is being received.
struct Receiving<'a, B> {
    body: B,
    permit: BudgetPermit,
    bounds: &'a Bounds,
    announced: Option<u64>,
    pace: Pace<'a>,
    /// Number of bytes of the body that have arrived.
    received: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Receiving<'_, B> {
    async fn whole(&mut self, method: &Method) -> Result<Bytes, Ended<B::Error>> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        // Over HTTP/2, the end of the body may arrive in a separate frame. Wait for this end,
        // except for a HEAD request, which is answered without waiting.
        if self.body.is_end_stream() || *method == Method::HEAD {
            return Ok(first);
        }
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut whole = BUFFER.take();
        for chunk in [first, second] {
            self.add(chunk, &mut whole);
        }
        while let Some(chunk) = self.next().await? {
            self.add(chunk, &mut whole);
        }
        let body = whole.split().freeze();
        if body.len() <= limits::KEPT_BUFFER_BYTES {
            BUFFER.set(whole);
        }
        Ok(body)
    }

    /// Appends a chunk to `whole`. Reserves memory for the whole announced body in one step if the
    /// request has a large permit. With a small permit, reserves at most the memory of a small
    /// body.
    fn add(&self, chunk: Bytes, whole: &mut BytesMut) {
        let length = whole.len() + chunk.len();
        if whole.capacity() < length {
            let small = limits::SMALL_BYTES / limits::BODY_WEIGHT;
            let most = if self.permit.is_large() {
                self.bounds.bytes
            } else {
                small
            };
            let announced = self.announced.unwrap_or_default().min(most);
            let announced = usize::try_from(announced).unwrap_or_default();
            whole.reserve(announced.max(length) - whole.len());
        }
        whole.extend_from_slice(&chunk);
    }

    /// The next chunk of the body, after the permit was enlarged to cover the chunk. None at the
    /// end of the body.
    async fn next(&mut self) -> Result<Option<Bytes>, Ended<B::Error>> {
        loop {
            let frame = match frame_at_once(&mut self.body).await {
                Some(frame) => frame,
                // Box the future of the wait, so that its state does not enlarge this future. Most
                // bodies have already arrived and need no wait.
                None => Box::pin(self.pace.wait(&mut self.body, self.received)).await?,
            };
            let Some(frame) = frame else { return Ok(None) };
            let Ok(data) = frame.map_err(Ended::CutOff)?.into_data() else {
                continue;
            };
            self.received += data.len() as u64;
            if self.received > self.bounds.bytes {
                return Err(Ended::TooLarge);
            }
            let most = self.announced.unwrap_or(self.bounds.bytes);
            if self.permit.cover(self.received, most).await? {
                self.pace.restart(self.received);
            }
            return Ok(Some(data));
        }
    }
}

type Frame<E> = Option<Result<hyper::body::Frame<Bytes>, E>>;

/// The next frame of a body if it has already arrived, and None if it has not. This function needs
/// no timer, and is enough to receive nearly all requests.
async fn frame_at_once<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Frame<B::Error>> {
    poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(frame) => Some(frame),
            Poll::Pending => None,
        })
    })
    .await
}

/// Checks that a client sends a body fast enough. A new measurement starts each time the request
/// has taken more bytes of the in-flight budget.
struct Pace<'a> {
    bounds: &'a Bounds,
    /// The time since the first wait for bytes of the body in this measurement. None before this
    /// wait.
    watch: Option<Stopwatch>,
    /// Number of bytes that had arrived at the start of this measurement.
    before: u64,
}

impl<'a> Pace<'a> {
    fn of(bounds: &'a Bounds) -> Self {
        Self {
            bounds,
            watch: None,
            before: 0,
        }
    }

    /// Starts a new measurement, because the time in which the server waited for the budget must
    /// not count against the client.
    fn restart(&mut self, received: u64) {
        self.watch = None;
        self.before = received;
    }

    /// Waits for the next frame of a body. Fails if the body arrives too slowly.
    async fn wait<B: Body<Data = Bytes> + Unpin>(
        &mut self,
        body: &mut B,
        received: u64,
    ) -> Result<Frame<B::Error>, Ended<B::Error>> {
        let watch = *self.watch.get_or_insert_with(Stopwatch::start);
        let mut quiet = Duration::ZERO;
        loop {
            if self.is_too_slow(watch.elapsed(), quiet, received) {
                return Err(Ended::TooSlow);
            }
            let step = self.bounds.stall.unwrap_or(Duration::MAX);
            let step = step.saturating_sub(quiet).min(limits::BODY_HURRY);
            select! {
                biased;
                frame = body.frame() => return Ok(frame),
                () = async { RealDeadline::lasting(step).end().await } => quiet += step,
            }
        }
    }

    fn is_too_slow(&self, waited: Duration, quiet: Duration, received: u64) -> bool {
        if self.bounds.stall.is_some_and(|stall| quiet >= stall)
            || self.bounds.time_limit.is_some_and(|limit| waited >= limit)
        {
            return true;
        }
        if waited < limits::BODY_HURRY || !self.bounds.admission.is_contended() {
            return false;
        }
        // Other requests wait for bytes of the budget that this request occupies. Therefore the
        // body must now arrive at a minimum rate.
        let due = waited.as_secs() * limits::BODY_HURRY_BYTES_PER_SECOND;
        quiet >= limits::BODY_HURRY || received - self.before < due
    }
}

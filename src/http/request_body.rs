//! Receives the body of a request within its size, its time and the in-flight budget.
//!
//! A chunk is counted before it is kept, and an announced length alone counts nothing: a client that
//! announces much and sends little holds little of the budget. While the budget is used up the body is
//! not read on, so that the client waits, too: for a window of HTTP/2, or for the connection.

use crate::admission::{Admission, BudgetExhausted, BudgetPermit};
use crate::error::Error;
use crate::limits::{self, Limits};
use crate::world::{RealDeadline, Stopwatch};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::Body;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::select;

thread_local! {
    /// The buffer of the last body that this thread put together. Its memory is used again for the
    /// next body once nothing refers to the last one.
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// The outcome of receiving a body.
#[derive(Debug)]
pub(super) enum Received {
    /// The whole body, and its part of the in-flight budget.
    Whole(Bytes, BudgetPermit),
    /// The body is larger than a request may be. An announced length that is too large is refused
    /// before a byte is read.
    TooLarge {
        /// The announced length, or the bytes received up to the limit.
        bytes: u64,
    },
    /// The budget is exhausted, or the body comes too slowly.
    Refused(Error),
}

/// The bounds of a request's body.
#[derive(Debug)]
pub(super) struct Bounds {
    admission: Arc<Admission>,
    /// The largest body, in bytes.
    bytes: u64,
    /// The time without a further byte.
    stall: Option<Duration>,
    /// The time for the whole body.
    whole: Option<Duration>,
}

impl Bounds {
    /// The bounds of requests to the service.
    pub(super) fn new(admission: Arc<Admission>, limits: &Limits) -> Self {
        let bytes = limits.request_bytes.unwrap_or(u64::MAX);
        Self::with_size(bytes, admission, limits)
    }

    /// The bounds of requests to our own paths.
    pub(super) fn of_own_paths(admission: Arc<Admission>, limits: &Limits) -> Self {
        Self::with_size(limits::OWN_BODY_BYTES, admission, limits)
    }

    /// The largest body, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn with_size(bytes: u64, admission: Arc<Admission>, limits: &Limits) -> Self {
        Self {
            admission,
            bytes,
            stall: limits.body_stall_seconds.map(Duration::from_secs),
            whole: limits.body_seconds.map(Duration::from_secs),
        }
    }

    /// Receives the body of a request, which is the `only` one on its connection now or a further
    /// one.
    ///
    /// # Errors
    /// When the client cuts the body off.
    pub(super) async fn receive<B: Body<Data = Bytes> + Unpin>(
        &self,
        method: &Method,
        body: B,
        only: bool,
    ) -> Result<Received, B::Error> {
        let announced = body.size_hint().exact();
        if let Some(bytes) = announced.filter(|announced| *announced > self.bytes) {
            return Ok(Received::TooLarge { bytes });
        }
        let Ok(permit) = self.admission.request(only).await else {
            return Ok(Received::Refused(Error::unavailable()));
        };
        let mut receiving = Receiving {
            body,
            permit,
            bounds: self,
            announced,
            pace: Pace::of(self),
            received: 0,
        };
        Ok(match receiving.whole(method).await {
            Ok(whole) => Received::Whole(whole, receiving.permit),
            Err(Ended::CutOff(error)) => return Err(error),
            Err(Ended::TooLarge) => Received::TooLarge {
                bytes: receiving.received,
            },
            Err(Ended::TooSlow) => Received::Refused(Error::too_slow()),
            Err(Ended::BudgetExhausted) => {
                // The answer is the same however the rest of the body ends.
                let _ended = receiving.discard().await;
                Received::Refused(Error::unavailable())
            }
        })
    }
}

/// The reason why a body does not become whole.
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

/// A body while it is received.
struct Receiving<'a, B> {
    body: B,
    permit: BudgetPermit,
    bounds: &'a Bounds,
    announced: Option<u64>,
    pace: Pace<'a>,
    /// Bytes received so far.
    received: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Receiving<'_, B> {
    async fn whole(&mut self, method: &Method) -> Result<Bytes, Ended<B::Error>> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        // Over HTTP/2 the end may come in a frame of its own, and a request is answered after it.
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

    /// Adds a chunk. Memory is reserved as the budget permits: at once for all of a body whose permit
    /// is large, else for no more than a small body.
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

    /// Reads the rest of the body and drops it: a client that is still sending reads no refusal.
    async fn discard(&mut self) -> Result<(), Ended<B::Error>> {
        self.pace.restart(self.received);
        while let Some(frame) = self.pace.wait(&mut self.body, self.received).await? {
            let frame = frame.map_err(Ended::CutOff)?;
            self.received += frame.into_data().map_or(0, |data| data.len() as u64);
            if self.received > self.bounds.bytes {
                break;
            }
        }
        Ok(())
    }

    /// The next chunk, once the budget permits it.
    async fn next(&mut self) -> Result<Option<Bytes>, Ended<B::Error>> {
        loop {
            let frame = match frame_at_once(&mut self.body).await {
                Some(frame) => frame,
                // Boxed, so that a body that is there already does not carry the waiting's state.
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

/// The next frame if it is there already, as for nearly all requests: this needs no timer.
async fn frame_at_once<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Frame<B::Error>> {
    poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(frame) => Some(frame),
            Poll::Pending => None,
        })
    })
    .await
}

/// The pace that a body has to keep.
struct Pace<'a> {
    bounds: &'a Bounds,
    /// Started at the first wait.
    watch: Option<Stopwatch>,
    /// Bytes received before the watch was started.
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

    /// Starts anew: the time that a body waited for the budget is not the client's.
    fn restart(&mut self, received: u64) {
        self.watch = None;
        self.before = received;
    }

    /// Waits for the next frame, and checks the pace at intervals.
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
            || self.bounds.whole.is_some_and(|whole| waited >= whole)
        {
            return true;
        }
        if waited < limits::BODY_HURRY || !self.bounds.admission.is_contended() {
            return false;
        }
        // Other requests wait for the budget that this one holds.
        let due = waited.as_secs() * limits::BODY_HURRY_BYTES_PER_SECOND;
        quiet >= limits::BODY_HURRY || received - self.before < due
    }
}

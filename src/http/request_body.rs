//! A request's body, from its pieces: within its size, its time and the bytes in flight.
//!
//! A piece counts before it is kept, and nothing counts for a promise alone: a client that announces
//! much and sends little holds little. Until there is room the body is not read on, so that its
//! client waits, too, for a window of HTTP/2 or for the connection.

use crate::admission::{Admission, BudgetExhausted, BudgetPermit};
use crate::engine::Engine;
use crate::error::Error;
use crate::limits;
use crate::world::{RealDeadline, Stopwatch};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::Body;
use hyper::http::request::Parts;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::select;

thread_local! {
    /// The room of the last body that this thread put together: there again for the next one as
    /// soon as nothing holds it any more.
    static ROOM: RefCell<BytesMut> = RefCell::default();
}

/// What became of a body.
#[derive(Debug)]
pub(super) enum Gathered {
    /// It is whole, and holds so much of what may be in flight.
    Whole(Bytes, BudgetPermit),
    /// It is larger than a request may be. One that says so in its head is not read at all.
    TooLarge,
    /// There is no room for it, or it does not come.
    Refused(Error),
}

/// Reads the body of a request, which is the `first` on its connection now or a further one.
///
/// # Errors
/// When it is cut off.
pub(super) async fn gather<B: Body<Data = Bytes> + Unpin>(
    head: &Parts,
    body: B,
    engine: &Engine,
    first: bool,
) -> Result<Gathered, B::Error> {
    let most = engine.limits.request_bytes.unwrap_or(u64::MAX);
    let announced = body.size_hint().exact();
    if announced.is_some_and(|announced| announced > most) {
        return Ok(Gathered::TooLarge);
    }
    let Ok(share) = engine.admission.request(first).await else {
        return Ok(Gathered::Refused(Error::unavailable()));
    };
    let mut pieces = Pieces {
        body,
        share,
        most,
        announced,
        pace: Pace::of(engine),
        come: 0,
    };
    Ok(match pieces.whole(head).await {
        Ok(whole) => Gathered::Whole(whole, pieces.share),
        Err(Ended::CutOff(error)) => return Err(error),
        Err(Ended::TooLarge) => Gathered::TooLarge,
        Err(Ended::TooSlow) => Gathered::Refused(Error::too_slow()),
        Err(Ended::BudgetExhausted) => {
            // However it ends, there is no room.
            let _ended = pieces.discard().await;
            Gathered::Refused(Error::unavailable())
        }
    })
}

/// Why a body does not become whole.
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

struct Pieces<'a, B> {
    body: B,
    share: BudgetPermit,
    most: u64,
    announced: Option<u64>,
    pace: Pace<'a>,
    /// Bytes that came so far.
    come: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Pieces<'_, B> {
    async fn whole(&mut self, head: &Parts) -> Result<Bytes, Ended<B::Error>> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        // Over HTTP/2 the end may come in a frame of its own; a request is answered after it.
        if self.body.is_end_stream() || head.method == Method::HEAD {
            return Ok(first);
        }
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut whole = ROOM.take();
        for piece in [first, second] {
            self.add(piece, &mut whole);
        }
        while let Some(more) = self.next().await? {
            self.add(more, &mut whole);
        }
        let body = whole.split().freeze();
        if body.len() <= limits::KEPT_ROOM_BYTES {
            ROOM.set(whole);
        }
        Ok(body)
    }

    /// Adds a piece. Memory is asked for as it is admitted: at once for all of a body that has the
    /// room, else for no more than a small one.
    fn add(&self, piece: Bytes, whole: &mut BytesMut) {
        let length = whole.len() + piece.len();
        if whole.capacity() < length {
            let small = limits::SMALL_BYTES / limits::BODY_WEIGHT;
            let most = if self.share.is_large() {
                self.most
            } else {
                small
            };
            let announced = self.announced.unwrap_or_default().min(most);
            let announced = usize::try_from(announced).unwrap_or_default();
            whole.reserve(announced.max(length) - whole.len());
        }
        whole.extend_from_slice(&piece);
    }

    /// Reads what is left and keeps nothing of it: a client that is still sending hears of no
    /// refusal.
    async fn discard(&mut self) -> Result<(), Ended<B::Error>> {
        self.pace.restart(self.come);
        while let Some(frame) = self.pace.wait(&mut self.body, self.come).await? {
            let frame = frame.map_err(Ended::CutOff)?;
            self.come += frame.into_data().map_or(0, |data| data.len() as u64);
            if self.come > self.most {
                break;
            }
        }
        Ok(())
    }

    /// The next piece, which has its room.
    async fn next(&mut self) -> Result<Option<Bytes>, Ended<B::Error>> {
        loop {
            let frame = match at_once(&mut self.body).await {
                Some(frame) => frame,
                // In a box, so that a body that is there does not carry the room for it.
                None => Box::pin(self.pace.wait(&mut self.body, self.come)).await?,
            };
            let Some(frame) = frame else { return Ok(None) };
            let Ok(data) = frame.map_err(Ended::CutOff)?.into_data() else {
                continue;
            };
            self.come += data.len() as u64;
            if self.come > self.most {
                return Err(Ended::TooLarge);
            }
            let most = self.announced.unwrap_or(self.most);
            if self.share.cover(self.come, most).await? {
                self.pace.restart(self.come);
            }
            return Ok(Some(data));
        }
    }
}

type Frame<E> = Option<Result<hyper::body::Frame<Bytes>, E>>;

/// The next frame if it is there already, as it is for nearly all requests: without a timer.
async fn at_once<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Frame<B::Error>> {
    poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(frame) => Some(frame),
            Poll::Pending => None,
        })
    })
    .await
}

/// How fast a body has to come.
struct Pace<'a> {
    admission: &'a Admission,
    stall: Option<Duration>,
    whole: Option<Duration>,
    /// Since it had to be waited for first.
    since: Option<Stopwatch>,
    /// What had come by then.
    before: u64,
}

impl<'a> Pace<'a> {
    fn of(engine: &'a Engine) -> Self {
        Self {
            admission: &engine.admission,
            stall: engine.limits.body_stall_seconds.map(Duration::from_secs),
            whole: engine.limits.body_seconds.map(Duration::from_secs),
            since: None,
            before: 0,
        }
    }

    /// Begins again: what a body has waited for room it was not slow.
    fn restart(&mut self, come: u64) {
        self.since = None;
        self.before = come;
    }

    /// Waits for the next frame, looking now and then whether that is still worth it.
    async fn wait<B: Body<Data = Bytes> + Unpin>(
        &mut self,
        body: &mut B,
        come: u64,
    ) -> Result<Frame<B::Error>, Ended<B::Error>> {
        let since = *self.since.get_or_insert_with(Stopwatch::start);
        let mut quiet = Duration::ZERO;
        loop {
            if self.is_over(since.elapsed(), quiet, come) {
                return Err(Ended::TooSlow);
            }
            let step = self.stall.unwrap_or(Duration::MAX);
            let step = step.saturating_sub(quiet).min(limits::BODY_HURRY);
            select! {
                biased;
                frame = body.frame() => return Ok(frame),
                () = async { RealDeadline::lasting(step).end().await } => quiet += step,
            }
        }
    }

    fn is_over(&self, waited: Duration, quiet: Duration, come: u64) -> bool {
        if self.stall.is_some_and(|stall| quiet >= stall)
            || self.whole.is_some_and(|whole| waited >= whole)
        {
            return true;
        }
        if waited < limits::BODY_HURRY || !self.admission.is_contended() {
            return false;
        }
        // Others wait for the room that this one holds.
        let due = waited.as_secs() * limits::BODY_HURRY_BYTES_PER_SECOND;
        quiet >= limits::BODY_HURRY || come - self.before < due
    }
}

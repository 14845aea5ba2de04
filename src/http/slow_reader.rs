//! Drops connections and subscriptions whose client has stopped reading.
//!
//! hyper asks a body for its next frame only after the client has taken the earlier frames. If a
//! client stops reading, hyper does not poll the body again, so the body cannot detect the timeout
//! itself. Therefore the task that writes the body runs the timer.
//!
//! Over HTTP/1.1, the task of the connection writes the body. Over HTTP/2, the task of the HTTP/2
//! stream writes the body, so a timeout does not end the other streams of the connection. After a
//! dropped HTTP/2 stream, at most one unfinished frame and the reset stay in hyper's memory until
//! the client reads or disconnects.

use super::connection::{Checks, DropReason, InFlight};
use crate::lock::Lock;
use crate::world::RealDeadline;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

tokio::task_local! {
    /// The connection and the streamed body that the current task writes to.
    static WRITING: Writing;
}

struct Writing {
    /// The timeout of a subscription that this task begins to write.
    /// [`Body::frames`](super::body::Body) sets this value, and [`until_dropped`] takes it.
    subscription: Cell<Option<Arc<FrameTimeout>>>,
    connection: Arc<InFlight>,
}

type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The connection that the current task serves. None if the task serves no connection.
pub(super) fn connection() -> Option<Arc<InFlight>> {
    WRITING.try_with(|writing| writing.connection.clone()).ok()
}

/// The timeout for unread frames of one subscription or other streamed body.
#[derive(Debug)]
pub(super) struct FrameTimeout {
    /// The name of the client that reads the body, for the log.
    subscriber: String,
    timeout: Duration,
    /// The moment by which the client must have taken the last frame. None while the client waits
    /// for a frame.
    deadline: Lock<Option<RealDeadline>>,
}

impl FrameTimeout {
    /// Registers a streamed body that the current task is about to write. The timeout starts
    /// immediately, because a client that never asks for the first frame is a slow reader, too.
    pub(super) fn begin(subscriber: String, timeout: Duration) -> Arc<Self> {
        let begun = Arc::new(Self {
            subscriber,
            timeout,
            deadline: Lock::new(None),
        });
        begun.frame_made();
        let set = WRITING.try_with(|writing| writing.subscription.set(Some(begun.clone())));
        debug_assert!(set.is_ok(), "every task that writes bodies is watched");
        begun
    }

    /// Starts the timeout, because a frame is ready for the client to take.
    pub(super) fn frame_made(&self) {
        *self.deadline.lock() = Some(RealDeadline::lasting(self.timeout));
    }

    /// Stops the timeout, because the client has taken the last frame and waits for the next frame.
    pub(super) fn frame_taken(&self) {
        *self.deadline.lock() = None;
    }

    fn deadline(&self) -> Option<RealDeadline> {
        *self.deadline.lock()
    }
}

/// Runs `work`, which serves one HTTP/2 stream of `connection`. Ends early, with the reason, if the
/// client reads a streamed body too slowly.
///
/// Only a task that writes a streamed body has a timer. The timer is set again only when it
/// expires, and not for each frame.
pub(super) async fn watch_stream<F: Future + Unpin>(
    work: F,
    connection: Arc<InFlight>,
) -> Result<F::Output, DropReason> {
    let writing = Writing {
        subscription: Cell::new(None),
        connection,
    };
    WRITING.scope(writing, until_dropped(work)).await
}

/// Runs `work`, which serves the whole `connection`. Ends early, with the reason, if the client
/// reads too slowly or if the connection is idle for too long. One timer serves both timeouts. The
/// timer is set again only when it expires, and not for each request.
pub(super) async fn watch_connection<F: Future + Unpin>(
    work: F,
    connection: Arc<InFlight>,
) -> Result<F::Output, DropReason> {
    let mut timer: Option<Timer> = None;
    let mut checks = Checks::new(connection.clone());
    let mut work = std::pin::pin!(watch_stream(work, connection));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => poll_connection_checks(&mut timer, &mut checks, context).map(Err),
    })
    .await
}

/// Waits for the time of each regular check of a connection, and makes the check. Yields a reason
/// when a check finds that the connection has to be dropped: an answer was left unread, or the
/// connection is idle.
fn poll_connection_checks(
    timer: &mut Option<Timer>,
    checks: &mut Checks,
    context: &mut Context<'_>,
) -> Poll<DropReason> {
    loop {
        let running = match (&mut *timer, checks.due()) {
            (Some(running), _) => running,
            (slot, Some(due)) => slot.insert(Box::pin(async move {
                RealDeadline::lasting(due).end().await;
            })),
            (None, None) => return Poll::Pending,
        };
        ready!(running.as_mut().poll(context));
        *timer = None;
        if let Some(reason) = checks.check() {
            if reason == DropReason::Unread {
                tracing::warn!(
                    "closed a connection: its client left an answer unread for too long. The \
                     limit is set by --limit unread-answer-seconds=N"
                );
            }
            return Poll::Ready(reason);
        }
    }
}

/// Runs `work`, a request from within this process, without timeouts. The caller of such a request
/// may leave frames unread.
pub(super) async fn unwatched<F: Future>(work: F) -> F::Output {
    let writing = Writing {
        subscription: Cell::new(None),
        connection: InFlight::new(None, None),
    };
    WRITING.scope(writing, work).await
}

async fn until_dropped<F: Future + Unpin>(mut work: F) -> Result<F::Output, DropReason> {
    let mut watch = None;
    poll_fn(|context| {
        if let Poll::Ready(done) = Pin::new(&mut work).poll(context) {
            return Poll::Ready(Ok(done));
        }
        if let Some(frames) = WRITING.with(|writing| writing.subscription.take()) {
            let timer = None;
            watch = Some(FrameWatch { frames, timer });
        }
        let watch = watch.as_mut();
        watch.map_or(Poll::Pending, |watch| watch.poll(context).map(Err))
    })
    .await
}

/// Detects that the client leaves a frame of one streamed body unread for too long.
struct FrameWatch {
    frames: Arc<FrameTimeout>,
    /// The timer for the deadline of a frame. The timer keeps running when the client takes the
    /// frame. Only when the timer expires, it is set to the deadline of the newest frame.
    timer: Option<Timer>,
}

impl FrameWatch {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<DropReason> {
        loop {
            let timer = match (&mut self.timer, self.frames.deadline()) {
                (Some(timer), _) => timer,
                (None, Some(deadline)) => self.timer.insert(Box::pin(deadline.end())),
                (None, None) => return Poll::Pending,
            };
            ready!(timer.as_mut().poll(context));
            self.timer = None;
            if self.frames.deadline().is_some_and(RealDeadline::is_over) {
                tracing::warn!(
                    subscriber = self.frames.subscriber,
                    "ended a subscription: its client left an event unread for {} s. The limit \
                     is set by --limit unread-event-seconds=N",
                    self.frames.timeout.as_secs()
                );
                return Poll::Ready(DropReason::Unread);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    const NEVER: Duration = Duration::MAX;

    fn connection() -> Arc<InFlight> {
        InFlight::new(None, None)
    }

    #[tokio::test]
    async fn work_without_a_subscription_is_done() {
        let done = watch_stream(std::future::ready(7), connection()).await;
        assert_eq!(done, Ok(7));
    }

    #[tokio::test]
    async fn a_subscription_whose_first_frame_is_not_asked_for_is_dropped() {
        let work = Box::pin(async {
            let _frames = FrameTimeout::begin("subscriber".to_owned(), Duration::ZERO);
            pending::<()>().await;
        });
        let done = watch_stream(work, connection()).await;
        assert_eq!(done, Err(DropReason::Unread));
    }

    #[tokio::test]
    async fn a_frame_that_is_left_after_others_were_taken_is_noticed() {
        let work = Box::pin(async {
            let frames = FrameTimeout::begin("subscriber".to_owned(), Duration::ZERO);
            for _ in 0..3 {
                frames.frame_taken();
                tokio::task::yield_now().await;
                frames.frame_made();
            }
            pending::<()>().await;
        });
        let done = watch_stream(work, connection()).await;
        assert_eq!(done, Err(DropReason::Unread));
    }

    #[tokio::test]
    async fn a_client_that_waits_for_us_or_has_time_left_is_not_dropped() {
        for timeout in [Duration::ZERO, NEVER] {
            let work = Box::pin(async move {
                let frames = FrameTimeout::begin("subscriber".to_owned(), timeout);
                for _ in 0..100 {
                    if timeout.is_zero() {
                        frames.frame_taken();
                    }
                    tokio::task::yield_now().await;
                }
            });
            assert_eq!(watch_stream(work, connection()).await, Ok(()));
        }
    }
}

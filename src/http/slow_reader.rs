//! Ends what writes to a client that has stopped reading what it subscribed to.
//!
//! hyper asks a body for its next frame when the client has taken those before it. For a client
//! that takes nothing it does not ask, and then nothing of the body runs: not its end, not its
//! heartbeat. So the task that writes it keeps the time: that of the connection over HTTP/1.1,
//! that of the stream over HTTP/2, where the other streams of the connection go on. There the frame
//! that was begun, at most one, waits with the reset behind it until the client reads or leaves.

use super::connection::{Looks, Untaken};
use crate::lock::Lock;
use crate::world::RealDeadline;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

tokio::task_local! {
    /// What the running task writes.
    static WRITES: Writes;
}

struct Writes {
    /// Where a body of frames says that this task is going to write it.
    frames: Cell<Option<Arc<Unread>>>,
    /// The answers of the task's connection.
    untaken: Arc<Untaken>,
}

/// The answers of the connection that the running task serves.
pub(super) fn connection() -> Option<Arc<Untaken>> {
    WRITES.try_with(|writes| writes.untaken.clone()).ok()
}

/// How long the client has not taken a frame.
#[derive(Debug)]
pub(super) struct Unread {
    /// For the log.
    subscriber: String,
    limit: Duration,
    /// None while the client waits for us.
    until: Lock<Option<RealDeadline>>,
}

impl Unread {
    /// What is to be known of a body of frames that the running task is going to write. The first
    /// frame counts as made: that it is not asked for is the same to a subscriber's seat.
    pub(super) fn of(subscriber: String, limit: Duration) -> Arc<Self> {
        let unread = Arc::new(Self {
            subscriber,
            limit,
            until: Lock::new(None),
        });
        unread.made();
        let told = WRITES.try_with(|writes| writes.frames.set(Some(unread.clone())));
        debug_assert!(told.is_ok(), "what writes bodies is watched");
        unread
    }

    /// A frame is made.
    pub(super) fn made(&self) {
        *self.until.lock() = Some(RealDeadline::lasting(self.limit));
    }

    /// The next frame is asked for, so those before it are taken.
    pub(super) fn asked(&self) {
        *self.until.lock() = None;
    }

    fn until(&self) -> Option<RealDeadline> {
        *self.until.lock()
    }
}

/// Why a connection, or a stream of it, is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The client left something unread for too long.
    Unread,
    /// Nothing was under way for too long, and no head of a request came.
    Idle,
}

/// Does the work of one stream of a connection whose answers are `untaken`, unless that has to be
/// dropped for a client that does not read.
///
/// Only a task that writes frames has a timer, and sets it once in a limit's time, not once a frame.
pub(super) async fn watched<F: Future + Unpin>(
    work: F,
    untaken: Arc<Untaken>,
) -> Result<F::Output, Dropped> {
    let frames = Cell::new(None);
    WRITES
        .scope(Writes { frames, untaken }, attended(work))
        .await
}

/// The same for all of a connection: it ends also when an answer is not taken, or when the next
/// request does not come. One timer is set for both, once in a while and not once a request.
pub(super) async fn connection_watched<F: Future + Unpin>(
    work: F,
    untaken: Arc<Untaken>,
) -> Result<F::Output, Dropped> {
    let mut timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
    let mut looks = Looks::at(untaken.clone());
    let mut work = std::pin::pin!(watched(work, untaken));
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        loop {
            let running = match (&mut timer, looks.due()) {
                (Some(running), _) => running,
                (None, Some(due)) => {
                    timer.insert(Box::pin(
                        async move { RealDeadline::lasting(due).end().await },
                    ))
                }
                (None, None) => return Poll::Pending,
            };
            ready!(running.as_mut().poll(context));
            timer = None;
            match looks.look() {
                None => {}
                Some(Dropped::Idle) => return Poll::Ready(Err(Dropped::Idle)),
                Some(Dropped::Unread) => {
                    tracing::warn!(
                        "a connection is closed whose client left an answer unread; what sets the \
                         time: --limit unread-answer-seconds=N"
                    );
                    return Poll::Ready(Err(Dropped::Unread));
                }
            }
        }
    })
    .await
}

/// Answers for somebody in this process, who may leave frames unread as long as he likes.
pub(super) async fn unattended<F: Future>(work: F) -> F::Output {
    let (frames, untaken) = (Cell::new(None), Untaken::within(None, None));
    WRITES.scope(Writes { frames, untaken }, work).await
}

async fn attended<F: Future + Unpin>(mut work: F) -> Result<F::Output, Dropped> {
    let mut watch = None;
    poll_fn(|context| {
        if let Poll::Ready(done) = Pin::new(&mut work).poll(context) {
            return Poll::Ready(Ok(done));
        }
        if let Some(unread) = WRITES.with(|writes| writes.frames.take()) {
            let timer = None;
            watch = Some(Watch { unread, timer });
        }
        let watch = watch.as_mut();
        watch.map_or(Poll::Pending, |watch| watch.poll(context).map(Err))
    })
    .await
}

struct Watch {
    unread: Arc<Unread>,
    /// Of a frame that was made at some time; it may be taken meanwhile.
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watch {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Dropped> {
        loop {
            let timer = match (&mut self.timer, self.unread.until()) {
                (Some(timer), _) => timer,
                (None, Some(until)) => self.timer.insert(Box::pin(until.end())),
                (None, None) => return Poll::Pending,
            };
            ready!(timer.as_mut().poll(context));
            self.timer = None;
            if self.unread.until().is_some_and(RealDeadline::is_over) {
                tracing::warn!(
                    subscriber = self.unread.subscriber,
                    "a subscriber is dropped that left an event unread for {} s; what sets the \
                     time: --limit unread-event-seconds=N",
                    self.unread.limit.as_secs()
                );
                return Poll::Ready(Dropped::Unread);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    const NEVER: Duration = Duration::MAX;

    #[tokio::test]
    async fn work_that_writes_no_frames_is_done() {
        assert_eq!(
            watched(std::future::ready(7), Untaken::within(None, None)).await,
            Ok(7)
        );
    }

    #[tokio::test]
    async fn a_body_that_nobody_asks_for_a_frame_is_dropped() {
        let work = Box::pin(async {
            let _unread = Unread::of("who".to_owned(), Duration::ZERO);
            pending::<()>().await;
        });
        assert_eq!(
            watched(work, Untaken::within(None, None)).await,
            Err(Dropped::Unread)
        );
    }

    #[tokio::test]
    async fn a_frame_that_is_left_after_others_were_taken_is_noticed() {
        let work = Box::pin(async {
            let unread = Unread::of("who".to_owned(), Duration::ZERO);
            for _ in 0..3 {
                unread.asked();
                tokio::task::yield_now().await;
                unread.made();
            }
            pending::<()>().await;
        });
        assert_eq!(
            watched(work, Untaken::within(None, None)).await,
            Err(Dropped::Unread)
        );
    }

    #[tokio::test]
    async fn a_client_that_waits_for_us_is_not_dropped_nor_one_that_has_time() {
        for limit in [Duration::ZERO, NEVER] {
            let work = Box::pin(async move {
                let unread = Unread::of("who".to_owned(), limit);
                for _ in 0..100 {
                    if limit.is_zero() {
                        unread.asked();
                    }
                    tokio::task::yield_now().await;
                }
            });
            assert_eq!(watched(work, Untaken::within(None, None)).await, Ok(()));
        }
    }
}

//! The committer as a value: the caller that opens a store gives it a thread or a task.

use crate::limits;
use crate::lock::Lock;
use crate::store::error::StoreError;
use crate::store::shared::settings::Durability;
use crate::store::shared::state::Shared;
use crate::world::Stopwatch;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

/// The work of a committer.
pub(crate) trait Commit: Send {
    fn shared(&self) -> &Arc<Shared>;
    /// Does the work there is.
    fn work(&mut self) -> io::Result<()>;
    /// The work failed.
    fn fail(&mut self, error: &io::Error);
    /// Closes the databases.
    fn close(self: Box<Self>);
}

/// A committer and the state that it shares with its closer.
struct Inner {
    shared: Arc<Shared>,
    /// The work, until the store is closed.
    work: Lock<Option<Box<dyn Commit>>>,
}

/// Commits what is written to a store. Without a thread or a task nothing becomes durable.
#[must_use = "nothing is committed before the committer runs"]
pub struct Committer(Arc<Inner>);

/// Ends a committer.
pub(crate) struct Closer(Arc<Inner>);

opaque!(Committer);

impl Committer {
    pub(crate) fn new(commit: Box<dyn Commit>) -> (Self, Closer) {
        let inner = Arc::new(Inner {
            shared: commit.shared().clone(),
            work: Lock::new(Some(commit)),
        });
        (Self(inner.clone()), Closer(inner))
    }

    /// Runs on a thread of its own until the store is closed.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn on_thread(self) -> io::Result<()> {
        let shared = self.0.shared.clone();
        let run = move || self.run();
        let thread = std::thread::Builder::new().name("committer".into());
        shared.signal.set_thread(thread.spawn(run)?.thread());
        Ok(())
    }

    fn run(self) {
        loop {
            self.0.shared.signal.wait();
            if !self.0.shared.signal.closing.load(Ordering::Acquire) {
                self.pause();
            }
            if !self.0.turn() {
                return;
            }
        }
    }

    /// Runs as a task, on a disk that is instant, until the store is closed.
    pub async fn run_as_task(self) {
        loop {
            self.0.shared.signal.woken().await;
            if !self.0.turn() {
                return;
            }
        }
    }

    /// Sleeps until the time of the work has come: more writes may join the commit meanwhile.
    fn pause(&self) {
        let shared = &self.0.shared;
        let pause = match shared.settings.durability {
            Durability::Always => limits::COMMIT_GAP,
            Durability::Interval(pause) => pause,
            Durability::None => limits::COMMIT_PAUSE,
        };
        let began = Stopwatch::start();
        let waits_for_more = || !(shared.is_always() && shared.pacer.is_complete());
        while !shared.signal.is_urgent() && waits_for_more() {
            let left = pause.saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            shared.signal.pause(left);
        }
    }
}

impl Inner {
    /// Does the work there is now; false when the store is closed.
    fn turn(&self) -> bool {
        let mut work = self.work.lock();
        let commit = work.as_mut();
        commit.map(|commit| turn(&mut **commit)).is_some()
    }

    /// Does the last turn, and closes the databases.
    fn finish(&self) -> Result<(), StoreError> {
        let Some(mut commit) = self.work.lock().take() else {
            return Ok(());
        };
        turn(&mut *commit);
        let result = self.shared.check();
        commit.close();
        result
    }
}

/// Does the work there is now.
fn turn(commit: &mut dyn Commit) {
    let shared = commit.shared().clone();
    shared.signal.clear();
    if shared.check().is_err() {
        return;
    }
    let work = catch_unwind(AssertUnwindSafe(|| commit.work()));
    let work = work.unwrap_or_else(|_| Err(io::Error::other("the committer panicked")));
    if let Err(error) = work {
        commit.fail(&error);
    }
}

impl Closer {
    /// Commits what is queued and closes the databases. Blocking, for a limited time: a disk may
    /// never answer.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        shared.signal.closing.store(true, Ordering::Release);
        shared.signal.wake_urgently();
        if shared.generations.disk.is_instant() {
            return self.0.finish();
        }
        let (sender, receiver) = channel();
        let inner = self.0.clone();
        let run = move || {
            // The receiver may have given up.
            let _late = sender.send(inner.finish());
        };
        let thread = std::thread::Builder::new().name("closing".into());
        let unable = |error: io::Error| StoreError::ReadOnly(error.to_string().into());
        thread.spawn(run).map_err(unable)?;
        // After a failed write the databases may never close, and have nothing to lose.
        let limit = match shared.failure() {
            Some(_) => limits::FAILED_STORE_CLOSE_LIMIT,
            None => limits::STORE_CLOSE_LIMIT,
        };
        let closed = receiver.recv_timeout(limit);
        closed.unwrap_or_else(|_| {
            let late = "the disk does not answer: the last records may not be durable";
            shared.set_failed(&io::Error::other(late));
            Err(StoreError::ReadOnly(late.into()))
        })
    }
}

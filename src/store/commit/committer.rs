//! The committer, which makes appended records durable. The code that opens a store runs the
//! committer in a thread or in a task.

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
use std::time::Duration;

/// The work of a committer. With a data directory, this work makes writes durable. Without a data
/// directory, it spills segments to temporary files.
pub(crate) trait Commit: Send {
    fn shared(&self) -> &Arc<Shared>;
    /// Does all work that is pending now: commits or spills, and then sweeps.
    fn work(&mut self) -> io::Result<()>;
    /// Makes the store refuse writes, because `work` has failed with `error`.
    fn fail(&mut self, error: &io::Error);
    /// Closes the databases of the store.
    fn close(self: Box<Self>);
}

/// The state that a `Committer` shares with its `Closer`.
struct Inner {
    shared: Arc<Shared>,
    /// The work of the committer. `None` after the store was closed.
    work: Lock<Option<Box<dyn Commit>>>,
}

/// Makes the writes to a store durable. The caller runs the committer in a thread or a task.
#[must_use = "nothing is committed before the committer runs"]
pub struct Committer(Arc<Inner>);

/// Closes a store. For this purpose, it lets the committer finish its work, and then closes the
/// databases.
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

    /// Runs the committer in a new thread until the store is closed.
    ///
    /// # Errors
    /// The operating system could not start the thread.
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
            if !self.0.do_pending_work() {
                return;
            }
        }
    }

    /// Runs the committer as a task until the store is closed. The disk must be instant
    /// (`Disk::is_instant`), because the calls of the disk block the thread of the task.
    pub async fn run_as_task(self) {
        loop {
            self.0.shared.signal.woken().await;
            if !self.0.do_pending_work() {
                return;
            }
        }
    }

    /// Waits until the next commit is due. Writes that come during the wait become part of that
    /// commit.
    fn pause(&self) {
        let shared = &self.0.shared;
        let pause = match shared.settings.durability {
            Durability::Always => limits::COMMIT_GAP,
            Durability::Interval { ms } => Duration::from_millis(ms),
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
    /// Does all work that is pending now. Returns false if the store was closed.
    fn do_pending_work(&self) -> bool {
        let mut work = self.work.lock();
        let commit = work.as_mut();
        commit
            .map(|commit| do_pending_work(&mut **commit))
            .is_some()
    }

    /// Does the last work of the committer, and closes the databases.
    fn finish(&self) -> Result<(), StoreError> {
        let Some(mut commit) = self.work.lock().take() else {
            return Ok(());
        };
        do_pending_work(&mut *commit);
        let result = self.shared.check();
        commit.close();
        result
    }
}

/// Does all work that is pending now. After a failure, makes the store refuse writes.
fn do_pending_work(commit: &mut dyn Commit) {
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
    /// Commits everything that waits for a commit, and closes the databases. Blocks the thread for
    /// a limited time, because the disk may never answer.
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
            // The send of the result fails if `close` no longer waits for the result.
            let _late = sender.send(inner.finish());
        };
        let thread = std::thread::Builder::new().name("closing".into());
        let unable = |error: io::Error| StoreError::ReadOnly(error.to_string().into());
        thread.spawn(run).map_err(unable)?;
        // After a failed write, the wait is shorter, because no commit will follow, and the closing
        // of the databases may block for ever.
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

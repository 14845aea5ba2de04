//! The signal that wakes the committer when it has work.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::Thread;
use std::time::Duration;
use tokio::sync::Notify;

const ASLEEP: u8 = 0;
const WORK: u8 = 1;
const URGENT: u8 = 2;

/// Wakes the committer, which runs in a thread or in a task.
#[derive(Debug, Default)]
pub(crate) struct CommitterSignal {
    level: AtomicU8,
    /// The thread of the committer. Set after the thread has started, and never set if the
    /// committer is a task.
    thread: OnceLock<Thread>,
    /// Wakes the committer if it is a task.
    task: Notify,
    /// True if the committer has to sweep, which means to remove or rewrite generations.
    pub(crate) sweep: AtomicBool,
    pub(crate) closing: AtomicBool,
}

impl CommitterSignal {
    /// Wakes the committer for work that may be done in the next regular commit.
    pub(crate) fn wake(&self) {
        self.raise(WORK);
    }

    /// Wakes the committer for work that must be done immediately.
    pub(crate) fn wake_urgently(&self) {
        self.raise(URGENT);
    }

    fn raise(&self, level: u8) {
        if self.level.load(Ordering::Relaxed) < level
            && self.level.fetch_max(level, Ordering::AcqRel) < level
        {
            match self.thread.get() {
                Some(thread) => thread.unpark(),
                // The committer is a task, or its thread has not started yet. A thread that starts
                // later finds that there is work, and does not wait.
                None => self.task.notify_one(),
            }
        }
    }

    /// Resets the signal. The committer calls this function when it begins its work, so that a
    /// later signal wakes the committer again.
    pub(crate) fn clear(&self) {
        self.level.store(ASLEEP, Ordering::Release);
    }

    /// Stores the thread of the committer. Must be called before the first write.
    pub(crate) fn set_thread(&self, thread: &Thread) {
        // The thread is set only once, because a store has only one committer.
        let _set_before = self.thread.set(thread.clone());
    }

    /// Blocks the committer's thread until the committer has work.
    pub(crate) fn wait(&self) {
        while self.level.load(Ordering::Acquire) == ASLEEP {
            std::thread::park();
        }
    }

    /// Blocks the committer's thread for the time `pause`, or until the next signal.
    pub(crate) fn pause(&self, pause: Duration) {
        std::thread::park_timeout(pause);
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.level.load(Ordering::Acquire) >= URGENT
    }

    /// Completes when the committer has work. May be called only if the committer is a task.
    pub(crate) async fn woken(&self) {
        self.task.notified().await;
    }
}

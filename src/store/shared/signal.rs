//! The signal that wakes the committer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::Thread;
use std::time::Duration;
use tokio::sync::Notify;

const ASLEEP: u8 = 0;
const WORK: u8 = 1;
const URGENT: u8 = 2;

/// Wakes the committer, which is a thread or a task.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    level: AtomicU8,
    /// The committer's thread, once it runs.
    thread: OnceLock<Thread>,
    /// For a committer that is a task.
    task: Notify,
    /// Generations may have to be removed.
    pub(crate) sweep: AtomicBool,
    pub(crate) closing: AtomicBool,
}

impl Signal {
    /// There is work, which may wait for its time.
    pub(crate) fn work(&self) {
        self.raise(WORK);
    }

    /// There is work that does not wait.
    pub(crate) fn urge(&self) {
        self.raise(URGENT);
    }

    fn raise(&self, level: u8) {
        if self.level.load(Ordering::Relaxed) < level
            && self.level.fetch_max(level, Ordering::AcqRel) < level
        {
            match self.thread.get() {
                Some(thread) => thread.unpark(),
                // A committer that does not run yet finds the level when it begins.
                None => self.task.notify_one(),
            }
        }
    }

    /// The committer begins its work: what is signalled from now on is for the next turn.
    pub(crate) fn clear(&self) {
        self.level.store(ASLEEP, Ordering::Release);
    }

    /// Names the committer's thread, before the first write.
    pub(crate) fn set_thread(&self, thread: &Thread) {
        // Set once: a store has one committer.
        let _set_before = self.thread.set(thread.clone());
    }

    /// Blocks the committer's thread until there is work.
    pub(crate) fn wait(&self) {
        while self.level.load(Ordering::Acquire) == ASLEEP {
            std::thread::park();
        }
    }

    /// Blocks the committer's thread for `pause` or until the next signal.
    pub(crate) fn pause(&self, pause: Duration) {
        std::thread::park_timeout(pause);
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.level.load(Ordering::Acquire) >= URGENT
    }

    /// Completes when a committer that is a task has work.
    pub(crate) async fn woken(&self) {
        self.task.notified().await;
    }
}

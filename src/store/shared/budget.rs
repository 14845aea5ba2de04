//! The write budget: back-pressure on writers.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The bytes that writers have reserved or appended, and their limit. With a data directory an
/// append counts until it is committed, without one until it is spilled or deleted.
#[derive(Debug)]
pub(crate) struct WriteBudget {
    level: AtomicU64,
    limit: AtomicU64,
    /// Writers over the limit are refused and do not wait: nothing can be spilled.
    refusing: AtomicBool,
    /// Number of writers that wait.
    waiting: AtomicUsize,
    eased: Notify,
}

impl WriteBudget {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            level: AtomicU64::new(0),
            limit: AtomicU64::new(limit.max(1)),
            refusing: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            eased: Notify::new(),
        }
    }

    /// Takes `bytes` if the level is below the limit. One writer may exceed the limit, so that a
    /// record of any size is taken.
    pub(crate) fn admit(&self, bytes: u64) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        if self.level.fetch_add(bytes, Ordering::SeqCst) < limit {
            return true;
        }
        self.level.fetch_sub(bytes, Ordering::SeqCst);
        false
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.level.fetch_add(bytes, Ordering::SeqCst);
    }

    pub(crate) fn release(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.level.fetch_sub(bytes, Ordering::SeqCst);
        // Both are sequentially consistent: either this sees the waiting writer, or the writer sees
        // the released bytes.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.eased.notify_waiters();
        }
    }

    pub(crate) fn level(&self) -> u64 {
        self.level.load(Ordering::Relaxed)
    }

    /// Sets the limit, and whether writers over it are refused.
    pub(crate) fn set_limit(&self, limit: u64, refusing: bool) {
        self.limit.store(limit.max(1), Ordering::Relaxed);
        self.refusing.store(refusing, Ordering::Release);
        self.eased.notify_waiters();
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }

    /// Wakes the writers that wait, so that they look at the state of the store.
    pub(crate) fn wake(&self) {
        self.eased.notify_waiters();
    }

    /// Counts a writer that waits, until the returned guard is dropped.
    pub(crate) fn begin_wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(&self.waiting)
    }

    /// Completes when bytes were released.
    pub(crate) fn eased(&self) -> Notified<'_> {
        self.eased.notified()
    }
}

/// A writer that waits, until this is dropped.
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

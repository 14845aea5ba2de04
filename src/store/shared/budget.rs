//! The budget for writes, which makes writers wait if the committer cannot keep up.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The number of bytes that writers have reserved or appended, and its limit. With a data
/// directory, appended bytes count until they are committed. Without a data directory, appended
/// bytes count until they are spilled or deleted.
#[derive(Debug)]
pub(crate) struct WriteBudget {
    level: AtomicU64,
    limit: AtomicU64,
    /// True if the store refuses writes above the limit, because nothing can be spilled. False if
    /// such writes wait.
    refusing: AtomicBool,
    /// Number of writers that wait for bytes of the budget.
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

    /// Tries to reserve `bytes` bytes. Reserves them and returns true if the used bytes are below
    /// the limit. Otherwise returns false. The reservation may exceed the limit, so that a record
    /// of any size can be written.
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
        // No wake-up is lost, because all operations are sequentially consistent. Either this load
        // sees the waiting writer, or the writer sees the released bytes.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.eased.notify_waiters();
        }
    }

    pub(crate) fn level(&self) -> u64 {
        self.level.load(Ordering::Relaxed)
    }

    /// Sets the limit of the budget. If `refusing` is true, the store refuses writes above the
    /// limit. Otherwise such writes wait.
    pub(crate) fn set_limit(&self, limit: u64, refusing: bool) {
        self.limit.store(limit.max(1), Ordering::Relaxed);
        self.refusing.store(refusing, Ordering::Release);
        self.eased.notify_waiters();
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }

    /// Wakes all waiting writers, so that they check the state of the store again.
    pub(crate) fn wake(&self) {
        self.eased.notify_waiters();
    }

    /// Counts the caller as a waiting writer until the returned guard is dropped.
    pub(crate) fn begin_wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(&self.waiting)
    }

    /// Completes when bytes become free, or when `wake` or `set_limit` is called.
    pub(crate) fn eased(&self) -> Notified<'_> {
        self.eased.notified()
    }
}

/// Counts one waiting writer until this value is dropped.
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

//! Back-pressure and tickets: what a writer holds before and after it appends.

use super::log::Log;
use super::{Shared, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Notify;

/// How many bytes are under way, and how many may be.
#[derive(Debug)]
pub(crate) struct Pressure {
    level: AtomicU64,
    limit: AtomicU64,
    /// Writers are refused, not kept waiting: nothing will make room but trimming.
    refusing: AtomicBool,
    /// Writers that wait; where there is none, nobody need be told.
    waiting: AtomicUsize,
    eased: Notify,
}

impl Pressure {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            level: AtomicU64::new(0),
            limit: AtomicU64::new(limit.max(1)),
            refusing: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            eased: Notify::new(),
        }
    }

    /// One writer may step over the limit, so that no record is too large to be taken.
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
        // Either this sees who waits, or who waits sees what is released.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.eased.notify_waiters();
        }
    }

    pub(crate) fn level(&self) -> u64 {
        self.level.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_beyond(&self, limit: u64) {
        self.limit.store(limit.max(1), Ordering::Relaxed);
        self.refusing.store(true, Ordering::Release);
        self.eased.notify_waiters();
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }

    pub(crate) fn wake(&self) {
        self.eased.notify_waiters();
    }
}

/// A writer that waits, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Room for the bytes of an append, given back unless it is used.
#[derive(Debug)]
pub struct WriteReservation {
    shared: Arc<Shared>,
    bytes: u64,
}

impl WriteReservation {
    pub(crate) async fn reserve(shared: &Arc<Shared>, bytes: u64) -> Result<Self, StoreError> {
        shared.check()?;
        if !shared.pressure.admit(bytes) {
            // In a box, so that those who need not wait do not carry the room for it.
            Box::pin(Self::wait(shared, bytes)).await?;
        }
        Ok(Self {
            shared: shared.clone(),
            bytes,
        })
    }

    /// Waits until the bytes are admitted.
    async fn wait(shared: &Shared, bytes: u64) -> Result<(), StoreError> {
        let pressure = &shared.pressure;
        let _waiting = Waiting::begin(&pressure.waiting);
        loop {
            let eased = pressure.eased.notified();
            tokio::pin!(eased);
            eased.as_mut().enable();
            shared.check()?;
            if pressure.admit(bytes) {
                return Ok(());
            }
            if pressure.is_refusing() {
                return Err(StoreError::Full);
            }
            shared.signal.urge();
            eased.await;
        }
    }

    /// Uses the room for `bytes`, more or fewer than were asked for.
    pub(crate) fn spend(mut self, bytes: u64) {
        let asked = std::mem::take(&mut self.bytes);
        match bytes.checked_sub(asked) {
            Some(more) => self.shared.pressure.add(more),
            None => self.shared.pressure.release(asked - bytes),
        }
    }
}

impl Drop for WriteReservation {
    fn drop(&mut self) {
        self.shared.pressure.release(self.bytes);
    }
}

/// The promise that a write becomes durable.
#[derive(Debug)]
#[must_use = "a write is durable only when its ticket says so"]
pub struct Ticket(pub(crate) Promise);

#[derive(Debug)]
pub(crate) enum Promise {
    /// Nothing to wait for.
    Ready,
    /// The store takes no more writes.
    Refused(StoreError),
    /// The records of a log before an index.
    Records(Arc<Log>, u64),
    /// Metadata saved as the nth.
    Metadata(Arc<Shared>, u64),
}

impl Ticket {
    /// Waits until what was written is durable: at once, unless every write is made so.
    pub async fn durable(self) -> Result<(), StoreError> {
        let shared = match &self.0 {
            Promise::Ready => return Ok(()),
            Promise::Refused(error) => return Err(error.clone()),
            Promise::Records(log, _) => log.shared().clone(),
            Promise::Metadata(shared, _) => shared.clone(),
        };
        let mut progress = shared.progress.subscribe();
        while !self.is_kept() {
            shared.check()?;
            if progress.changed().await.is_err() {
                return Err(StoreError::Closed);
            }
        }
        Ok(())
    }

    fn is_kept(&self) -> bool {
        match &self.0 {
            Promise::Ready => true,
            Promise::Refused(_) => false,
            Promise::Records(log, end) => log.durable() >= *end,
            Promise::Metadata(shared, number) => shared.saved.load(Ordering::Acquire) >= *number,
        }
    }
}

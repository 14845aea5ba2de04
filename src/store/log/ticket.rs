//! Write reservations and tickets: what a writer holds before and after an append.

use crate::store::error::StoreError;
use crate::store::shared::state::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reserved bytes of the write budget, given back unless an append uses them.
#[derive(Debug)]
pub struct WriteReservation {
    shared: Arc<Shared>,
    bytes: u64,
}

impl WriteReservation {
    pub(crate) async fn reserve(shared: &Arc<Shared>, bytes: u64) -> Result<Self, StoreError> {
        shared.check()?;
        if !shared.budget.admit(bytes) {
            // Boxed, so that the future of a writer that need not wait stays small.
            Box::pin(Self::wait(shared, bytes)).await?;
        }
        Ok(Self {
            shared: shared.clone(),
            bytes,
        })
    }

    /// Waits until the bytes are admitted.
    async fn wait(shared: &Shared, bytes: u64) -> Result<(), StoreError> {
        let budget = &shared.budget;
        let _waiting = budget.begin_wait();
        loop {
            let eased = budget.eased();
            tokio::pin!(eased);
            eased.as_mut().enable();
            shared.check()?;
            if budget.admit(bytes) {
                return Ok(());
            }
            if budget.is_refusing() {
                // The committer tries to spill again.
                shared.signal.urge();
                return Err(StoreError::Full);
            }
            shared.signal.urge();
            eased.await;
        }
    }

    /// Uses the reservation for an append of `bytes` bytes, more or fewer than were reserved.
    pub(super) fn spend(mut self, bytes: u64) {
        let reserved = std::mem::take(&mut self.bytes);
        match bytes.checked_sub(reserved) {
            Some(more) => self.shared.budget.add(more),
            None => self.shared.budget.release(reserved - bytes),
        }
    }
}

impl Drop for WriteReservation {
    fn drop(&mut self) {
        self.shared.budget.release(self.bytes);
    }
}

/// The promise that a write becomes durable.
#[derive(Debug, Clone)]
#[must_use = "a write is durable only when its ticket says so"]
pub struct Ticket(Promise);

#[derive(Debug, Clone)]
enum Promise {
    /// There is nothing to wait for.
    Ready,
    /// The store takes no more writes.
    Refused(StoreError),
    /// The write is durable when `reached` is at least `target`.
    Pending {
        shared: Arc<Shared>,
        reached: Arc<AtomicU64>,
        target: u64,
    },
}

impl Ticket {
    /// A ticket with nothing to wait for.
    pub(crate) fn ready() -> Self {
        Self(Promise::Ready)
    }

    pub(crate) fn refused(error: StoreError) -> Self {
        Self(Promise::Refused(error))
    }

    /// A ticket for a write that is durable when `reached` is at least `target`.
    pub(crate) fn pending(shared: &Arc<Shared>, reached: &Arc<AtomicU64>, target: u64) -> Self {
        Self(Promise::Pending {
            shared: shared.clone(),
            reached: reached.clone(),
            target,
        })
    }

    /// Waits until the write is durable, if writes wait for that at all.
    pub async fn durable(self) -> Result<(), StoreError> {
        let (shared, reached, target) = match self.0 {
            Promise::Ready => return Ok(()),
            Promise::Refused(error) => return Err(error),
            Promise::Pending {
                shared,
                reached,
                target,
            } => (shared, reached, target),
        };
        let mut progress = shared.progress.subscribe();
        while reached.load(Ordering::Acquire) < target {
            shared.check()?;
            if progress.changed().await.is_err() {
                return Err(StoreError::Closed);
            }
        }
        Ok(())
    }
}

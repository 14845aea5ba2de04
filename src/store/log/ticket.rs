//! Write reservations and tickets. A writer holds a reservation before an append, and a ticket
//! after it.

use crate::store::error::StoreError;
use crate::store::shared::state::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reserved bytes of the write budget. They are released when the reservation is dropped without an
/// append.
#[derive(Debug)]
pub struct WriteReservation {
    shared: Arc<Shared>,
    bytes: u64,
}

impl WriteReservation {
    pub(crate) async fn reserve(shared: &Arc<Shared>, bytes: u64) -> Result<Self, StoreError> {
        shared.check()?;
        if !shared.budget.admit(bytes) {
            // Boxed, so that the future of a writer that does not wait stays small.
            Box::pin(Self::wait(shared, bytes)).await?;
        }
        Ok(Self {
            shared: shared.clone(),
            bytes,
        })
    }

    /// Waits until the budget admits the bytes.
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
                // Makes the committer try again to spill.
                shared.signal.wake_urgently();
                return Err(StoreError::Full);
            }
            shared.signal.wake_urgently();
            eased.await;
        }
    }

    /// Replaces the reserved bytes by the actual bytes of an append, which may be more or fewer.
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

/// Resolves when a write has become durable.
#[derive(Debug, Clone)]
#[must_use = "a write is durable only when its ticket says so"]
pub struct Ticket(Promise);

#[derive(Debug, Clone)]
enum Promise {
    /// The write is durable, or its durability is not waited for.
    Ready,
    /// The store does not accept writes any more.
    Refused(StoreError),
    /// The write is durable when `reached` is at least `target`.
    Pending {
        shared: Arc<Shared>,
        reached: Arc<AtomicU64>,
        target: u64,
    },
}

impl Ticket {
    /// A ticket that resolves at once.
    pub(crate) fn ready() -> Self {
        Self(Promise::Ready)
    }

    pub(crate) fn refused(error: StoreError) -> Self {
        Self(Promise::Refused(error))
    }

    /// A ticket that resolves when `reached` is at least `target`.
    pub(crate) fn pending(shared: &Arc<Shared>, reached: &Arc<AtomicU64>, target: u64) -> Self {
        Self(Promise::Pending {
            shared: shared.clone(),
            reached: reached.clone(),
            target,
        })
    }

    /// Waits until the write is durable. Returns at once if the settings do not promise durability
    /// before the acknowledgement.
    ///
    /// # Errors
    /// Returns an error if the write was refused, or if its commit failed.
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

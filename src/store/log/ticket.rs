//! Write reservations and tickets. A writer gets a reservation before an append, and a ticket after
//! the append.

use crate::store::error::StoreError;
use crate::store::shared::state::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of the budget for writes that a writer has reserved. Dropping the reservation without an
/// append gives the bytes back to the budget.
#[derive(Debug)]
pub struct WriteReservation {
    shared: Arc<Shared>,
    bytes: u64,
}

impl WriteReservation {
    pub(crate) async fn reserve(shared: &Arc<Shared>, bytes: u64) -> Result<Self, StoreError> {
        shared.check()?;
        if !shared.budget.admit(bytes) {
            // The future of the wait is boxed, so that the future of a writer that need not wait
            // stays small.
            Box::pin(Self::wait(shared, bytes)).await?;
        }
        Ok(Self {
            shared: shared.clone(),
            bytes,
        })
    }

    /// Waits until the budget for writes has bytes free, and then takes `bytes` bytes.
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
                // Wake the committer, so that it tries again to spill records.
                shared.signal.wake_urgently();
                return Err(StoreError::Full);
            }
            shared.signal.wake_urgently();
            eased.await;
        }
    }

    /// Corrects the number of reserved bytes to `bytes`, the number of bytes that the append took.
    /// This number may be greater or smaller than the number of reserved bytes.
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

/// The result of a write. The caller waits with `Ticket::durable` until the write is durable.
#[derive(Debug, Clone)]
#[must_use = "a write is durable only when its ticket says so"]
pub struct Ticket(Result<Option<Pending>, StoreError>);

/// A write that waits for its commit. The write is durable when the counter `reached` has the value
/// `target` or a greater one.
#[derive(Debug, Clone)]
struct Pending {
    shared: Arc<Shared>,
    reached: Arc<AtomicU64>,
    target: u64,
}

impl Ticket {
    /// Creates a ticket for which `Ticket::durable` returns immediately.
    pub(crate) fn ready() -> Self {
        Self(Ok(None))
    }

    /// Creates the ticket of a write that the store refuses with `error`.
    pub(crate) fn refused(error: StoreError) -> Self {
        Self(Err(error))
    }

    /// Creates the ticket of a write that is durable when the counter `reached` has the value
    /// `target` or a greater one.
    pub(crate) fn pending(shared: &Arc<Shared>, reached: &Arc<AtomicU64>, target: u64) -> Self {
        Self(Ok(Some(Pending {
            shared: shared.clone(),
            reached: reached.clone(),
            target,
        })))
    }

    /// Waits until the write is durable. Returns immediately if the settings allow an
    /// acknowledgement before the write is durable.
    ///
    /// # Errors
    /// The write was refused, or its commit failed.
    pub async fn durable(self) -> Result<(), StoreError> {
        let Some(pending) = self.0? else {
            return Ok(());
        };
        let mut progress = pending.shared.progress.subscribe();
        while pending.reached.load(Ordering::Acquire) < pending.target {
            pending.shared.check()?;
            if progress.changed().await.is_err() {
                return Err(StoreError::Closed);
            }
        }
        Ok(())
    }
}

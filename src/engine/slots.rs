//! Limits the number of operations of one kind that are in progress at the same time.

use crate::limits::Limit;
use crate::world::Bell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the operations of one kind that are in progress.
#[derive(Debug, Default)]
pub(super) struct Slots(Arc<InUse>);

/// The slot of an operation in progress. Dropping this value frees the slot.
#[derive(Debug)]
pub(super) struct Slot(Arc<InUse>);

#[derive(Debug, Default)]
struct InUse {
    count: AtomicU64,
    /// Rings when the last slot becomes free.
    all_free: Option<Bell>,
}

impl Slots {
    /// Counts operations, and rings `all_free` whenever no operation is in progress any more.
    pub(super) fn ringing(all_free: Bell) -> Self {
        Self(Arc::new(InUse {
            count: AtomicU64::new(0),
            all_free: Some(all_free),
        }))
    }

    /// Takes a slot for a new operation.
    ///
    /// # Errors
    /// Returns the limit `most` if that many slots are already in use.
    pub(super) fn take(&self, most: Limit) -> Result<Slot, u64> {
        let before = self.0.count.fetch_add(1, Ordering::Relaxed);
        let slot = Slot(self.0.clone());
        match most.filter(|most| before >= *most) {
            None => Ok(slot),
            Some(most) => Err(most),
        }
    }

    /// Number of operations in progress.
    pub(super) fn in_use(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let before = self.0.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(bell) = self.0.all_free.as_ref().filter(|_| before == 1) {
            bell.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_once_it_is_dropped() {
        let slots = Slots::default();
        let first = slots.take(Some(1)).unwrap();
        assert_eq!(slots.take(Some(1)).unwrap_err(), 1);
        assert_eq!(slots.in_use(), 1);
        let second = slots.take(None).unwrap();
        drop((first, second));
        assert_eq!(slots.in_use(), 0);
        assert!(slots.take(Some(1)).is_ok());
    }
}

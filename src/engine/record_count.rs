//! Counts the records of a stream, so that tests can wait for a number of records.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use tokio::sync::Notify;

/// Number of acknowledged records of a stream since the last clear of the stream. Snapshots contain
/// this number. A start with a data directory begins with the number of readable records.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct RecordCount {
    count: AtomicU64,
    /// Number of callers that wait for a record count. Writers send no notification while this
    /// number is zero.
    waiting: AtomicUsize,
    changed: Notify,
    /// True after the stream was deleted, so that no further record will be counted.
    has_ended: AtomicBool,
}

/// Error of a wait for records: the stream was deleted during the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDeleted;

impl RecordCount {
    /// Adds `records` acknowledged records, and wakes the waiting callers.
    pub(super) fn add(&self, records: u64) {
        if records == 0 {
            return;
        }
        self.count.fetch_add(records, SeqCst);
        // The addition and this load are sequentially consistent. Therefore the load sees the
        // waiting caller, or the caller sees the new count.
        if self.waiting.load(SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// Sets the count. The clear of a stream sets the count to zero. The load of a snapshot sets it
    /// to the count in the snapshot. A start sets it to the number of readable records.
    pub(super) fn set(&self, records: u64) {
        self.count.store(records, SeqCst);
    }

    pub(super) fn get(&self) -> u64 {
        self.count.load(SeqCst)
    }

    /// Ends the waits of all callers with an error, because the stream is deleted.
    pub(super) fn end(&self) {
        self.has_ended.store(true, SeqCst);
        self.changed.notify_waiters();
    }

    /// Waits until the record count is at least `wanted`. A drop of the returned future ends the
    /// wait.
    ///
    /// # Errors
    /// Returns an error if the stream is deleted before the count reaches `wanted`.
    pub(super) async fn reach(&self, wanted: u64) -> Result<(), StreamDeleted> {
        let _waiting = Waiting::begin(&self.waiting);
        loop {
            let changed = self.changed.notified();
            if self.get() >= wanted {
                return Ok(());
            }
            if self.has_ended.load(SeqCst) {
                return Err(StreamDeleted);
            }
            changed.await;
        }
    }
}

/// A caller that waits for records. `RecordCount::waiting` counts the caller until this value is
/// dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_wait_ends_with_the_record_that_completes_the_number() {
        let count = Arc::new(RecordCount::default());
        let waiting = {
            let count = count.clone();
            async move { count.reach(3).await }
        };
        let mut waiting = std::pin::pin!(waiting);
        let poll = |waiting: std::pin::Pin<&mut _>| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            Future::poll(waiting, &mut context).is_ready()
        };
        for ready in [false, false, true] {
            assert!(!poll(waiting.as_mut()));
            count.add(1);
            if ready {
                assert!(poll(waiting.as_mut()));
            }
        }
        count.set(0);
        assert_eq!(count.get(), 0);
    }

    #[tokio::test]
    async fn a_wait_ends_with_the_stream() {
        let count = RecordCount::default();
        count.add(1);
        let mut waiting = std::pin::pin!(count.reach(2));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        count.end();
        assert_eq!(waiting.await, Err(StreamDeleted));
        assert_eq!(count.reach(1).await, Ok(()));
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_is_forgotten() {
        let count = RecordCount::default();
        {
            let mut waiting = std::pin::pin!(count.reach(1));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert_eq!(count.waiting.load(SeqCst), 1);
        }
        assert_eq!(count.waiting.load(SeqCst), 0);
    }
}

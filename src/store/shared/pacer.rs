//! Ends the wait of the committer for further appends, in stores whose writers wait for their
//! commits.

use std::sync::atomic::{AtomicU64, Ordering};

/// Predicts the number of appends for which the next commit should wait. The prediction is the sum
/// of the appends in the last commit, whose writers are likely to write again after the answer, and
/// of the appends that came too late for that commit. A single writer therefore does not wait.
#[derive(Debug, Default)]
pub(crate) struct CommitPacer {
    expected: AtomicU64,
    /// Number of appends since the last commit began.
    appended: AtomicU64,
}

impl CommitPacer {
    /// Counts an append. Returns true if all expected appends have arrived.
    pub(crate) fn count_append(&self) -> bool {
        let appended = self.appended.fetch_add(1, Ordering::Relaxed) + 1;
        appended >= self.expected.load(Ordering::Relaxed)
    }

    /// Returns the number of appends since the last commit began, and resets it to zero.
    pub(crate) fn take(&self) -> u64 {
        self.appended.swap(0, Ordering::Relaxed)
    }

    /// Notes that a commit served `served` appends.
    pub(crate) fn served(&self, served: u64) {
        let late = self.appended.load(Ordering::Relaxed);
        self.expected.store(served + late, Ordering::Relaxed);
    }

    /// True if all expected appends have arrived.
    pub(crate) fn is_complete(&self) -> bool {
        self.appended.load(Ordering::Relaxed) >= self.expected.load(Ordering::Relaxed)
    }
}

//! The pace of commits when every write waits for one.

use std::sync::atomic::{AtomicU64, Ordering};

/// Guesses the number of appends that come soon: one from each writer that the last commit served,
/// which writes again after its answer, and the appends that were too late for that commit. A lone
/// writer does not wait.
#[derive(Debug, Default)]
pub(crate) struct CommitPacer {
    expected: AtomicU64,
    /// Appends since the last commit began.
    appended: AtomicU64,
}

impl CommitPacer {
    /// Counts an append; true when no other is expected.
    pub(crate) fn count_append(&self) -> bool {
        let appended = self.appended.fetch_add(1, Ordering::Relaxed) + 1;
        appended >= self.expected.load(Ordering::Relaxed)
    }

    /// Takes the number of appends since the last commit began, and resets it.
    pub(crate) fn take(&self) -> u64 {
        self.appended.swap(0, Ordering::Relaxed)
    }

    /// A commit served `served` appends.
    pub(crate) fn served(&self, served: u64) {
        let late = self.appended.load(Ordering::Relaxed);
        self.expected.store(served + late, Ordering::Relaxed);
    }

    /// True when every expected append has come.
    pub(crate) fn is_complete(&self) -> bool {
        self.appended.load(Ordering::Relaxed) >= self.expected.load(Ordering::Relaxed)
    }
}

//! Predicts the number of appends for which a commit waits, if writers wait for their commits.

use crate::limits::AWAITED_APPENDS;
use std::sync::atomic::{AtomicU64, Ordering};

/// Predicts the number of appends for which the next commit should wait. The writers of the last
/// commit are likely to write again after their answer, so the number includes their appends. The
/// number also includes the appends that came too late for the last commit. Therefore the commit of
/// a single writer does not wait for other writers.
#[derive(Debug, Default)]
pub(crate) struct CommitPacer {
    expected: AtomicU64,
    /// Number of appends since the last commit began.
    appended: AtomicU64,
}

impl CommitPacer {
    /// Counts one append. Returns true if all expected appends have come.
    pub(crate) fn count_append(&self) -> bool {
        let appended = self.appended.fetch_add(1, Ordering::Relaxed) + 1;
        appended >= self.expected.load(Ordering::Relaxed)
    }

    /// Returns the number of appends since the last commit began, and resets it to zero.
    pub(crate) fn take(&self) -> u64 {
        self.appended.swap(0, Ordering::Relaxed)
    }

    /// Notes that the last commit contained `served` appends.
    pub(crate) fn served(&self, served: u64) {
        let late = self.appended.load(Ordering::Relaxed);
        let expected = (served + late).min(AWAITED_APPENDS);
        self.expected.store(expected, Ordering::Relaxed);
    }

    /// Returns true if all expected appends have come.
    pub(crate) fn is_complete(&self) -> bool {
        self.appended.load(Ordering::Relaxed) >= self.expected.load(Ordering::Relaxed)
    }
}

//! Deadlines in real time, also with a virtual clock: for peers that do not answer.
#![allow(
    clippy::disallowed_methods,
    reason = "the wait for a silent peer ends in real time"
)]

use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A moment of real time, at which the wait for a peer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealDeadline(Instant);

impl RealDeadline {
    /// The deadline `time` from now.
    pub fn lasting(time: Duration) -> Self {
        let now = Instant::now();
        // A deadline beyond the range of the clock is put a century away.
        Self(now.checked_add(time).unwrap_or(now + CENTURY))
    }

    /// True when the deadline has passed.
    pub fn is_over(self) -> bool {
        self.0 <= Instant::now()
    }

    /// The result of `work`; `None` when the deadline passes before.
    pub async fn with<F: Future>(self, work: F) -> Option<F::Output> {
        timeout_at(self.0, work).await.ok()
    }

    /// Returns at the deadline.
    pub async fn end(self) {
        sleep_until(self.0).await;
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

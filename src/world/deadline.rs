//! RealDeadline with a peer: it ends in real time, whatever the clock.
#![allow(
    clippy::disallowed_methods,
    reason = "a peer that does nothing is waited for in real time"
)]

use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// When the patience with a peer that is to do something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealDeadline(Instant);

impl RealDeadline {
    /// RealDeadline for so long from now on.
    pub fn lasting(time: Duration) -> Self {
        let now = Instant::now();
        // Somebody who waits for a century does not see the difference to for ever.
        Self(now.checked_add(time).unwrap_or(now + CENTURY))
    }

    /// Whether it has ended.
    pub fn is_over(self) -> bool {
        self.0 <= Instant::now()
    }

    /// What `work` gives, unless the patience with it ends before.
    pub async fn with<F: Future>(self, work: F) -> Option<F::Output> {
        timeout_at(self.0, work).await.ok()
    }

    /// Returns when it has ended.
    pub async fn end(self) {
        sleep_until(self.0).await;
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

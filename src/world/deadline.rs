//! Deadlines in real time, even if the emulator has a virtual clock. A deadline limits the time for
//! which the program waits for a peer.
#![allow(
    clippy::disallowed_methods,
    reason = "the wait for a silent peer ends in real time"
)]

use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A moment of real time at which a wait for a peer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealDeadline(Instant);

impl RealDeadline {
    /// Returns the deadline that is `time` after the present moment.
    pub fn lasting(time: Duration) -> Self {
        let now = Instant::now();
        // The deadline is a century from now if `now + time` exceeds the range of `Instant`.
        Self(now.checked_add(time).unwrap_or(now + CENTURY))
    }

    /// Returns true if the deadline has passed.
    pub fn is_over(self) -> bool {
        self.0 <= Instant::now()
    }

    /// Runs `work` until the deadline. Returns the result of `work`, or `None` if `work` did not
    /// end before the deadline.
    pub async fn with<F: Future>(self, work: F) -> Option<F::Output> {
        timeout_at(self.0, work).await.ok()
    }

    /// Waits until the deadline.
    pub async fn end(self) {
        sleep_until(self.0).await;
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

//! A time that follows the machine's clock but never goes back.
//!
//! If the machine's clock is set back, this time continues at normal speed. If the step back was
//! one hour, this time is one hour ahead of the machine's clock. If the machine's clock is set
//! forward, this time follows immediately. Because this time never goes back, rates, deadlines,
//! ages of iterators and arrival times need no special case.
#![allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]

use super::timestamp::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the time of the machine's clock since 1970. Returns zero if the clock shows a time
/// before 1970.
pub(super) fn since_1970() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

/// The steady time that follows the machine's clock. All emulators in this process share it.
pub(super) static STEADY: LazyLock<SteadyTime> = LazyLock::new(SteadyTime::new);

/// A time that follows the machine's clock forward but never goes back.
#[derive(Debug)]
pub(super) struct SteadyTime {
    start: Instant,
    /// The greatest difference so far between the machine's clock and the time since `start`, in
    /// microseconds.
    offset_us: AtomicI64,
}

impl SteadyTime {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            offset_us: AtomicI64::new(i64::MIN),
        }
    }

    /// Returns the present steady time. `wall` is the time of the machine's clock, which the caller
    /// has read before this function reads the time since `start`. After a pause between the two
    /// reads, `wall` is too early, but never too late. Therefore the steady time never jumps ahead
    /// of the machine's clock.
    pub(super) fn now(&self, wall: Duration) -> Timestamp {
        self.at(wall, self.start.elapsed())
    }

    fn at(&self, wall: Duration, since_start: Duration) -> Timestamp {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let since_start_us = micros(since_start);
        let offset_us = micros(wall).saturating_sub(since_start_us);
        let greatest_us = self.offset_us.load(Ordering::Relaxed);
        if offset_us > greatest_us {
            self.offset_us.fetch_max(offset_us, Ordering::Relaxed);
        }
        let now_us = greatest_us.max(offset_us).saturating_add(since_start_us);
        Timestamp::from_millis(now_us.div_euclid(1000))
    }
}

/// A clock that shows the time of the machine's clock plus a shift that a test sets.
#[derive(Debug)]
pub struct ShiftedClock {
    steady: SteadyTime,
    shift_ms: AtomicU64,
}

impl ShiftedClock {
    /// Creates a clock that is `shift_ms` milliseconds ahead of the machine's clock.
    pub fn ahead_by(shift_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            steady: SteadyTime::new(),
            shift_ms: AtomicU64::new(shift_ms),
        })
    }

    /// Sets the clock `shift_ms` milliseconds ahead of the machine's clock.
    pub fn set_ahead_by(&self, shift_ms: u64) {
        self.shift_ms.store(shift_ms, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Timestamp {
        let shift = Duration::from_millis(self.shift_ms.load(Ordering::Relaxed));
        self.steady.now(since_1970() + shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_of_the_machines_clock_does_not_stop_the_time() {
        let steady = SteadyTime::new();
        let hour = Duration::from_secs(3_600);
        let at = |wall: Duration, since_start_ms| {
            let since_start = Duration::from_millis(since_start_ms);
            steady.at(wall, since_start).millis()
        };
        let wall = |ms| Duration::from_secs(1_700_000_000) + Duration::from_millis(ms);
        assert_eq!(at(wall(0), 0), 1_700_000_000_000);
        assert_eq!(at(wall(7), 7), 1_700_000_000_007);
        assert_eq!(at(wall(8) - hour, 8), 1_700_000_000_008);
        assert_eq!(at(wall(5_000) - hour, 5_000), 1_700_000_005_000);
        assert_eq!(at(wall(6_000) + hour, 6_000), 1_700_003_606_000);
        assert_eq!(at(wall(6_001), 6_001), 1_700_003_606_001);
    }
}

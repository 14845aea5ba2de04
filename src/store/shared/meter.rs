//! Meters of published bytes, which wake the deliveries of channels.

use crate::lock::Lock;
use crate::world::Bell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// The meters of the deliveries of one stream's channels.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// Number of meters that are counting. While the number is 0, the publication of records costs
    /// only one load.
    armed: AtomicUsize,
    all: Lock<Vec<Arc<Dial>>>,
}

/// The counter and the bell of a meter. The publication of records changes the counter.
#[derive(Debug)]
struct Dial {
    /// Number of bytes until the bell rings. 0 or less if the meter is not counting.
    left: AtomicI64,
    bell: Bell,
}

/// Rings a bell once, as soon as a given number of bytes has been published in a stream. Dropping
/// the meter ends its count.
#[derive(Debug)]
pub(crate) struct Meter {
    meters: Arc<Meters>,
    dial: Arc<Dial>,
}

impl Meters {
    /// Adds `bytes`, a number of published bytes, to all meters that are counting.
    pub(super) fn count(&self, bytes: u64) {
        if self.armed.load(Ordering::Relaxed) > 0 {
            self.count_armed(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    #[cold]
    fn count_armed(&self, bytes: i64) {
        for dial in self.all.lock().iter() {
            if dial.left.load(Ordering::Relaxed) <= 0 {
                continue;
            }
            let before = dial.left.fetch_sub(bytes, Ordering::Relaxed);
            if before > 0 && before <= bytes {
                self.armed.fetch_sub(1, Ordering::Relaxed);
                dial.bell.ring();
            }
        }
    }
}

impl Meter {
    /// Creates a meter of the published bytes of one stream. The meter rings `bell`. The meter does
    /// not count before `arm` is called.
    pub(crate) fn new(meters: Arc<Meters>, bell: Bell) -> Self {
        let dial = Arc::new(Dial {
            left: AtomicI64::new(0),
            bell,
        });
        meters.all.lock().push(dial.clone());
        Self { meters, dial }
    }

    /// Begins to count. The bell rings when `bytes` further bytes have been published. A task must
    /// call this function, then read the logs once more, and only then wait. The meter then counts
    /// each record that this last read misses.
    pub(crate) fn arm(&self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).max(1);
        let before = self.dial.left.swap(bytes, Ordering::Relaxed);
        if before <= 0 {
            self.meters.armed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends the count. `arm` begins the next count.
    pub(crate) fn disarm(&self) {
        if self.dial.left.swap(0, Ordering::Relaxed) > 0 {
            self.meters.armed.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.disarm();
        let mut all = self.meters.all.lock();
        all.retain(|dial| !Arc::ptr_eq(dial, &self.dial));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Alarm, Clock};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_woken(alarm: &mut Alarm) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(alarm.wait(None)).poll(&mut context) == Poll::Ready(())
    }

    #[test]
    fn a_meter_rings_once_when_its_bytes_were_published() {
        let meters = Arc::new(Meters::default());
        let mut alarm = Clock::System.alarm();
        let meter = Meter::new(meters.clone(), alarm.bell());
        meters.count(50);
        assert!(!is_woken(&mut alarm), "it is not armed yet");
        meter.arm(100);
        meters.count(60);
        assert!(!is_woken(&mut alarm));
        meters.count(40);
        assert!(is_woken(&mut alarm));
        meters.count(1000);
        assert!(!is_woken(&mut alarm));
        assert_eq!(meters.armed.load(Ordering::Relaxed), 0);
        meter.arm(1);
        meter.arm(10);
        meters.count(5);
        assert!(!is_woken(&mut alarm));
        assert_eq!(meters.armed.load(Ordering::Relaxed), 1);
        meter.disarm();
        meters.count(50);
        assert!(!is_woken(&mut alarm));
        meter.arm(10);
        drop(meter);
        assert_eq!(meters.armed.load(Ordering::Relaxed), 0);
        assert!(meters.all.lock().is_empty());
    }
}

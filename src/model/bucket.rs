//! Token buckets, which limit rates with a precision of one millisecond.

use crate::world::Timestamp;

/// A token bucket that refills continuously. Its capacity is the number of tokens that it refills
/// in one second.
///
/// The level is stored in thousandths of a token. The refill of one millisecond is then a whole
/// number, and nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The number of tokens that the bucket refills in one second. This number is also the
    /// capacity.
    per_second: i64,
    /// The number of tokens in the bucket at the time `last`, in thousandths of a token. The number
    /// is negative while the bucket is in debt, because [`Self::take`] or [`Self::debit`] took more
    /// tokens than the bucket had.
    level_thousandths: i64,
    last: Timestamp,
}

impl Bucket {
    /// The largest refill in tokens per second. A larger refill is reduced to this number, so that
    /// the capacity in thousandths of a token fits in an `i64`.
    const MAX_PER_SECOND: u64 = (i64::MAX / 4000) as u64;

    /// Creates a full bucket that refills `per_second` tokens in a second. A bucket with a refill
    /// of 0 never grants a token.
    pub(crate) fn new(per_second: u64, now: Timestamp) -> Self {
        let per_second = per_second.min(Self::MAX_PER_SECOND) as i64;
        Self {
            per_second,
            level_thousandths: per_second * 1000,
            last: now,
        }
    }

    /// True if the number of tokens in the bucket at the time `now` equals the capacity.
    pub(crate) fn is_full(&self, now: Timestamp) -> bool {
        self.level_at(now) >= self.capacity_thousandths()
    }

    /// True if [`Self::take`] would succeed with the same arguments. Takes no tokens.
    pub(crate) fn would_take(&self, now: Timestamp, amount: u64) -> bool {
        // A full bucket grants every amount. Otherwise an amount above the capacity could never be
        // granted.
        let covered = thousandths(amount).min(self.capacity_thousandths());
        self.level_at(now) >= covered && (self.per_second > 0 || amount == 0)
    }

    /// Takes `amount` tokens if the bucket holds at least this number. Returns true on success.
    ///
    /// A full bucket also grants an amount above its capacity. The bucket is then in debt, and
    /// grants nothing until the refill has paid the debt. The average rate therefore equals the
    /// refill.
    pub(crate) fn take(&mut self, now: Timestamp, amount: u64) -> bool {
        let taken = self.would_take(now, amount);
        if taken {
            self.debit(now, amount);
        }
        taken
    }

    /// True if the bucket is not in debt at the time `now`, and its refill is not 0. Call this
    /// function before work whose cost in tokens is unknown, and take the cost with [`Self::debit`]
    /// afterwards.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        self.level_at(now) >= 0 && self.per_second > 0
    }

    /// Takes `amount` tokens, even if the bucket holds fewer. In this case the bucket is in debt
    /// afterwards.
    pub(crate) fn debit(&mut self, now: Timestamp, amount: u64) {
        self.level_thousandths = self.level_at(now).saturating_sub(thousandths(amount));
        self.last = self.last.max(now);
    }

    /// Returns the number of tokens in the bucket at `now`, in thousandths of a token. A time `now`
    /// before the last change of the bucket gives no refill.
    fn level_at(&self, now: Timestamp) -> i64 {
        let refill = self.per_second.saturating_mul(now.millis_since(self.last));
        self.level_thousandths
            .saturating_add(refill)
            .min(self.capacity_thousandths())
    }

    fn capacity_thousandths(&self) -> i64 {
        self.per_second * 1000
    }
}

fn thousandths(amount: u64) -> i64 {
    i64::try_from(amount)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_bucket_gives_one_seconds_worth_at_once_and_then_its_rate() {
        let mut bucket = Bucket::new(5, at(0));
        assert_eq!(
            [(); 6].map(|()| bucket.take(at(0), 1)),
            [true, true, true, true, true, false]
        );
        assert!(!bucket.take(at(199), 1));
        assert!(bucket.take(at(200), 1));
        assert!(!bucket.take(at(399), 1));
        assert!(bucket.would_take(at(400), 1));
        assert!(bucket.take(at(400), 1));
    }

    #[test]
    fn more_than_the_capacity_waits_for_a_full_bucket_and_leaves_a_debt() {
        let mut bucket = Bucket::new(1000, at(0));
        assert!(bucket.take(at(0), 1));
        assert!(!bucket.take(at(0), 5000));
        assert!(bucket.take(at(1), 5000));
        assert!(!bucket.take(at(4000), 1));
        assert!(!bucket.take(at(4001), 1));
        assert!(bucket.take(at(4002), 1));
    }

    #[test]
    fn a_debt_is_paid_before_the_next_admission() {
        let mut bucket = Bucket::new(2_097_152, at(0));
        assert!(bucket.admits(at(0)));
        bucket.debit(at(0), 10_485_760);
        assert!(!bucket.admits(at(3999)));
        assert!(bucket.admits(at(4000)));
    }

    #[test]
    fn a_bucket_of_nothing_gives_nothing() {
        let mut bucket = Bucket::new(0, at(0));
        assert!(!bucket.take(at(0), 1));
        assert!(!bucket.take(at(i64::MAX), 1));
        assert!(!bucket.admits(at(i64::MAX)));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut bucket = Bucket::new(u64::MAX, at(i64::MIN));
        assert!(bucket.take(at(i64::MAX), u64::MAX));
        bucket.debit(at(i64::MAX), u64::MAX);
        assert!(!bucket.take(at(i64::MAX), u64::MAX));
        assert!(!bucket.admits(at(i64::MIN)));
    }

    proptest! {
        #[test]
        fn no_window_gives_more_than_the_capacity_and_the_refill(
            rate in 1_u64..2000,
            steps in proptest::collection::vec((0_i64..700, 0_u64..2000), 1..60),
        ) {
            let mut bucket = Bucket::new(rate, at(0));
            let mut now = 0;
            let mut taken: Vec<(i64, u64)> = Vec::new();
            for (gone, amount) in steps {
                now += gone;
                let amount = amount.min(rate);
                if bucket.take(at(now), amount) {
                    taken.push((now, amount));
                }
            }
            for (first, (start, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, amount) in &taken[first..] {
                    sum += amount;
                    let refill = rate * (end - start) as u64;
                    prop_assert!(sum * 1000 <= rate * 1000 + refill);
                }
            }
        }

        #[test]
        fn waiting_in_small_steps_is_waiting_at_once(
            rate in 1_u64..2000, steps in proptest::collection::vec(0_i64..100, 0..30),
        ) {
            let (mut small, mut large) = (Bucket::new(rate, at(0)), Bucket::new(rate, at(0)));
            small.debit(at(0), 10 * rate);
            large.debit(at(0), 10 * rate);
            let end = steps.iter().sum();
            let mut now = 0;
            for step in steps {
                now += step;
                small.debit(at(now), 0);
            }
            large.debit(at(end), 0);
            prop_assert_eq!(small, large);
        }

        #[test]
        fn time_that_goes_backwards_changes_nothing(
            rate in 1_u64..2000, amount in 0_u64..2000, back in 0_i64..5000,
        ) {
            let mut bucket = Bucket::new(rate, at(1000));
            bucket.debit(at(1000), amount);
            let before = bucket;
            bucket.debit(at(1000 - back), 0);
            prop_assert_eq!(bucket, before);
        }
    }
}

//! The write limits of a shard: 1 MiB and 1,000 records per second in the standard profile.

use super::bucket::Bucket;
use crate::world::Timestamp;

/// The write limits of one shard: bytes per second and records per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WriteLimit {
    /// The token bucket for bytes of data and partition keys. `None` if bytes are not limited.
    pub bytes: Option<Bucket>,
    /// The token bucket for records. `None` if records are not limited.
    pub records: Option<Bucket>,
}

impl WriteLimit {
    /// Creates full token buckets for the given limits. `None` as a limit means that there is no
    /// limit.
    pub(crate) fn new(
        bytes_per_second: Option<u64>,
        records_per_second: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let bucket = |per_second: Option<u64>| per_second.map(|rate| Bucket::new(rate, now));
        Self {
            bytes: bucket(bytes_per_second),
            records: bucket(records_per_second),
        }
    }

    /// Takes `size_bytes` tokens from the bucket for bytes and one token from the bucket for
    /// records, if both buckets have enough tokens. Otherwise takes no tokens. Returns true on
    /// success.
    pub(crate) fn take(&mut self, now: Timestamp, size_bytes: u64) -> bool {
        let covers = |bucket: Option<Bucket>, amount| {
            bucket.is_none_or(|bucket| bucket.would_take(now, amount))
        };
        let taken = covers(self.bytes, size_bytes) && covers(self.records, 1);
        if taken {
            for (bucket, amount) in [(&mut self.bytes, size_bytes), (&mut self.records, 1)] {
                if let Some(bucket) = bucket {
                    bucket.debit(now, amount);
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_refused_record_is_charged_to_neither_balance() {
        let mut limit = WriteLimit::new(Some(100), Some(2), at(0));
        assert!(limit.take(at(0), 60));
        assert!(!limit.take(at(0), 60));
        assert!(limit.take(at(0), 40));
        assert!(!limit.take(at(0), 0), "the records are used up");
        assert!(limit.take(at(500), 50));
    }

    #[test]
    fn without_limits_everything_is_taken() {
        let mut limit = WriteLimit::default();
        assert!((0..10_000).all(|_| limit.take(at(0), u64::MAX)));
    }
}

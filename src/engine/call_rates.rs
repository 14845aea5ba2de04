//! Limits the rate of API calls with token buckets. There is a bucket for each account, region and
//! operation, and for some operations also for each stream.

use super::lock_order;
use crate::limits::{self, CallRate};
use crate::lock::Lock;
use crate::model::{AccountRegion, Bucket};
use crate::world::Timestamp;
use std::collections::HashMap;

/// The token buckets of the recent callers.
#[derive(Debug)]
pub(super) struct CallRates(Lock<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    buckets: HashMap<Key, Bucket>,
    /// Estimated memory of `buckets`, in bytes.
    bytes: usize,
}

/// The key of a token bucket: the account and region, the operation, and the stream's name. The
/// name is None if the operation has one rate for all streams together.
type Key = (AccountRegion, &'static str, Option<Box<str>>);

impl CallRates {
    pub(super) fn new() -> Self {
        Self(Lock::ranked(lock_order::SINGLE, Buckets::default()))
    }

    /// Returns true and counts the call if the rate of the operation permits the call. Returns
    /// false otherwise. `stream` is the stream's name in the request.
    pub(super) fn admits(
        &self,
        account_region: &AccountRegion,
        rate: CallRate,
        stream: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let stream = stream.filter(|_| rate.by_stream).map(Into::into);
        let key = (account_region.clone(), rate.operation, stream);
        let mut buckets = self.0.lock();
        buckets.bucket(key, rate, now).take(now, 1)
    }
}

impl Buckets {
    fn bucket(&mut self, key: Key, rate: CallRate, now: Timestamp) -> &mut Bucket {
        if !self.buckets.contains_key(&key) {
            self.bytes += size_of_entry(&key);
            if self.bytes > limits::CALL_RATE_BYTES {
                self.forget(now);
                self.bytes += size_of_entry(&key);
            }
        }
        let bucket = self.buckets.entry(key);
        bucket.or_insert_with(|| Bucket::new(rate.per_second, now))
    }

    /// Frees memory for the buckets of new callers. First removes the full buckets, because a full
    /// bucket is the same as a new one. If the remaining buckets use more than half of the
    /// permitted memory, removes all of them. A caller whose bucket is removed can make at most one
    /// burst of calls too many.
    fn forget(&mut self, now: Timestamp) {
        self.buckets.retain(|_, bucket| !bucket.is_full(now));
        self.bytes = self.buckets.keys().map(size_of_entry).sum();
        if self.bytes > limits::CALL_RATE_BYTES / 2 {
            self.buckets.clear();
            self.bytes = 0;
        }
    }
}

/// Returns the estimated memory of one bucket and its key, in bytes. The estimate is twice the
/// fixed size of the bucket and the key, plus the lengths of the texts in the key.
fn size_of_entry((account_region, _, stream): &Key) -> usize {
    let texts = account_region.region.as_str().len() + stream.as_ref().map_or(0, |name| name.len());
    2 * size_of::<(Key, Bucket)>() + texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Region};

    const RATE: CallRate = CallRate {
        by_stream: true,
        ..limits::CALL_RATES[0]
    };

    fn account_region(region: &str) -> AccountRegion {
        AccountRegion {
            account: AccountId::parse("123456789012").unwrap(),
            region: Region::new(region),
        }
    }

    #[test]
    fn callers_with_ever_new_names_are_bounded_in_bytes() {
        let rates = CallRates::new();
        let now = Timestamp::from_millis(0);
        for number in 0..60_000 {
            let name = format!("{number:0128}");
            let region = account_region("us-east-1");
            assert!(rates.admits(&region, RATE, Some(&name), now));
        }
        let buckets = rates.0.lock();
        let bytes: usize = buckets.buckets.keys().map(size_of_entry).sum();
        assert_eq!(buckets.bytes, bytes);
        assert!(bytes <= limits::CALL_RATE_BYTES, "{bytes}");
    }

    #[test]
    fn a_busy_caller_stays_counted_while_full_buckets_are_forgotten() {
        let rates = CallRates::new();
        let region = account_region("us-east-1");
        let at = |ms| Timestamp::from_millis(ms);
        for number in 0..60_000 {
            let name = format!("{number:0128}");
            assert!(rates.admits(&region, RATE, Some(&name), at(number)));
            while rates.admits(&region, RATE, Some("busy"), at(number)) {}
        }
        assert!(!rates.admits(&region, RATE, Some("busy"), at(59_999)));
    }
}

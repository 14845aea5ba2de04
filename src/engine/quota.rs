//! How often operations may be called: a bucket for each account, region and operation, and for
//! some operations for each stream.

use super::Engine;
use crate::limits::{self, CallRate};
use crate::lock::Lock;
use crate::model::{AccountRegion, Bucket};
use std::collections::HashMap;

/// The buckets of those who call.
#[derive(Debug, Default)]
pub(super) struct Callers(Lock<HashMap<Key, Bucket>>);

type Key = (AccountRegion, &'static str, Option<Box<str>>);

impl Engine {
    /// Whether a call is within its operation's rate; counts it if it is. `stream` is the name
    /// that the request gives, for rates that are counted by stream.
    pub fn admits_call(&self, scope: &AccountRegion, rate: CallRate, stream: Option<&str>) -> bool {
        let stream = stream.filter(|_| rate.by_stream).map(Into::into);
        let now = self.world.clock.now();
        let mut callers = self.callers.0.lock();
        if callers.len() >= limits::CALLERS {
            // A full bucket is as good as none, so those can go.
            callers.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = callers.entry((scope.clone(), rate.operation, stream));
        bucket
            .or_insert_with(|| Bucket::new(rate.per_second, now))
            .take(now, 1)
    }
}

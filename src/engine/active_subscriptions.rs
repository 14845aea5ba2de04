//! Registry of the subscriptions in progress. Each consumer has at most one subscription to each
//! shard.
//!
//! The service refuses a subscription to a shard less than five seconds after the same consumer's
//! last successful subscription to that shard. The refusal does not depend on whether the
//! connection of the last subscription was closed. After five seconds, the new subscription is
//! accepted, and it ends the old one. Source: AWS API reference, SubscribeToShard; for closed
//! connections, apache/beam#26293 and daangn/kinesumer#16.
//!
//! A subscription continues after its consumer was deregistered. Source: a recording of September
//! 2026 (radkawar/stackd, testdata/aws/kinesis/efo_termination.json).

use super::lock_order;
use crate::lock::Lock;
use crate::model::ShardId;
use crate::world::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Reason why another request ended a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The same consumer subscribed to the same shard again.
    TakenOver,
    /// The stream was deleted or replaced, for example by a reset.
    StreamDeleted,
}

/// Receives the reason when another request ends a subscription. Holds None before that.
pub(super) type EndSignal = watch::Receiver<Option<EndReason>>;

/// The error of a refused subscription: the same consumer subscribed to the same shard less than
/// `subscription-lock-seconds` ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubscribedRecently;

/// Identifies a consumer and a shard of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SubscriptionKey {
    /// Incarnation number of the stream.
    pub(super) incarnation: u64,
    /// Name of the consumer.
    pub(super) consumer: String,
    /// Creation time of the consumer, in milliseconds since the epoch. Distinguishes the consumer
    /// from an earlier consumer of the same name.
    pub(super) created_ms: i64,
    pub(super) shard: ShardId,
}

/// Registry of the subscriptions in progress. Also keeps the ended subscriptions that began less
/// than `subscription-lock-seconds` ago. During this time, a new subscription of the same consumer
/// to the same shard is refused.
#[derive(Debug)]
pub(super) struct ActiveSubscriptions(Lock<Registry>);

#[derive(Debug, Default)]
struct Registry {
    subscriptions: HashMap<SubscriptionKey, Entry>,
    /// The subscriptions that began less than `subscription-lock-seconds` ago, oldest first. An
    /// entry holds the start time, the key and the number of a subscription. An older entry stays
    /// until `Registry::forget_ended` removes it.
    recent: VecDeque<(Timestamp, SubscriptionKey, u64)>,
    /// The subscriptions in progress whose consumers were deregistered. The key of the map is the
    /// number of the subscription.
    detached: HashMap<u64, (SubscriptionKey, watch::Sender<Option<EndReason>>)>,
    /// Number of subscriptions in progress.
    active: usize,
    /// Number of the newest subscription. No two subscriptions have the same number.
    last_number: u64,
}

/// A subscription in progress, as the console shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSubscription {
    /// Name of the consumer.
    pub consumer: String,
    /// The shard that the subscription reads.
    pub shard: ShardId,
    /// Time at which the subscription began.
    pub since: Timestamp,
    /// Index of the next record that the subscription sends.
    pub next: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    since: Timestamp,
    /// Index of the next record that the subscription sends.
    next: Arc<AtomicU64>,
    /// True while `Registry::recent` has an entry for the subscription. During this time the
    /// subscription stays in the registry even if it has ended.
    is_recent: bool,
    /// Sends the reason to the subscription when another request ends the subscription. None after
    /// the subscription has ended.
    end: Option<watch::Sender<Option<EndReason>>>,
}

/// The registration of a subscription in progress. Dropping this value ends the subscription.
#[derive(Debug)]
pub(super) struct ActiveSubscription {
    subscriptions: Arc<ActiveSubscriptions>,
    key: SubscriptionKey,
    number: u64,
    next: Arc<AtomicU64>,
}

impl ActiveSubscription {
    /// Stores the index of the next record that the subscription sends. The console shows this
    /// index.
    pub(super) fn note_next(&self, index: u64) {
        self.next.store(index, Ordering::Relaxed);
    }
}

impl ActiveSubscriptions {
    pub(super) fn new() -> Arc<Self> {
        let registry = Lock::ranked(lock_order::SINGLE, Registry::default());
        Arc::new(Self(registry))
    }

    /// Number of subscriptions in progress.
    pub(super) fn count(&self) -> usize {
        self.0.lock().active
    }

    /// Returns the subscriptions in progress on the shards of a stream, sorted by consumer and then
    /// by shard. Omits the subscriptions of deregistered consumers.
    pub(super) fn of_stream(&self, incarnation: u64) -> Vec<OpenSubscription> {
        let registry = self.0.lock();
        let open = registry.subscriptions.iter();
        let open =
            open.filter(|(key, entry)| key.incarnation == incarnation && entry.end.is_some());
        let mut open: Vec<_> = open
            .map(|(key, entry)| OpenSubscription {
                consumer: key.consumer.clone(),
                shard: key.shard,
                since: entry.since,
                next: entry.next.load(Ordering::Relaxed),
            })
            .collect();
        open.sort_by(|one, two| (&one.consumer, one.shard).cmp(&(&two.consumer, two.shard)));
        open
    }

    /// Begins a subscription, and ends the previous subscription with the same `key`. Refuses the
    /// new subscription if the previous one began less than `lock_ms` milliseconds before `now`,
    /// even if the previous one has already ended.
    pub(super) fn begin(
        self: &Arc<Self>,
        key: SubscriptionKey,
        now: Timestamp,
        lock_ms: i64,
    ) -> Result<(ActiveSubscription, EndSignal), SubscribedRecently> {
        let mut registry = self.0.lock();
        registry.forget_ended(now, lock_ms);
        let active = registry.subscriptions.get(&key);
        if active.is_some_and(|entry| now.millis_since(entry.since) < lock_ms) {
            return Err(SubscribedRecently);
        }
        let (end, end_signal) = watch::channel(None);
        let next = Arc::new(AtomicU64::new(0));
        let number = registry.replace(&key, now, (end, next.clone()));
        drop(registry);
        let subscription = ActiveSubscription {
            subscriptions: self.clone(),
            key,
            number,
            next,
        };
        Ok((subscription, end_signal))
    }

    /// Ends every subscription for whose key `is_meant` returns true. The consumers of these
    /// subscriptions may subscribe again immediately.
    pub(super) fn end(&self, reason: EndReason, is_meant: impl Fn(&SubscriptionKey) -> bool) {
        let mut registry = self.0.lock();
        let meant = registry.subscriptions.extract_if(|key, _| is_meant(key));
        let mut ends: Vec<_> = meant.filter_map(|(_, entry)| entry.end).collect();
        let detached = registry.detached.extract_if(|_, (key, _)| is_meant(key));
        ends.extend(detached.map(|(_, (_, end))| end));
        registry.active -= ends.len();
        for end in ends {
            end.send_replace(Some(reason));
        }
    }

    /// Detaches the subscriptions of a deregistered consumer. These are the subscriptions for whose
    /// keys `is_meant` returns true. A detached subscription continues. A later subscription with
    /// the same key does not end it, and is not refused because of it.
    pub(super) fn detach(&self, is_meant: impl Fn(&SubscriptionKey) -> bool) {
        let mut registry = self.0.lock();
        let meant = registry.subscriptions.extract_if(|key, _| is_meant(key));
        let meant: Vec<_> = meant.collect();
        for (key, entry) in meant {
            if let Some(end) = entry.end {
                registry.detached.insert(entry.number, (key, end));
            }
        }
    }
}

impl Registry {
    /// Removes from the registry the ended subscriptions that began at least `lock_ms` milliseconds
    /// ago.
    fn forget_ended(&mut self, now: Timestamp, lock_ms: i64) {
        let has_passed = |since: Timestamp| now.millis_since(since) >= lock_ms;
        while let Some((_, key, number)) =
            self.recent.pop_front_if(|(since, ..)| has_passed(*since))
        {
            let entry = self.subscriptions.get_mut(&key);
            let Some(entry) = entry.filter(|entry| entry.number == number) else {
                continue;
            };
            entry.is_recent = false;
            if entry.end.is_none() {
                self.subscriptions.remove(&key);
            }
        }
    }

    /// Registers a new subscription, and ends the existing subscription with the same key. Returns
    /// the number of the new subscription.
    fn replace(
        &mut self,
        key: &SubscriptionKey,
        now: Timestamp,
        (end, next): (watch::Sender<Option<EndReason>>, Arc<AtomicU64>),
    ) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let entry = Entry {
            number,
            since: now,
            next,
            is_recent: true,
            end: Some(end),
        };
        self.active += 1;
        let older = self.subscriptions.insert(key.clone(), entry);
        if let Some(end) = older.and_then(|older| older.end) {
            end.send_replace(Some(EndReason::TakenOver));
            self.active -= 1;
        }
        self.recent.push_back((now, key.clone(), number));
        number
    }
}

impl Drop for ActiveSubscription {
    fn drop(&mut self) {
        let mut registry = self.subscriptions.0.lock();
        let entry = registry.subscriptions.get_mut(&self.key);
        let Some(entry) = entry.filter(|entry| entry.number == self.number) else {
            if registry.detached.remove(&self.number).is_some() {
                registry.active -= 1;
            }
            return;
        };
        // A recent subscription stays in the registry after its end, so that a new subscription is
        // refused until `subscription-lock-seconds` have passed.
        let is_recent = entry.is_recent;
        if entry.end.take().is_some() {
            registry.active -= 1;
        }
        if !is_recent {
            registry.subscriptions.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK_MS: i64 = 5_000;

    fn key(consumer: &str) -> SubscriptionKey {
        SubscriptionKey {
            incarnation: 1,
            consumer: consumer.to_owned(),
            created_ms: 0,
            shard: ShardId::new(0),
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_dropped_subscription_refuses_others_until_its_time_has_passed() {
        let subscriptions = ActiveSubscriptions::new();
        let first = subscriptions.begin(key("a"), at(0), LOCK_MS).unwrap();
        assert_eq!(subscriptions.count(), 1);
        drop(first);
        assert_eq!(subscriptions.count(), 0);
        // A refused subscription does not restart the lock time.
        for ms in [0, 4_999] {
            assert!(subscriptions.begin(key("a"), at(ms), LOCK_MS).is_err());
        }
        assert!(subscriptions.begin(key("b"), at(4_999), LOCK_MS).is_ok());
        assert!(subscriptions.begin(key("a"), at(5_000), LOCK_MS).is_ok());
    }

    #[test]
    fn the_subscriptions_of_a_stream_are_listed() {
        let subscriptions = ActiveSubscriptions::new();
        let (b, _end) = subscriptions.begin(key("b"), at(1), LOCK_MS).unwrap();
        let (a, _end) = subscriptions.begin(key("a"), at(2), LOCK_MS).unwrap();
        b.note_next(7);
        drop(a);
        let open = subscriptions.of_stream(1);
        let expected = OpenSubscription {
            consumer: "b".to_owned(),
            shard: ShardId::new(0),
            since: at(1),
            next: 7,
        };
        assert_eq!(open, [expected]);
        assert!(subscriptions.of_stream(2).is_empty());
    }

    #[test]
    fn a_later_subscription_takes_over() {
        let subscriptions = ActiveSubscriptions::new();
        let (first, first_end) = subscriptions.begin(key("a"), at(0), LOCK_MS).unwrap();
        let (_second, second_end) = subscriptions.begin(key("a"), at(5_000), LOCK_MS).unwrap();
        assert_eq!(*first_end.borrow(), Some(EndReason::TakenOver));
        drop(first);
        assert_eq!(subscriptions.count(), 1);
        assert_eq!(*second_end.borrow(), None);
        subscriptions.end(EndReason::StreamDeleted, |_| true);
        assert_eq!(*second_end.borrow(), Some(EndReason::StreamDeleted));
        assert_eq!(subscriptions.count(), 0);
    }

    #[test]
    fn a_subscription_goes_on_without_its_consumer() {
        let subscriptions = ActiveSubscriptions::new();
        let (first, first_end) = subscriptions.begin(key("a"), at(0), LOCK_MS).unwrap();
        let (_other, other_end) = subscriptions.begin(key("b"), at(0), LOCK_MS).unwrap();
        subscriptions.detach(|_| true);
        let (_second, second_end) = subscriptions.begin(key("a"), at(0), LOCK_MS).unwrap();
        assert_eq!(*first_end.borrow(), None);
        assert_eq!(subscriptions.count(), 3);
        drop(first);
        assert_eq!(subscriptions.count(), 2);
        subscriptions.end(EndReason::StreamDeleted, |_| true);
        for end in [other_end, second_end] {
            assert_eq!(*end.borrow(), Some(EndReason::StreamDeleted));
        }
        assert_eq!(subscriptions.count(), 0);
    }

    #[test]
    fn nothing_is_left_of_subscriptions_whose_time_has_passed() {
        let subscriptions = ActiveSubscriptions::new();
        let long = subscriptions.begin(key("long"), at(0), LOCK_MS).unwrap();
        drop(subscriptions.begin(key("short"), at(0), LOCK_MS).unwrap());
        drop(
            subscriptions
                .begin(key("last"), at(5_000), LOCK_MS)
                .unwrap(),
        );
        drop(long);
        drop(
            subscriptions
                .begin(key("last"), at(10_000), LOCK_MS)
                .unwrap(),
        );
        let registry = subscriptions.0.lock();
        assert_eq!(
            (registry.subscriptions.len(), registry.recent.len()),
            (1, 1)
        );
        assert_eq!(registry.active, 0);
    }

    #[test]
    fn without_a_lock_the_next_subscription_takes_over_at_once() {
        let subscriptions = ActiveSubscriptions::new();
        let (_first, end) = subscriptions.begin(key("a"), at(0), 0).unwrap();
        assert!(subscriptions.begin(key("a"), at(0), 0).is_ok());
        assert_eq!(*end.borrow(), Some(EndReason::TakenOver));
    }
}

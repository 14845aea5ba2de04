//! The subscriptions in progress: one for each consumer and shard.
//!
//! A consumer that subscribes to a shard again within five seconds of its last success is refused,
//! also when the connection of that subscription is closed. Later the new subscription takes over
//! and the old one ends. (AWS API reference, SubscribeToShard; that a closed connection changes
//! nothing: apache/beam#26293, daangn/kinesumer#16.)

use super::lock_order;
use crate::lock::Lock;
use crate::model::ShardId;
use crate::world::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// The reason for which a subscription is ended by another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// A later subscription of the same consumer to the same shard took over.
    TakenOver,
    /// The consumer was deregistered.
    ConsumerDeregistered,
    /// The stream was deleted.
    StreamDeleted,
}

/// Receives the reason for which a subscription is ended.
pub(super) type EndSignal = watch::Receiver<Option<EndReason>>;

/// The same consumer subscribed successfully to the same shard a short time ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubscribedRecently;

/// One consumer and one shard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SubscriptionKey {
    /// The incarnation of the stream.
    pub(super) incarnation: u64,
    /// The name of the consumer.
    pub(super) consumer: String,
    /// The creation of the consumer: one that is registered again under its name is another one.
    pub(super) created_ms: i64,
    /// The shard.
    pub(super) shard: ShardId,
}

/// All subscriptions in progress, and those that began a short time ago.
#[derive(Debug)]
pub(super) struct ActiveSubscriptions(Lock<Registry>);

#[derive(Debug, Default)]
struct Registry {
    subscriptions: HashMap<SubscriptionKey, Entry>,
    /// The subscriptions that may be too recent to be taken over, the oldest first.
    recent: VecDeque<(Timestamp, SubscriptionKey, u64)>,
    /// Number of subscriptions in progress.
    active: usize,
    /// The number of the last subscription.
    last_number: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    since: Timestamp,
    /// The subscription is in `recent`.
    is_recent: bool,
    /// None once the subscription has ended.
    end: Option<watch::Sender<Option<EndReason>>>,
}

/// A subscription in progress; dropping it ends it.
#[derive(Debug)]
pub(super) struct ActiveSubscription {
    subscriptions: Arc<ActiveSubscriptions>,
    key: SubscriptionKey,
    number: u64,
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

    /// Begins a subscription. It takes over from the one that is in progress for `key`, unless that
    /// one began less than `lock_ms` milliseconds ago.
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
        let number = registry.replace(&key, now, end);
        drop(registry);
        let subscription = ActiveSubscription {
            subscriptions: self.clone(),
            key,
            number,
        };
        Ok((subscription, end_signal))
    }

    /// Ends the subscriptions whose keys are meant. Nothing of them stands in the way of later ones.
    pub(super) fn end(&self, reason: EndReason, is_meant: impl Fn(&SubscriptionKey) -> bool) {
        let mut registry = self.0.lock();
        let meant = registry.subscriptions.extract_if(|key, _| is_meant(key));
        let ends: Vec<_> = meant.filter_map(|(_, entry)| entry.end).collect();
        registry.active -= ends.len();
        for end in ends {
            end.send_replace(Some(reason));
        }
    }
}

impl Registry {
    /// Removes ended subscriptions that began `lock_ms` milliseconds ago or earlier.
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

    /// Enters a new subscription, and ends the one that it takes over from.
    fn replace(
        &mut self,
        key: &SubscriptionKey,
        now: Timestamp,
        end: watch::Sender<Option<EndReason>>,
    ) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let entry = Entry {
            number,
            since: now,
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
            return;
        };
        // The entry of a recent subscription stays: it refuses others until its time has passed.
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
        // A refused call does not start the time again.
        for ms in [0, 4_999] {
            assert!(subscriptions.begin(key("a"), at(ms), LOCK_MS).is_err());
        }
        assert!(subscriptions.begin(key("b"), at(4_999), LOCK_MS).is_ok());
        assert!(subscriptions.begin(key("a"), at(5_000), LOCK_MS).is_ok());
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

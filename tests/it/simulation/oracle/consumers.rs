//! Consumers of enhanced fan-out.

use super::{Foretold, IN_USE, NOT_FOUND, Oracle, Stream};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(in crate::simulation) struct Consumer {
    pub(in crate::simulation) created_s: u64,
    pub(in crate::simulation) tags: BTreeMap<String, String>,
    pub(in crate::simulation) policy: Option<String>,
    deleting: bool,
    /// The end of the consumer's present status.
    pub(super) due_ms: Option<u64>,
    /// The last successful SubscribeToShard on each shard since the emulator started.
    subscribed_ms: BTreeMap<usize, u64>,
}

/// Time after a successful SubscribeToShard in which the consumer cannot subscribe again.
const LOCK_MS: u64 = 5_000;

impl Oracle {
    pub(in crate::simulation) fn register(
        &mut self,
        name: &str,
        consumer: &'static str,
    ) -> Foretold {
        match self.state(name) {
            None => return NOT_FOUND,
            Some("CREATING" | "DELETING") => return IN_USE,
            Some(_) => {}
        }
        let (created_s, due_ms) = (self.now_ms / 1000, self.due_ms());
        let consumers = &mut self.streams.get_mut(name).unwrap().consumers;
        if consumers.contains_key(consumer) {
            return IN_USE;
        }
        let new = Consumer {
            created_s,
            tags: BTreeMap::new(),
            policy: None,
            deleting: false,
            due_ms,
            subscribed_ms: BTreeMap::new(),
        };
        consumers.insert(consumer, new);
        Ok(())
    }

    pub(in crate::simulation) fn deregister(&mut self, name: &str, consumer: &str) -> Foretold {
        let due_ms = self.due_ms();
        let Some(stream) = self.streams.get_mut(name) else {
            return NOT_FOUND;
        };
        let Some(found) = stream.consumers.get_mut(consumer) else {
            return NOT_FOUND;
        };
        if found.deleting {
            return IN_USE;
        }
        found.deleting = true;
        found.due_ms = due_ms;
        if due_ms.is_none() {
            stream.consumers.remove(consumer);
        }
        Ok(())
    }

    /// Success if a consumer may subscribe to a shard now.
    pub(in crate::simulation) fn subscribe(
        &self,
        name: &str,
        consumer: &str,
        shard: usize,
    ) -> Foretold {
        let found = self.streams.get(name).and_then(|stream| {
            let consumer = stream.consumers.get(consumer)?;
            Some((stream, consumer))
        });
        let Some((stream, consumer)) = found else {
            return NOT_FOUND;
        };
        if consumer.state() != "ACTIVE" {
            return IN_USE;
        }
        let known = shard < stream.shards.len() && stream.lists(shard, self.now_ms);
        match self.state(name) {
            Some("ACTIVE" | "UPDATING") if known => {}
            _ => return NOT_FOUND,
        }
        let last_ms = consumer.subscribed_ms.get(&shard);
        if last_ms.is_some_and(|last_ms| self.now_ms - last_ms < LOCK_MS) {
            return IN_USE;
        }
        Ok(())
    }

    /// Notes a successful subscription of a consumer.
    pub(in crate::simulation) fn subscribed(&mut self, name: &str, consumer: &str, shard: usize) {
        let now_ms = self.now_ms;
        let stream = self.streams.get_mut(name).unwrap();
        let consumer = stream.consumers.get_mut(consumer).unwrap();
        consumer.subscribed_ms.insert(shard, now_ms);
    }

    /// Forgets all subscriptions, because a restarted emulator does not know earlier ones.
    pub(in crate::simulation) fn forget_subscriptions(&mut self) {
        let streams = self.streams.values_mut();
        for consumer in streams.flat_map(|stream| stream.consumers.values_mut()) {
            consumer.subscribed_ms.clear();
        }
    }
}

impl Consumer {
    pub(in crate::simulation) fn state(&self) -> &'static str {
        match (self.deleting, self.due_ms) {
            (true, _) => "DELETING",
            (false, Some(_)) => "CREATING",
            (false, None) => "ACTIVE",
        }
    }
}

impl Stream {
    /// Ends the temporary statuses of consumers that are due.
    pub(super) fn end_consumers(&mut self, now_ms: u64) {
        let due = |consumer: &Consumer| consumer.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        self.consumers
            .retain(|_, consumer| !(consumer.deleting && due(consumer)));
        for consumer in self.consumers.values_mut().filter(|consumer| due(consumer)) {
            consumer.due_ms = None;
        }
    }
}

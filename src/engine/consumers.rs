//! Registers and deregisters consumers with enhanced fan-out, and tracks their status.

use super::active_subscriptions::{EndReason, SubscriptionKey};
use super::core::Engine;
use super::deadlines::Due;
use super::stream::Stream;
use super::stream_state::StreamState;
use crate::model::{self, StreamArn};
use crate::store::{Consumer, StoreError};
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Status of a registered consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsumerStatus {
    /// The consumer is being registered.
    Creating,
    /// The consumer may subscribe.
    Active,
    /// The consumer is being deregistered.
    Deleting,
}

impl ConsumerStatus {
    /// The name of the status in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// Returns the status of a consumer, as answers of the API show it. The status of a consumer with a
/// pending transition is CREATING or DELETING.
pub(crate) fn consumer_status(consumer: &Consumer) -> ConsumerStatus {
    match (consumer.deleting, consumer.due_ms) {
        (true, _) => ConsumerStatus::Deleting,
        (false, Some(_)) => ConsumerStatus::Creating,
        (false, None) => ConsumerStatus::Active,
    }
}

/// The ARN of the consumer `name` of `stream`. The ARN ends with the consumer's creation time in
/// seconds since the epoch.
pub(crate) fn consumer_arn(
    stream: &StreamArn,
    name: &str,
    consumer: &Consumer,
) -> model::ConsumerArn {
    let created = Timestamp::from_millis(consumer.created_ms);
    model::ConsumerArn {
        stream: stream.clone(),
        name: name.into(),
        created_s: u64::try_from(created.seconds()).unwrap_or_default(),
    }
}

/// A new consumer that is ACTIVE immediately.
const fn active_consumer(now: Timestamp, tags: BTreeMap<String, String>) -> Consumer {
    Consumer {
        created_ms: now.millis(),
        deleting: false,
        due_ms: None,
        tags,
        policy: None,
    }
}

impl Engine {
    /// Registers a consumer of a stream if `check` permits it. The second argument of `check` is
    /// true if the account's minimum throughput billing commitment is in force.
    ///
    /// # Errors
    /// Returns the error of `check`, or an error if the store cannot write.
    pub async fn register<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        name: &str,
        tags: BTreeMap<String, String>,
        check: impl FnOnce(&StreamState, bool) -> Result<(), E>,
    ) -> Result<Consumer, E> {
        let begun = self.begin_amend(stream, |state, counts| {
            check(state, counts.committed)?;
            let consumer = Consumer {
                due_ms: self.transition_end(counts.now).map(Timestamp::millis),
                ..active_consumer(counts.now, tags)
            };
            state.consumers.insert(name.to_owned(), consumer.clone());
            Ok::<_, E>(consumer)
        });
        let (consumer, ticket) = begun.await?;
        let (stream, name, registered) = (stream.clone(), name.to_owned(), consumer.clone());
        let registered = self.once_durable(ticket, move |engine| {
            engine.await_transition(&stream, &name, &registered);
            engine.event_sources.stream_changed(&stream);
        });
        registered.await?;
        Ok(consumer)
    }

    /// Registers a consumer of a prepared stream if `check` permits it. The consumer is ACTIVE
    /// immediately, and becomes durable together with the stream.
    ///
    /// # Errors
    /// Returns the error of `check`.
    pub(crate) fn register_prepared<E>(
        &self,
        stream: &Stream,
        name: &str,
        check: impl FnOnce(&StreamState, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = self.world.clock.now();
        let counts = self.accounts.lock().counts(&stream.arn.scope, now);
        stream.with_state(|state| {
            check(state, counts.committed)?;
            let consumer = active_consumer(now, BTreeMap::new());
            state.consumers.insert(name.to_owned(), consumer);
            Ok(())
        })
    }

    /// Deregisters a consumer if `check` permits it. The subscriptions of the consumer continue.
    ///
    /// # Errors
    /// Returns the error of `check`, or an error if the store cannot write.
    pub async fn deregister<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        name: &str,
        check: impl FnOnce(&StreamState) -> Result<(), E>,
    ) -> Result<(), E> {
        let begun = self.begin_amend(stream, |state, counts| {
            check(state)?;
            let Some(due) = self.transition_end(counts.now) else {
                return Ok::<_, E>(state.consumers.remove(name));
            };
            let consumer = state.consumers.get_mut(name);
            Ok(consumer.map(|consumer| {
                consumer.deleting = true;
                consumer.due_ms = Some(due.millis());
                consumer.clone()
            }))
        });
        let (consumer, ticket) = begun.await?;
        let Some(consumer) = consumer else {
            return Ok(());
        };
        let (stream, name) = (stream.clone(), name.to_owned());
        let deregistered = self.once_durable(ticket, move |engine| {
            if consumer.deleting {
                engine.await_transition(&stream, &name, &consumer);
            }
            engine.event_sources.stream_changed(&stream);
            let is_meant = |key: &SubscriptionKey| {
                key.incarnation == stream.incarnation
                    && key.consumer == name
                    && key.created_ms == consumer.created_ms
            };
            engine.active_subscriptions.detach(is_meant);
        });
        Ok(deregistered.await?)
    }

    /// Registers the time at which the status of a consumer ends. Does nothing if the status does
    /// not end by itself.
    pub(super) fn await_transition(&self, stream: &Arc<Stream>, name: &str, consumer: &Consumer) {
        if let Some(due_ms) = consumer.due_ms {
            let due = Timestamp::from_millis(due_ms);
            let owner = Due::Consumer(name.to_owned());
            self.deadlines.add(due, stream.clone(), owner);
        }
    }

    /// Ends the status CREATING or DELETING of a consumer.
    pub(super) fn finish_consumer(&self, stream: &Arc<Stream>, name: &str, now: Timestamp) {
        stream.with_state(|state| {
            let Some(consumer) = state.consumers.get_mut(name) else {
                return;
            };
            // A later deadline applies if the consumer was changed after this deadline was
            // registered, for instance by a deregistration during CREATING.
            if consumer.due_ms.is_none_or(|due_ms| due_ms > now.millis()) {
                return;
            }
            if consumer.deleting {
                state.consumers.remove(name);
            } else {
                consumer.due_ms = None;
            }
            // No request waits until this change is durable. The next start makes the change again
            // if a crash loses it.
            let _ticket = self.save(stream, state, state.status, &[]);
        });
        self.event_sources.stream_changed(stream);
    }

    /// Ends all subscriptions of a deleted stream.
    pub(super) fn end_subscriptions(&self, stream: &Stream) {
        let is_meant = |key: &SubscriptionKey| key.incarnation == stream.incarnation;
        let reason = EndReason::StreamDeleted;
        self.active_subscriptions.end(reason, is_meant);
    }
}

//! Consumers of enhanced fan-out: their registration and their states.

use super::lifecycle::Due;
use super::state::State;
use super::{Engine, Stream, saved};
use crate::store::{Consumer, StoreError};
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a consumer is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerStatus {
    /// Just registered.
    Creating,
    /// May subscribe.
    Active,
    /// On its way out.
    Deleting,
}

impl ConsumerStatus {
    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// Where `consumer` is in its life.
pub fn consumer_status(consumer: &Consumer) -> ConsumerStatus {
    match (consumer.deleting, consumer.due_ms) {
        (true, _) => ConsumerStatus::Deleting,
        (false, Some(_)) => ConsumerStatus::Creating,
        (false, None) => ConsumerStatus::Active,
    }
}

impl Engine {
    /// Registers a consumer, which `check` may refuse.
    ///
    /// # Errors
    /// What `check` refuses, and a store that does not write.
    pub async fn register<E: From<StoreError>>(
        &self,
        stream: &Arc<Stream>,
        name: &str,
        tags: BTreeMap<String, String>,
        check: impl FnOnce(&State, bool) -> Result<(), E>,
    ) -> Result<Consumer, E> {
        let consumer = self.amend(stream, |state, counts| {
            check(state, counts.committed)?;
            let due_ms = self.due(counts.now).map(Timestamp::millis);
            let created_ms = counts.now.millis();
            let consumer = Consumer {
                created_ms,
                deleting: false,
                due_ms,
                tags,
                policy: None,
            };
            state.consumers.insert(name.to_owned(), consumer.clone());
            Ok::<_, E>(consumer)
        });
        let consumer = consumer.await?;
        self.await_end(stream, name, &consumer);
        Ok(consumer)
    }

    /// Takes a consumer out, which `check` may refuse.
    ///
    /// # Errors
    /// What `check` refuses, and a store that does not write.
    pub async fn deregister<E: From<StoreError>>(
        &self,
        stream: &Arc<Stream>,
        name: &str,
        check: impl FnOnce(&State) -> Result<(), E>,
    ) -> Result<(), E> {
        let leaving = self.amend(stream, |state, counts| {
            check(state)?;
            let due_ms = self.due(counts.now).map(Timestamp::millis);
            if due_ms.is_none() {
                state.consumers.remove(name);
                return Ok::<_, E>(None);
            }
            let consumer = state.consumers.get_mut(name);
            Ok(consumer.map(|consumer| {
                consumer.deleting = true;
                consumer.due_ms = due_ms;
                consumer.clone()
            }))
        });
        if let Some(consumer) = leaving.await? {
            self.await_end(stream, name, &consumer);
        }
        self.end_consumer(stream, name);
        Ok(())
    }

    /// Lets the consumer's present state end when it is due.
    pub(super) fn await_end(&self, stream: &Arc<Stream>, name: &str, consumer: &Consumer) {
        if let Some(due_ms) = consumer.due_ms {
            let due = Timestamp::from_millis(due_ms);
            self.deadlines
                .add(due, stream.clone(), Due::Consumer(name.to_owned()));
        }
    }

    /// CREATING or DELETING of a consumer ends.
    pub(super) fn finish_consumer(&self, stream: &Arc<Stream>, name: &str, now: Timestamp) {
        let _kept = stream.with_state(|state| {
            let consumer = state.consumers.get_mut(name)?;
            // A deadline that was replaced meanwhile, as by a deletion during CREATING.
            if consumer.due_ms.is_none_or(|due_ms| due_ms > now.millis()) {
                return None;
            }
            if consumer.deleting {
                state.consumers.remove(name);
            } else {
                consumer.due_ms = None;
            }
            Some(
                self.store
                    .save(saved::saved(stream, state, state.status, &[])),
            )
        });
    }
}

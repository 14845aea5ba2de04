//! Deletes streams: checks the request, saves the status DELETING, and removes the stream at the
//! end of this status.

use super::core::Engine;
use super::creation::exceeded;
use super::deadlines::Due;
use super::saved;
use super::stream::Stream;
use crate::model::StreamStatus;
use crate::store::Ticket;
use std::sync::Arc;

/// Reason why a stream is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteError {
    /// The stream's status does not permit the deletion.
    NotActive(StreamStatus),
    /// The stream has consumers, and the request does not permit their deletion.
    HasConsumers,
    /// The stream has queues.
    HasQueues,
    /// The stream has a channel in another status than FAILED.
    HasChannels,
    /// Too many streams are being created or deleted. Holds the limit.
    TooManyInTransition(u64),
    /// The store cannot write.
    Store,
}

impl Engine {
    /// Deletes a stream. Returns when the deletion is as durable as the `durability` option
    /// promises. A stream with consumers is deleted only if `with_consumers` is true.
    ///
    /// # Errors
    /// Returns the reason if the deletion is refused or cannot be saved.
    pub async fn delete(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        with_consumers: bool,
    ) -> Result<(), DeleteError> {
        let ticket = self.begin_delete(stream, with_consumers)?;
        let stream = stream.clone();
        let deleted = self.once_durable(ticket, |engine| match stream.look(|state| state.due) {
            Some(due) => engine.deadlines.add(due, stream, Due::Stream),
            None => engine.forget(&stream),
        });
        deleted.await.map_err(|_| DeleteError::Store)
    }

    fn begin_delete(
        &self,
        stream: &Arc<Stream>,
        with_consumers: bool,
    ) -> Result<Ticket, DeleteError> {
        let now = self.world.clock.now();
        let mut accounts = self.accounts.lock();
        let in_transition = accounts.quota_use(&stream.arn.scope).streams_in_transition;
        accounts.change(stream, |state| {
            let more = match state.status {
                status @ (StreamStatus::Updating | StreamStatus::Deleting) => {
                    return Err(DeleteError::NotActive(status));
                }
                // A stream in CREATING already counts as a stream in transition.
                StreamStatus::Creating => 0,
                StreamStatus::Active => 1,
            };
            if !state.queues.is_empty() {
                return Err(DeleteError::HasQueues);
            }
            if state.has_live_channels() {
                return Err(DeleteError::HasChannels);
            }
            if !with_consumers && !state.consumers.is_empty() {
                return Err(DeleteError::HasConsumers);
            }
            let limit = self.limits.streams_in_transition;
            if more > 0
                && let Some(limit) = exceeded(limit, in_transition, more)
            {
                return Err(DeleteError::TooManyInTransition(limit));
            }
            state.status = StreamStatus::Deleting;
            state.due = self.transition_end(now);
            Ok(match state.due {
                Some(_) => self.save(stream, state, StreamStatus::Deleting, &[]),
                None => self.store.save(saved::removed(stream, state)),
            })
        })
    }

    /// Removes a stream from the catalog and deletes its records, at the end of the status
    /// DELETING.
    pub(super) fn finish_delete(&self, stream: &Arc<Stream>) {
        // No request waits until this change is durable. The next start makes the change again if a
        // crash loses it.
        let _ticket = stream.with_state(|state| self.store.save(saved::removed(stream, state)));
        self.forget(stream);
    }
}

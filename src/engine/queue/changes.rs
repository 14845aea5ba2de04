//! Changes and deletes queues.

use super::item::{Queue, QueueState};
use super::journal::CommitPriority;
use super::view::StreamView;
use crate::engine::Engine;
use crate::limits::Limit;
use crate::model::{QueueAttributes, StreamStatus, Tags};
use crate::store::{Change, StoreError, Ticket};
use std::sync::Arc;

impl Engine {
    /// Changes the attributes of a queue if `check` permits the change for the queue's status.
    /// Returns the new attributes, which apply immediately. The status is UPDATING until the
    /// transition ends.
    ///
    /// # Errors
    /// Returns the error of `check`, or an error if the store cannot write.
    pub(crate) async fn update_queue<E: From<StoreError>>(
        self: &Arc<Self>,
        queue: &Arc<Queue>,
        check: impl FnOnce(StreamStatus) -> Result<(), E>,
        change: impl FnOnce(QueueAttributes) -> QueueAttributes,
    ) -> Result<QueueAttributes, E> {
        self.check_store()?;
        let reservation = queue.reserve(self, 256).await?;
        let now = self.world.clock.now();
        let view = StreamView::of(&queue.stream, now);
        let (attributes, ticket, listed) = queue.with_state(|state| {
            check(state.status)?;
            // End the visibility timeouts that are over before the attributes change. Therefore the
            // old maximum receive count decides which records of these timeouts become dead-letter
            // records.
            state.refresh(&view, now);
            let before = state.attributes.max_receive_count;
            state.attributes = change(state.attributes);
            let most = state.attributes.max_receive_count;
            let listed = if before == most {
                state.finish_pass(self, queue, reservation, now, CommitPriority::Deferred)
            } else {
                // The journal does not say which visibility timeouts have ended. A restart ends
                // these timeouts again, and then applies the new maximum receive count. Therefore
                // save the present state of every record.
                state.save_list(self, queue, reservation, now)
            };
            state.records.set_max_receive_count(most);
            state.status = StreamStatus::Updating;
            state.due = self.transition_end(now);
            let kept = match state.due {
                None => StreamStatus::Active,
                Some(_) => state.status,
            };
            let ticket = self.save_queue(queue, state, kept);
            Ok::<_, E>((state.attributes, ticket, listed))
        })?;
        let (engine, updated) = (self.clone(), queue.clone());
        let finished = self.finish(async move {
            if let Some(listed) = listed {
                listed.durable().await?;
            }
            ticket.durable().await?;
            match updated.with_state(|state| state.due) {
                Some(due) => engine.queues.await_status(due, &updated),
                None => engine.activate_queue(&updated),
            }
            Ok(())
        });
        finished.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(attributes)
    }

    /// Changes the tags or the policy of a queue. Returns when the change is as durable as the
    /// `durability` option promises.
    ///
    /// # Errors
    /// Returns the error of `change`, or an error if the store cannot write. `change` must not
    /// change the tags or the policy if it returns an error.
    pub(crate) async fn amend_queue<E: From<StoreError>>(
        &self,
        queue: &Queue,
        change: impl FnOnce(&mut Tags, &mut Option<String>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_store()?;
        let ticket = queue.with_state(|state| {
            change(&mut state.tags, &mut state.policy)?;
            Ok::<_, E>(self.save_queue(queue, state, state.status))
        })?;
        Ok(ticket.durable().await?)
    }

    /// Deletes a queue. Returns when the deletion is as durable as the `durability` option
    /// promises. Does nothing if the queue is already being deleted. The last rule is a choice.
    ///
    /// # Errors
    /// Returns the error of `too_many` if too many queues are being created or deleted, or an error
    /// if the store cannot write.
    pub(crate) async fn delete_queue<E: From<StoreError>>(
        self: &Arc<Self>,
        queue: &Arc<Queue>,
        too_many: impl FnOnce(u64) -> E,
    ) -> Result<(), E> {
        self.check_store()?;
        let Some(ticket) = self.begin_delete_queue(queue, too_many)? else {
            return Ok(());
        };
        queue.receivers.wake_all();
        queue.dead_receivers.wake_all();
        let (engine, deleted) = (self.clone(), queue.clone());
        let finished = self.finish(async move {
            ticket.durable().await?;
            match deleted.with_state(|state| state.due) {
                Some(due) => engine.queues.await_status(due, &deleted),
                None => engine.forget_queue(&deleted),
            }
            Ok(())
        });
        Ok(finished.await.unwrap_or(Err(StoreError::Closed))?)
    }

    fn begin_delete_queue<E>(
        &self,
        queue: &Arc<Queue>,
        too_many: impl FnOnce(u64) -> E,
    ) -> Result<Option<Ticket>, E> {
        let now = self.world.clock.now();
        let mut accounts = self.queues.accounts.lock();
        let account = accounts.entry(queue.arn.scope.clone()).or_default();
        queue.with_state(|state| {
            match state.status {
                StreamStatus::Deleting => return Ok(None),
                StreamStatus::Creating => {}
                StreamStatus::Active | StreamStatus::Updating => {
                    let limit: Limit = self.limits.queues_in_transition;
                    if let Some(limit) = limit.filter(|limit| account.in_transition() >= *limit) {
                        return Err(too_many(limit));
                    }
                }
            }
            state.status = StreamStatus::Deleting;
            state.due = self.transition_end(now);
            Ok(Some(match state.due {
                Some(_) => {
                    account.in_transition.insert(queue.incarnation);
                    self.save_queue(queue, state, state.status)
                }
                None => self.save_end(queue, state),
            }))
        })
    }

    /// Saves the queue with the status `status`. Saves nothing if the removal of the queue was
    /// already handed to the store.
    pub(super) fn save_queue(
        &self,
        queue: &Queue,
        state: &QueueState,
        status: StreamStatus,
    ) -> Ticket {
        let changes = match state.removed {
            true => Vec::new(),
            false => {
                let value = Box::new(state.value(queue, status));
                vec![Change::Queue(queue.incarnation, Some(value))]
            }
        };
        self.store.save(changes)
    }

    /// Saves the removal of the queue from the catalog, and returns the ticket of this change.
    /// Marks the queue as removed, so that later changes of the queue are not saved.
    pub(super) fn save_end(&self, queue: &Queue, state: &mut QueueState) -> Ticket {
        state.removed = true;
        self.store
            .save(vec![Change::Queue(queue.incarnation, None)])
    }

    /// Ends the status CREATING or UPDATING of a queue. Does not change a queue in DELETING.
    pub(super) fn activate_queue(&self, queue: &Arc<Queue>) {
        let mut accounts = self.queues.accounts.lock();
        let was = queue.with_state(|state| {
            let was = state.status;
            if matches!(was, StreamStatus::Creating | StreamStatus::Updating) {
                state.status = StreamStatus::Active;
                state.due = None;
            }
            was
        });
        let account = accounts.get_mut(&queue.arn.scope);
        if let Some(account) = account.filter(|_| was == StreamStatus::Creating) {
            account.in_transition.remove(&queue.incarnation);
        }
    }

    /// The catalog change that removes a queue. Marks the queue as removed, so that later changes
    /// of the queue are not saved.
    pub(in crate::engine) fn queue_removal(&self, queue: &Queue) -> Change {
        queue.with_state(|state| state.removed = true);
        Change::Queue(queue.incarnation, None)
    }

    /// Returns the catalog change that removes a queue, and sets the status DELETING. The caller
    /// must also remove the queue from its account.
    pub(in crate::engine) fn queue_removal_with_account(&self, queue: &Queue) -> Change {
        queue.with_state(|state| state.status = StreamStatus::Deleting);
        self.queue_removal(queue)
    }

    /// Removes a queue from its account and its stream, and deletes the queue's journal.
    pub(in crate::engine) fn forget_queue(&self, queue: &Arc<Queue>) {
        let mut accounts = self.queues.accounts.lock();
        if let Some(account) = accounts.get_mut(&queue.arn.scope)
            && account.items.remove(queue)
        {
            account.in_transition.remove(&queue.incarnation);
        }
        queue.stream.with_state(|state| {
            state.queues.remove(&queue.incarnation);
            state.arrivals.remove(&queue.receivers);
        });
        drop(accounts);
        let journal = queue.with_state(|state| {
            state.status = StreamStatus::Deleting;
            state.journal.take()
        });
        if let Some(journal) = journal {
            self.store.delete(journal.log().id());
        }
        queue.receivers.wake_all();
        queue.dead_receivers.wake_all();
    }
}

//! Changes streams. Some changes give a stream the status UPDATING until a transition ends. The
//! other changes apply immediately.
//!
//! The engine checks a change, makes the change and hands it to the store under the locks of the
//! accounts and of the stream. Therefore no other change can interfere.

use super::accounts::Counts;
use super::core::Engine;
use super::deadlines::Due;
use super::resharding::resharded_shards;
use super::stream::Stream;
use super::stream_state::StreamState;
use crate::model::{ShardId, StreamStatus};
use crate::store::{PendingChange, StoreError, Ticket};
use crate::world::{Point, Timestamp};
use std::sync::Arc;

impl Engine {
    /// Changes a stream, and gives it the status UPDATING until the transition ends. `plan` checks
    /// the state and returns the change, or None if the stream stays unchanged. `plan` must make
    /// all its checks before it changes `state`. Returns when the change is durable. If transitions
    /// have no delay, the change has also taken effect at that time.
    ///
    /// # Errors
    /// Returns the error of `plan`, or an error if the store cannot write.
    pub async fn update<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        plan: impl FnOnce(&mut StreamState, Counts) -> Result<Option<PendingChange>, E>,
    ) -> Result<(), E> {
        self.pass_change().await?;
        let Some(ticket) = self.begin_update(stream, plan)? else {
            return Ok(());
        };
        // A shorter retention period may make records expire immediately, which the channels and
        // the mappings must notice.
        self.channels.of(stream).wake();
        self.event_sources.wake_mappings_of(&stream.arn);
        let stream = stream.clone();
        let updated = self.once_durable(ticket, |engine| {
            if let Some(due) = stream.look(|state| state.due) {
                engine.deadlines.add(due, stream, Due::Stream);
            }
        });
        updated.await.map_err(E::from)
    }

    fn begin_update<E>(
        &self,
        stream: &Arc<Stream>,
        plan: impl FnOnce(&mut StreamState, Counts) -> Result<Option<PendingChange>, E>,
    ) -> Result<Option<Ticket>, E> {
        let mut accounts = self.accounts.lock();
        let now = self.world.clock.now();
        let counts = accounts.counts(&stream.arn.scope, now);
        accounts.change(stream, |state| {
            let Some(change) = plan(state, counts)? else {
                return Ok(None);
            };
            if change.settings.retention_hours != state.settings.retention_hours {
                state.expired_before = state.horizon(now);
                self.retention_bell.ring();
            }
            let changed_shards = match self.transition_end(now) {
                None => self.apply(stream, state, change, now),
                Some(due) => {
                    state.status = StreamStatus::Updating;
                    state.due = Some(due);
                    state.pending = Some(change);
                    Vec::new()
                }
            };
            Ok(Some(self.save(
                stream,
                state,
                state.status,
                &changed_shards,
            )))
        })
    }

    /// Makes a change of a stream that applies immediately, such as a change of tags. Returns when
    /// the change is durable.
    ///
    /// # Errors
    /// Returns the error of `change`, or an error if the store cannot write. `change` must not
    /// change the state if it returns an error.
    pub async fn amend<R, E: From<StoreError>>(
        &self,
        stream: &Arc<Stream>,
        change: impl FnOnce(&mut StreamState, Counts) -> Result<R, E>,
    ) -> Result<R, E> {
        let (result, ticket) = self.begin_amend(stream, change).await?;
        ticket.durable().await?;
        Ok(result)
    }

    /// Makes a change of a stream that applies immediately. Unlike [`Engine::amend`], returns
    /// before the change is durable.
    pub(super) async fn begin_amend<R, E: From<StoreError>>(
        &self,
        stream: &Stream,
        change: impl FnOnce(&mut StreamState, Counts) -> Result<R, E>,
    ) -> Result<(R, Ticket), E> {
        self.pass_change().await?;
        let mut accounts = self.accounts.lock();
        let now = self.world.clock.now();
        let counts = accounts.counts(&stream.arn.scope, now);
        accounts.change(stream, |state| {
            let result = change(state, counts)?;
            Ok((result, self.save(stream, state, state.status, &[])))
        })
    }

    /// Passes the injection point before a change.
    ///
    /// # Errors
    /// Returns an error if a fault is injected, or if the store cannot write.
    async fn pass_change(&self) -> Result<(), StoreError> {
        let passed = self.world.pass(Point::Change).await;
        passed.map_err(|_| StoreError::Closed)?;
        self.check_store()
    }

    /// Ends the status UPDATING of a stream. The pending change takes effect.
    pub(super) fn finish_update(&self, stream: &Arc<Stream>, now: Timestamp) {
        self.accounts.lock().change(stream, |state| {
            if state.status != StreamStatus::Updating {
                return;
            }
            state.status = StreamStatus::Active;
            state.due = None;
            if let Some(change) = state.pending.take() {
                let changed_shards = self.apply(stream, state, change, now);
                // No request waits until this change is durable. The next start makes the change
                // again if a crash loses it.
                let _ticket = self.save(stream, state, StreamStatus::Active, &changed_shards);
            }
        });
    }

    /// Applies a change under the lock of the stream, so that writers see the whole change or no
    /// part of it. Returns the ids of the shards that were closed or created.
    fn apply(
        &self,
        stream: &Stream,
        state: &mut StreamState,
        change: PendingChange,
        now: Timestamp,
    ) -> Vec<ShardId> {
        state.settings = change.settings;
        let Some(order) = change.resharding else {
            return Vec::new();
        };
        let changed = resharded_shards(state, &order, now);
        let ids = changed.iter().map(|shard| shard.id).collect();
        let mut created = Vec::new();
        for description in changed {
            match state.shards.get(&description.id) {
                Some(shard) => shard.close(description),
                None => created.push(description),
            }
        }
        state.open_shards(created, &self.shard_opener, stream.incarnation, now);
        self.event_sources.wake_mappings_of(&stream.arn);
        ids
    }
}

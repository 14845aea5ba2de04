//! The creation of streams.

use super::accounts::Accounts;
use super::core::Engine;
use super::deadlines::Due;
use super::stream::Stream;
use super::stream_state::StreamState;
use crate::limits::{self, Limit};
use crate::model::{self, StreamArn, StreamStatus, TagFault, Tags};
use crate::store::{StreamSettings, Ticket};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A stream to be created.
#[derive(Debug)]
pub struct NewStream {
    /// The settings.
    pub settings: StreamSettings,
    /// The number of shards.
    pub shards: u32,
    /// The tags, unchecked.
    pub tags: Vec<(String, String)>,
    /// The stream is ACTIVE without a transition delay, as the setup of a start needs it.
    pub at_once: bool,
}

/// The reason for which a stream is not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateError {
    /// A stream of this name exists.
    Exists,
    /// Too many streams are being created or deleted.
    TooManyInTransition(u64),
    /// The account has too many on-demand streams.
    TooManyOnDemand {
        /// The number of on-demand streams.
        open: u64,
        /// The most there may be.
        limit: u64,
    },
    /// The account has too many open shards.
    TooManyShards {
        /// The number of open shards.
        open: u64,
        /// The limit.
        limit: u64,
    },
    /// The tags are refused.
    Tags(TagFault),
    /// The store does not write.
    Store,
}

impl Engine {
    /// Creates a stream. Returns once the stream is as durable as the settings promise.
    ///
    /// # Errors
    /// The reason for a refusal; then nothing is left of the stream.
    pub async fn create(
        self: &Arc<Self>,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<(), CreateError> {
        let (stream, ticket) = self.begin_create(arn, new)?;
        let engine = self.clone();
        let finished = self.finish(async move {
            if ticket.durable().await.is_err() {
                engine.forget(&stream);
                return Err(CreateError::Store);
            }
            match stream.look(|state| state.due) {
                Some(due) => engine.deadlines.add(due, stream.clone(), Due::Stream),
                None => engine.activate(&stream, false),
            }
            Ok(())
        });
        finished.await.unwrap_or(Err(CreateError::Store))
    }

    fn begin_create(
        &self,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<(Arc<Stream>, Ticket), CreateError> {
        let now = self.world.clock.now();
        let tags = self.check_new(&self.accounts.lock(), &arn, &new)?;
        // Shards are opened without the lock of the accounts, which every request takes.
        let incarnation = self.next_incarnation.fetch_add(1, Ordering::Relaxed);
        let created_s = u64::try_from(now.seconds()).unwrap_or_default();
        let shards_created_s = created_s.saturating_sub(limits::SHARD_CREATED_BEFORE_S);
        let mut state = StreamState::creating(new.settings.clone(), tags);
        let described = model::Shard::initial(new.shards, shards_created_s);
        state.open_shards(described, &self.shard_opener, incarnation, now);
        state.due = self.transition_end(now).filter(|_| !new.at_once);
        let mut accounts = self.accounts.lock();
        if let Err(error) = self.check_new(&accounts, &arn, &new) {
            // Another request used the name or the rest of a quota meanwhile.
            drop(accounts);
            state.delete_logs(&self.store);
            return Err(error);
        }
        let stream = Stream::new(arn, incarnation, now, state);
        let ticket = stream.with_state(|state| {
            // Without a delay the stream is ACTIVE by the time it is durable.
            let status = match state.due {
                Some(_) => state.status,
                None => StreamStatus::Active,
            };
            let shards: Vec<_> = state.shards.keys().copied().collect();
            self.save(&stream, state, status, &shards)
        });
        accounts.insert(&stream);
        Ok((stream, ticket))
    }

    /// The checks of a creation, in the service's order.
    fn check_new(
        &self,
        accounts: &Accounts,
        arn: &StreamArn,
        new: &NewStream,
    ) -> Result<Tags, CreateError> {
        if accounts.find(&arn.scope, &arn.name).is_some() {
            return Err(CreateError::Exists);
        }
        let (limits, used) = (&self.limits, accounts.capacity(&arn.scope));
        if let Some(limit) = exceeded(limits.streams_in_transition, used.streams_in_transition, 1) {
            return Err(CreateError::TooManyInTransition(limit));
        }
        if new.settings.on_demand {
            let open = used.on_demand_streams;
            if let Some(limit) = exceeded(limits.on_demand_streams, open, 1) {
                return Err(CreateError::TooManyOnDemand { open, limit });
            }
        } else {
            let (open, more) = (used.provisioned_shards, u64::from(new.shards));
            if let Some(limit) = exceeded(limits.shards_per_account, open, more) {
                return Err(CreateError::TooManyShards { open, limit });
            }
        }
        let mut tags = Tags::default();
        let pairs = new.tags.iter();
        let pairs = pairs.map(|(key, value)| (key.as_str(), value.as_str()));
        tags.add(pairs, self.most_tags())
            .map_err(CreateError::Tags)?;
        Ok(tags)
    }

    /// Ends CREATING. A stream that is being deleted stays as it is. With `save`, the new status is
    /// saved.
    pub(super) fn activate(&self, stream: &Arc<Stream>, save: bool) {
        let mut accounts = self.accounts.lock();
        accounts.change(stream, |state| {
            if state.status != StreamStatus::Creating {
                return;
            }
            state.status = StreamStatus::Active;
            state.was_active = true;
            state.due = None;
            if save {
                // No request waits for this change: a restart that does not find it makes it again.
                let _ticket = self.save(stream, state, StreamStatus::Active, &[]);
            }
        });
        drop(accounts);
        self.event_sources.stream_changed(stream);
    }

    /// Takes a stream out of its account, and its records out of the store.
    pub(super) fn forget(&self, stream: &Arc<Stream>) {
        self.accounts.lock().remove(stream);
        self.end_subscriptions(stream);
        self.event_sources.stream_gone(stream);
        stream.look(|state| {
            state.delete_logs(&self.store);
            for shard in state.shards.values() {
                shard.log().wake_followers();
            }
        });
    }
}

/// The limit, when `used` and `more` together exceed it.
pub(super) fn exceeded(limit: Limit, used: u64, more: u64) -> Option<u64> {
    limit.filter(|limit| used.saturating_add(more) > *limit)
}

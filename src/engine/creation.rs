//! Creates streams, and ends their status CREATING.

use super::accounts::Accounts;
use super::core::Engine;
use super::deadlines::Due;
use super::stream::{Stream, StreamNumbers};
use super::stream_state::StreamState;
use crate::limits::{self, Limit};
use crate::model::{self, StreamArn, StreamStatus, TagFault, Tags};
use crate::store::{StreamSettings, Ticket};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The properties of a stream that is to be created.
#[derive(Debug)]
pub struct NewStream {
    /// Settings that the stream gets.
    pub settings: StreamSettings,
    /// Number of shards that the stream begins with.
    pub shards: u32,
    /// The tags of the stream in the request. The tags are not validated yet.
    pub tags: Vec<(String, String)>,
    /// True if the stream is ACTIVE immediately, without a transition delay. The setup at the start
    /// of the emulator sets this value for its streams.
    pub at_once: bool,
}

/// Reason why a stream is not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateError {
    /// The account already has a stream of this name in the region.
    Exists,
    /// Too many streams are being created or deleted. Holds the limit.
    TooManyInTransition(u64),
    /// The account would have too many on-demand streams.
    TooManyOnDemand {
        /// Number of the account's on-demand streams.
        open: u64,
        /// Maximum number of on-demand streams.
        limit: u64,
    },
    /// The account would have too many open shards.
    TooManyShards {
        /// Number of the account's open shards.
        open: u64,
        /// Maximum number of open shards.
        limit: u64,
    },
    /// The tags of the request are invalid.
    Tags(TagFault),
    /// The store cannot write.
    Store,
}

impl Engine {
    /// Creates a stream. Returns when the stream is as durable as the `durability` option promises.
    ///
    /// # Errors
    /// Returns the reason if the stream is refused or cannot be saved. In that case the engine does
    /// not keep any part of the stream.
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
        // The shards are opened before the lock of the accounts is taken. Every request takes this
        // lock, and would otherwise wait until the shards are open.
        let incarnation = self.next_incarnation.fetch_add(1, Ordering::Relaxed);
        let created_s = u64::try_from(now.seconds()).unwrap_or_default();
        let shards_created_s = created_s.saturating_sub(limits::SHARD_CREATED_BEFORE_S);
        let mut state = StreamState::creating(new.settings.clone(), tags);
        let described = model::Shard::initial(new.shards, shards_created_s);
        state.open_shards(described, &self.shard_opener, incarnation, now);
        state.due = self.transition_end(now).filter(|_| !new.at_once);
        let mut accounts = self.accounts.lock();
        if let Err(error) = self.check_new(&accounts, &arn, &new) {
            // Another request took the name or the remaining quota after the first check.
            drop(accounts);
            state.delete_logs(&self.store);
            return Err(error);
        }
        let numbers = StreamNumbers {
            incarnation,
            identity: incarnation,
            tail_mark: self.world.random.number(),
        };
        let stream = Stream::new(arn, numbers, now, state);
        let ticket = stream.with_state(|state| {
            // Without a transition delay, the stream is already ACTIVE when this change is durable.
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

    /// Checks that the stream may be created. Makes the checks in the same order as the service.
    /// Returns the stream's tags.
    fn check_new(
        &self,
        accounts: &Accounts,
        arn: &StreamArn,
        new: &NewStream,
    ) -> Result<Tags, CreateError> {
        if accounts.find(&arn.scope, &arn.name).is_some() {
            return Err(CreateError::Exists);
        }
        let (limits, used) = (&self.limits, accounts.quota_use(&arn.scope));
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

    /// Ends the status CREATING of a stream. Does not change a stream in another status, such as
    /// DELETING. If `save` is true, writes the new status to the catalog.
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
                // No request waits until this change is durable. The next start makes the change
                // again if a crash loses it.
                let _ticket = self.save(stream, state, StreamStatus::Active, &[]);
            }
        });
        drop(accounts);
        self.event_sources.stream_changed(stream);
    }

    /// Removes a stream from its account, removes its channels, and deletes its records. Ends the
    /// subscriptions of the stream, and the waits of requests for its records.
    pub(super) fn forget(&self, stream: &Arc<Stream>) {
        self.accounts.lock().remove(stream);
        self.end_subscriptions(stream);
        stream.end_waits();
        self.event_sources.stream_gone(stream);
        self.forget_channels_of(stream);
        stream.look(|state| {
            state.delete_logs(&self.store);
            for shard in state.shards.values() {
                shard.log().wake_followers_after_end();
            }
        });
    }
}

/// Returns the limit if `used` plus `more` is greater than the limit. Returns None if the sum is
/// within the limit, or if there is no limit.
pub(super) fn exceeded(limit: Limit, used: u64, more: u64) -> Option<u64> {
    limit.filter(|limit| used.saturating_add(more) > *limit)
}

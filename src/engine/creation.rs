//! Creates streams, ends their status CREATING, and removes streams.

use super::accounts::Accounts;
use super::core::Engine;
use super::deadlines::Due;
use super::saved;
use super::stream::{Stream, StreamNumbers};
use super::stream_state::StreamState;
use crate::limits::{self, Limit};
use crate::model::{self, StreamArn, StreamStatus, TagFault, Tags};
use crate::store::{Change, StreamSettings, Ticket};
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
    /// Makes a stream that no request finds yet, and opens its shards. The shards are opened without
    /// the lock of the accounts, because every request takes this lock.
    ///
    /// # Errors
    /// Returns the reason if the stream is refused.
    pub(super) fn prepare_stream(
        &self,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<Arc<Stream>, CreateError> {
        let now = self.world.clock.now();
        let shards = u64::from(new.shards);
        self.check_new(&self.accounts.lock(), &arn, &new.settings, shards)?;
        let mut tags = Tags::default();
        let pairs = new.tags.iter();
        let pairs = pairs.map(|(key, value)| (key.as_str(), value.as_str()));
        tags.add(pairs, self.most_tags())
            .map_err(CreateError::Tags)?;
        let incarnation = self.next_incarnation.fetch_add(1, Ordering::Relaxed);
        let created_s = u64::try_from(now.seconds()).unwrap_or_default();
        let shards_created_s = created_s.saturating_sub(limits::SHARD_CREATED_BEFORE_S);
        let mut state = StreamState::creating(new.settings, tags);
        if new.at_once {
            state.status = StreamStatus::Active;
            state.was_active = true;
        } else {
            state.due = self.transition_end(now);
        }
        let described = model::Shard::initial(new.shards, shards_created_s);
        state.open_shards(described, &self.shard_opener, incarnation, now);
        let numbers = StreamNumbers {
            incarnation,
            identity: incarnation,
            tail_mark: self.world.random.number(),
        };
        Ok(Stream::new(arn, numbers, now, state))
    }

    /// Adds prepared streams to their accounts, and hands their catalog entries to the store in one
    /// save. The entries become durable together, and not before the records that the streams have.
    ///
    /// # Errors
    /// Returns the index of the first refused stream, and the reason. In this case no stream is
    /// added.
    pub(super) fn begin_add(
        &self,
        streams: &[Arc<Stream>],
    ) -> Result<Ticket, (usize, CreateError)> {
        let mut accounts = self.accounts.lock();
        let mut changes = Vec::new();
        for (at, stream) in streams.iter().enumerate() {
            // Another request may have taken the name or the remaining quota after the first check.
            let (settings, shards) =
                stream.look(|state| (state.settings.clone(), state.open_shards_count()));
            if let Err(error) = self.check_new(&accounts, &stream.arn, &settings, shards) {
                streams[..at]
                    .iter()
                    .for_each(|added| accounts.remove(added));
                return Err((at, error));
            }
            changes.extend(stream.with_state(|state| created_entries(stream, state)));
            accounts.insert(stream);
        }
        Ok(self.store.save(changes))
    }

    /// Waits until added streams are durable, and then begins or ends their status CREATING. The
    /// wait completes even if the caller is dropped.
    ///
    /// # Errors
    /// Returns an error if the store cannot write. In this case the streams are removed.
    pub(super) async fn finish_add(
        self: &Arc<Self>,
        streams: Vec<Arc<Stream>>,
        ticket: Ticket,
    ) -> Result<(), CreateError> {
        let engine = self.clone();
        let finished = self.finish(async move {
            if ticket.durable().await.is_err() {
                streams.iter().for_each(|stream| engine.forget(stream));
                return Err(CreateError::Store);
            }
            for stream in streams {
                match stream.look(|state| state.due) {
                    Some(due) => engine.deadlines.add(due, stream, Due::Stream),
                    None => engine.activate(&stream, false),
                }
            }
            Ok(())
        });
        finished.await.unwrap_or(Err(CreateError::Store))
    }

    /// Checks that a stream with these settings and this number of shards may be created. Makes the
    /// checks in the same order as the service.
    fn check_new(
        &self,
        accounts: &Accounts,
        arn: &StreamArn,
        settings: &StreamSettings,
        shards: u64,
    ) -> Result<(), CreateError> {
        if accounts.find(&arn.scope, &arn.name).is_some() {
            return Err(CreateError::Exists);
        }
        let (limits, used) = (&self.limits, accounts.quota_use(&arn.scope));
        if let Some(limit) = exceeded(limits.streams_in_transition, used.streams_in_transition, 1) {
            return Err(CreateError::TooManyInTransition(limit));
        }
        if settings.on_demand {
            let open = used.on_demand_streams;
            if let Some(limit) = exceeded(limits.on_demand_streams, open, 1) {
                return Err(CreateError::TooManyOnDemand { open, limit });
            }
        } else {
            let open = used.provisioned_shards;
            if let Some(limit) = exceeded(limits.shards_per_account, open, shards) {
                return Err(CreateError::TooManyShards { open, limit });
            }
        }
        Ok(())
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
                shard.log().wake_followers_of_ended_log();
            }
        });
    }
}

/// The catalog entries of a new stream with all its shards.
fn created_entries(stream: &Stream, state: &StreamState) -> Vec<Change> {
    // Without a transition delay, the stream is already ACTIVE when its entries are durable.
    let status = match state.due {
        Some(_) => state.status,
        None => StreamStatus::Active,
    };
    let shards: Vec<_> = state.shards.keys().copied().collect();
    saved::stream(stream, state, status, &shards)
}

/// Returns the limit if `used` plus `more` exceeds the limit. Returns None otherwise, and if there
/// is no limit.
pub(super) fn exceeded(limit: Limit, used: u64, more: u64) -> Option<u64> {
    limit.filter(|limit| used.saturating_add(more) > *limit)
}

//! Creates channels: checks the request, saves the channel, and waits for the check of the
//! destination.

use super::item::{Channel, ChannelIdentity, ChannelState};
use crate::engine::stream_state::StreamChannel;
use crate::engine::{Engine, Stream, StreamState};
use crate::limits;
use crate::model::channel::ChannelSettings;
use crate::model::{ChannelArn, Tags, resource_id};
use crate::store::{StoreError, Ticket};
use crate::world::RealDeadline;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// The properties of a channel that is to be created.
#[derive(Debug)]
pub(crate) struct NewChannel {
    pub(crate) name: Arc<str>,
    pub(crate) settings: ChannelSettings,
    /// Initial tags of the channel, already validated.
    pub(crate) tags: Tags,
    /// True if the channel has no transition delay. In this case `Engine::create_channel` returns
    /// only after the check of the destination.
    pub(crate) at_once: bool,
}

/// The values with which the engine checks a request for a new channel. They describe the account's
/// other channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChannelCounts {
    /// True if the account has a channel of this name in the region.
    pub(crate) name_taken: bool,
    /// Number of the account's channels in the region, in any status.
    pub(crate) channels: u64,
}

impl Engine {
    /// Creates a channel if `check` permits it. Returns when the creation is as durable as the
    /// `durability` option promises. If the status CREATING has no transition delay, also waits a
    /// short time for the check of the destination. Therefore the channel usually delivers a record
    /// that is put after the return.
    ///
    /// # Errors
    /// Returns the error of `check`, or an error if the store cannot write.
    pub(crate) async fn create_channel<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        new: NewChannel,
        check: impl FnOnce(&StreamState, ChannelCounts) -> Result<(), E>,
    ) -> Result<Arc<Channel>, E> {
        self.check_store()?;
        let at_once = new.at_once;
        let (channel, ticket) = self.begin_channel(stream, new, check)?;
        let (saved, is_saved) = oneshot::channel();
        let (engine, created) = (self.clone(), channel.clone());
        // The task completes the creation even if the caller is dropped.
        let finished = self.finish(async move {
            let durable = ticket.durable().await;
            if durable.is_err() {
                engine.forget_channel(&created);
            }
            let is_durable = durable.is_ok();
            let _ = saved.send(durable);
            match created.with_state(|state| state.due) {
                _ if !is_durable => {}
                Some(due) => engine.channels.await_status(due, &created),
                None => engine.check_destination(&created).await,
            }
        });
        if at_once {
            finished.await;
        } else {
            let deadline = RealDeadline::lasting(limits::CHANNEL_CHECK_WAIT);
            let _in_time = deadline.with(finished).await;
        }
        // Wait until the store has saved the channel. This wait has no time limit.
        is_saved.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(channel)
    }

    fn begin_channel<E>(
        &self,
        stream: &Arc<Stream>,
        new: NewChannel,
        check: impl FnOnce(&StreamState, ChannelCounts) -> Result<(), E>,
    ) -> Result<(Arc<Channel>, Ticket), E> {
        let now = self.world.clock.now();
        let mut accounts = self.channels.accounts.lock();
        let account = accounts.entry(stream.arn.scope.clone()).or_default();
        let counts = ChannelCounts {
            name_taken: account.with_name(&new.name).is_some(),
            channels: account.len() as u64,
        };
        let (channel, ticket) = stream.with_state(|stream_state| {
            check(stream_state, counts)?;
            let arn = ChannelArn {
                scope: stream.arn.scope.clone(),
                id: resource_id(u128::from_le_bytes(self.world.random.bytes())).into(),
            };
            let mut settings = new.settings;
            settings.log = settings.log.with_defaults(&new.name, &arn.id);
            let mut state = ChannelState::new(settings, new.tags);
            let delay = self.limits.channel_create_ms;
            state.due = self.transition_end_by(delay, now);
            state.due = state.due.filter(|_| !new.at_once);
            let identity = ChannelIdentity {
                arn,
                name: new.name,
                incarnation: self.next_incarnation.fetch_add(1, Ordering::Relaxed),
                stream: stream.clone(),
                created: now,
            };
            let channel = Channel::new(identity, state);
            let of_stream = StreamChannel {
                kind: channel.kind,
                has_failed: false,
            };
            stream_state.channels.insert(channel.incarnation, of_stream);
            let saved = channel.with_state(|state| channel.saved(state, state.status));
            let ticket = self.store.save(vec![saved]);
            Ok((channel, ticket))
        })?;
        let _added = account.insert(&channel);
        Ok((channel, ticket))
    }
}

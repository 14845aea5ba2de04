//! Deletes channels on request, and the FAILED channels of a deleted stream.

use super::item::{Channel, ChannelState};
use crate::engine::{Engine, Stream};
use crate::model::channel::ChannelStatus;
use crate::store::{Change, StoreError, Ticket};
use std::sync::Arc;

impl Engine {
    /// Deletes a channel in any status. The channel does not deliver its remaining records. Returns
    /// when the deletion is as durable as the `durability` option promises. Does nothing if the
    /// channel is already being deleted. The last rule is a choice.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub(crate) async fn delete_channel(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
    ) -> Result<(), StoreError> {
        self.check_store()?;
        let Some(ticket) = self.begin_delete_channel(channel) else {
            return Ok(());
        };
        channel.notify();
        let deleted = channel.clone();
        let done = self.once_durable(ticket, move |engine| {
            match deleted.with_state(|state| state.due) {
                Some(due) => engine.channels.await_status(due, &deleted),
                None => engine.forget_channel(&deleted),
            }
        });
        done.await
    }

    fn begin_delete_channel(&self, channel: &Channel) -> Option<Ticket> {
        let now = self.world.clock.now();
        channel.stream.with_state(|stream_state| {
            channel.with_state(|state| {
                if state.status == ChannelStatus::Deleting {
                    return None;
                }
                state.status = ChannelStatus::Deleting;
                state.reason = None;
                state.flushes.clear();
                // A FAILED channel does not prevent the deletion of its stream, but a channel in
                // DELETING does, even if it was FAILED before.
                if let Some(of_stream) = stream_state.channels.get_mut(&channel.incarnation) {
                    of_stream.has_failed = false;
                }
                state.due = self.transition_end_by(self.limits.channel_delete_ms, now);
                Some(self.store.save(match state.due {
                    Some(_) => vec![channel.saved(state, state.status)],
                    None => removal(channel, state),
                }))
            })
        })
    }

    /// Removes a channel at the end of its status DELETING.
    pub(super) fn finish_delete_channel(&self, channel: &Arc<Channel>) {
        // No request waits until this change is durable. The next start makes the change again if a
        // crash loses it.
        let _ticket = self.store.save(self.channel_removal(channel));
        self.forget_channel(channel);
    }

    /// Returns the catalog changes that remove a channel. Also sets the status DELETING, and marks
    /// the channel as removed, so that later changes of the channel are not saved.
    pub(in crate::engine) fn channel_removal(&self, channel: &Channel) -> Vec<Change> {
        channel.with_state(|state| removal(channel, state))
    }

    /// Removes a channel from its account and its stream, and ends its delivery.
    pub(in crate::engine) fn forget_channel(&self, channel: &Arc<Channel>) {
        let mut accounts = self.channels.accounts.lock();
        if let Some(account) = accounts.get_mut(&channel.arn.scope) {
            let _was_there = account.remove(channel);
        }
        channel.stream.with_state(|state| {
            state.channels.remove(&channel.incarnation);
        });
        drop(accounts);
        channel.with_state(|state| {
            state.status = ChannelStatus::Deleting;
            state.flushes.clear();
        });
        channel.notify();
    }

    /// Deletes the FAILED channels of a deleted stream. A stream with channels in another status is
    /// never deleted. The deletion of FAILED channels is a choice.
    pub(in crate::engine) fn forget_channels_of(&self, stream: &Stream) {
        if stream.look(|state| state.channels.is_empty()) {
            return;
        }
        for channel in self.channels.all() {
            if channel.stream.incarnation == stream.incarnation {
                self.finish_delete_channel(&channel);
            }
        }
    }
}

/// Marks the channel as removed. Returns the catalog changes that remove the channel.
fn removal(channel: &Channel, state: &mut ChannelState) -> Vec<Change> {
    state.removed = true;
    state.status = ChannelStatus::Deleting;
    let mut changes = state.progress.removed(channel.incarnation);
    changes.push(Change::Channel(channel.incarnation, None));
    changes
}

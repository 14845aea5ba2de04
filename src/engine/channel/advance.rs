//! Advances the progress of a channel.

use super::item::Channel;
use super::progress::ChannelProgress;
use crate::engine::Engine;
use crate::store::Ticket;

impl Engine {
    /// Changes the progress of a channel, and saves all its changes atomically. Returns the ticket
    /// of the save. If the channel does not deliver any more, does nothing and returns None.
    pub(crate) fn advance_channel(
        &self,
        channel: &Channel,
        change: impl FnOnce(&mut ChannelProgress),
    ) -> Option<Ticket> {
        channel.with_state(|state| {
            if state.removed || !state.status.delivers() {
                return None;
            }
            let before = state.progress.clone();
            change(&mut state.progress);
            let mut changes = state.progress.changes_since(&before, channel.incarnation);
            if before.table_metadata != state.progress.table_metadata {
                changes.push(channel.saved(state, state.status));
            }
            Some(self.store.save(changes))
        })
    }
}

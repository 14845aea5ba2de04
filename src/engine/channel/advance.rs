//! Changes and saves the progress of a channel.

use super::item::Channel;
use super::progress::ChannelProgress;
use crate::engine::Engine;
use crate::store::Ticket;

impl Engine {
    /// Changes the progress of a channel by `change`, and saves all changed positions in one atomic
    /// change of the catalog. Returns the ticket of the saved change. Does nothing and returns None
    /// if the channel's status no longer permits deliveries.
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

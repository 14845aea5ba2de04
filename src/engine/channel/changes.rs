//! Changes the settings and the tags of channels.

use super::item::Channel;
use crate::engine::Engine;
use crate::model::Tags;
use crate::model::channel::{ChannelSettings, ChannelStatus};
use crate::store::{StoreError, Ticket};
use std::sync::Arc;

impl Engine {
    /// Changes the settings of a channel. `plan` checks the channel's status and settings, and
    /// returns the new settings. The new settings apply immediately. The status is UPDATING until
    /// the transition ends.
    ///
    /// # Errors
    /// Returns the error of `plan`, or an error if the store cannot write.
    pub(crate) async fn update_channel<E: From<StoreError>>(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        plan: impl FnOnce(ChannelStatus, &ChannelSettings) -> Result<ChannelSettings, E>,
    ) -> Result<Arc<ChannelSettings>, E> {
        self.check_store()?;
        let now = self.world.clock.now();
        let (settings, ticket) = channel.with_state(|state| {
            let settings = Arc::new(plan(state.status, &state.settings)?);
            state.settings = settings.clone();
            state.status = ChannelStatus::Updating;
            state.due = self.transition_end_by(self.limits.channel_update_ms, now);
            let kept = match state.due {
                None => ChannelStatus::Active,
                Some(_) => state.status,
            };
            let ticket = self.store.save(vec![channel.saved(state, kept)]);
            Ok::<_, E>((settings, ticket))
        })?;
        channel.notify();
        let updated = channel.clone();
        let done = self.once_durable(ticket, move |engine| {
            match updated.with_state(|state| state.due) {
                Some(due) => engine.channels.await_status(due, &updated),
                None => drop(engine.end_update(&updated)),
            }
        });
        done.await?;
        Ok(settings)
    }

    /// Ends the status UPDATING of a channel, and returns the ticket of the saved change. Does
    /// nothing and returns None in another status, such as DELETING.
    pub(super) fn end_update(&self, channel: &Channel) -> Option<Ticket> {
        channel.with_state(|state| {
            if state.status != ChannelStatus::Updating || state.removed {
                return None;
            }
            state.status = ChannelStatus::Active;
            state.due = None;
            Some(self.store.save(vec![channel.saved(state, state.status)]))
        })
    }

    /// Changes the tags of a channel. Returns when the change is as durable as the `durability`
    /// option promises.
    ///
    /// # Errors
    /// Returns the error of `change`, or an error if the store cannot write. `change` must not
    /// change the tags if it returns an error.
    pub(crate) async fn amend_channel<E: From<StoreError>>(
        &self,
        channel: &Channel,
        change: impl FnOnce(&mut Tags) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_store()?;
        let ticket = channel.with_state(|state| {
            change(&mut state.tags)?;
            let saved = match state.removed {
                true => Vec::new(),
                false => vec![channel.saved(state, state.status)],
            };
            Ok::<_, E>(self.store.save(saved))
        })?;
        Ok(ticket.durable().await?)
    }
}

//! Runs the task that ends the statuses of channels that end by themselves.

use super::item::Channel;
use crate::engine::Engine;
use crate::model::channel::ChannelStatus;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Ends the statuses of channels when they are due, until the engine stops.
pub(in crate::engine) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    while engine
        .wait(&mut alarm, engine.channels.deadlines.next())
        .await
    {
        let now = engine.world.clock.now();
        while let Some((channel, ())) = engine.channels.deadlines.take_due(now) {
            engine.end_channel_status(&channel, now);
        }
    }
}

impl Engine {
    fn end_channel_status(self: &Arc<Self>, channel: &Arc<Channel>, now: Timestamp) {
        let (status, due) = channel.with_state(|state| (state.status, state.due));
        // If the channel was changed since this deadline was added, for instance deleted during
        // CREATING, a later deadline applies.
        if due.is_none_or(|due| due > now) {
            return;
        }
        match status {
            // The check may take long, and other channels must not wait for it.
            ChannelStatus::Creating => {
                let (engine, channel) = (self.clone(), channel.clone());
                self.tasks.spawn("channel check", async move {
                    engine.check_destination(&channel).await;
                });
            }
            // No request waits until this change is durable: if a crash loses it, the next start
            // makes it again.
            ChannelStatus::Updating => drop(self.end_update(channel)),
            ChannelStatus::Deleting => self.finish_delete_channel(channel),
            ChannelStatus::Active | ChannelStatus::Failed => {}
        }
    }
}

//! The task that ends the temporary statuses of channels, such as CREATING and DELETING.

use super::item::Channel;
use crate::engine::Engine;
use crate::model::channel::ChannelStatus;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Ends the temporary statuses of channels at their deadlines, until the engine stops.
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
        // A later deadline applies if the channel was changed after this deadline was registered,
        // for instance by a deletion during CREATING.
        if due.is_none_or(|due| due > now) {
            return;
        }
        match status {
            // The check runs in a separate task, because it may take long and other channels must
            // not wait for it.
            ChannelStatus::Creating => {
                let (engine, channel) = (self.clone(), channel.clone());
                self.tasks.spawn("channel check", async move {
                    engine.check_destination(&channel).await;
                });
            }
            // No request waits until this change is durable. The next start makes the change again
            // if a crash loses it.
            ChannelStatus::Updating => drop(self.end_update(channel)),
            ChannelStatus::Deleting => self.finish_delete_channel(channel),
            ChannelStatus::Active | ChannelStatus::Failed => {}
        }
    }
}

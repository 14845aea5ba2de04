//! Ends the status CREATING of a channel. Checks the channel's destination, and sets the positions
//! at which the delivery begins.

use super::item::Channel;
use crate::engine::{Engine, StreamState};
use crate::model::ShardId;
use crate::model::channel::{ChannelPosition, ChannelSettings, ChannelStatus, DestinationKind};
use crate::store::Ticket;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine {
    /// Checks the destination of a channel in CREATING. The status becomes ACTIVE if the check
    /// succeeds, and FAILED otherwise. A stop of the engine aborts the check, and the next start
    /// repeats the check.
    pub(super) async fn check_destination(self: &Arc<Self>, channel: &Arc<Channel>) {
        let settings = channel.describe().settings;
        let mut stop = self.stop.subscribe();
        let checked = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            checked = self.checked(channel, &settings) => checked,
        };
        if let Err(reason) = &checked {
            tracing::warn!(channel = %channel.name, %reason, "the channel cannot deliver");
        }
        let Some(ticket) = self.end_creation(channel, checked) else {
            return;
        };
        if channel.delivers() {
            self.begin_delivery(channel);
        }
        // The result of this write is not needed. If the store cannot write, the next request that
        // writes gets the error.
        let _durable = ticket.durable().await;
    }

    /// Checks the destination of a channel. If the destination is a table, also creates the table.
    /// If either step fails, returns the reason for the status FAILED.
    async fn checked(&self, channel: &Channel, settings: &ChannelSettings) -> Result<(), String> {
        let destinations = &self.behaviour.channels.destinations;
        destinations.check(settings).await?;
        if channel.kind == DestinationKind::S3Tables {
            let created = destinations.create_table(&channel.arn, settings).await;
            created.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Ends the status CREATING of a channel. The new status is ACTIVE if the check of the
    /// channel's destination succeeded, and FAILED otherwise. Sets the positions in all shards
    /// under the lock of the stream, so that the delivery begins in all shards at the same moment.
    /// Returns the ticket of the saved change. Does nothing and returns None if the channel is no
    /// longer in CREATING.
    fn end_creation(&self, channel: &Channel, checked: Result<(), String>) -> Option<Ticket> {
        channel.stream.with_state(|stream_state| {
            channel.with_state(|state| {
                if state.status != ChannelStatus::Creating || state.removed {
                    return None;
                }
                match checked {
                    Ok(()) => {
                        state.status = ChannelStatus::Active;
                        state.due = None;
                        state.progress.positions = ends(stream_state);
                    }
                    Err(reason) => {
                        state.fail(&reason);
                        note_failure(stream_state, channel);
                    }
                }
                let mut changes = state.progress.saved(channel.incarnation);
                changes.push(channel.saved(state, state.status));
                Some(self.store.save(changes))
            })
        })
    }

    /// Sets the status FAILED of a channel that cannot continue to deliver.
    pub(super) fn fail_channel(&self, channel: &Channel, reason: &str) {
        channel.stream.with_state(|stream_state| {
            channel.with_state(|state| {
                if !state.status.delivers() || state.removed {
                    return;
                }
                state.fail(reason);
                note_failure(stream_state, channel);
                // No request waits until this change is durable. The delivery fails again after the
                // next start if a crash loses the change.
                let _ticket = self.store.save(vec![channel.saved(state, state.status)]);
            });
        });
        channel.notify();
    }
}

/// Marks a channel as FAILED in the state of its stream.
fn note_failure(stream_state: &mut StreamState, channel: &Channel) {
    if let Some(of_stream) = stream_state.channels.get_mut(&channel.incarnation) {
        of_stream.has_failed = true;
    }
}

/// Returns the position after the last published record of each shard.
fn ends(state: &StreamState) -> BTreeMap<ShardId, ChannelPosition> {
    let end = |shard: &Arc<crate::engine::Shard>| {
        let is_open = shard.description().is_open();
        (shard.id, ChannelPosition::at_end(shard.end(), is_open))
    };
    state.all().iter().map(end).collect()
}

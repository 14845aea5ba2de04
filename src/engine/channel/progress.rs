//! The positions of a channel in its shards, which survive a restart.

use super::item::{Channel, ChannelState};
use crate::engine::Engine;
use crate::model::ShardId;
use crate::model::channel::{ChannelPosition, ChannelStatus};
use crate::store::{Change, Ticket};
use std::collections::BTreeMap;

/// The part of a channel that its deliveries change and that survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChannelProgress {
    /// The positions in the shards that existed when the channel became ACTIVE or that a delivery
    /// has reached since. A shard without a position is read from its first record.
    pub(crate) positions: BTreeMap<ShardId, ChannelPosition>,
    /// Name of the newest metadata file of the table that the channel writes.
    pub(crate) table_metadata: Option<String>,
}

impl Channel {
    /// The present progress.
    pub(crate) fn progress(&self) -> ChannelProgress {
        self.with_state(|state| state.progress.clone())
    }
}

impl Channel {
    /// The channel's part of a snapshot: its catalog entry and its positions. Nothing if the channel
    /// is being deleted.
    pub(in crate::engine) fn snapshot(&self) -> Vec<Change> {
        self.with_state(|state| {
            if state.removed || state.status == ChannelStatus::Deleting {
                return Vec::new();
            }
            let mut changes = all_positions(self.incarnation, state);
            changes.push(self.saved(state, state.status));
            changes
        })
    }
}

impl Engine {
    /// Changes the progress of a channel, and saves all changes atomically. Returns the ticket of
    /// the save. Does nothing if the channel does not deliver any more; then None is returned.
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
            let mut changes = differences(channel.incarnation, &before, &state.progress);
            if before.table_metadata != state.progress.table_metadata {
                changes.push(channel.saved(state, state.status));
            }
            Some(self.store.save(changes))
        })
    }
}

/// The catalog changes for the positions that differ.
fn differences(incarnation: u64, before: &ChannelProgress, after: &ChannelProgress) -> Vec<Change> {
    let removed = before
        .positions
        .keys()
        .filter(|shard| !after.positions.contains_key(shard));
    let removed = removed.map(|shard| (shard, None));
    let changed = after
        .positions
        .iter()
        .filter(|(shard, position)| before.positions.get(shard) != Some(position));
    let changed = changed.map(|(shard, position)| (shard, Some(position)));
    let all = removed.chain(changed);
    all.map(|(shard, value)| position_change(incarnation, *shard, value))
        .collect()
}

/// The catalog changes that save all positions.
pub(super) fn all_positions(incarnation: u64, state: &ChannelState) -> Vec<Change> {
    differences(incarnation, &ChannelProgress::default(), &state.progress)
}

/// The catalog changes that remove all positions.
pub(super) fn removed_positions(incarnation: u64, state: &ChannelState) -> Vec<Change> {
    differences(incarnation, &state.progress, &ChannelProgress::default())
}

fn position_change(incarnation: u64, shard: ShardId, value: Option<&ChannelPosition>) -> Change {
    Change::ChannelPosition {
        incarnation,
        shard: shard.index(),
        value: value.cloned(),
    }
}

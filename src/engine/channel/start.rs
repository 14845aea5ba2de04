//! Restores the channels from the catalog, at the start of the engine.

use super::item::{Channel, ChannelIdentity, ChannelState};
use super::progress::ChannelProgress;
use super::registry;
use crate::engine::start::{RestoreError, unreadable};
use crate::engine::{Engine, Stream};
use crate::model::channel::{ChannelPosition, ChannelStatus};
use crate::model::{AccountId, AccountRegion, ChannelArn, Region, ShardId};
use crate::store::{Catalog, Change, ChannelValue};
use crate::world::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Engine {
    /// Restores the channels of the streams `streams`. Removes a channel from the catalog if its
    /// stream does not exist.
    pub(in crate::engine) fn restore_channels(
        &self,
        catalog: &Catalog,
        streams: &HashMap<u64, Arc<Stream>>,
    ) -> Result<(), RestoreError> {
        let now = self.world.clock.now();
        let mut accounts = self.channels.accounts.lock();
        for (&incarnation, value) in &catalog.channels {
            let Some(stream) = streams.get(&value.stream) else {
                let _kept = self.store.save(vec![Change::Channel(incarnation, None)]);
                continue;
            };
            let positions = positions_of(catalog, incarnation);
            let channel =
                self.restored_channel(incarnation, value.clone(), positions, stream, now)?;
            registry::restore(&mut accounts, &channel);
        }
        drop(accounts);
        self.remove_stray_positions(catalog);
        Ok(())
    }

    /// Removes from the catalog the positions of channels that are not in the catalog.
    fn remove_stray_positions(&self, catalog: &Catalog) {
        let is_stray = |channel: &u64| !catalog.channels.contains_key(channel);
        let positions = catalog.channel_positions.keys();
        let stray = positions.filter(|(channel, _)| is_stray(channel));
        let removed = stray.map(|&key| Change::ChannelPosition(key, None));
        let _kept = self.store.save(removed.collect());
    }

    /// Registers the times at which the statuses of the restored channels end. Starts the tasks
    /// that deliver the channels' records.
    pub(in crate::engine) fn begin_channels(self: &Arc<Self>) {
        for channel in self.channels.all() {
            if let Some(due) = channel.with_state(|state| state.due) {
                self.channels.await_status(due, &channel);
            }
            if channel.delivers() {
                self.resume_delivery(&channel);
            }
        }
    }

    /// Restores a channel from its catalog entry and its saved positions. `now` is the current
    /// time.
    pub(in crate::engine) fn restored_channel(
        &self,
        incarnation: u64,
        value: ChannelValue,
        positions: BTreeMap<ShardId, ChannelPosition>,
        stream: &Arc<Stream>,
        now: Timestamp,
    ) -> Result<Arc<Channel>, RestoreError> {
        let damaged = || unreadable("a channel");
        let arn = ChannelArn {
            scope: AccountRegion {
                account: AccountId::parse(&value.account).ok_or_else(damaged)?,
                region: Region::new(&value.region),
            },
            id: value.id.as_str().into(),
        };
        // The emulator saves only valid ARNs, so an invalid ARN means that the entry is damaged.
        if ChannelArn::parse(&arn.to_string()).as_ref() != Some(&arn) {
            return Err(damaged());
        }
        let mut state = ChannelState::new(value.settings, value.tags.into_iter().collect());
        state.status = ChannelStatus::parse(&value.status).ok_or_else(damaged)?;
        state.reason = value.reason;
        state.progress = ChannelProgress {
            positions,
            table_metadata: value.table_metadata,
        };
        let delay = match state.status {
            ChannelStatus::Creating => self.limits.channel_create_ms,
            ChannelStatus::Updating => self.limits.channel_update_ms,
            _ => self.limits.channel_delete_ms,
        };
        // A restored transition ends no later than a transition that begins now, even if the
        // machine's clock was set back since the last run.
        let latest_end = self.transition_end_by(delay, now).unwrap_or(now);
        let due = value.due_ms.map(Timestamp::from_millis);
        state.due = due.map(|due| due.min(latest_end));
        if !matches!(state.status, ChannelStatus::Active | ChannelStatus::Failed) {
            state.due = state.due.or(Some(now));
        }
        let identity = ChannelIdentity {
            arn,
            name: value.name.as_str().into(),
            incarnation,
            stream: stream.clone(),
            created: Timestamp::from_millis(value.created_ms),
        };
        Ok(Channel::new(identity, state))
    }
}

/// Reads the positions of a channel from the catalog.
pub(in crate::engine) fn positions_of(
    catalog: &Catalog,
    incarnation: u64,
) -> BTreeMap<ShardId, ChannelPosition> {
    let of_channel = (incarnation, 0)..=(incarnation, u32::MAX);
    let positions = catalog.channel_positions.range(of_channel);
    positions
        .filter_map(|((_, shard), position)| Some((ShardId::checked(*shard)?, position.clone())))
        .collect()
}

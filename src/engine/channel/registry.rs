//! The registry of all channels, and the times at which their statuses end by themselves.

use super::item::Channel;
use super::stream_channels::StreamChannels;
use crate::engine::deadlines::Deadlines;
use crate::engine::named_items::{Named, NamedItems};
use crate::engine::stream_state::StreamChannel;
use crate::engine::{Stream, lock_order};
use crate::limits;
use crate::lock::Lock;
use crate::model::AccountRegion;
use crate::model::channel::ChannelStatus;
use crate::world::{Bell, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The channels of one account in one region.
pub(in crate::engine) type AccountChannels = NamedItems<Channel>;

/// The channels of all accounts, and the times at which their statuses end by themselves.
#[derive(Debug)]
pub(in crate::engine) struct Channels {
    pub(in crate::engine) accounts: Lock<HashMap<AccountRegion, AccountChannels>>,
    pub(super) deadlines: Deadlines<Channel, ()>,
    /// The permits for writing. A delivery holds a permit while it writes, so the number of permits
    /// bounds the memory of all deliveries.
    pub(super) writers: Semaphore,
}

impl Named for Channel {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn id(&self) -> &Arc<str> {
        &self.arn.id
    }

    fn incarnation(&self) -> u64 {
        self.incarnation
    }
}

impl Channels {
    /// Creates a registry without channels. `bell` wakes the task that ends the statuses of
    /// channels.
    pub(in crate::engine) fn new(bell: Bell) -> Self {
        Self {
            accounts: Lock::ranked(lock_order::CHANNELS, HashMap::new()),
            deadlines: Deadlines::new(bell),
            writers: Semaphore::new(limits::CHANNEL_WRITERS),
        }
    }

    /// Registers the time `moment`, at which a channel's status ends by itself.
    pub(super) fn await_status(&self, moment: Timestamp, channel: &Arc<Channel>) {
        self.deadlines.add(moment, channel.clone(), ());
    }

    pub(super) fn all(&self) -> Vec<Arc<Channel>> {
        let accounts = self.accounts.lock();
        let channels = accounts.values().flat_map(AccountChannels::all);
        channels.cloned().collect()
    }

    /// Returns the channels that deliver the records of `stream` and have a status that permits
    /// deliveries.
    pub(in crate::engine) fn of(&self, stream: &Stream) -> StreamChannels {
        if stream.look(|state| state.channels.is_empty()) {
            return StreamChannels::default();
        }
        let mut channels = self.all();
        channels.retain(|one| one.stream.incarnation == stream.incarnation && one.delivers());
        StreamChannels(channels)
    }
}

/// Adds a restored channel to its account and to its stream. Returns false if another channel has
/// the same name or id.
pub(in crate::engine) fn restore(
    accounts: &mut HashMap<AccountRegion, AccountChannels>,
    channel: &Arc<Channel>,
) -> bool {
    let account = accounts.entry(channel.arn.scope.clone()).or_default();
    if !account.insert(channel) {
        return false;
    }
    let of_stream = StreamChannel {
        kind: channel.kind,
        has_failed: channel.describe().status == ChannelStatus::Failed,
    };
    channel.stream.with_state(|state| {
        state.channels.insert(channel.incarnation, of_stream);
    });
    true
}

//! Keeps expired records in the logs of a stream until the channels of the stream do not need the
//! records any more.

use super::item::Channel;
use crate::engine::Shard;
use crate::world::Timestamp;
use std::sync::Arc;

/// The channels that deliver the records of one stream.
#[derive(Debug, Default)]
pub(in crate::engine) struct StreamChannels(pub(super) Vec<Arc<Channel>>);

impl StreamChannels {
    /// Frees the expired records of a shard: the records that arrived before `horizon`. Keeps the
    /// records that a channel has still to deliver, and the records from the index `end` on. If a
    /// channel has still to deliver expired records, wakes all channels of the stream. Returns true
    /// if no expired records remain.
    pub(in crate::engine) fn trim(&self, shard: &Shard, horizon: Timestamp, end: u64) -> bool {
        let next = self.0.iter().map(|channel| channel.next(shard.id)).min();
        let next = next.unwrap_or(u64::MAX);
        let is_left = shard.log().trim_up_to(horizon, end.min(next));
        if is_left && next <= end {
            self.wake();
        }
        !is_left
    }

    /// Wakes the tasks of the channels, so that each task checks for records to deliver.
    pub(in crate::engine) fn wake(&self) {
        self.0.iter().for_each(|channel| channel.notify());
    }
}

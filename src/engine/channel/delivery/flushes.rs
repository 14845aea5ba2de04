//! The flush requests of a channel. A flush request asks the channel to deliver all published
//! records immediately.

use crate::engine::StreamState;
use crate::engine::channel::item::{Channel, Flush};
use crate::model::ShardId;
use crate::model::channel::ObjectPlan;
use std::collections::BTreeMap;

/// The flush requests that the channel's task is serving.
#[derive(Default)]
pub(super) struct Flushes {
    waiting: Vec<Flush>,
    /// For each shard, the index after the last published record at the time when the task began to
    /// serve the flush requests.
    ends: BTreeMap<ShardId, u64>,
}

impl Flushes {
    /// True if no flush request is being served.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Begins to serve the waiting flush requests of a channel. Does nothing while earlier flush
    /// requests are still being served.
    pub(super) fn take(&mut self, channel: &Channel) {
        if !self.is_empty() {
            return;
        }
        self.waiting = channel.take_flushes();
        if !self.is_empty() {
            let ends = |state: &StreamState| {
                let shards = state.all().iter();
                shards.map(|shard| (shard.id, shard.end())).collect()
            };
            self.ends = channel.stream.look(ends);
        }
    }

    /// Returns true if flush requests are being served and all records that they wait for are
    /// delivered. `plan` is the plan of the next object. An empty plan means that no undelivered
    /// records remain.
    pub(super) fn is_served_by(&self, plan: &ObjectPlan, channel: &Channel) -> bool {
        if self.is_empty() {
            return false;
        }
        if plan.is_empty() {
            return true;
        }
        let mut ends = self.ends.iter();
        ends.all(|(shard, end)| channel.next(*shard) >= *end)
    }

    /// Sends `result` to all flush requests that are being served, and removes these requests.
    pub(super) fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.waiting.drain(..) {
            // An error of `send` means that the requester no longer waits.
            let _gone = flush.send(result.clone());
        }
        self.ends.clear();
    }
}

//! The requests to deliver immediately (flushes).

use crate::engine::StreamState;
use crate::engine::channel::item::{Channel, Flush};
use crate::model::ShardId;
use crate::model::channel::ObjectPlan;
use std::collections::BTreeMap;

/// The requests to deliver immediately that the channel's task is serving.
#[derive(Default)]
pub(super) struct Flushes {
    waiting: Vec<Flush>,
    /// For each shard, the index after the last published record at the time when the task began to
    /// serve the requests.
    ends: BTreeMap<ShardId, u64>,
}

impl Flushes {
    /// True if no request to deliver immediately is being served.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Begins to serve the waiting requests of a channel. Does nothing while earlier requests are
    /// still being served.
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

    /// True if requests are being served and all records that they wait for are delivered. `plan`
    /// is the plan of the next object. An empty plan means that no undelivered records remain.
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

    /// Sends `result` to all requests that are being served, and removes the requests.
    pub(super) fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.waiting.drain(..) {
            // The error means that the requester no longer waits.
            let _gone = flush.send(result.clone());
        }
        self.ends.clear();
    }
}

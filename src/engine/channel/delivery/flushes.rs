//! The requests to deliver at once.

use crate::engine::StreamState;
use crate::engine::channel::item::{Channel, Flush};
use crate::model::ShardId;
use crate::model::channel::ObjectPlan;
use std::collections::BTreeMap;

/// The requests to deliver at once that the task is serving.
#[derive(Default)]
pub(super) struct Flushes {
    waiting: Vec<Flush>,
    /// For each shard, the index after the last published record at the time when the requests were
    /// taken.
    ends: BTreeMap<ShardId, u64>,
}

impl Flushes {
    /// True if no request to deliver at once is being served.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the waiting requests of a channel. Does nothing while earlier requests are still being
    /// served.
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

    /// True if all records that the requests wait for are delivered. `plan` is the plan of the next
    /// object: an empty plan means that no records are left to deliver.
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

    /// Answers all requests that are being served.
    pub(super) fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.waiting.drain(..) {
            // The error means that the requester does not wait any more.
            let _gone = flush.send(result.clone());
        }
        self.ends.clear();
    }
}

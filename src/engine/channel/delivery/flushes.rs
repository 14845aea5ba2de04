//! The requests to deliver now.

use crate::engine::StreamState;
use crate::engine::channel::item::{Channel, Flush};
use crate::model::ShardId;
use crate::model::channel::ObjectPlan;
use std::collections::BTreeMap;

/// The requests to deliver now that are being served.
#[derive(Default)]
pub(super) struct Flushes {
    waiting: Vec<Flush>,
    /// The index after the last published record of each shard when the requests were taken.
    ends: BTreeMap<ShardId, u64>,
}

impl Flushes {
    /// True if no request waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the waiting requests of a channel, unless earlier ones are still served.
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
    /// object.
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

    /// Answers all requests.
    pub(super) fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.waiting.drain(..) {
            // A requester that does not wait any more needs no answer.
            let _gone = flush.send(result.clone());
        }
        self.ends.clear();
    }
}

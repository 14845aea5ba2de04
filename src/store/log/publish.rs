//! Publication of records: makes them visible to readers, and wakes the followers of the shard and
//! the receivers of the stream's queues.

use super::segments::LogState;
use super::shard_log::Log;
use crate::world::Bell;
use std::sync::Arc;
use tokio::sync::watch;

/// Rings a bell whenever a record is published, until this value is dropped.
#[derive(Debug)]
pub struct Follower {
    log: Arc<Log>,
    number: u64,
    /// Counts as a receiver of `Log::end`: without receivers, appends skip the bells.
    _end: watch::Receiver<u64>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut bells = self.log.bells.lock();
        bells.retain(|(number, _)| *number != self.number);
    }
}

impl Log {
    /// Publishes the records before `end`, and announces that `records` of them, with `bytes`
    /// bytes, are new.
    pub(super) fn publish_before(
        &self,
        state: &mut LogState,
        end: u64,
        (records, bytes): (usize, u64),
    ) {
        state.visible = end;
        // A follower that subscribes later gets the end in `follow`, which holds the same lock.
        if self.end.receiver_count() > 0 {
            self.end.send_replace(end);
            self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
        }
        if let Some(arrivals) = self.arrivals.get() {
            arrivals.announce(records, bytes);
        }
    }

    /// Index after the last published record. 0 if no record was published.
    pub fn end(&self) -> u64 {
        self.state.lock().visible
    }

    /// Returns a receiver for the index after the last published record. The receiver is notified
    /// at once, and whenever records are published.
    pub fn follow(&self) -> watch::Receiver<u64> {
        let state = self.state.lock();
        let receiver = self.end.subscribe();
        self.end.send_replace(state.visible);
        receiver
    }

    /// Rings `bell` whenever records are published, until the returned value is dropped.
    pub fn ring_at_end(self: &Arc<Self>, bell: Bell) -> Follower {
        let mut bells = self.bells.lock();
        let number = bells.last().map_or(0, |(number, _)| number + 1);
        bells.push((number, bell));
        Follower {
            log: self.clone(),
            number,
            _end: self.end.subscribe(),
        }
    }

    /// Rings the bells of all followers, because the log was closed or deleted.
    pub fn wake_followers(&self) {
        self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
    }
}

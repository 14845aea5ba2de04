//! Publication: makes records visible to readers, and wakes the followers of the shard, the
//! receivers of the stream's queues and the deliveries of its channels.

use super::segments::LogState;
use super::shard_log::Log;
use crate::world::Bell;
use std::sync::Arc;
use tokio::sync::watch;

/// Rings a bell whenever records of a log are published, until this value is dropped.
#[derive(Debug)]
pub struct Follower {
    log: Arc<Log>,
    number: u64,
    /// A receiver of `Log::end`. The publication rings the bells only if `Log::end` has a receiver.
    _end: watch::Receiver<u64>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut bells = self.log.bells.lock();
        bells.retain(|(number, _)| *number != self.number);
    }
}

impl Log {
    /// Publishes the records with an index less than `end`. `records` and `bytes` are the number
    /// and the bytes of the records that become visible by this call.
    pub(super) fn publish_before(
        &self,
        state: &mut LogState,
        end: u64,
        (records, bytes): (usize, u64),
    ) {
        state.visible = end;
        // No wake-up is lost: a follower that subscribes later reads the end in `follow`, under the
        // same lock.
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

//! The publication of records. The log makes records visible to readers, and then wakes the
//! followers of the shard. It also wakes the receive requests that wait at the stream's queues, and
//! the deliveries of the stream's channels.

use super::segments::LogState;
use super::shard_log::Log;
use crate::world::Bell;
use std::sync::Arc;
use tokio::sync::watch;

/// The registration of a bell at a log. The bell rings whenever records of the log are published,
/// until this value is dropped.
#[derive(Debug)]
pub struct BellRegistration {
    log: Arc<Log>,
    number: u64,
    /// A receiver of `Log::end`. The log rings its bells only while `Log::end` has a receiver.
    _end: watch::Receiver<u64>,
}

impl Drop for BellRegistration {
    fn drop(&mut self) {
        let mut bells = self.log.bells.lock();
        bells.retain(|(number, _)| *number != self.number);
    }
}

impl Log {
    /// Publishes all records that have an index less than `end`. `records` and `bytes` are the
    /// number and the bytes of the records that become visible.
    pub(super) fn publish_before(
        &self,
        state: &mut LogState,
        end: u64,
        (records, bytes): (usize, u64),
    ) {
        state.visible = end;
        // No wake-up is lost, because a follower that subscribes later reads `visible` in `follow`,
        // under the same lock.
        if self.end.receiver_count() > 0 {
            self.end.send_replace(end);
            self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
        }
        if let Some(arrivals) = self.arrivals.get() {
            arrivals.announce(records, bytes);
        }
    }

    /// Returns the index after the last published record. Returns 0 if no record was published.
    pub fn end(&self) -> u64 {
        self.state.lock().visible
    }

    /// Returns a receiver of the index after the last published record. The receiver is notified
    /// immediately, and then whenever records are published.
    pub fn follow(&self) -> watch::Receiver<u64> {
        let state = self.state.lock();
        let receiver = self.end.subscribe();
        self.end.send_replace(state.visible);
        receiver
    }

    /// Makes `bell` ring whenever records are published, until the returned value is dropped.
    pub fn ring_on_publish(self: &Arc<Self>, bell: Bell) -> BellRegistration {
        let mut bells = self.bells.lock();
        let number = bells.last().map_or(0, |(number, _)| number + 1);
        bells.push((number, bell));
        BellRegistration {
            log: self.clone(),
            number,
            _end: self.end.subscribe(),
        }
    }

    /// Rings the bells of all followers. Must be called after the log was closed or deleted.
    pub fn wake_followers_of_ended_log(&self) {
        self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
    }
}

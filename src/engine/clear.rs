//! Clearing a stream: its records go, the stream and its sequence numbers stay.

use super::core::Engine;
use super::saved;
use super::stream::Stream;
use crate::store::StoreError;
use crate::world::Timestamp;

impl Engine {
    /// Drops all records of a stream. Returns once this is as durable as the settings promise.
    ///
    /// The records expire: their arrivals lie before the moment that the stream saves as its
    /// horizon, and the arrivals of later records do not. Under a standing clock this puts later
    /// records a millisecond ahead of the clock (a choice).
    ///
    /// # Errors
    /// When the store does not write.
    pub async fn clear(&self, stream: &Stream) -> Result<(), StoreError> {
        self.check_store()?;
        let now = self.world.clock.now();
        let (ticket, logs, horizon) = stream.with_state(|state| {
            let arrivals = state.shards.values().map(|shard| shard.next_arrival(now));
            let horizon: Timestamp = arrivals.max().unwrap_or(now);
            // The arrivals of all shards continue from one moment.
            for shard in state.shards.values() {
                shard.next_arrival(horizon.plus_millis(-1));
                self.shard_opener.note_times(shard);
            }
            state.expired_before = state.expired_before.max(horizon);
            stream.records.clear();
            let changes = saved::stream(stream, state, state.status, &[]);
            let logs: Vec<_> = state
                .shards
                .values()
                .map(|shard| shard.log().clone())
                .collect();
            (self.store.save(changes), logs, state.expired_before)
        });
        for log in logs {
            log.trim(horizon);
        }
        ticket.durable().await
    }
}

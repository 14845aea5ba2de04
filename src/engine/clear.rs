//! Clears a stream: removes its records, but keeps the stream and continues its sequence numbers.

use super::core::Engine;
use super::saved;
use super::stream::Stream;
use crate::store::StoreError;
use crate::world::Timestamp;

impl Engine {
    /// Removes all records of a stream. Returns when the removal is as durable as the settings
    /// promise.
    ///
    /// The removed records count as expired: the stream saves a horizon, the arrival times of all
    /// existing records are before it, and the arrival times of later records are not. If the clock
    /// stands still, later records therefore arrive a millisecond ahead of the clock (a choice).
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub async fn clear(&self, stream: &Stream) -> Result<(), StoreError> {
        self.check_store()?;
        let now = self.world.clock.now();
        let (ticket, logs, horizon) = stream.with_state(|state| {
            let arrivals = state.shards.values().map(|shard| shard.next_arrival(now));
            let horizon: Timestamp = arrivals.max().unwrap_or(now);
            // Later records of all shards arrive at the horizon or after it.
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

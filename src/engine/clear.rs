//! Clears a stream: removes its records, but keeps the stream and continues its sequence numbers.

use super::core::Engine;
use super::saved;
use super::stream::Stream;
use crate::store::StoreError;
use crate::world::Timestamp;

impl Engine {
    /// Removes all records of a stream. Returns when the removal is as durable as the `durability`
    /// option promises.
    ///
    /// The removed records count as expired. The stream saves a new horizon, which is later than
    /// the arrival times of all removed records. Every record that is put after the removal arrives
    /// at the new horizon or later. If the clock stands still, these later records therefore arrive
    /// a millisecond ahead of the clock. The millisecond is a choice.
    ///
    /// A channel delivers a removed record only if the channel is already writing the record's
    /// object. The channel counts the other removed records as lost.
    ///
    /// While a snapshot is being saved, the removed records keep their space, because the save may
    /// still read them. The retention task frees them at the end of the save.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub async fn clear(&self, stream: &Stream) -> Result<(), StoreError> {
        self.check_store()?;
        let now = self.world.clock.now();
        let channels = self.channels.of(stream);
        let (ticket, shards, horizon, keeps_space) = stream.with_state(|state| {
            let arrivals = state.shards.values().map(|shard| shard.next_arrival(now));
            let horizon: Timestamp = arrivals.max().unwrap_or(now);
            // Ensure that later records of every shard arrive at the horizon or after it.
            for shard in state.shards.values() {
                shard.next_arrival(horizon.plus_millis(-1));
                self.shard_opener.note_times(shard);
            }
            state.expired_before = state.expired_before.max(horizon);
            stream.records.set(0);
            let changes = saved::stream(stream, state, state.status, &[]);
            let shards = state.all().clone();
            let keeps_space = self.saves.in_use() > 0;
            let ticket = self.store.save(changes);
            (ticket, shards, state.expired_before, keeps_space)
        });
        // Some of the space may be freed only by the retention task.
        self.retention_bell.ring();
        if keeps_space {
            channels.wake();
            return ticket.durable().await;
        }
        for shard in shards.iter() {
            channels.trim(shard, horizon, u64::MAX);
        }
        ticket.durable().await
    }
}

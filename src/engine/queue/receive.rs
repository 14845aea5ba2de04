//! Receives records. Picks the records, waits for records in a long poll, and reads the payloads of
//! the picked records.

use super::item::Queue;
use super::journal::CommitPriority;
use super::pick::{Claim, Look, Wanted};
use crate::admission::BudgetPermit;
use crate::engine::{Batch, Engine, Read, ReadBudget, Shard, StoreError};
use crate::limits;
use crate::model::{Delivery, RecordPlace, UnreadRecord};
use crate::store::{Receiver, WriteReservation};
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The parameters of a receive request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiving {
    /// True if the receive asks for dead-letter records.
    pub(crate) dead: bool,
    /// Maximum number of records to receive.
    pub(crate) count: usize,
    /// Longest time that the receive waits for a record, in milliseconds.
    pub(crate) wait_ms: i64,
    /// Visibility timeout of the received records, in seconds. None means the queue's timeout.
    pub(crate) visibility_s: Option<u32>,
}

/// Received records with their payloads.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Batches of records, each with the deliveries of its first records in the order of these
    /// records. A batch may have more records than deliveries. The records without a delivery are
    /// not received.
    pub(crate) parts: Vec<(Batch, Vec<Delivery>)>,
    /// Budget permit for records that were read from the disk. None if all records were in memory.
    pub(crate) permit: Option<BudgetPermit>,
}

/// Reason why a receive fails.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    /// The queue's status does not permit receiving.
    NotServing,
    /// The store cannot be read, or cannot write.
    Store(StoreError),
}

impl From<StoreError> for ReceiveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The bytes that a receive reserves for its journal document. The document is always smaller.
const RECEIVE_DOCUMENT_BYTES: u64 = 1024;

impl Queue {
    /// Receives records of the queue. If no record is available, waits until the first records are
    /// available or the wait time has passed.
    ///
    /// # Errors
    /// Returns an error if the queue's status does not permit receiving, or if the store fails.
    pub(crate) async fn receive(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        receiving: Receiving,
    ) -> Result<Received, ReceiveError> {
        let wanted = Wanted {
            dead: receiving.dead,
            count: receiving.count,
            visibility_s: receiving.visibility_s,
        };
        let mut received = self.try_receive(engine, wanted).await?;
        if received.parts.is_empty() {
            received = self.wait(engine, wanted, receiving.wait_ms).await?;
        }
        let count: usize = received.parts.iter().map(|(_, taken)| taken.len()).sum();
        match count as u64 {
            0 => self.traffic.empty_receives.fetch_add(1, Ordering::Relaxed),
            count => self.traffic.received.fetch_add(count, Ordering::Relaxed),
        };
        Ok(received)
    }

    async fn wait(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        wanted: Wanted,
        wait_ms: i64,
    ) -> Result<Received, ReceiveError> {
        let deadline = engine.world.clock.now().plus_millis(wait_ms);
        let mut alarm: Alarm = engine.world.clock.alarm();
        let mut stopping = engine.stopping.clone();
        let arrivals = self.stream.look(|state| state.arrivals.clone());
        let mut receiver = Receiver::new(self.receivers(wanted.dead), &arrivals, alarm.bell());
        loop {
            receiver.line_up();
            let received = self.try_receive(engine, wanted).await?;
            let over = engine.world.clock.now() >= deadline || *stopping.borrow();
            if !received.parts.is_empty() || over {
                return Ok(received);
            }
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => {}
                () = alarm.wait(Some(deadline)) => {}
            }
        }
    }

    /// Receives the records that are available now. Does not wait for records.
    async fn try_receive(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        wanted: Wanted,
    ) -> Result<Received, ReceiveError> {
        loop {
            let reservation = self.reserve(engine, RECEIVE_DOCUMENT_BYTES).await?;
            let deliveries = match self.look(engine, wanted, reservation, None) {
                Look::NotServing => return Err(ReceiveError::NotServing),
                Look::Picked(deliveries) if deliveries.is_empty() => {
                    return Ok(Received::default());
                }
                Look::Picked(deliveries) => deliveries,
                Look::OnDisk(shard, next) => {
                    let claim = self.read_on(engine, &shard, next, wanted.count).await?;
                    match self.claim(engine, wanted, claim).await? {
                        // No record was picked: other receive requests picked the records first, or
                        // the read found no record. Search again.
                        deliveries if deliveries.is_empty() => continue,
                        deliveries => deliveries,
                    }
                }
            };
            let received = self.payloads(engine, deliveries).await?;
            if !received.parts.is_empty() {
                return Ok(received);
            }
        }
    }

    /// Waits for a write reservation of `bytes` bytes for the journal. Returns None if the emulator
    /// saves nothing that survives a restart.
    pub(super) async fn reserve(
        &self,
        engine: &Engine,
        bytes: u64,
    ) -> Result<Option<WriteReservation>, StoreError> {
        if !engine.store.is_durable() {
            return Ok(None);
        }
        engine.store.reserve(bytes).await.map(Some)
    }

    /// Reads the records of a shard from the index `next` on, so that the caller can pick them.
    async fn read_on<'a>(
        &self,
        engine: &Engine,
        shard: &'a Shard,
        next: u64,
        count: usize,
    ) -> Result<Claim<'a>, StoreError> {
        let now = engine.world.clock.now();
        let read = Read {
            from: shard.position(next, now),
            horizon: self.stream.horizon(now),
            records: count,
            bytes: limits::QUEUE_ANSWER_BYTES,
        };
        let batch = shard.read(read, ReadBudget::AtOnce).await?;
        let found = batch.iter().map(|record| UnreadRecord {
            index: record.number.index,
            arrival: record.arrival,
        });
        Ok(Claim {
            shard,
            found: found.collect(),
            after: batch.next().index,
        })
    }

    /// Picks records that were read from the disk. Omits the records that other receive requests
    /// picked after the read began.
    async fn claim(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        wanted: Wanted,
        claim: Claim<'_>,
    ) -> Result<Vec<Delivery>, ReceiveError> {
        let reservation = self.reserve(engine, RECEIVE_DOCUMENT_BYTES).await?;
        match self.look(engine, wanted, reservation, Some(claim)) {
            Look::Picked(deliveries) => Ok(deliveries),
            Look::OnDisk(..) => Ok(Vec::new()),
            Look::NotServing => Err(ReceiveError::NotServing),
        }
    }

    /// Reads the payloads of picked records, and starts the visibility timeouts of the records in
    /// the answer. Makes a record visible again if it does not fit in the answer. Settles a record
    /// that the log no longer contains.
    async fn payloads(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        deliveries: Vec<Delivery>,
    ) -> Result<Received, ReceiveError> {
        let mut picked = Picked {
            queue: self,
            engine,
            deliveries,
        };
        let mut payloads = Payloads::default();
        let read = payloads.read(self, engine, &picked.deliveries).await;
        if read.is_err() {
            payloads = Payloads::default();
        }
        let mut reservation = None;
        if payloads.done < picked.deliveries.len() || !payloads.missing.is_empty() {
            // The pick is already in the journal, so the result of the reads must be saved there
            // too.
            let reserved = self.reserve(engine, RECEIVE_DOCUMENT_BYTES).await;
            reservation = reserved.ok().flatten();
        }
        picked.finish(payloads.done, &payloads.missing, reservation);
        read?;
        Ok(payloads.received)
    }
}

/// The records that a receive has picked, before their visibility timeouts start. If the request
/// ends before [`Self::finish`], the drop of this value makes the records visible again.
struct Picked<'a> {
    queue: &'a Arc<Queue>,
    engine: &'a Engine,
    deliveries: Vec<Delivery>,
}

impl Picked<'_> {
    /// Settles the records `missing`, which cannot be read. Starts the visibility timeouts of the
    /// first `done` records, and makes the other records visible again.
    fn finish(
        &mut self,
        done: usize,
        missing: &[RecordPlace],
        reservation: Option<WriteReservation>,
    ) {
        let (queue, engine) = (self.queue, self.engine);
        let deliveries = std::mem::take(&mut self.deliveries);
        let (done, rest) = deliveries.split_at(done);
        let now = engine.world.clock.now();
        queue.with_state(|state| {
            let records = &mut state.records;
            missing.iter().for_each(|at| records.settle_unreadable(*at));
            done.iter().for_each(|one| records.start_timeout(one));
            rest.iter().rev().for_each(|one| records.take_back(one));
            let _deferred =
                state.finish_pass(engine, queue, reservation, now, CommitPriority::Deferred);
        });
    }
}

impl Drop for Picked<'_> {
    fn drop(&mut self) {
        if !self.deliveries.is_empty() {
            // The next journal document also saves this change.
            self.finish(0, &[], None);
        }
    }
}

/// The payloads that a receive has read so far, of the records that it has picked.
#[derive(Default)]
struct Payloads {
    received: Received,
    /// The records that are not in their logs, because they expired after the pick or were lost.
    missing: Vec<RecordPlace>,
    /// Number of picked records, from the first one on, that are either received or missing.
    done: usize,
}

impl Payloads {
    /// Reads the payloads of `deliveries`, up to the first record that does not fit in the answer.
    async fn read(
        &mut self,
        queue: &Queue,
        engine: &Engine,
        deliveries: &[Delivery],
    ) -> Result<(), StoreError> {
        let now = engine.world.clock.now();
        let (horizon, shards) = queue.stream.all_shards(now);
        let mut left = limits::QUEUE_ANSWER_BYTES;
        while let rest @ [first, ..] = &deliveries[self.done..] {
            let Some((shard, read)) = next_read(&shards, rest, (horizon, now), left) else {
                // The shard expired after the record was picked, and the stream no longer has the
                // shard.
                self.miss(first);
                continue;
            };
            let budget = match self.received.permit {
                Some(_) => ReadBudget::Held,
                None => ReadBudget::OfMemory,
            };
            let batch = match shard.read(read, budget).await {
                Err(StoreError::Busy) if self.received.permit.is_none() => {
                    let bytes = bytes_on_disk(&shards, rest, (horizon, now), left);
                    let permit = engine.admission.answer_to_read(bytes).await;
                    self.received.permit = Some(permit.map_err(|_| StoreError::Busy)?);
                    continue;
                }
                read => read?,
            };
            let matching = batch.iter().zip(rest);
            let matching = matching.take_while(|(r, d)| r.number.index == d.place.index);
            let count = matching.count();
            if count == 0 {
                self.miss(first);
                continue;
            }
            if batch.bytes() > left && !self.received.parts.is_empty() {
                break;
            }
            left = left.saturating_sub(batch.bytes());
            self.received.parts.push((batch, rest[..count].to_vec()));
            self.done += count;
        }
        Ok(())
    }

    fn miss(&mut self, delivery: &Delivery) {
        self.missing.push(delivery.place);
        self.done += 1;
    }
}

/// Returns the read for the first deliveries in `rest`, up to the first delivery from another
/// shard. None if the stream no longer has the shard. `times` contains the stream's horizon and the
/// current time.
fn next_read<'a>(
    shards: &'a [Arc<Shard>],
    rest: &[Delivery],
    times: (Timestamp, Timestamp),
    bytes: u64,
) -> Option<(&'a Arc<Shard>, Read)> {
    let first = rest.first()?.place;
    let shard = shards.iter().find(|s| s.id.index() == first.shard)?;
    let of_shard = rest.iter().take_while(|d| d.place.shard == first.shard);
    let (horizon, now) = times;
    let read = Read {
        from: shard.position(first.index, now),
        horizon,
        records: of_shard.count(),
        bytes,
    };
    Some((shard, read))
}

/// Estimates the bytes that an answer with the deliveries `rest` reads from the disk. One permit
/// covers all reads of an answer. If each read took its own permit, two answers that each hold a
/// permit could wait for each other.
fn bytes_on_disk(
    shards: &[Arc<Shard>],
    mut rest: &[Delivery],
    times: (Timestamp, Timestamp),
    left: u64,
) -> u64 {
    let mut bytes = 0;
    while !rest.is_empty() {
        let found = next_read(shards, rest, times, left);
        let count = found.as_ref().map_or(1, |(_, read)| read.records);
        // A read loads whole segments into memory.
        let on_disk = found.map_or(0, |(shard, read)| shard.bytes_on_disk(&read));
        bytes += if on_disk > 0 {
            on_disk.max(limits::SMALL_BYTES + 1)
        } else {
            0
        };
        rest = &rest[count..];
    }
    bytes
}

//! Writes records. Each record is appended to the shard that owns the hash key of the record.

use super::core::Engine;
use super::shard::{AppendError, Shard, WriteRates};
use super::stream::Stream;
use super::stream_state::route_of;
use crate::model::{NewRecord, SequenceNumber, ShardId};
use crate::store::Ticket;
use crate::world::{Fault, Point};
use std::sync::Arc;

/// The shard and the sequence number of a written record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The shard that the record was appended to.
    pub shard: ShardId,
    /// Sequence number of the record.
    pub number: SequenceNumber,
}

/// Reason why a record was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutFailure {
    /// The write limit of a shard refused the record. Holds the shard.
    Throttled(ShardId),
    /// The store cannot write, or an injected fault refused the write.
    Store,
}

/// The records of a request that go to one shard, and the result of their append.
struct ShardBatch {
    /// The indexes of the records in the request.
    records: Vec<usize>,
    shard: ShardId,
    /// The sequence number of each record. None for a record that the write limit refused.
    numbers: Vec<Option<SequenceNumber>>,
    /// Bytes of data and partition keys of the appended records.
    bytes: u64,
    ticket: Option<Ticket>,
    /// True if an injected fault makes the request report the appended records as failed.
    torn: bool,
}

impl Stream {
    /// Writes one record. Returns when the record is as durable as the `durability` option
    /// promises.
    ///
    /// # Errors
    /// Returns the reason if the record was not written.
    pub async fn put_one(&self, engine: &Engine, record: NewRecord) -> Result<Placed, PutFailure> {
        let bytes = record.size_bytes();
        let turn = self.turns_of(std::slice::from_ref(&record));
        loop {
            let reservation = engine.store.reserve(bytes).await;
            let reservation = reservation.map_err(|_| PutFailure::Store)?;
            let (shard, encrypted) = self.route(record.hash_key, turn);
            let torn = pass_append(engine).await?;
            let now = engine.world.clock.now();
            match shard.append(now, reservation, &record, encrypted) {
                Ok((number, ticket)) => {
                    // The log has a copy of the record, so the request's memory can be freed before
                    // the commit.
                    drop(record);
                    ticket.durable().await.map_err(|_| PutFailure::Store)?;
                    if torn {
                        return Err(PutFailure::Store);
                    }
                    engine.traffic.wrote(1, bytes);
                    self.records.add(1);
                    return Ok(Placed {
                        shard: shard.id,
                        number,
                    });
                }
                Err(AppendError::Throttled) => {
                    engine.traffic.refused(1);
                    return Err(PutFailure::Throttled(shard.id));
                }
                // The shard was split or merged after `route` chose it. The stream's routes already
                // contain the children of the shard, so the next pass of the loop finds an open
                // shard.
                Err(AppendError::Closed) => {}
            }
        }
    }

    /// Writes several records. Each record succeeds or fails separately, and the results are in the
    /// order of the records. Locks each shard only once.
    pub async fn put_many(
        &self,
        engine: &Engine,
        records: Vec<NewRecord>,
    ) -> Vec<Result<Placed, PutFailure>> {
        let rates = WriteRates::Counted;
        let batches = self.append_by_shard(engine, &records, rates).await;
        let mut results = vec![Err(PutFailure::Store); records.len()];
        // The logs have copies of the records, so the request's memory can be freed before the
        // commit.
        drop(records);
        for batch in batches {
            let Some(ticket) = batch.ticket else { continue };
            if ticket.durable().await.is_err() || batch.torn {
                continue;
            }
            let (mut written, offered) = (0, batch.records.len() as u64);
            for (at, number) in batch.records.into_iter().zip(batch.numbers) {
                written += u64::from(number.is_some());
                let shard = batch.shard;
                let placed = number.map(|number| Placed { shard, number });
                results[at] = placed.ok_or(PutFailure::Throttled(shard));
            }
            engine.traffic.wrote(written, batch.bytes);
            self.records.add(written);
            engine.traffic.refused(offered - written);
        }
        results
    }

    /// Appends several records without the write limits of the shards, and does not wait until they
    /// are durable. Catalog changes that are saved later do not become durable before the records.
    /// The setup writes the records of a prepared stream with this function.
    ///
    /// # Errors
    /// Returns the index of the first record that was not written.
    pub(crate) async fn append_unlimited(
        &self,
        engine: &Engine,
        records: &[NewRecord],
    ) -> Result<(), usize> {
        let ignored = WriteRates::Ignored;
        let mut written = vec![false; records.len()];
        for batch in self.append_by_shard(engine, records, ignored).await {
            if batch.ticket.is_none() || batch.torn {
                continue;
            }
            engine
                .traffic
                .wrote(batch.records.len() as u64, batch.bytes);
            self.records.add(batch.records.len() as u64);
            batch.records.iter().for_each(|at| written[*at] = true);
        }
        let refused = written.iter().position(|is_written| !is_written);
        refused.map_or(Ok(()), Err)
    }

    /// Appends each record to the open shard that the record's hash key or turn selects. If the
    /// shard was closed after its selection, selects another shard for the record.
    async fn append_by_shard(
        &self,
        engine: &Engine,
        records: &[NewRecord],
        rates: WriteRates,
    ) -> Vec<ShardBatch> {
        let mut batches = Vec::new();
        let first_turn = self.turns_of(records);
        let mut remaining: Vec<usize> = (0..records.len()).collect();
        while !remaining.is_empty() {
            let (routes, encrypted) = self.routes();
            let mut rerouted = Vec::new();
            for (shard, chosen) in by_shard(&routes, records, remaining, first_turn) {
                let kind = (encrypted, rates);
                match append_batch(engine, shard, records, chosen, kind).await {
                    Ok(batch) => batches.push(batch),
                    Err(chosen) => rerouted.extend(chosen),
                }
            }
            remaining = rerouted;
        }
        batches
    }

    /// Reserves a turn for each record of a request without hash keys, and returns the turn of the
    /// first record. Successive records have successive turns, and the turn of a record selects its
    /// shard. Returns 0 for a request with hash keys. Either all records of a request have a hash
    /// key, or none has one.
    fn turns_of(&self, records: &[NewRecord]) -> u64 {
        match records.first() {
            Some(first) if first.hash_key.is_none() => self.take_turns(records.len()),
            _ => 0,
        }
    }
}

/// Groups the records with the indexes `chosen` by the shards that the records go to. Keeps the
/// order of the records within each shard.
fn by_shard<'a>(
    routes: &'a [Arc<Shard>],
    records: &[NewRecord],
    chosen: Vec<usize>,
    first_turn: u64,
) -> Vec<(&'a Arc<Shard>, Vec<usize>)> {
    let route = |at: usize| {
        let turn = first_turn.wrapping_add(at as u64);
        (route_of(routes, records[at].hash_key, turn), at)
    };
    let mut routed: Vec<(usize, usize)> = chosen.into_iter().map(route).collect();
    routed.sort_unstable();
    let groups = routed.chunk_by(|one, other| one.0 == other.0);
    let group = |group: &[(usize, usize)]| {
        (
            &routes[group[0].0],
            group.iter().map(|(_, at)| *at).collect(),
        )
    };
    groups.map(group).collect()
}

/// Passes the injection point before an append. Returns true if the injected fault makes the
/// request report the appended records as failed.
async fn pass_append(engine: &Engine) -> Result<bool, PutFailure> {
    match engine.world.pass(Point::Append).await {
        Ok(()) => Ok(false),
        Err(Fault::Tear) => Ok(true),
        Err(_) => Err(PutFailure::Store),
    }
}

/// Returns the bytes of data and partition keys of the appended records. `chosen` contains the
/// indexes of the records, and `numbers` contains their sequence numbers. A record without a number
/// was not appended.
fn appended_bytes(
    records: &[NewRecord],
    chosen: &[usize],
    numbers: &[Option<SequenceNumber>],
) -> u64 {
    let chosen = chosen.iter().zip(numbers);
    let appended = chosen.filter(|(_, number)| number.is_some());
    appended.map(|(at, _)| records[*at].size_bytes()).sum()
}

/// Appends the records with the indexes `chosen` to one shard. If the shard was closed after the
/// caller chose it, appends nothing and returns `chosen` as the error.
async fn append_batch(
    engine: &Engine,
    shard: &Shard,
    records: &[NewRecord],
    chosen: Vec<usize>,
    (encrypted, rates): (bool, WriteRates),
) -> Result<ShardBatch, Vec<usize>> {
    let refused = |records| ShardBatch {
        records,
        shard: shard.id,
        numbers: Vec::new(),
        bytes: 0,
        ticket: None,
        torn: false,
    };
    let Ok(torn) = pass_append(engine).await else {
        return Ok(refused(chosen));
    };
    let bytes = chosen.iter().map(|at| records[*at].size_bytes()).sum();
    // A request that holds a write reservation never waits for another reservation. Therefore
    // requests cannot deadlock.
    let Ok(reservation) = engine.store.reserve(bytes).await else {
        return Ok(refused(chosen));
    };
    let now = engine.world.clock.now();
    let batch = chosen.iter().map(|at| &records[*at]);
    match shard.append_all(now, reservation, batch, (encrypted, rates)) {
        Ok((numbers, ticket)) => Ok(ShardBatch {
            bytes: appended_bytes(records, &chosen, &numbers),
            records: chosen,
            shard: shard.id,
            numbers,
            ticket: Some(ticket),
            torn,
        }),
        Err(_) => Err(chosen),
    }
}

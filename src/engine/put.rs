//! The way of records to their shards.

use super::Engine;
use super::shard::{AppendError, Shard};
use super::state::route_of;
use super::stream::Stream;
use crate::model::{NewRecord, SequenceNumber, ShardId};
use crate::store::Ticket;
use crate::world::{Fault, Point};
use std::sync::Arc;

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The shard that took it.
    pub shard: ShardId,
    /// Its number there.
    pub number: SequenceNumber,
}

/// Why a record was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutFailure {
    /// Its shard takes no more now.
    Throttled(ShardId),
    /// The store refuses to write.
    Store,
}

/// What one shard answered to its part of a batch.
struct Part {
    /// Positions of the records in the batch.
    records: Vec<usize>,
    shard: ShardId,
    numbers: Vec<Option<SequenceNumber>>,
    /// Bytes of those that were taken.
    bytes: u64,
    ticket: Option<Ticket>,
    /// What was taken is answered as if it were not.
    torn: bool,
}

impl Stream {
    /// Puts one record: the hot path.
    ///
    /// # Errors
    /// Why it was not put.
    pub async fn put_one(&self, engine: &Engine, record: NewRecord) -> Result<Placed, PutFailure> {
        let torn = pass(engine).await?;
        let bytes = record.size_bytes();
        loop {
            let room = engine.store.reserve(bytes).await;
            let room = room.map_err(|_| PutFailure::Store)?;
            let (shard, encrypted) = self.route(record.hash_key);
            let now = engine.world.clock.now();
            match shard.append(now, room, &record, encrypted) {
                Ok((number, ticket)) => {
                    // Its log has a copy: what it came in need not wait for the disk.
                    drop(record);
                    ticket.durable().await.map_err(|_| PutFailure::Store)?;
                    if torn {
                        return Err(PutFailure::Store);
                    }
                    engine.traffic.wrote(1, bytes);
                    return Ok(Placed {
                        shard: shard.id,
                        number,
                    });
                }
                Err(AppendError::Throttled) => {
                    engine.traffic.refused(1);
                    return Err(PutFailure::Throttled(shard.id));
                }
                // Split or merged since it was chosen: its children stand in the routes already.
                Err(AppendError::Closed) => {}
            }
        }
    }

    /// Puts records, each by itself: the results stand in the order of the records. Each shard's
    /// lock is taken once, and one wait covers them all.
    pub async fn put_many(
        &self,
        engine: &Engine,
        records: Vec<NewRecord>,
    ) -> Vec<Result<Placed, PutFailure>> {
        let mut results = vec![Err(PutFailure::Store); records.len()];
        let mut left: Vec<usize> = (0..records.len()).collect();
        let mut parts = Vec::new();
        while !left.is_empty() {
            let (routes, encrypted) = self.routes();
            let mut rerouted = Vec::new();
            for (shard, chosen) in by_shard(&routes, &records, left) {
                match append_part(engine, shard, &records, chosen, encrypted).await {
                    Ok(part) => parts.push(part),
                    Err(chosen) => rerouted.extend(chosen),
                }
            }
            left = rerouted;
        }
        // Their logs have copies: what they came in need not wait for the disk.
        drop(records);
        for part in parts {
            let Some(ticket) = part.ticket else { continue };
            if ticket.durable().await.is_err() || part.torn {
                continue;
            }
            let (mut taken, offered) = (0, part.records.len() as u64);
            for (at, number) in part.records.into_iter().zip(part.numbers) {
                taken += u64::from(number.is_some());
                let shard = part.shard;
                let placed = number.map(|number| Placed { shard, number });
                results[at] = placed.ok_or(PutFailure::Throttled(shard));
            }
            engine.traffic.wrote(taken, part.bytes);
            engine.traffic.refused(offered - taken);
        }
        results
    }
}

/// The chosen records by shard; within a shard in their order.
fn by_shard<'a>(
    routes: &'a [Arc<Shard>],
    records: &[NewRecord],
    chosen: Vec<usize>,
) -> Vec<(&'a Arc<Shard>, Vec<usize>)> {
    let mut routed: Vec<(usize, usize)> = chosen
        .into_iter()
        .map(|at| (route_of(routes, records[at].hash_key), at))
        .collect();
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

/// Passes the point before an append: whether what is then taken is answered as if it were not.
async fn pass(engine: &Engine) -> Result<bool, PutFailure> {
    match engine.world.pass(Point::Append).await {
        Ok(()) => Ok(false),
        Err(Fault::Tear) => Ok(true),
        Err(_) => Err(PutFailure::Store),
    }
}

fn bytes_taken(records: &[NewRecord], chosen: &[usize], numbers: &[Option<SequenceNumber>]) -> u64 {
    let taken = chosen
        .iter()
        .zip(numbers)
        .filter(|(_, number)| number.is_some());
    taken.map(|(at, _)| records[*at].size_bytes()).sum()
}

/// Appends one shard's part of a batch; gives it back when the shard was closed meanwhile.
async fn append_part(
    engine: &Engine,
    shard: &Shard,
    records: &[NewRecord],
    chosen: Vec<usize>,
    encrypted: bool,
) -> Result<Part, Vec<usize>> {
    let refused = |records| Part {
        records,
        shard: shard.id,
        numbers: Vec::new(),
        bytes: 0,
        ticket: None,
        torn: false,
    };
    let Ok(torn) = pass(engine).await else {
        return Ok(refused(chosen));
    };
    let bytes = chosen.iter().map(|at| records[*at].size_bytes()).sum();
    // Room is taken part by part: a request that holds some never waits for more.
    let Ok(room) = engine.store.reserve(bytes).await else {
        return Ok(refused(chosen));
    };
    let now = engine.world.clock.now();
    let part = chosen.iter().map(|at| &records[*at]);
    match shard.append_all(now, room, part, encrypted) {
        Ok((numbers, ticket)) => Ok(Part {
            bytes: bytes_taken(records, &chosen, &numbers),
            records: chosen,
            shard: shard.id,
            numbers,
            ticket: Some(ticket),
            torn,
        }),
        Err(_) => Err(chosen),
    }
}

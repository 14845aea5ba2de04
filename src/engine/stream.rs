//! A stream: its description, its shards, and the way of a record to its shard.

use super::Engine;
use super::shard::{AppendError, Counter, Shard};
use crate::limits::Limits;
use crate::lock::Lock;
use crate::model::{
    self, EncryptionType, HashKey, NewRecord, SequenceNumber, ShardId, StreamArn, StreamMode,
    StreamStatus, Tags,
};
use crate::store::{LogId, Store, Ticket};
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stream, from its creation to the end of its deletion.
#[derive(Debug)]
pub struct Stream {
    /// Account, region and name.
    pub arn: StreamArn,
    /// Which creation of that name this is; never used twice.
    pub incarnation: u64,
    /// When it was created.
    pub created: Timestamp,
    state: Lock<State>,
}

/// What can change about a stream.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) status: StreamStatus,
    /// When the status changes by itself.
    pub(crate) due: Option<Timestamp>,
    pub(crate) mode: StreamMode,
    pub(crate) retention_hours: u32,
    pub(crate) max_record_kib: u32,
    pub(crate) auto_distribution: bool,
    pub(crate) key_id: Option<String>,
    pub(crate) tags: Tags,
    /// All shards that have not left, by id.
    pub(crate) shards: BTreeMap<ShardId, Arc<Shard>>,
    /// The open ones in the order of their hash keys: they cover the key space once.
    routes: Arc<[Arc<Shard>]>,
}

/// A stream's description without its shards.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where it is in its life.
    pub status: StreamStatus,
    /// How its capacity is set.
    pub mode: StreamMode,
    /// How long records can be read.
    pub retention_hours: u32,
    /// Its largest record.
    pub max_record_kib: u32,
    /// Whether it spreads records itself.
    pub auto_distribution: bool,
    /// Whether it is encrypted.
    pub encryption: EncryptionType,
    /// By which key.
    pub key_id: Option<String>,
    /// How many shards take records.
    pub open_shards: usize,
}

/// What a writer has to know of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Whether it takes records in its present state.
    pub writable: bool,
    /// Whether it spreads records itself.
    pub auto_distribution: bool,
    /// Data and partition key of one record.
    pub max_record_bytes: u64,
    /// Whether records are marked as encrypted.
    pub encrypted: bool,
}

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
    ticket: Option<Ticket>,
}

impl Stream {
    pub(crate) fn new(
        arn: StreamArn,
        incarnation: u64,
        created: Timestamp,
        mut state: State,
    ) -> Arc<Self> {
        state.route();
        Arc::new(Self {
            arn,
            incarnation,
            created,
            state: Lock::new(state),
        })
    }

    pub(crate) fn with_state<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.state.lock())
    }

    /// The description, without shards.
    pub fn facts(&self) -> Facts {
        let state = self.state.lock();
        Facts {
            status: state.status,
            mode: state.mode,
            retention_hours: state.retention_hours,
            max_record_kib: state.max_record_kib,
            auto_distribution: state.auto_distribution,
            encryption: state.encryption(),
            key_id: state.key_id.clone(),
            open_shards: if state.shows_shards() {
                state.routes.len()
            } else {
                0
            },
        }
    }

    /// What a writer has to know.
    pub fn terms(&self) -> Terms {
        let state = self.state.lock();
        Terms {
            writable: matches!(state.status, StreamStatus::Active | StreamStatus::Updating),
            auto_distribution: state.auto_distribution,
            max_record_bytes: u64::from(state.max_record_kib) * 1024,
            encrypted: state.key_id.is_some(),
        }
    }

    /// The moment before which records are expired.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        let hours = self.state.lock().retention_hours;
        // Readable while now - arrival < retention.
        now.plus_millis(1 - i64::from(hours) * 3_600_000)
    }

    /// The shards a listing shows, by id: none before the stream was ever active, and no closed
    /// one whose last record has expired.
    pub fn listed_shards(&self, now: Timestamp) -> Vec<model::Shard> {
        let horizon = self.horizon(now);
        let state = self.state.lock();
        if !state.shows_shards() {
            return Vec::new();
        }
        let shards = state.shards.values().map(|shard| shard.description());
        shards
            .filter(|shard| !has_expired(shard, horizon))
            .collect()
    }

    /// The shard of that id, if it can be read in the stream's state.
    pub fn readable_shard(&self, id: ShardId) -> Option<Arc<Shard>> {
        let state = self.state.lock();
        state
            .shows_shards()
            .then(|| state.shards.get(&id).cloned())
            .flatten()
    }

    /// The shards that go on where shard `parent` ends.
    pub fn children(&self, parent: ShardId) -> Vec<model::Shard> {
        let state = self.state.lock();
        let shards = state.shards.values().map(|shard| shard.description());
        let is_child = |shard: &model::Shard| {
            shard.parent == Some(parent) || shard.adjacent_parent == Some(parent)
        };
        shards.filter(is_child).collect()
    }

    /// Puts one record: the hot path.
    ///
    /// # Errors
    /// Why it was not put.
    pub async fn put_one(&self, engine: &Engine, record: NewRecord) -> Result<Placed, PutFailure> {
        loop {
            let room = engine.store.reserve(record.size_bytes()).await;
            let room = room.map_err(|_| PutFailure::Store)?;
            let (shard, encrypted) = self.route(record.hash_key);
            let now = engine.world.clock.now();
            match shard.append(now, room, &record, encrypted) {
                Ok((number, ticket)) => {
                    ticket.durable().await.map_err(|_| PutFailure::Store)?;
                    return Ok(Placed {
                        shard: shard.id,
                        number,
                    });
                }
                Err(AppendError::Throttled) => return Err(PutFailure::Throttled(shard.id)),
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
        for part in parts {
            let Some(ticket) = part.ticket else { continue };
            if ticket.durable().await.is_err() {
                continue;
            }
            for (at, number) in part.records.into_iter().zip(part.numbers) {
                let shard = part.shard;
                let placed = number.map(|number| Placed { shard, number });
                results[at] = placed.ok_or(PutFailure::Throttled(shard));
            }
        }
        results
    }

    fn routes(&self) -> (Arc<[Arc<Shard>]>, bool) {
        let state = self.state.lock();
        (state.routes.clone(), state.key_id.is_some())
    }

    fn route(&self, key: HashKey) -> (Arc<Shard>, bool) {
        let state = self.state.lock();
        (
            state.routes[route_of(&state.routes, key)].clone(),
            state.key_id.is_some(),
        )
    }
}

/// The position of the shard that owns `key` among the open shards.
fn route_of(routes: &[Arc<Shard>], key: HashKey) -> usize {
    routes.partition_point(|shard| shard.range().end < key)
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
        ticket: None,
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
            records: chosen,
            shard: shard.id,
            numbers,
            ticket: Some(ticket),
        }),
        Err(_) => Err(chosen),
    }
}

impl State {
    /// A stream's state at its creation.
    pub(crate) fn creating(mode: StreamMode, max_record_kib: u32, auto: bool, tags: Tags) -> Self {
        Self {
            status: StreamStatus::Creating,
            due: None,
            mode,
            retention_hours: crate::limits::RETENTION_HOURS,
            max_record_kib,
            auto_distribution: auto,
            key_id: None,
            tags,
            shards: BTreeMap::new(),
            routes: Arc::new([]),
        }
    }

    /// Opens the logs of the described shards.
    pub(crate) fn open_shards(
        &mut self,
        described: Vec<model::Shard>,
        source: &LogSource<'_>,
        now: Timestamp,
    ) {
        for description in described {
            let id = description.id;
            let log = source.store.log(LogId {
                stream: source.incarnation,
                shard: id.index(),
            });
            let shard = Shard::new(description, log, source.counter(id), source.limits, now);
            self.shards.insert(id, shard);
        }
        self.route();
    }

    /// Sorts the open shards by their hash keys.
    fn route(&mut self) {
        let open = self
            .shards
            .values()
            .filter(|shard| shard.description().is_open());
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_key(|shard| shard.range().start);
        self.routes = open.into();
    }

    fn encryption(&self) -> EncryptionType {
        if self.key_id.is_some() {
            EncryptionType::Kms
        } else {
            EncryptionType::None
        }
    }

    pub(crate) fn open_shards_count(&self) -> u64 {
        self.routes.len() as u64
    }

    fn shows_shards(&self) -> bool {
        self.status != StreamStatus::Creating
    }
}

/// Where the logs and the counters of a stream's shards come from.
pub(crate) struct LogSource<'a> {
    pub(crate) store: &'a Store,
    pub(crate) limits: &'a Limits,
    pub(crate) incarnation: u64,
    /// One for each group of five shards, which the service lets count together.
    pub(crate) counters: Vec<Counter>,
}

/// Shards that share a sequence counter, as recorded at the service.
const SHARDS_PER_COUNTER: u32 = 5;

impl<'a> LogSource<'a> {
    /// Counters for shards with indexes up to `highest`, all starting at `first`.
    pub(crate) fn new(
        store: &'a Store,
        limits: &'a Limits,
        incarnation: u64,
        highest: u32,
        first: u64,
    ) -> Self {
        let groups = highest / SHARDS_PER_COUNTER + 1;
        let counters = (0..groups).map(|_| Counter::new(first.into())).collect();
        Self {
            store,
            limits,
            incarnation,
            counters,
        }
    }

    fn counter(&self, shard: ShardId) -> Counter {
        self.counters[(shard.index() / SHARDS_PER_COUNTER) as usize].clone()
    }
}

/// Whether all records a closed shard can hold have expired.
pub(crate) fn has_expired(shard: &model::Shard, horizon: Timestamp) -> bool {
    let closed_ms = shard
        .closed_s
        .and_then(|closed_s| i64::try_from(closed_s * 1000 + 999).ok());
    closed_ms.is_some_and(|closed_ms| Timestamp::from_millis(closed_ms) < horizon)
}

impl Terms {
    /// What answers to writers say of encryption: nothing, unless there is some.
    pub fn encryption_shown(&self) -> Option<&'static str> {
        self.encrypted.then_some(EncryptionType::Kms.as_str())
    }
}

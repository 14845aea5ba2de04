//! What can change about a stream, and the shards that come with it.

use super::shard::{Counter, Shard};
use super::{Engine, LogId};
use crate::limits;
use crate::model::{
    self, EncryptionType, HashKey, ShardId, StreamArn, StreamMode, StreamStatus, Tags,
};
use crate::store::{Consumer, History, PendingChange, StreamSettings};
use crate::world::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What can change about a stream.
#[derive(Debug, Clone)]
pub struct State {
    /// Where it is in its life.
    pub status: StreamStatus,
    /// When the status changes by itself.
    pub(crate) due: Option<Timestamp>,
    /// Whether it ever was ACTIVE: before that, its shards cannot be seen.
    pub(crate) was_active: bool,
    /// Its removal is on its way to the disk: nothing of it is saved any more.
    pub(crate) removed: bool,
    /// What is set about it.
    pub settings: StreamSettings,
    /// What arrived before this had expired when the retention period was last changed: a longer
    /// period brings nothing back.
    pub(crate) expired_before: Timestamp,
    /// What it becomes when UPDATING ends.
    pub(crate) pending: Option<PendingChange>,
    /// Its tags.
    pub tags: Tags,
    /// Its resource policy.
    pub policy: Option<String>,
    /// Its consumers by name.
    pub consumers: BTreeMap<String, Consumer>,
    /// Changes that are counted over a day.
    pub history: History,
    /// All shards that have not left, by id.
    pub(crate) shards: BTreeMap<ShardId, Arc<Shard>>,
    /// Where the shards' sequence indexes come from: one for each group of five.
    counters: BTreeMap<u32, Counter>,
    /// The open shards in the order of their hash keys: they cover the key space once.
    routes: Arc<[Arc<Shard>]>,
}

/// Shards that share a sequence counter, as recorded at the service.
const SHARDS_PER_COUNTER: u32 = 5;

impl State {
    /// A stream's state at its creation, without shards.
    pub(crate) fn creating(settings: StreamSettings, tags: Tags) -> Self {
        Self {
            status: StreamStatus::Creating,
            due: None,
            was_active: false,
            removed: false,
            settings,
            expired_before: Timestamp::from_millis(i64::MIN),
            pending: None,
            tags,
            policy: None,
            consumers: BTreeMap::new(),
            history: History::default(),
            shards: BTreeMap::new(),
            counters: BTreeMap::new(),
            routes: Arc::new([]),
        }
    }

    /// Opens the logs of the described shards, which become part of the stream.
    pub(crate) fn open_shards(
        &mut self,
        described: impl IntoIterator<Item = model::Shard>,
        engine: &Engine,
        incarnation: u64,
        now: Timestamp,
    ) {
        for description in described {
            let id = description.id;
            let log = engine.store.log(LogId {
                stream: incarnation,
                shard: id.index(),
            });
            let group = id.index() / SHARDS_PER_COUNTER;
            let counter = self.counters.entry(group);
            let counter = counter.or_insert_with(|| Counter::new(engine.first_index.into()));
            let shard = Shard::new(description, log, counter.clone(), &engine.limits, now);
            self.shards.insert(id, shard);
        }
        self.route();
    }

    /// Sorts the open shards by their hash keys.
    pub(crate) fn route(&mut self) {
        let open = self
            .shards
            .values()
            .filter(|shard| shard.description().is_open());
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_key(|shard| shard.range().start);
        self.routes = open.into();
    }

    /// The open shards in the order of their hash keys.
    pub(crate) fn routes(&self) -> &Arc<[Arc<Shard>]> {
        &self.routes
    }

    /// How many shards take records.
    pub fn open_shards_count(&self) -> u64 {
        self.routes.len() as u64
    }

    /// What the shard `id` is.
    pub fn shard(&self, id: ShardId) -> Option<model::Shard> {
        self.shards.get(&id).map(|shard| shard.description())
    }

    /// The id of the next shard to be created.
    pub(crate) fn next_shard(&self) -> ShardId {
        self.shards
            .last_key_value()
            .map_or(ShardId::new(0), |(id, _)| id.next())
    }

    /// How its capacity is set.
    pub fn mode(&self) -> StreamMode {
        mode(&self.settings)
    }

    /// Whether it is encrypted.
    pub fn encryption(&self) -> EncryptionType {
        match self.settings.key_id {
            Some(_) => EncryptionType::Kms,
            None => EncryptionType::None,
        }
    }

    /// The moment before which records are expired: a record is readable while now - arrival <
    /// retention. A new period counts at once.
    pub(crate) fn horizon(&self, now: Timestamp) -> Timestamp {
        let pending = self.pending.as_ref().map(|pending| &pending.settings);
        let hours = pending.unwrap_or(&self.settings).retention_hours;
        let horizon = now.plus_millis(1 - i64::from(hours) * 3_600_000);
        horizon.max(self.expired_before)
    }

    pub(crate) fn shows_shards(&self) -> bool {
        self.was_active
    }
}

/// How a stream with these settings gets its capacity.
pub fn mode(settings: &StreamSettings) -> StreamMode {
    if settings.on_demand {
        StreamMode::OnDemand
    } else {
        StreamMode::Provisioned
    }
}

/// The settings of a new stream that says nothing else.
pub fn new_settings(mode: StreamMode) -> StreamSettings {
    StreamSettings {
        on_demand: mode == StreamMode::OnDemand,
        retention_hours: limits::RETENTION_HOURS,
        max_record_kib: limits::RECORD_KIB,
        auto_distribution: false,
        key_id: None,
        warm_throughput_mibps: None,
        metrics: BTreeSet::new(),
    }
}

/// The position of the shard that owns `key` among the open shards.
pub(crate) fn route_of(routes: &[Arc<Shard>], key: HashKey) -> usize {
    routes.partition_point(|shard| shard.range().end < key)
}

/// The ARN of a consumer of `stream`.
pub fn consumer_arn(stream: &StreamArn, name: &str, consumer: &Consumer) -> model::ConsumerArn {
    let created = Timestamp::from_millis(consumer.created_ms);
    model::ConsumerArn {
        stream: stream.clone(),
        name: name.into(),
        created_s: u64::try_from(created.seconds()).unwrap_or_default(),
    }
}

//! The part of a stream that can change, with the shards of the stream.

use super::shard::{Counter, Shard};
use crate::limits::{self, Limits};
use crate::model::{self, EncryptionType, HashKey, ShardId, StreamMode, StreamStatus, Tags};
use crate::store::{Arrivals, Consumer, History, LogId, PendingChange, Store, StreamSettings};
use crate::world::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The part of a stream that can change.
#[derive(Debug, Clone)]
pub struct StreamState {
    /// The status on the wire.
    pub status: StreamStatus,
    /// The end of a status that ends by itself.
    pub(crate) due: Option<Timestamp>,
    /// The stream was ACTIVE at some time. Before that, its shards cannot be seen.
    pub(crate) was_active: bool,
    /// The removal from the catalog was handed to the store: nothing more is saved of this stream.
    pub(crate) removed: bool,
    /// The settings.
    pub settings: StreamSettings,
    /// Records that arrived before this moment had expired when the retention period was last
    /// changed: a longer period brings no record back.
    pub(crate) expired_before: Timestamp,
    /// The change that is made at the end of UPDATING.
    pub(crate) pending: Option<PendingChange>,
    /// The tags.
    pub tags: Tags,
    /// The resource policy.
    pub policy: Option<String>,
    /// The consumers by name.
    pub consumers: BTreeMap<String, Consumer>,
    /// Changes that are limited to a number in a day.
    pub history: History,
    /// The shards by id, without those that expired.
    pub(crate) shards: BTreeMap<ShardId, Arc<Shard>>,
    /// The counters of sequence indexes: one for each group of five shards.
    counters: BTreeMap<u32, Counter>,
    /// The open shards in the order of their hash keys: they cover the key space exactly once.
    routes: Arc<[Arc<Shard>]>,
    /// The shards by id, as readers of all of them take them.
    all: Arc<[Arc<Shard>]>,
    /// The numbers of its queues.
    pub queues: BTreeSet<u64>,
    /// Announces records to those who wait at its queues.
    pub(crate) arrivals: Arc<Arrivals>,
}

/// Number of shards with one sequence counter, as recorded at the service.
const SHARDS_PER_COUNTER: u32 = 5;

/// Opens shards with their logs.
#[derive(Debug)]
pub(super) struct ShardOpener {
    /// The store that holds the logs.
    pub(super) store: Store,
    /// The limits of each shard.
    pub(super) limits: Limits,
    /// The first sequence index of this run: above every index of earlier runs, also above those
    /// whose records a crash took.
    pub(super) first_index: u64,
    /// The greatest sequence time, in seconds since the epoch, that the shards opened so far had
    /// when they were opened or cleared. Only then can it be ahead of the clock.
    pub(super) latest_number_s: AtomicU64,
}

impl ShardOpener {
    /// Notes the sequence times of a shard that may be ahead of the clock.
    pub(super) fn note_times(&self, shard: &Shard) {
        self.latest_number_s
            .fetch_max(shard.latest_number_s(), Ordering::Relaxed);
    }
}

impl StreamState {
    /// The state of a stream at its creation, without shards.
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
            all: Arc::new([]),
            queues: BTreeSet::new(),
            arrivals: Arc::default(),
        }
    }

    /// Adds the described shards to the stream, with their logs. `incarnation` is the stream's.
    pub(super) fn open_shards(
        &mut self,
        described: impl IntoIterator<Item = model::Shard>,
        opener: &ShardOpener,
        incarnation: u64,
        now: Timestamp,
    ) {
        for description in described {
            let id = description.id;
            let log = opener.store.log(LogId {
                stream: incarnation,
                shard: id.index(),
            });
            log.announce_to(&self.arrivals);
            let group = id.index() / SHARDS_PER_COUNTER;
            let counter = self.counters.entry(group);
            let counter = counter.or_insert_with(|| Counter::new(opener.first_index.into()));
            let shard = Shard::new(description, log, counter.clone(), &opener.limits, now);
            opener.note_times(&shard);
            self.shards.insert(id, shard);
        }
        self.route();
    }

    /// Deletes the records of all shards.
    pub(super) fn delete_logs(&self, store: &Store) {
        for shard in self.shards.values() {
            store.delete(shard.log().id());
        }
    }

    /// The shards by id.
    pub(crate) fn all(&self) -> &Arc<[Arc<Shard>]> {
        &self.all
    }

    /// Sorts the open shards by their hash keys, and lists all by id.
    pub(super) fn route(&mut self) {
        let open = self
            .shards
            .values()
            .filter(|shard| shard.description().is_open());
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_key(|shard| shard.range().start);
        self.routes = open.into();
        self.all = self.shards.values().cloned().collect();
    }

    /// The open shards in the order of their hash keys.
    pub(crate) fn routes(&self) -> &Arc<[Arc<Shard>]> {
        &self.routes
    }

    /// Number of open shards.
    pub fn open_shards_count(&self) -> u64 {
        self.routes.len() as u64
    }

    /// The description of the shard `id`.
    pub fn shard(&self, id: ShardId) -> Option<model::Shard> {
        self.shards.get(&id).map(|shard| shard.description())
    }

    /// The id of the next shard to be created.
    pub(crate) fn next_shard(&self) -> ShardId {
        self.shards
            .last_key_value()
            .map_or(ShardId::new(0), |(id, _)| id.next())
    }

    /// The capacity mode.
    pub fn mode(&self) -> StreamMode {
        mode(&self.settings)
    }

    /// The encryption type.
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

    /// True when listings show the shards.
    pub(crate) fn shows_shards(&self) -> bool {
        self.was_active
    }
}

/// The capacity mode of a stream with these settings.
pub(crate) fn mode(settings: &StreamSettings) -> StreamMode {
    if settings.on_demand {
        StreamMode::OnDemand
    } else {
        StreamMode::Provisioned
    }
}

/// The settings of a new stream whose request gives no others.
pub(crate) fn new_settings(mode: StreamMode) -> StreamSettings {
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

/// The position among the open shards of the shard that owns `key`.
pub(crate) fn route_of(routes: &[Arc<Shard>], key: HashKey) -> usize {
    routes.partition_point(|shard| shard.range().end < key)
}

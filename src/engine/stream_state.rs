//! The mutable state of a stream, including its shards.

use super::shard::{Counter, Shard};
use crate::limits::{self, Limits};
use crate::model::channel::DestinationKind;
use crate::model::{self, EncryptionType, HashKey, ShardId, StreamMode, StreamStatus, Tags};
use crate::store::{Arrivals, Consumer, History, LogId, PendingChange, Store, StreamSettings};
use crate::world::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The mutable state of a stream.
#[derive(Debug, Clone)]
pub struct StreamState {
    /// Status of the stream, as the API shows it.
    pub status: StreamStatus,
    /// Time at which the status ends by itself. None if the status does not end by itself.
    pub(crate) due: Option<Timestamp>,
    /// True if the stream has ever been ACTIVE. The shards of a stream are hidden until then.
    pub(crate) was_active: bool,
    /// True after the stream's removal from the catalog was handed to the store. Later changes of
    /// the stream are not saved.
    pub(crate) removed: bool,
    /// True if the load of a snapshot removed this stream. The snapshot may contain a stream of the
    /// same name.
    pub(crate) replaced: bool,
    pub settings: StreamSettings,
    /// The time before which all records have expired. Records that arrived before this time stay
    /// expired even if the retention period becomes longer. These records had expired when the
    /// retention period was last changed, or a clear of the stream removed them.
    pub(crate) expired_before: Timestamp,
    /// The change that takes effect at the end of the status UPDATING. None in every other status.
    pub(crate) pending: Option<PendingChange>,
    pub tags: Tags,
    /// The resource policy of the stream, in JSON. None if the stream has no policy.
    pub policy: Option<String>,
    /// Registered consumers, by name.
    pub consumers: BTreeMap<String, Consumer>,
    /// Times of the stream's changes that count against a limit of changes in 24 hours.
    pub history: History,
    /// The shards by id. The retention task removes closed shards whose records have all expired.
    pub(crate) shards: BTreeMap<ShardId, Arc<Shard>>,
    /// Counters of sequence indexes. Each counter serves a group of five shards. The key of a
    /// counter is the number of the group.
    counters: BTreeMap<u32, Counter>,
    /// The open shards in the order of their hash key ranges, which cover the hash key space
    /// exactly once.
    routes: Arc<[Arc<Shard>]>,
    /// The values of `shards` as a list. Readers that visit all shards share this list.
    all: Arc<[Arc<Shard>]>,
    /// Incarnation numbers of the stream's queues.
    pub queues: BTreeSet<u64>,
    /// The stream's channels, by incarnation number.
    pub(crate) channels: BTreeMap<u64, StreamChannel>,
    /// Wakes the receive requests and the channels that wait for new records of the stream.
    pub(crate) arrivals: Arc<Arrivals>,
}

/// A channel, as the state of its stream lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamChannel {
    pub(crate) kind: DestinationKind,
    /// True if the channel is in the status FAILED.
    pub(crate) has_failed: bool,
}

/// Number of shards that share one counter of sequence indexes. The number is recorded: a recording
/// of the service shows it.
pub(super) const SHARDS_PER_COUNTER: u32 = 5;

/// Opens the shards of streams and the logs of the shards, for one run. The records in new shards
/// get the sequence indexes of this run.
#[derive(Debug)]
pub(super) struct ShardOpener {
    pub(super) store: Store,
    pub(super) limits: Limits,
    /// First sequence index of the run. It is greater than every index of earlier runs, including
    /// the indexes of records that a crash lost.
    pub(super) first_index: AtomicU64,
    /// The greatest timestamp in the sequence numbers of all shards, in seconds since the epoch.
    /// The value is updated only when a shard is opened or cleared, because only then can the
    /// timestamp of a shard be ahead of the clock.
    pub(super) latest_number_s: AtomicU64,
}

impl ShardOpener {
    /// The first sequence index of the run for which this value opens shards.
    pub(super) fn first_index(&self) -> u64 {
        self.first_index.load(Ordering::Relaxed)
    }

    /// Makes a `ShardOpener` for another run, whose first sequence index is `first`.
    pub(super) fn of_run(&self, first: u64) -> Self {
        Self {
            store: self.store.clone(),
            limits: self.limits.clone(),
            first_index: first.into(),
            latest_number_s: 0.into(),
        }
    }

    /// Switches to the run of `other`, which the load of a snapshot began. From now on, new shards
    /// get the sequence indexes of that run. `latest_number_s` becomes the greater of its own value
    /// and the value in `other`.
    pub(super) fn follow(&self, other: &Self) {
        let latest_s = other.latest_number_s.load(Ordering::Relaxed);
        self.latest_number_s.fetch_max(latest_s, Ordering::Relaxed);
        self.first_index
            .fetch_max(other.first_index(), Ordering::Relaxed);
    }

    /// Raises `latest_number_s` to the greatest timestamp in the sequence numbers of a shard. This
    /// timestamp may be ahead of the clock.
    pub(super) fn note_times(&self, shard: &Shard) {
        self.latest_number_s
            .fetch_max(shard.latest_number_s(), Ordering::Relaxed);
    }
}

impl StreamState {
    /// The state of a new stream, which has no shards yet.
    pub(crate) fn creating(settings: StreamSettings, tags: Tags) -> Self {
        Self {
            status: StreamStatus::Creating,
            due: None,
            was_active: false,
            removed: false,
            replaced: false,
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
            channels: BTreeMap::new(),
            arrivals: Arc::default(),
        }
    }

    /// Adds the shards in `described` to the stream, and opens the logs of these shards with
    /// `opener`. `incarnation` is the incarnation number of the stream, and `now` the current time.
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
            let counter = counter.or_insert_with(|| Counter::new(opener.first_index().into()));
            let shard = Shard::new(description, log, counter.clone(), &opener.limits, now);
            opener.note_times(&shard);
            self.shards.insert(id, shard);
        }
        self.rebuild_routes();
    }

    /// Deletes the logs of all shards, with their records.
    pub(super) fn delete_logs(&self, store: &Store) {
        for shard in self.shards.values() {
            store.delete(shard.log().id());
        }
    }

    /// All shards of the stream, in the order of their ids.
    pub(crate) fn all(&self) -> &Arc<[Arc<Shard>]> {
        &self.all
    }

    /// Rebuilds the lists of open shards and of all shards, after shards were added, closed or
    /// removed.
    pub(super) fn rebuild_routes(&mut self) {
        let open = self
            .shards
            .values()
            .filter(|shard| shard.description().is_open());
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_key(|shard| shard.range().start);
        self.routes = open.into();
        self.all = self.shards.values().cloned().collect();
    }

    /// The open shards in the order of their hash key ranges.
    pub(crate) fn routes(&self) -> &Arc<[Arc<Shard>]> {
        &self.routes
    }

    /// Number of open shards of the stream.
    pub fn open_shards_count(&self) -> u64 {
        self.routes.len() as u64
    }

    /// Description of the shard `id`. None if the stream does not have the shard.
    pub fn shard(&self, id: ShardId) -> Option<model::Shard> {
        self.shards.get(&id).map(|shard| shard.description())
    }

    /// The id that the next new shard of the stream gets.
    pub(crate) fn next_shard(&self) -> ShardId {
        self.shards
            .last_key_value()
            .map_or(ShardId::new(0), |(id, _)| id.next())
    }

    /// True if the stream has a channel in another status than FAILED. Such a channel prevents the
    /// deletion of the stream. A FAILED channel does not prevent the deletion, which is a choice.
    pub(crate) fn has_live_channels(&self) -> bool {
        self.channels.values().any(|channel| !channel.has_failed)
    }

    /// The capacity mode of the stream: provisioned or on-demand.
    pub fn mode(&self) -> StreamMode {
        mode(&self.settings)
    }

    /// The encryption type of the stream: KMS if the stream has a key.
    pub fn encryption(&self) -> EncryptionType {
        match self.settings.key_id {
            Some(_) => EncryptionType::Kms,
            None => EncryptionType::None,
        }
    }

    /// The current warm throughput of the stream, in MiB/s.
    pub fn warm_mibps(&self) -> u32 {
        let usual = match self.settings.on_demand {
            true => limits::ON_DEMAND_WARM_MIBPS,
            false => 0,
        };
        self.settings.warm_throughput_mibps.unwrap_or(usual)
    }

    /// The horizon at `now`: the earliest arrival time of a readable record. A record expires when
    /// its age reaches the retention period.
    pub(crate) fn horizon(&self, now: Timestamp) -> Timestamp {
        let horizon = now.plus_millis(1 - self.retention_ms());
        horizon.max(self.expired_before)
    }

    /// The retention period in milliseconds. A pending change of the period already applies.
    pub(crate) fn retention_ms(&self) -> i64 {
        let pending = self.pending.as_ref().map(|pending| &pending.settings);
        let hours = pending.unwrap_or(&self.settings).retention_hours;
        i64::from(hours) * 3_600_000
    }

    /// True if the stream has ever been ACTIVE. Until then, listings do not show the shards of the
    /// stream.
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

/// Default settings of a new stream with the capacity mode `mode`.
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

/// Returns the index in `routes` of the shard that gets a record. `routes` are the open shards in
/// the order of their hash key ranges. A record with the hash key `key` goes to the shard whose
/// range contains the key. If the record has no hash key, `turn` selects the shard.
pub(crate) fn route_of(routes: &[Arc<Shard>], key: Option<HashKey>, turn: u64) -> usize {
    match key {
        Some(key) => routes.partition_point(|shard| shard.range().end < key),
        None => usize::try_from(turn % routes.len().max(1) as u64).unwrap_or_default(),
    }
}

//! A stream: the identity, and the answers to readers and writers about its state.

use super::lock_order;
use super::record_count::RecordCount;
use super::shard::Shard;
use super::stream_state::{StreamState, route_of};
use crate::lock::Lock;
use crate::model::{self, EncryptionType, HashKey, ShardId, StreamArn, StreamMode, StreamStatus};
use crate::world::Timestamp;
use std::sync::Arc;

/// A stream, from its creation to the end of its deletion.
#[derive(Debug)]
pub struct Stream {
    /// Account, region and name.
    pub arn: StreamArn,
    /// The number of this creation, different for each stream that ever had the name.
    pub incarnation: u64,
    /// The moment of the creation.
    pub created: Timestamp,
    state: Lock<StreamState>,
    /// The acknowledged records since the start or the last clear.
    pub(super) records: RecordCount,
}

/// A stream's description without its shards.
#[derive(Debug, Clone)]
pub struct StreamSnapshot {
    /// The status.
    pub status: StreamStatus,
    /// The capacity mode.
    pub mode: StreamMode,
    /// The retention period in hours.
    pub retention_hours: u32,
    /// The size of the largest record in KiB.
    pub max_record_kib: u32,
    /// Records are distributed over the shards without regard to their keys.
    pub auto_distribution: bool,
    /// The encryption type.
    pub encryption: EncryptionType,
    /// The key of the encryption.
    pub key_id: Option<String>,
    /// The warm throughput in MiB/s: the target, and the current one.
    pub warm_throughput: Option<(u32, u32)>,
    /// The enabled shard-level metrics.
    pub metrics: Vec<String>,
    /// Number of open shards.
    pub open_shards: usize,
    /// Number of registered consumers.
    pub consumers: usize,
    /// Number of queues, in any status.
    pub queues: usize,
}

/// The settings of a stream that a writer obeys.
#[derive(Debug, Clone, Copy)]
pub struct PutSettings {
    /// The status allows writes.
    pub writable: bool,
    /// Records are distributed over the shards without regard to their keys.
    pub auto_distribution: bool,
    /// The most bytes of data and partition key of one record.
    pub max_record_bytes: u64,
    /// Records are marked as encrypted.
    pub encrypted: bool,
}

impl Stream {
    pub(super) fn new(
        arn: StreamArn,
        incarnation: u64,
        created: Timestamp,
        state: StreamState,
    ) -> Arc<Self> {
        Arc::new(Self {
            arn,
            incarnation,
            created,
            state: Lock::ranked(lock_order::STREAM, state),
            records: RecordCount::default(),
        })
    }

    /// Reads or changes the state under its lock.
    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut StreamState) -> R) -> R {
        look(&mut self.state.lock())
    }

    /// Reads the state under its lock.
    pub fn look<R>(&self, look: impl FnOnce(&StreamState) -> R) -> R {
        look(&self.state.lock())
    }

    /// The description, without the shards.
    pub fn snapshot(&self) -> StreamSnapshot {
        let state = self.state.lock();
        let settings = &state.settings;
        let wanted = state
            .pending
            .as_ref()
            .map_or(settings, |pending| &pending.settings);
        let had = settings.warm_throughput_mibps.unwrap_or_default();
        StreamSnapshot {
            status: state.status,
            mode: state.mode(),
            retention_hours: settings.retention_hours,
            max_record_kib: settings.max_record_kib,
            auto_distribution: settings.auto_distribution,
            encryption: state.encryption(),
            key_id: settings.key_id.clone(),
            warm_throughput: wanted.warm_throughput_mibps.map(|wanted| (wanted, had)),
            metrics: settings.metrics.iter().cloned().collect(),
            open_shards: if state.shows_shards() {
                state.routes().len()
            } else {
                0
            },
            consumers: state.consumers.len(),
            queues: state.queues.len(),
        }
    }

    /// The settings that a writer obeys.
    pub fn put_settings(&self) -> PutSettings {
        let state = self.state.lock();
        PutSettings {
            writable: matches!(state.status, StreamStatus::Active | StreamStatus::Updating),
            auto_distribution: state.settings.auto_distribution,
            max_record_bytes: u64::from(state.settings.max_record_kib) * 1024,
            encrypted: state.settings.key_id.is_some(),
        }
    }

    /// The moment before which records are expired.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        self.state.lock().horizon(now)
    }

    /// The shards of a listing, by id. Before the stream was ACTIVE there are none; a closed shard
    /// is left out once its last record has expired.
    pub fn listed_shards(&self, now: Timestamp) -> Vec<model::Shard> {
        let state = self.state.lock();
        if !state.shows_shards() {
            return Vec::new();
        }
        let horizon = state.horizon(now);
        let shards = state.shards.values().map(|shard| shard.description());
        shards
            .filter(|shard| !has_expired(shard, horizon))
            .collect()
    }

    /// The shard `id`, if it can be read: the stream was ACTIVE, and the shard is open or its last
    /// record has not expired.
    pub fn readable_shard(&self, id: ShardId, now: Timestamp) -> Option<Arc<Shard>> {
        let state = self.state.lock();
        let shard = state.shards.get(&id).filter(|_| state.shows_shards())?;
        let expired = has_expired(&shard.description(), state.horizon(now));
        (!expired).then(|| shard.clone())
    }

    /// Number of acknowledged records since the start of the emulator or the last clear.
    pub fn records_since_clear(&self) -> u64 {
        self.records.get()
    }

    /// Returns once the stream has had `wanted` records since the start or the last clear.
    pub async fn reach_records(&self, wanted: u64) {
        self.records.reach(wanted).await;
    }

    /// The child shards of shard `parent`.
    pub fn children(&self, parent: ShardId) -> Vec<model::Shard> {
        let state = self.state.lock();
        let shards = state.shards.values().map(|shard| shard.description());
        let is_child = |shard: &model::Shard| {
            shard.parent == Some(parent) || shard.adjacent_parent == Some(parent)
        };
        shards.filter(is_child).collect()
    }

    /// The moment before which records are expired, and all shards by id.
    pub(crate) fn all_shards(&self, now: Timestamp) -> (Timestamp, Arc<[Arc<Shard>]>) {
        let state = self.state.lock();
        (state.horizon(now), state.all().clone())
    }

    /// The number of readable records of all shards, and the bytes of their partition keys and data.
    /// A segment that is only on disk counts whole until its last record expires.
    pub fn amount(&self, now: Timestamp) -> (u64, u64) {
        let (horizon, shards) = self.all_shards(now);
        let amounts = shards
            .iter()
            .map(|shard| shard.log().amount_from(0, horizon));
        amounts.fold((0, 0), |(records, bytes), amount| {
            (records + amount.records, bytes + amount.bytes)
        })
    }

    /// The open shards, and whether records are marked as encrypted.
    pub(crate) fn routes(&self) -> (Arc<[Arc<Shard>]>, bool) {
        let state = self.state.lock();
        (state.routes().clone(), state.settings.key_id.is_some())
    }

    /// The open shard that owns `key`, and whether records are marked as encrypted.
    pub(crate) fn route(&self, key: HashKey) -> (Arc<Shard>, bool) {
        let state = self.state.lock();
        let shard = &state.routes()[route_of(state.routes(), key)];
        (shard.clone(), state.settings.key_id.is_some())
    }
}

/// True when the shard is closed and all its records have expired.
pub(crate) fn has_expired(shard: &model::Shard, horizon: Timestamp) -> bool {
    let closed_ms = shard
        .closed_s
        .and_then(|closed_s| i64::try_from(closed_s * 1000 + 999).ok());
    closed_ms.is_some_and(|closed_ms| Timestamp::from_millis(closed_ms) < horizon)
}

impl PutSettings {
    /// `EncryptionType` in answers to writers. It is left out without encryption.
    pub fn encryption_shown(&self) -> Option<&'static str> {
        self.encrypted.then_some(EncryptionType::Kms.as_str())
    }
}

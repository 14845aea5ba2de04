//! A stream: its identity, and what readers and writers have to know of it.

use super::shard::Shard;
use super::state::State;
use crate::lock::Lock;
use crate::model::{self, EncryptionType, HashKey, ShardId, StreamArn, StreamMode, StreamStatus};
use crate::world::Timestamp;
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

/// A stream's description without its shards.
#[derive(Debug, Clone)]
pub struct StreamSnapshot {
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
    /// Its warm throughput in MiB/s: wanted, and had.
    pub warm_throughput: Option<(u32, u32)>,
    /// Its enabled shard-level metrics.
    pub metrics: Vec<String>,
    /// How many shards take records.
    pub open_shards: usize,
    /// How many consumers are registered.
    pub consumers: usize,
}

/// What a writer has to know of a stream.
#[derive(Debug, Clone, Copy)]
pub struct PutSettings {
    /// Whether it takes records in its present state.
    pub writable: bool,
    /// Whether it spreads records itself.
    pub auto_distribution: bool,
    /// Data and partition key of one record.
    pub max_record_bytes: u64,
    /// Whether records are marked as encrypted.
    pub encrypted: bool,
}

impl Stream {
    pub(crate) fn new(
        arn: StreamArn,
        incarnation: u64,
        created: Timestamp,
        state: State,
    ) -> Arc<Self> {
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

    /// Looks at the state; nobody changes it meanwhile.
    pub fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.lock())
    }

    /// The description, without shards.
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
        }
    }

    /// What a writer has to know.
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

    /// The shards a listing shows, by id: none before the stream was ever active, and no closed
    /// one whose last record has expired.
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

    /// The shard of that id, if it can be read in the stream's state: a closed one whose last
    /// record has expired cannot.
    pub fn readable_shard(&self, id: ShardId, now: Timestamp) -> Option<Arc<Shard>> {
        let state = self.state.lock();
        let shard = state.shards.get(&id).filter(|_| state.shows_shards())?;
        let expired = has_expired(&shard.description(), state.horizon(now));
        (!expired).then(|| shard.clone())
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

    /// The open shards, and whether records are marked as encrypted.
    pub(crate) fn routes(&self) -> (Arc<[Arc<Shard>]>, bool) {
        let state = self.state.lock();
        (state.routes().clone(), state.settings.key_id.is_some())
    }

    /// The open shard that owns `key`, and whether records are marked as encrypted.
    pub(crate) fn route(&self, key: HashKey) -> (Arc<Shard>, bool) {
        let state = self.state.lock();
        let shard = &state.routes()[super::state::route_of(state.routes(), key)];
        (shard.clone(), state.settings.key_id.is_some())
    }
}

/// Whether all records a closed shard can hold have expired.
pub(crate) fn has_expired(shard: &model::Shard, horizon: Timestamp) -> bool {
    let closed_ms = shard
        .closed_s
        .and_then(|closed_s| i64::try_from(closed_s * 1000 + 999).ok());
    closed_ms.is_some_and(|closed_ms| Timestamp::from_millis(closed_ms) < horizon)
}

impl PutSettings {
    /// What answers to writers say of encryption: nothing, unless there is some.
    pub fn encryption_shown(&self) -> Option<&'static str> {
        self.encrypted.then_some(EncryptionType::Kms.as_str())
    }
}

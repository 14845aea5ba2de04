//! A stream. Contains the identity of the stream, and the functions that readers and writers call
//! to query its state.

use super::lock_order;
use super::record_count::{RecordCount, StreamDeleted};
use super::shard::Shard;
use super::stream_state::{StreamState, route_of};
use crate::lock::Lock;
use crate::model::{
    self, EncryptionType, HashKey, SequenceNumber, ShardId, StreamArn, StreamMode, StreamStatus,
};
use crate::world::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream. The value exists from the stream's creation until the end of its deletion.
#[derive(Debug)]
pub struct Stream {
    /// ARN of the stream, which contains its account, region and name.
    pub arn: StreamArn,
    /// Incarnation number, which distinguishes the stream from earlier streams of the same name. No
    /// other stream of the engine or of its data directory ever had this number.
    pub incarnation: u64,
    /// Identity number of the stream. Shard iterators and page tokens contain this number. It
    /// equals the incarnation number, except for a stream that was loaded from a snapshot. The load
    /// assigns a new incarnation number and keeps the identity number.
    pub identity: u64,
    /// Creation time of the stream.
    pub created: Timestamp,
    /// Random number, which is a part of the event ids of tails. The identity number alone does not
    /// make the ids unique, because an emulator without a data directory uses the same identity
    /// numbers after each start. The load of a snapshot keeps the random number.
    pub tail_mark: u64,
    state: Lock<StreamState>,
    /// Number of turns that records without a hash key have used so far. The open shards receive
    /// such records in rotation.
    turns: AtomicU64,
    /// Number of acknowledged records since the last clear of the stream.
    pub(super) records: RecordCount,
}

/// The numbers of a stream, which distinguish it from other streams of the same name.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamNumbers {
    pub(super) incarnation: u64,
    pub(super) identity: u64,
    pub(super) tail_mark: u64,
}

/// Properties of a stream at one moment, without its shards.
#[derive(Debug, Clone)]
pub struct StreamProperties {
    pub status: StreamStatus,
    pub mode: StreamMode,
    /// Retention period in hours.
    pub retention_hours: u32,
    /// Maximum size of a record, in KiB.
    pub max_record_kib: u32,
    /// True if records are distributed over the shards independently of their partition keys.
    pub auto_distribution: bool,
    pub encryption: EncryptionType,
    /// The KMS key of the stream. None without encryption.
    pub key_id: Option<String>,
    /// The warm throughput in MiB/s: first the requested value and then the current value. None if
    /// no request has set a warm throughput.
    pub warm_throughput: Option<(u32, u32)>,
    /// Names of the enabled shard-level metrics.
    pub metrics: Vec<String>,
    /// Number of open shards of the stream. The number is 0 until the stream has been ACTIVE,
    /// because its shards are hidden until then.
    pub open_shards: usize,
    /// Number of registered consumers of the stream.
    pub consumers: usize,
    /// Number of queues of the stream, in any status.
    pub queues: usize,
    /// Number of channels of the stream, in any status.
    pub channels: usize,
}

/// The settings of a stream that apply to writers.
#[derive(Debug, Clone, Copy)]
pub struct PutSettings {
    /// True if the stream's status permits writes.
    pub writable: bool,
    /// True if records are distributed over the shards independently of their partition keys.
    pub auto_distribution: bool,
    /// Maximum bytes of data and partition key of one record.
    pub max_record_bytes: u64,
    /// True if the stream is encrypted. In this case the records are marked as encrypted.
    pub encrypted: bool,
}

impl Stream {
    pub(super) fn new(
        arn: StreamArn,
        numbers: StreamNumbers,
        created: Timestamp,
        state: StreamState,
    ) -> Arc<Self> {
        Arc::new(Self {
            arn,
            incarnation: numbers.incarnation,
            identity: numbers.identity,
            created,
            tail_mark: numbers.tail_mark,
            state: Lock::ranked(lock_order::STREAM, state),
            turns: AtomicU64::new(0),
            records: RecordCount::default(),
        })
    }

    /// Calls `look` with the stream's state, under the stream's lock, and returns the result of
    /// `look`. `look` may change the state.
    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut StreamState) -> R) -> R {
        look(&mut self.state.lock())
    }

    /// Calls `look` with the stream's state, under the stream's lock. Returns the result of `look`.
    pub fn look<R>(&self, look: impl FnOnce(&StreamState) -> R) -> R {
        look(&self.state.lock())
    }

    /// The current properties of the stream.
    pub fn properties(&self) -> StreamProperties {
        let state = self.state.lock();
        let settings = &state.settings;
        let wanted = state
            .pending
            .as_ref()
            .map_or(settings, |pending| &pending.settings);
        let had = state.warm_mibps();
        StreamProperties {
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
            channels: state.channels.len(),
        }
    }

    /// The current settings of the stream that apply to writers.
    pub fn put_settings(&self) -> PutSettings {
        let state = self.state.lock();
        PutSettings {
            writable: matches!(state.status, StreamStatus::Active | StreamStatus::Updating),
            auto_distribution: state.settings.auto_distribution,
            max_record_bytes: u64::from(state.settings.max_record_kib) * 1024,
            encrypted: state.settings.key_id.is_some(),
        }
    }

    /// The horizon at `now`. Records with an arrival time before the horizon are expired.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        self.state.lock().horizon(now)
    }

    /// The shards that ListShards shows, in the order of their ids. Empty until the stream has been
    /// ACTIVE. Closed shards whose records have all expired are omitted.
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

    /// Returns all shards of the stream. Includes a closed shard whose records have all expired,
    /// until the retention task removes the shard. Returns no shards until the stream has been
    /// ACTIVE.
    pub(crate) fn held_shards(&self) -> Arc<[Arc<Shard>]> {
        let state = self.state.lock();
        match state.shows_shards() {
            true => state.all().clone(),
            false => Arc::default(),
        }
    }

    /// Finds the shard `id` for a reader. Returns None until the stream has been ACTIVE. Also
    /// returns None for a closed shard whose records have all expired.
    pub fn readable_shard(&self, id: ShardId, now: Timestamp) -> Option<Arc<Shard>> {
        let state = self.state.lock();
        let shard = state.shards.get(&id).filter(|_| state.shows_shards())?;
        let expired = has_expired(&shard.description(), state.horizon(now));
        (!expired).then(|| shard.clone())
    }

    /// Returns the number of acknowledged records since the last clear of the stream. Snapshots
    /// contain this number. A start with a data directory begins with the number of readable
    /// records.
    pub fn records_since_clear(&self) -> u64 {
        self.records.get()
    }

    /// Waits until [`Stream::records_since_clear`] is at least `wanted`.
    ///
    /// # Errors
    /// Returns an error if the stream is deleted before this number is reached.
    pub async fn reach_records(&self, wanted: u64) -> Result<(), StreamDeleted> {
        self.records.reach(wanted).await
    }

    /// Ends the waits for records, because the stream is deleted.
    pub(super) fn end_waits(&self) {
        self.records.end();
    }

    /// True if the stream contains the shard of `number`, and this shard may already have given out
    /// the number. False if the stream has no such shard.
    pub(super) fn has_given_out(&self, number: SequenceNumber) -> bool {
        let id = ShardId::checked(number.shard);
        let shard = id.and_then(|id| self.look(|state| state.shards.get(&id).cloned()));
        shard.is_some_and(|shard| shard.has_number(number) && shard.has_given_out(number))
    }

    /// The shards that a split or merge of `parent` created.
    pub fn children(&self, parent: ShardId) -> Vec<model::Shard> {
        let state = self.state.lock();
        let shards = state.shards.values().map(|shard| shard.description());
        let is_child = |shard: &model::Shard| {
            shard.parent == Some(parent) || shard.adjacent_parent == Some(parent)
        };
        shards.filter(is_child).collect()
    }

    /// The horizon at `now`, and all shards of the stream in the order of their ids. Records with
    /// an arrival time before the horizon are expired.
    pub(crate) fn all_shards(&self, now: Timestamp) -> (Timestamp, Arc<[Arc<Shard>]>) {
        let state = self.state.lock();
        (state.horizon(now), state.all().clone())
    }

    /// Returns the number of readable records in all shards, and the bytes of their data and
    /// partition keys. A segment that is only on disk counts in full until its last record expires.
    pub fn amount(&self, now: Timestamp) -> (u64, u64) {
        let (horizon, shards) = self.all_shards(now);
        let amounts = shards
            .iter()
            .map(|shard| shard.log().amount_from(0, horizon));
        amounts.fold((0, 0), |(records, bytes), amount| {
            (records + amount.records, bytes + amount.bytes)
        })
    }

    /// Reserves `count` successive turns for records without a hash key, and returns the first
    /// turn. No other request gets these turns. The turn of a record selects its shard.
    pub(super) fn take_turns(&self, count: usize) -> u64 {
        self.turns.fetch_add(count as u64, Ordering::Relaxed)
    }

    /// The open shards in the order of their hash key ranges. The second value is true if the
    /// stream is encrypted.
    pub(crate) fn routes(&self) -> (Arc<[Arc<Shard>]>, bool) {
        let state = self.state.lock();
        (state.routes().clone(), state.settings.key_id.is_some())
    }

    /// Returns the open shard for a record with the hash key `key`. If the record has no hash key,
    /// `turn` modulo the number of open shards selects the shard. The second value is true if the
    /// stream is encrypted.
    pub(crate) fn route(&self, key: Option<HashKey>, turn: u64) -> (Arc<Shard>, bool) {
        let state = self.state.lock();
        let shard = &state.routes()[route_of(state.routes(), key, turn)];
        (shard.clone(), state.settings.key_id.is_some())
    }
}

/// True if the shard is closed and all its records have expired, because they arrived before
/// `horizon`.
pub(crate) fn has_expired(shard: &model::Shard, horizon: Timestamp) -> bool {
    closed_at(shard).is_some_and(|closed| closed < horizon)
}

/// The latest time at which the shard can have been closed. None if the shard is open.
pub(super) fn closed_at(shard: &model::Shard) -> Option<Timestamp> {
    let closed_ms = i64::try_from(shard.closed_s? * 1000 + 999).ok()?;
    Some(Timestamp::from_millis(closed_ms))
}

impl PutSettings {
    /// Returns `EncryptionType` for the answer to a writer. None if the stream is not encrypted,
    /// because the answer then has no such member.
    pub fn encryption_shown(&self) -> Option<&'static str> {
        self.encrypted.then_some(EncryptionType::Kms.as_str())
    }
}

//! A shard of a stream: the write path, and reading by sequence number.

use super::batch::{Batch, Read, sequence_number};
use super::lock_order;
use crate::limits::Limits;
use crate::lock::Lock;
use crate::model::{self, Bucket, HashKeyRange, NewRecord, SequenceNumber, ShardId, WriteLimit};
use crate::store::{Follower, Log, ReadLimit, Record, StoreError, Ticket, WriteReservation};
use crate::world::{Bell, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// The next sequence index of a group of shards.
pub(crate) type Counter = Arc<AtomicU64>;

/// A shard of a stream.
#[derive(Debug)]
pub struct Shard {
    /// The id within the stream.
    pub id: ShardId,
    /// The second of the creation since the epoch; part of every sequence number of the shard.
    pub created_s: u64,
    /// The shards that it goes on from.
    pub(crate) parents: [Option<ShardId>; 2],
    range: HashKeyRange,
    log: Arc<Log>,
    counter: Counter,
    /// One lock for limit, number and append: sequence order, commit order and the order that
    /// readers see are the same order.
    writing: Lock<Writing>,
    reading: Lock<Reading>,
    /// Becomes true when the shard is split or merged.
    closed: watch::Sender<bool>,
}

#[derive(Debug)]
struct Writing {
    /// The description. The only change is that the shard closes.
    description: model::Shard,
    limit: WriteLimit,
    last_arrival: Timestamp,
    traffic_bytes: u64,
}

#[derive(Debug)]
struct Reading {
    calls: Option<Bucket>,
    bytes: Option<Bucket>,
    iterators: Option<Bucket>,
}

/// The reason for which a record was not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// The shard was split or merged since it was chosen: the caller chooses again.
    Closed,
    /// The write limit of the shard is reached.
    Throttled,
}

/// The treatment of a shard's write limits by an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteRates {
    /// Records count against the limits, and are refused beyond them.
    Counted,
    /// Records are appended without regard to the limits.
    Ignored,
}

impl Shard {
    pub(crate) fn new(
        description: model::Shard,
        log: Arc<Log>,
        counter: Counter,
        limits: &Limits,
        now: Timestamp,
    ) -> Arc<Self> {
        let bucket = |rate: Option<u64>| rate.map(|rate| Bucket::new(rate, now));
        let limit = WriteLimit::new(limits.shard_write_bytes, limits.shard_write_records, now);
        let last_arrival = log.last_arrival().unwrap_or_default();
        let closed = !description.is_open();
        Arc::new(Self {
            id: description.id,
            created_s: description.created_s,
            parents: [description.parent, description.adjacent_parent],
            range: description.hash_key_range,
            log,
            counter,
            writing: Lock::ranked(
                lock_order::SHARD,
                Writing {
                    description,
                    limit,
                    last_arrival,
                    traffic_bytes: 0,
                },
            ),
            closed: watch::Sender::new(closed),
            reading: Lock::ranked(
                lock_order::SINGLE,
                Reading {
                    calls: bucket(limits.shard_read_calls),
                    bytes: bucket(limits.shard_read_bytes),
                    iterators: bucket(limits.shard_iterator_calls),
                },
            ),
        })
    }

    /// The description.
    pub fn description(&self) -> model::Shard {
        self.writing.lock().description.clone()
    }

    /// Closes the shard. `description` holds the second of the closing.
    pub(crate) fn close(&self, description: model::Shard) {
        self.writing.lock().description = description;
        self.closed.send_replace(true);
        self.log.wake_followers();
    }

    /// A signal that becomes true when the shard is closed.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Bytes of data and partition keys appended since the last call.
    pub(crate) fn take_traffic(&self) -> u64 {
        std::mem::take(&mut self.writing.lock().traffic_bytes)
    }

    pub(crate) fn range(&self) -> HashKeyRange {
        self.range
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Numbers a record and appends it to the log, in one critical section. The ticket resolves
    /// when the record is as durable as the settings promise.
    pub(crate) fn append(
        &self,
        now: Timestamp,
        reservation: WriteReservation,
        record: &NewRecord,
        encrypted: bool,
    ) -> Result<(SequenceNumber, Ticket), AppendError> {
        let mut writing = self.writing.lock();
        writing.admit(now, record)?;
        let arrival = writing.arrival(now);
        let index = self.counter.fetch_add(1, Ordering::Relaxed);
        let ticket = self
            .log
            .append(reservation, [stored(index, arrival, record, encrypted)]);
        Ok((self.number(index, arrival), ticket))
    }

    /// Appends several records in their order. Each is appended or refused by itself; a refused
    /// record has no number. The ticket covers all appended records.
    pub(crate) fn append_all<'a>(
        &self,
        now: Timestamp,
        reservation: WriteReservation,
        records: impl Iterator<Item = &'a NewRecord> + Clone,
        (encrypted, rates): (bool, WriteRates),
    ) -> Result<(Vec<Option<SequenceNumber>>, Ticket), AppendError> {
        let mut writing = self.writing.lock();
        if !writing.description.is_open() {
            return Err(AppendError::Closed);
        }
        let admitted = records
            .clone()
            .map(|record| rates == WriteRates::Ignored || writing.admit(now, record).is_ok());
        let admitted: Vec<bool> = admitted.collect();
        let count = admitted.iter().filter(|admitted| **admitted).count() as u64;
        let arrival = writing.arrival(now);
        let first = self.counter.fetch_add(count, Ordering::Relaxed);
        let appended = records.zip(&admitted).filter(|(_, admitted)| **admitted);
        let ticket = self.log.append(
            reservation,
            appended
                .zip(first..)
                .map(|((record, _), index)| stored(index, arrival, record, encrypted)),
        );
        let mut index = first..;
        let number = |admitted: &bool| {
            let index = admitted.then(|| index.next()).flatten()?;
            Some(self.number(index, arrival))
        };
        Ok((admitted.iter().map(number).collect(), ticket))
    }

    /// Rings `bell` whenever a record becomes visible, and when the shard closes or is deleted.
    pub(crate) fn follow(&self, bell: Bell) -> Follower {
        self.log.ring_at_end(bell)
    }

    /// Gives every later record a later arrival than all records so far. Returns the earliest
    /// arrival of a later record.
    pub(crate) fn next_arrival(&self, now: Timestamp) -> Timestamp {
        let mut writing = self.writing.lock();
        writing.last_arrival = writing.arrival(now).plus_millis(1);
        writing.last_arrival
    }

    /// The number of the record at `index` that arrived then.
    pub(crate) fn number(&self, index: u64, arrival: Timestamp) -> SequenceNumber {
        sequence_number(self.created_s, self.id, index, arrival)
    }

    /// The sequence time of a record that would be appended at the last arrival.
    pub(super) fn latest_number_s(&self) -> u64 {
        let arrival = self.writing.lock().last_arrival;
        self.number(0, arrival).time_s
    }

    /// The position at `index`, as a sequence number of this shard.
    pub(crate) fn position(&self, index: u64, now: Timestamp) -> SequenceNumber {
        if index == 0 {
            return SequenceNumber::first_of(self.created_s, self.id.index());
        }
        SequenceNumber {
            time_s: 0,
            ..self.number(index, now)
        }
    }

    /// The index after the last published record.
    pub fn end(&self) -> u64 {
        self.log.end()
    }

    /// The index of the first record that arrived at `at` or later.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn index_at_time(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.log.index_at_time(at).await
    }

    /// True when the shard is closed and has no record at or after `position`.
    pub fn is_exhausted(&self, position: SequenceNumber) -> bool {
        self.is_complete_before(position.index)
    }

    /// True when the shard is closed and nothing in it can come at or after `index`.
    pub(crate) fn is_complete_before(&self, index: u64) -> bool {
        let closed = !self.writing.lock().description.is_open();
        // Records that were appended before the closing may not be committed yet.
        closed && index >= self.log.next()
    }

    /// Reads records.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(&self, read: Read) -> Result<Batch, StoreError> {
        let limit = ReadLimit {
            records: read.records,
            bytes: read.bytes,
        };
        let mut records = self.log.read(read.from.index, read.horizon, limit).await?;
        // A position after a record has the index of that record and a later time.
        let skip = records.iter().next().is_some_and(|record| {
            sequence_number(self.created_s, self.id, record.index, record.arrival) < read.from
        });
        if skip {
            records = self
                .log
                .read(read.from.index + 1, read.horizon, limit)
                .await?;
        }
        let next = match records.next_index() {
            index if index <= read.from.index => read.from,
            index => SequenceNumber {
                index,
                time_s: 0,
                ..read.from
            },
        };
        Ok(Batch {
            records,
            created_s: self.created_s,
            shard: self.id,
            next,
        })
    }

    /// Counts a GetRecords call if it is within the rates of the shard; false if it is not.
    pub fn admits_read(&self, now: Timestamp) -> bool {
        let mut reading = self.reading.lock();
        let paid_off = reading.bytes.is_none_or(|bytes| bytes.admits(now));
        paid_off
            && reading
                .calls
                .as_mut()
                .is_none_or(|calls| calls.take(now, 1))
    }

    /// Charges the bytes of a GetRecords answer to the read rate.
    pub fn debit_read(&self, now: Timestamp, answered: impl FnOnce() -> u64) {
        if let Some(bytes) = &mut self.reading.lock().bytes {
            bytes.debit(now, answered());
        }
    }

    /// Counts a GetShardIterator call if it is within the rate of the shard; false if it is not.
    pub fn admits_iterator(&self, now: Timestamp) -> bool {
        self.reading
            .lock()
            .iterators
            .as_mut()
            .is_none_or(|calls| calls.take(now, 1))
    }
}

impl Writing {
    fn admit(&mut self, now: Timestamp, record: &NewRecord) -> Result<(), AppendError> {
        if !self.description.is_open() {
            return Err(AppendError::Closed);
        }
        // A refused record uses no sequence number.
        if !self.limit.take(now, record.size_bytes()) {
            return Err(AppendError::Throttled);
        }
        self.traffic_bytes += record.size_bytes();
        Ok(())
    }

    /// The arrival time of a record that is appended now. Arrival times never go back within a
    /// shard, also when the clock does.
    fn arrival(&mut self, now: Timestamp) -> Timestamp {
        self.last_arrival = self.last_arrival.max(now);
        self.last_arrival
    }
}

fn stored(index: u64, arrival: Timestamp, record: &NewRecord, encrypted: bool) -> Record<'_> {
    Record {
        index,
        arrival,
        partition_key: record.partition_key.as_deref(),
        data: &record.data,
        encrypted,
    }
}

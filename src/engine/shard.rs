//! A shard of a stream, and the functions that append records to the shard and read records by
//! sequence number.

use super::batch::{Batch, Read, ReadBudget, encoded_bytes, sequence_number};
use super::lock_order;
use super::traffic::{Count, ShardFigures};
use crate::admission::BudgetPermit;
use crate::limits::Limits;
use crate::lock::Lock;
use crate::model::{self, Bucket, HashKeyRange, NewRecord, SequenceNumber, ShardId, WriteLimit};
use crate::store::{
    BellRegistration, Log, MemoryBound, ReadLimit, Record, StoreError, Ticket, WriteReservation,
};
use crate::world::{Bell, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// A counter of sequence indexes, which a group of shards shares. The value is the next index.
pub(crate) type Counter = Arc<AtomicU64>;

/// A shard of a stream, with its log, its write and read limits, and its counts.
#[derive(Debug)]
pub struct Shard {
    /// The id of the shard within its stream.
    pub id: ShardId,
    /// Creation time of the shard, in seconds since the epoch. The time is a part of every sequence
    /// number of the shard.
    pub created_s: u64,
    /// The shards whose split or merge created this shard. The second value is None if a split
    /// created this shard. Both values are None if the shard was created together with its stream.
    pub(crate) parents: [Option<ShardId>; 2],
    range: HashKeyRange,
    log: Arc<Log>,
    counter: Counter,
    /// One lock covers the check of the write limit, the choice of the sequence number and the
    /// append. Therefore the sequence order, the commit order and the order that readers see are
    /// the same.
    writing: Lock<Writing>,
    reading: Lock<Reading>,
    /// Number of records delivered to readers, and the bytes of their data and partition keys.
    delivered: Count,
    /// Becomes true when the shard is split or merged.
    closed: watch::Sender<bool>,
    /// Time at which the shard was closed, in seconds since the epoch. 0 while the shard is open.
    closed_s: AtomicU64,
}

#[derive(Debug)]
struct Writing {
    /// Description of the shard. The description changes only when the shard closes.
    description: model::Shard,
    limit: WriteLimit,
    last_arrival: Timestamp,
    /// Number of records appended to the shard.
    records: u64,
    /// Bytes of data and partition keys of the records appended to the shard.
    bytes: u64,
    /// Number of records that the write limits of the shard refused.
    throttled: u64,
    /// Value of `bytes` at the last call of [`Shard::bytes_since_last_call`].
    bytes_at_last_call: u64,
}

#[derive(Debug)]
struct Reading {
    calls: Option<Bucket>,
    bytes: Option<Bucket>,
    iterators: Option<Bucket>,
}

/// Reason why a record was not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// The shard was split or merged after the caller chose it. The caller must choose a shard
    /// again.
    Closed,
    /// The write limit of the shard refuses the record.
    Throttled,
}

/// The effect of a shard's write limits on an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteRates {
    /// The appended records count against the write limits. A record beyond a limit is refused.
    Counted,
    /// The write limits do not apply to the append.
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
        let closed_s = description.closed_s.unwrap_or_default();
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
                    records: 0,
                    bytes: 0,
                    throttled: 0,
                    bytes_at_last_call: 0,
                },
            ),
            delivered: Count::default(),
            closed: watch::Sender::new(closed_s > 0),
            closed_s: AtomicU64::new(closed_s),
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

    /// Returns the id, the hash key range and the parents of the shard, and the times of its
    /// creation and closing.
    pub fn description(&self) -> model::Shard {
        self.writing.lock().description.clone()
    }

    /// Closes the shard. `description` contains the time of the closing.
    pub(crate) fn close(&self, description: model::Shard) {
        let closed_s = description.closed_s.unwrap_or_default();
        self.writing.lock().description = description;
        self.closed_s.store(closed_s, Ordering::Release);
        self.closed.send_replace(true);
        self.log.wake_followers_of_ended_log();
    }

    /// A signal that becomes true when the shard is closed.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Bytes of data and partition keys of the records appended since the last call of this
    /// function.
    pub(crate) fn bytes_since_last_call(&self) -> u64 {
        let mut writing = self.writing.lock();
        let bytes = writing.bytes;
        bytes - std::mem::replace(&mut writing.bytes_at_last_call, bytes)
    }

    /// The counts of the shard since the start of the engine.
    pub fn figures(&self) -> ShardFigures {
        let writing = self.writing.lock();
        ShardFigures {
            written: (writing.records, writing.bytes),
            read: self.delivered.both(),
            throttled: writing.throttled,
        }
    }

    /// Counts records that were delivered to a reader, and the bytes of their data and partition
    /// keys.
    pub fn count_delivered(&self, records: u64, bytes: u64) {
        self.delivered.add(records, bytes);
    }

    pub(crate) fn range(&self) -> HashKeyRange {
        self.range
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Assigns a sequence number to a record and appends the record to the log, under one lock.
    /// Returns the sequence number, and a ticket that resolves when the record is as durable as the
    /// `durability` option promises.
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

    /// Appends several records in order. Each record is appended or refused separately, and a
    /// refused record gets no sequence number. Returns the sequence number of each record, which is
    /// None for a refused record. Also returns a ticket for all appended records.
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

    /// Rings `bell` whenever a record of the shard becomes visible, and when the shard is closed or
    /// deleted. Dropping the returned value stops the ringing.
    pub(crate) fn follow(&self, bell: Bell) -> BellRegistration {
        self.log.ring_on_publish(bell)
    }

    /// Ensures that every later record has a later arrival time than all existing records of the
    /// shard. Returns the earliest possible arrival time of a later record.
    pub(crate) fn next_arrival(&self, now: Timestamp) -> Timestamp {
        let mut writing = self.writing.lock();
        writing.last_arrival = writing.arrival(now).plus_millis(1);
        writing.last_arrival
    }

    /// The sequence number of the record with the index `index` and the arrival time `arrival`.
    pub(crate) fn number(&self, index: u64, arrival: Timestamp) -> SequenceNumber {
        sequence_number(self.created_s, self.id, index, arrival)
    }

    /// Returns the timestamp that the shard's next sequence number has at least, in seconds since
    /// the epoch. No earlier sequence number of the shard has a greater timestamp.
    pub(super) fn latest_number_s(&self) -> u64 {
        let arrival = self.writing.lock().last_arrival;
        self.number(0, arrival).time_s
    }

    /// True if `number` has the shard id and the creation second of this shard. A shard of another
    /// stream may have the same id and the same creation second, and then has equal numbers.
    pub(super) fn has_number(&self, number: SequenceNumber) -> bool {
        number.shard == self.id.index() && number.created_s == self.created_s
    }

    /// True if this shard may already have given out `number`, which is one of its numbers. The
    /// index of a number that was given out is less than the shard's next sequence index. The
    /// ending number of a closed shard also counts as given out.
    pub(super) fn has_given_out(&self, number: SequenceNumber) -> bool {
        number.index < self.counter.load(Ordering::Relaxed)
            || self.description().ending_sequence_number() == Some(number)
    }

    /// Returns the position just before the record at `index`, as a sequence number of this shard.
    pub(crate) fn position(&self, index: u64, now: Timestamp) -> SequenceNumber {
        if index == 0 {
            return SequenceNumber::first_of(self.created_s, self.id.index());
        }
        SequenceNumber {
            time_s: 0,
            ..self.number(index, now)
        }
    }

    /// Number of readable records of the shard from `index` on. Records that arrived before
    /// `horizon` do not count.
    pub fn records_from(&self, index: u64, horizon: Timestamp) -> u64 {
        self.log.amount_from(index, horizon).records
    }

    /// Sequence number of the newest published record of the shard. None if the shard contains no
    /// record.
    pub fn newest_number(&self) -> Option<SequenceNumber> {
        let (index, arrival) = self.log.newest()?;
        Some(self.number(index, arrival))
    }

    /// Index after the last published record of the shard.
    pub fn end(&self) -> u64 {
        self.log.end()
    }

    /// Returns the index of the shard's first record that arrived at `at` or later.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub async fn index_at_time(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.log.index_at_time(at).await
    }

    /// True if the shard is closed and has no record at or after `position`.
    pub fn is_exhausted(&self, position: SequenceNumber) -> bool {
        self.is_complete_before(position.index)
    }

    /// True if the shard is closed and contains no record at or after `index`. No record is ever
    /// appended to a closed shard, so the result stays true.
    pub(crate) fn is_complete_before(&self, index: u64) -> bool {
        self.closed_before(index).is_some()
    }

    /// Returns the time at which the shard was closed, in seconds since the epoch. None if the
    /// shard is open, or if it contains a record at or after `index`.
    fn closed_before(&self, index: u64) -> Option<u64> {
        let closed_s = self.closed_s.load(Ordering::Acquire);
        // Compare with the index after the last appended record, and not after the last published
        // record. Some records that were appended before the closing may not be committed yet.
        (closed_s > 0 && index >= self.log.next()).then_some(closed_s)
    }

    /// Reads records of the shard. `read` determines the records, and `budget` determines the
    /// permit for the records that are loaded from the disk.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read, or if it stays busy for too long.
    pub(crate) async fn read(
        &self,
        read: Read,
        budget: ReadBudget<'_>,
    ) -> Result<Batch, StoreError> {
        let (mut records, mut permit) = self.read_from(read.from.index, &read, budget).await?;
        // A position directly after a record, such as AFTER_SEQUENCE_NUMBER, has the index of the
        // record and a later time. In this case the read skips the record.
        let skip = records.iter().next().is_some_and(|record| {
            sequence_number(self.created_s, self.id, record.index, record.arrival) < read.from
        });
        if skip {
            // The permit of the first read is released before the second read waits for a permit.
            drop((records, permit));
            (records, permit) = self.read_from(read.from.index + 1, &read, budget).await?;
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
            permit: permit.map(Box::new),
            created_s: self.created_s,
            shard: self.id,
            next,
        })
    }

    async fn read_from(
        &self,
        index: u64,
        read: &Read,
        budget: ReadBudget<'_>,
    ) -> Result<(crate::store::Batch, Option<BudgetPermit>), StoreError> {
        let limit = ReadLimit {
            records: read.records,
            bytes: read.bytes,
        };
        let on_disk = match self.log.read_memory(index, read.horizon, limit) {
            Ok(records) => return Ok((records, None)),
            Err(on_disk) => on_disk,
        };
        // The future of a read from the disk is boxed, so that the future of a read from memory
        // stays small.
        let reading = Box::pin(async {
            let permit = budget.permit(&on_disk).await?;
            let is_counted = permit.as_ref().is_some_and(|permit| permit.bytes() > 0);
            let bound = match is_counted || matches!(budget, ReadBudget::Held) {
                true => MemoryBound::Budget,
                false => MemoryBound::DiskPermit,
            };
            let records = self.log.read_disk(on_disk, bound).await?;
            Ok((records, permit))
        });
        reading.await
    }

    /// Estimates the encoded bytes of the records that `read` would load from the disk. Returns 0
    /// if all records of `read` are in memory.
    pub(crate) fn bytes_on_disk(&self, read: &Read) -> u64 {
        let limit = ReadLimit {
            records: read.records,
            bytes: read.bytes,
        };
        let found = self.log.read_memory(read.from.index, read.horizon, limit);
        found.err().map_or(0, |on_disk| {
            let (records, bytes) = on_disk.estimate();
            encoded_bytes(records, bytes)
        })
    }

    /// Returns `MillisBehindLatest` of a reader whose last read was `batch`. For a batch that
    /// reached the end of the shard, the value is [`Shard::millis_at_end`]. For every other batch,
    /// the value is the time from the arrival of the batch's last record to `now`, in milliseconds.
    /// This value is at least 1, because readers stop at 0. The minimum is a choice, and matters
    /// only if the clock stands still.
    pub(crate) fn millis_behind_latest(&self, batch: &Batch, now: Timestamp) -> i64 {
        match batch.last() {
            Some((_, arrival)) if !batch.reached_end() => now.millis_since(arrival).max(1),
            _ => self.millis_at_end(batch.next(), now),
        }
    }

    /// Returns `MillisBehindLatest` of a reader that has read all published records before
    /// `position`. The value is 0 in an open shard. At the end of a closed shard, the value is the
    /// time since the closing, in milliseconds but rounded down to whole seconds. Both values were
    /// recorded at the service in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/records.json).
    pub(crate) fn millis_at_end(&self, position: SequenceNumber, now: Timestamp) -> i64 {
        let closed_s = self.closed_before(position.index);
        let closed_s = closed_s.and_then(|second| i64::try_from(second).ok());
        closed_s.map_or(0, |second| (now.seconds() - second).max(0) * 1000)
    }

    /// Returns true and counts a GetRecords call if the shard's read limits permit the call.
    /// Returns false otherwise.
    pub fn admits_read(&self, now: Timestamp) -> bool {
        let mut reading = self.reading.lock();
        let paid_off = reading.bytes.is_none_or(|bytes| bytes.admits(now));
        paid_off
            && reading
                .calls
                .as_mut()
                .is_none_or(|calls| calls.take(now, 1))
    }

    /// Charges a GetRecords answer to the shard's read limit. `answered` returns the size of the
    /// answer in bytes.
    pub fn debit_read(&self, now: Timestamp, answered: impl FnOnce() -> u64) {
        if let Some(bytes) = &mut self.reading.lock().bytes {
            bytes.debit(now, answered());
        }
    }

    /// Returns true and counts a GetShardIterator call if the shard's limit of such calls permits
    /// the call. Returns false otherwise.
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
        // The write limit is checked before a sequence number is assigned, so that a refused record
        // uses no number.
        if !self.limit.take(now, record.size_bytes()) {
            self.throttled += 1;
            return Err(AppendError::Throttled);
        }
        self.records += 1;
        self.bytes += record.size_bytes();
        Ok(())
    }

    /// Arrival time of a record that is appended now. Within a shard, arrival times never decrease,
    /// even if the clock is set back.
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

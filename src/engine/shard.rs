//! A shard at work: the write path, and reading by sequence number.

use crate::limits::Limits;
use crate::lock::Lock;
use crate::model::{self, Bucket, HashKeyRange, NewRecord, SequenceNumber, ShardId, WriteLimit};
use crate::store::{Append, Log, ReadLimit, StoreError, Ticket, WriteReservation};
use crate::world::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Hands out the sequence indexes of a group of shards.
pub(crate) type Counter = Arc<AtomicU64>;

/// A shard of a stream.
#[derive(Debug)]
pub struct Shard {
    /// Its id within the stream.
    pub id: ShardId,
    /// When it was created, in seconds; part of each of its sequence numbers.
    pub created_s: u64,
    range: HashKeyRange,
    log: Arc<Log>,
    counter: Counter,
    /// One lock for limit, number and enqueueing: sequence order, commit order and the order
    /// readers see are the same order.
    writing: Lock<Writing>,
    reading: Lock<Reading>,
    /// Becomes true when the shard is split or merged.
    closed: watch::Sender<bool>,
}

#[derive(Debug)]
struct Writing {
    /// The description, whose only change is that the shard closes.
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

/// Why a shard did not take a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// It was split or merged meanwhile: the caller routes again.
    Closed,
    /// It takes no more now.
    Throttled,
}

/// What to read of a shard.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The first number wanted; it need not exist.
    pub from: SequenceNumber,
    /// What arrived before this is expired.
    pub horizon: Timestamp,
    /// At most so many records.
    pub records: usize,
    /// At most so many bytes of data and partition keys, but one record is always given.
    pub bytes: u64,
}

/// Records read, still in the segments that hold them.
#[derive(Debug)]
pub struct Batch {
    records: crate::store::Batch,
    created_s: u64,
    shard: ShardId,
    next: SequenceNumber,
}

/// A record read.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    /// Its number.
    pub number: SequenceNumber,
    /// When it was accepted.
    pub arrival: Timestamp,
    /// The key it was put with, if any.
    pub partition_key: Option<&'a str>,
    /// Its payload.
    pub data: &'a [u8],
    /// Whether its stream was encrypted when it was put.
    pub encrypted: bool,
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
            range: description.hash_key_range,
            log,
            counter,
            writing: Lock::new(Writing {
                description,
                limit,
                last_arrival,
                traffic_bytes: 0,
            }),
            closed: watch::Sender::new(closed),
            reading: Lock::new(Reading {
                calls: bucket(limits.shard_read_calls),
                bytes: bucket(limits.shard_read_bytes),
                iterators: bucket(limits.shard_iterator_calls),
            }),
        })
    }

    /// What the shard is.
    pub fn description(&self) -> model::Shard {
        self.writing.lock().description.clone()
    }

    /// Takes no more records; `description` says since when.
    pub(crate) fn close(&self, description: model::Shard) {
        self.writing.lock().description = description;
        self.closed.send_replace(true);
    }

    /// Whether the shard is closed, as that changes.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Bytes of data and partition keys taken since this was last asked.
    pub(crate) fn take_traffic(&self) -> u64 {
        std::mem::take(&mut self.writing.lock().traffic_bytes)
    }

    pub(crate) fn range(&self) -> HashKeyRange {
        self.range
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Numbers a record and enqueues it, in one critical section. The ticket says when it is as
    /// durable as was promised.
    pub(crate) fn append(
        &self,
        now: Timestamp,
        room: WriteReservation,
        record: &NewRecord,
        encrypted: bool,
    ) -> Result<(SequenceNumber, Ticket), AppendError> {
        let mut writing = self.writing.lock();
        writing.admit(now, record)?;
        let arrival = writing.arrival(now);
        let index = self.counter.fetch_add(1, Ordering::Relaxed);
        let ticket = self
            .log
            .append(room, [stored(index, arrival, record, encrypted)]);
        Ok((self.number(index, arrival), ticket))
    }

    /// The same for several records, in their order; each is taken or refused by itself. The
    /// ticket covers those that were taken.
    pub(crate) fn append_all<'a>(
        &self,
        now: Timestamp,
        room: WriteReservation,
        records: impl Iterator<Item = &'a NewRecord> + Clone,
        encrypted: bool,
    ) -> Result<(Vec<Option<SequenceNumber>>, Ticket), AppendError> {
        let mut writing = self.writing.lock();
        if !writing.description.is_open() {
            return Err(AppendError::Closed);
        }
        let admitted = records
            .clone()
            .map(|record| writing.admit(now, record).is_ok());
        let admitted: Vec<bool> = admitted.collect();
        let count = admitted.iter().filter(|taken| **taken).count() as u64;
        let arrival = writing.arrival(now);
        let first = self.counter.fetch_add(count, Ordering::Relaxed);
        let taken = records.zip(&admitted).filter(|(_, taken)| **taken);
        let ticket = self.log.append(
            room,
            taken
                .zip(first..)
                .map(|((record, _), index)| stored(index, arrival, record, encrypted)),
        );
        let mut index = first..;
        let number = |taken: &bool| {
            let index = taken.then(|| index.next()).flatten()?;
            Some(self.number(index, arrival))
        };
        Ok((admitted.iter().map(number).collect(), ticket))
    }

    fn number(&self, index: u64, arrival: Timestamp) -> SequenceNumber {
        sequence_number(self.created_s, self.id, index, arrival)
    }

    /// The position just at `index`, written as a sequence number of this shard.
    pub(crate) fn position(&self, index: u64, now: Timestamp) -> SequenceNumber {
        if index == 0 {
            return SequenceNumber::first_of(self.created_s, self.id.index());
        }
        SequenceNumber {
            time_s: 0,
            ..self.number(index, now)
        }
    }

    /// Just past the last record that can be read.
    pub fn end(&self) -> u64 {
        self.log.end()
    }

    /// Where the first record stands that arrived at `at` or later.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn index_at_time(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.log.index_at_time(at).await
    }

    /// Whether the shard is closed and nothing in it can come at or after `position`.
    pub fn is_exhausted(&self, position: SequenceNumber) -> bool {
        let closed = !self.writing.lock().description.is_open();
        // What was appended before the end may still be on its way to the disk.
        closed && position.index >= self.log.next()
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
        // A position may lie behind the record of its own index: it was AFTER that record.
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

    /// Whether a GetRecords call is within the shard's rates; counts it if it is.
    pub fn admits_read(&self, now: Timestamp) -> bool {
        let mut reading = self.reading.lock();
        let paid_off = reading.bytes.is_none_or(|bytes| bytes.admits(now));
        paid_off
            && reading
                .calls
                .as_mut()
                .is_none_or(|calls| calls.take(now, 1))
    }

    /// Counts what a GetRecords call answered.
    pub fn debit_read(&self, now: Timestamp, answered: impl FnOnce() -> u64) {
        if let Some(bytes) = &mut self.reading.lock().bytes {
            bytes.debit(now, answered());
        }
    }

    /// Whether a GetShardIterator call is within the shard's rate; counts it if it is.
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
        // Refused before a number is spent.
        if !self.limit.take(now, record.size_bytes()) {
            return Err(AppendError::Throttled);
        }
        self.traffic_bytes += record.size_bytes();
        Ok(())
    }

    /// Arrival times never go back within a shard, whatever the clock does.
    fn arrival(&mut self, now: Timestamp) -> Timestamp {
        self.last_arrival = self.last_arrival.max(now);
        self.last_arrival
    }
}

fn stored(index: u64, arrival: Timestamp, record: &NewRecord, encrypted: bool) -> Append<'_> {
    Append {
        index,
        arrival,
        partition_key: record.partition_key.as_deref(),
        data: &record.data,
        encrypted,
    }
}

/// The number of the record at `index`; its time is never before the shard's creation.
fn sequence_number(
    created_s: u64,
    shard: ShardId,
    index: u64,
    arrival: Timestamp,
) -> SequenceNumber {
    let arrived_s = u64::try_from(arrival.seconds()).unwrap_or_default();
    SequenceNumber {
        created_s,
        shard: shard.index(),
        index,
        time_s: arrived_s.max(created_s),
    }
}

impl Batch {
    /// The records, in order.
    pub fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.records.iter().map(|record| RecordView {
            number: sequence_number(self.created_s, self.shard, record.index, record.arrival),
            arrival: record.arrival,
            partition_key: record.partition_key,
            data: record.data,
            encrypted: record.encrypted,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of data and partition keys.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Where to read on.
    pub fn next(&self) -> SequenceNumber {
        self.next
    }

    /// Whether nothing more could be read at that time.
    pub fn reached_end(&self) -> bool {
        self.records.reached_end()
    }

    /// How long after the last of them the shard's tip is; zero just there. Before it, at least one,
    /// also where no time has passed since: readers stop at zero (a choice, which shows when time
    /// stands still).
    pub fn millis_behind_latest(&self, now: Timestamp) -> i64 {
        let last = self.records.last().filter(|_| !self.reached_end());
        last.map_or(0, |(_, arrival)| now.millis_since(arrival).max(1))
    }

    /// The number of the last of them, and when it arrived.
    pub fn last(&self) -> Option<(SequenceNumber, Timestamp)> {
        let (index, arrival) = self.records.last()?;
        let number = sequence_number(self.created_s, self.shard, index, arrival);
        Some((number, arrival))
    }
}

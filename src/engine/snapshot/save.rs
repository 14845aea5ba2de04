//! Saves a snapshot to a file that is produced in parts.

use crate::admission::Admission;
use crate::engine::channel::Channel;
use crate::engine::core::Engine;
use crate::engine::queue::Queue;
use crate::engine::saved;
use crate::engine::shard::Shard;
use crate::engine::slots::Slot;
use crate::engine::snapshot::error::SnapshotError;
use crate::engine::stream::Stream;
use crate::limits;
use crate::model::StreamStatus;
use crate::store::snapshot::{Block, Head, Writer};
use crate::store::{Change, LogId, ReadLimit, Record};
use crate::world::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A shard whose records are being saved.
#[derive(Debug)]
struct Copying {
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    log: LogId,
    /// Index of the next record that is saved.
    next: u64,
    /// Index after the last record that is saved.
    end: u64,
    horizon: Timestamp,
}

/// An unfinished save of a snapshot.
#[derive(Debug)]
pub(crate) struct Saving {
    engine: Arc<Engine>,
    /// Encodes the snapshot. None after the last part of the snapshot was produced.
    writer: Option<Writer>,
    /// The streams that the snapshot does not contain yet.
    streams: VecDeque<Arc<Stream>>,
    /// The queues of the streams that the snapshot does not contain yet. The key is the incarnation
    /// number of the stream.
    queues: HashMap<u64, Vec<Arc<Queue>>>,
    /// The channels of the streams that the snapshot does not contain yet. The key is the
    /// incarnation number of the stream.
    channels: HashMap<u64, Vec<Arc<Channel>>>,
    /// The shards of the stream whose catalog entries were saved last. Only shards with unsaved
    /// records are in the list.
    copying: VecDeque<Copying>,
    /// The value of `Engine::replacements` when the save started.
    replacements: u64,
    _slot: Slot,
}

impl Saving {
    /// Starts the save of a snapshot.
    ///
    /// # Errors
    /// Returns an error if too many snapshots are being saved, or if zstd cannot allocate memory.
    pub(crate) fn begin(engine: &Arc<Engine>) -> Result<Self, SnapshotError> {
        let slot = engine.saves.take(Some(limits::SNAPSHOTS_AT_ONCE));
        let slot = slot.map_err(|_| SnapshotError::Busy("too many snapshots are being saved"))?;
        let replacements = engine.replacements.load(Ordering::SeqCst);
        let mut writer = Writer::begin()?;
        let head = Head {
            run: engine.run(),
            now_ms: engine.world.clock.now().millis(),
        };
        writer.add(&Block::Head(head))?;
        for (account_region, settings) in engine.account_settings() {
            add_change(&mut writer, &saved::account(&account_region, &settings))?;
        }
        // The positions are saved before the streams, so that no position is after the last saved
        // record of its shard.
        for change in engine.event_sources.snapshot() {
            add_change(&mut writer, &change)?;
        }
        let queues = engine.all_queues().into_iter();
        let channels = engine.all_channels().into_iter();
        Ok(Self {
            streams: engine.streams().into(),
            engine: engine.clone(),
            writer: Some(writer),
            queues: by_stream(queues.map(|queue| (queue.stream.incarnation, queue))),
            channels: by_stream(channels.map(|one| (one.stream.incarnation, one))),
            copying: VecDeque::new(),
            replacements,
            _slot: slot,
        })
    }

    /// Returns the in-flight budget. The parts of the snapshot in memory count against this budget.
    pub(crate) fn admission(&self) -> Arc<Admission> {
        self.engine.admission.clone()
    }

    /// Returns the longest time for which the client may leave a part unread. None means no limit.
    pub(crate) fn unread_limit(&self) -> Option<Duration> {
        let seconds = self.engine.limits.unread_answer_seconds;
        seconds.map(Duration::from_secs)
    }

    /// Returns the next part of the file. Returns None after the last part.
    ///
    /// # Errors
    /// Returns an error if records cannot be read. Also returns an error if records were removed by
    /// the deletion of their stream, by a reset or by the load of a snapshot. The file is then
    /// incomplete.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, SnapshotError> {
        loop {
            let Some(writer) = &mut self.writer else {
                return Ok(None);
            };
            if self.engine.replacements.load(Ordering::SeqCst) != self.replacements {
                let text = "the contents were removed or replaced during the save of the snapshot";
                return Err(SnapshotError::Removed(text.to_owned()));
            }
            if writer.len() >= limits::SNAPSHOT_PART_BYTES {
                return Ok(Some(writer.take()));
            }
            if let Some(mut copying) = self.copying.pop_front() {
                if copying.step(writer).await? {
                    self.copying.push_front(copying);
                }
                // The same task may serve other requests of an HTTP/2 connection, so let these
                // requests proceed.
                tokio::task::yield_now().await;
            } else if let Some(stream) = self.streams.pop_front() {
                self.enter(&stream)?;
            } else {
                let writer = self.writer.take();
                return Ok(writer.map(Writer::end).transpose()?);
            }
        }
    }

    /// Saves the catalog entries of a stream, its shards, its queues and its channels, and the
    /// states of the queues' records. The records of the shards are saved later.
    fn enter(&mut self, stream: &Arc<Stream>) -> Result<(), SnapshotError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        // The states of the queues and the channels are collected before the ends of the shards.
        // Therefore no queue or channel refers to a record that is not saved.
        let channels = self.channels.remove(&stream.incarnation);
        let channels = channels.unwrap_or_default();
        let channels: Vec<_> = channels.iter().flat_map(|one| one.snapshot()).collect();
        let queues = self.queues.remove(&stream.incarnation).unwrap_or_default();
        let queues: Vec<_> = queues.iter().filter_map(|queue| queue.snapshot()).collect();
        let now = self.engine.world.clock.now();
        let cut = stream.with_state(|state| {
            if state.removed || state.status == StreamStatus::Deleting {
                return None;
            }
            // The record count is read before the ends of the shards, so that the snapshot contains
            // every counted record.
            let changes = saved::in_snapshot(stream, state);
            let horizon = state.horizon(now);
            let copying = state.shards.values().map(|shard| Copying {
                stream: stream.clone(),
                shard: shard.clone(),
                log: shard.log().id(),
                next: 0,
                end: shard.end(),
                horizon,
            });
            Some((changes, copying.collect()))
        });
        let Some((changes, copying)) = cut else {
            return Ok(());
        };
        self.copying = copying;
        for change in changes.iter().chain(&channels) {
            add_change(writer, change)?;
        }
        for (change, log, documents) in &queues {
            add_change(writer, change)?;
            for (index, document) in documents.iter().enumerate() {
                let record = Record {
                    index: index as u64,
                    arrival: now,
                    partition_key: None,
                    data: document,
                    encrypted: false,
                };
                writer.add(&Block::of_records(*log, std::iter::once(record)))?;
            }
        }
        Ok(())
    }
}

impl Copying {
    /// Saves some records of this shard. Returns true if more records may follow.
    ///
    /// The records stay in the log until the end of the save, even if they expire or a clear
    /// removes them: see `retention` and [`Engine::clear`].
    ///
    /// # Errors
    /// Returns an error if the records cannot be read, or if the stream is deleted.
    async fn step(&mut self, writer: &mut Writer) -> Result<bool, SnapshotError> {
        if self.next >= self.end {
            return Ok(false);
        }
        let limit = ReadLimit {
            records: limits::SNAPSHOT_READ_RECORDS,
            bytes: limits::SNAPSHOT_READ_BYTES,
        };
        let log = self.shard.log();
        let batch = log.read(self.next, self.horizon, limit).await?;
        // A deletion marks the stream before it deletes the log. Therefore the batch is complete if
        // the stream is not marked now.
        if self.stream.look(|state| state.removed) {
            let name = &self.stream.arn.name;
            let text = format!("the stream {name} was deleted during the save of the snapshot");
            return Err(SnapshotError::Removed(text));
        }
        let records = batch.iter().filter(|record| record.index < self.end);
        writer.add(&Block::of_records(self.log, records))?;
        let goes_on = batch.next_index() > self.next && !batch.reached_end();
        self.next = batch.next_index().max(self.next);
        Ok(goes_on)
    }
}

/// Groups queues or channels by the incarnation number of their stream. The first value of each
/// item in `items` is this number.
fn by_stream<T>(items: impl Iterator<Item = (u64, T)>) -> HashMap<u64, Vec<T>> {
    let mut all: HashMap<u64, Vec<T>> = HashMap::new();
    for (stream, item) in items {
        all.entry(stream).or_default().push(item);
    }
    all
}

/// Writes a catalog entry to the snapshot.
fn add_change(writer: &mut Writer, change: &Change) -> io::Result<()> {
    let (key, value) = change.to_pair();
    match value {
        Some(value) => writer.add(&Block::Entry { key, value }),
        None => Ok(()),
    }
}

//! Loads a snapshot from a file that arrives in parts.

use crate::engine::accounts::Accounts;
use crate::engine::channel::{self, AccountChannels, Channel};
use crate::engine::core::Engine;
use crate::engine::event_source::{EventSources, Positions};
use crate::engine::queue::{AccountQueues, Queue, check_attributes, check_state, log_id};
use crate::engine::reset::stream_removals;
use crate::engine::saved;
use crate::engine::slots::Slot;
use crate::engine::snapshot::error::SnapshotError;
use crate::engine::start::{RestoreError, first_index, saved_accounts, saved_shards};
use crate::engine::stream::Stream;
use crate::engine::stream_state::ShardOpener;
use crate::limits;
use crate::model::{AccountRegion, QueueBounds, ShardId};
use crate::store::snapshot::{Block, Flaw, Head, Reader};
use crate::store::{
    AccountValue, Catalog, Change, LogId, MappingValue, QueueValue, Ticket, packed_records, run_of,
};
use crate::world::{Clock, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

impl From<Flaw> for SnapshotError {
    fn from(flaw: Flaw) -> Self {
        Self::Refused(flaw.to_string())
    }
}

impl From<RestoreError> for SnapshotError {
    fn from(error: RestoreError) -> Self {
        let problem = error.part();
        Self::Refused(format!("the snapshot is damaged: {problem} is invalid"))
    }
}

fn impossible(part: &str) -> SnapshotError {
    SnapshotError::Refused(format!("the snapshot is damaged: {part}"))
}

/// An unfinished load of a snapshot. Dropping this value aborts the load.
#[derive(Debug)]
pub(crate) struct Loading {
    engine: Arc<Engine>,
    reader: Reader,
    head: Option<Head>,
    /// Opens the shards of the snapshot. The shards get the sequence indexes of the run that begins
    /// when the load succeeds.
    opener: ShardOpener,
    catalog: Catalog,
    /// Bytes of the catalog entries that were read so far.
    catalog_bytes: usize,
    /// The new incarnation number of each stream, queue and channel. The key is the old incarnation
    /// number, which the file contains.
    incarnations: HashMap<u64, u64>,
    /// The logs in the file, each with the index after the last record and the ticket of the last
    /// append. The ticket is None if no record was appended.
    logs: HashMap<LogId, (u64, Option<Ticket>)>,
    /// The logs that were created for the load. If the load is dropped before it succeeds, the drop
    /// deletes these logs.
    made: BTreeSet<LogId>,
    _slot: Slot,
}

/// The complete contents of a snapshot, with which the engine replaces its own contents.
struct Built {
    accounts: Accounts,
    queues: HashMap<AccountRegion, AccountQueues>,
    channels: HashMap<AccountRegion, AccountChannels>,
    mappings: Vec<(Uuid, MappingValue)>,
    positions: Positions,
    /// Catalog changes that save the contents of the snapshot.
    changes: Vec<Change>,
}

impl Drop for Loading {
    fn drop(&mut self) {
        for log in &self.made {
            self.engine.store.delete(*log);
        }
    }
}

impl Loading {
    /// Starts the load of a snapshot.
    ///
    /// # Errors
    /// Returns an error if another load is in progress, or if the store cannot write.
    pub(crate) fn begin(engine: &Arc<Engine>) -> Result<Self, SnapshotError> {
        let slot = engine
            .loads
            .take(Some(1))
            .map_err(|_| SnapshotError::Busy("another snapshot is being loaded"))?;
        engine.check_store()?;
        Ok(Self {
            engine: engine.clone(),
            reader: Reader::new()?,
            head: None,
            opener: engine
                .shard_opener
                .of_run(engine.shard_opener.first_index()),
            catalog: Catalog::default(),
            catalog_bytes: 0,
            incarnations: HashMap::new(),
            logs: HashMap::new(),
            made: BTreeSet::new(),
            _slot: slot,
        })
    }

    /// Reads `part`, the next part of the file.
    ///
    /// # Errors
    /// Returns an error if the file is not a valid snapshot, or if the store cannot write.
    pub(crate) async fn push(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        let mut input = part;
        while let Some(block) = self.reader.next(&mut input)? {
            match block {
                Block::Head(head) => self.head(head).await?,
                Block::Entry { key, value } => self.entry(&key, &value)?,
                Block::Records { log, packed } => self.records(log, &packed).await?,
                Block::End { .. } => {}
            }
            // A part can contain many blocks, so let other tasks run after each block.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Chooses the run that the load begins. The number of the run is greater than the numbers of
    /// all runs of the engine and of the snapshot.
    ///
    /// A snapshot may have records of runs with greater numbers than the engine's run. The store
    /// must permit these runs before it writes the records. Otherwise the next start would find
    /// records of a run that was not permitted, and would treat the data directory as damaged.
    async fn head(&mut self, head: Head) -> Result<(), SnapshotError> {
        let own = self.engine.run();
        let most = own.max(limits::SNAPSHOT_RUN);
        let run = own.max(head.run).saturating_add(1);
        let is_time = (0..=limits::LAST_MOMENT_MS).contains(&head.now_ms);
        let first = first_index(run).ok().filter(|_| is_time);
        let first = first.ok_or_else(|| impossible("its head is invalid"))?;
        if head.run > most {
            let text = format!(
                "the snapshot is of an emulator that was started and loaded {} times, and this \
                 emulator takes at most {most}",
                head.run
            );
            return Err(SnapshotError::Refused(text));
        }
        if head.run > own {
            // The greatest permitted run depends only on the engine's own run, whose number only
            // grows. Therefore a later load never permits fewer runs than this load.
            let ahead = own + limits::SNAPSHOT_RUN;
            self.engine.store.permit_run(ahead).await?;
        }
        self.opener = self.engine.shard_opener.of_run(first);
        self.head = Some(head);
        Ok(())
    }

    /// Begins the run of the load. The beginning of the run becomes durable before the first record
    /// of the run is written.
    async fn begin_run(&mut self) -> Result<(), SnapshotError> {
        let engine = &self.engine;
        let run = run_of(self.opener.first_index());
        engine.store.begin_run(run).await?;
        engine.shard_opener.follow(&self.opener);
        engine
            .next_incarnation
            .fetch_max(run << 32, Ordering::Relaxed);
        Ok(())
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), SnapshotError> {
        self.catalog_bytes += key.len() + value.len();
        if self.catalog_bytes > limits::SNAPSHOT_CATALOG_BYTES {
            return Err(SnapshotError::Refused(
                "the snapshot has more streams and shards than can be loaded".to_owned(),
            ));
        }
        let inserted = self.catalog.insert(key, value);
        inserted.map_err(|kind| {
            impossible(&format!(
                "{kind} in it cannot be read, or a newer minikin wrote it"
            ))
        })
    }

    /// Returns the new incarnation number of a stream, queue or channel. `old` is its incarnation
    /// number in the file.
    fn incarnation(&mut self, old: u64) -> u64 {
        let next = || self.engine.next_incarnation.fetch_add(1, Ordering::Relaxed);
        *self.incarnations.entry(old).or_insert_with(next)
    }

    async fn records(&mut self, log: LogId, packed: &[u8]) -> Result<(), SnapshotError> {
        let head = self.head.ok_or_else(|| impossible("it has no head"))?;
        let is_of_queue = self.catalog.queues.contains_key(&log.stream) && log.shard == 0;
        let is_of_shard = self.catalog.shards.contains_key(&(log.stream, log.shard));
        if is_of_queue == is_of_shard {
            return Err(impossible("records in it belong to no shard"));
        }
        let id = LogId {
            stream: self.incarnation(log.stream),
            shard: log.shard,
        };
        let (mut next, _) = self.logs.get(&log).cloned().unwrap_or_default();
        for record in packed_records(packed) {
            let is_time = (0..=limits::LAST_MOMENT_MS).contains(&record.arrival.millis());
            if record.index < next || run_of(record.index) > head.run || !is_time {
                return Err(impossible("a record in it is invalid"));
            }
            next = record.index + 1;
        }
        let reservation = self.engine.store.reserve(packed.len() as u64).await?;
        self.made.insert(id);
        let appended = self.engine.store.log(id);
        let ticket = appended.append(reservation, packed_records(packed));
        self.logs.insert(log, (next, Some(ticket)));
        Ok(())
    }

    /// Completes the load. Replaces the contents of the engine by the contents of the snapshot.
    /// Returns when the new contents are as durable as the `durability` option promises.
    ///
    /// # Errors
    /// Returns an error if the file is incomplete or invalid, or if the store cannot write.
    pub(crate) async fn end(mut self) -> Result<(), SnapshotError> {
        self.reader.end()?;
        let head = self.head.ok_or_else(|| impossible("it has no head"))?;
        for (_, ticket) in self.logs.values_mut() {
            if let Some(ticket) = ticket.take() {
                ticket.durable().await?;
            }
        }
        let moment = Timestamp::from_millis(head.now_ms);
        let now = match &self.engine.world.clock {
            Clock::Virtual(_) => moment,
            clock => clock.now(),
        };
        let mut built = self.build(head, now)?;
        self.engine.check_store()?;
        if matches!(self.engine.world.clock, Clock::Virtual(_)) {
            built.changes.push(Change::Clock(moment.millis()));
        }
        self.begin_run().await?;
        // From this line on, the new logs belong to the engine, and the drop of the load must not
        // delete these logs. Nothing can fail before the engine replaces its contents.
        self.made.clear();
        let ticket = self.engine.change_over(built, moment);
        Ok(ticket.durable().await?)
    }

    /// Builds the engine's new contents from the entries of the snapshot. The whole file has been
    /// read before this call.
    fn build(&mut self, head: Head, now: Timestamp) -> Result<Built, SnapshotError> {
        let catalog = std::mem::take(&mut self.catalog);
        let mut built = Built {
            accounts: Accounts::default(),
            queues: HashMap::new(),
            channels: HashMap::new(),
            mappings: Vec::new(),
            positions: Positions::new(),
            changes: Vec::new(),
        };
        let streams = self.build_streams(&catalog, head, now, &mut built)?;
        for (account_region, settings) in saved_accounts(&catalog) {
            let change = saved::account(&account_region, &settings);
            built.changes.push(change);
            built.accounts.set_settings(account_region, settings);
        }
        self.build_mappings(&catalog, &streams, &mut built)?;
        self.build_queues(&catalog, &streams, (head, now), &mut built)?;
        self.build_channels(&catalog, &streams, now, &mut built)?;
        Ok(built)
    }

    /// Builds the streams of the snapshot. Returns the streams, keyed by their incarnation numbers
    /// in the file.
    fn build_streams(
        &mut self,
        catalog: &Catalog,
        head: Head,
        now: Timestamp,
        built: &mut Built,
    ) -> Result<HashMap<u64, Arc<Stream>>, SnapshotError> {
        let mut shards = saved_shards(catalog)?;
        let mut streams = HashMap::new();
        for (old, value) in &catalog.streams {
            let incarnation = self.incarnation(*old);
            let identity = value.identity.unwrap_or(*old);
            // The upper part of an identity number is a run. Refuse an identity number of a later
            // run than the snapshot's run, because a new stream could get the same number.
            if identity >> 32 > head.run {
                return Err(impossible("the number of a stream in it is invalid"));
            }
            let mut value = value.clone();
            value.identity = Some(identity);
            let record_count = value.record_count.take();
            let described = shards.remove(old).unwrap_or_default();
            let logs = described.iter().map(|shard| LogId {
                stream: incarnation,
                shard: shard.id.index(),
            });
            self.made.extend(logs);
            let changed = Box::new(value.clone());
            let stream = self
                .engine
                .restored(&self.opener, incarnation, value, described, now)?;
            // Snapshots of older versions have no record count.
            if let Some(record_count) = record_count {
                stream.records.set(record_count);
            }
            if built.accounts.insert(&stream).is_some() {
                return Err(impossible("two streams in it have the same name"));
            }
            let change = Change::Stream(incarnation, Some(changed));
            built.changes.push(change);
            streams.insert(*old, stream);
        }
        if !shards.is_empty() {
            return Err(impossible("a shard in it has no stream"));
        }
        for ((old, index), value) in &catalog.shards {
            let key = (self.incarnation(*old), *index);
            let change = Change::Shard(key, Some(value.clone()));
            built.changes.push(change);
        }
        Ok(streams)
    }

    fn build_mappings(
        &self,
        catalog: &Catalog,
        streams: &HashMap<u64, Arc<Stream>>,
        built: &mut Built,
    ) -> Result<(), SnapshotError> {
        let incarnation = |old: u64| streams.get(&old).map(|stream| stream.incarnation);
        let mut numbers = BTreeSet::new();
        for (uuid, value) in &catalog.mappings {
            if !EventSources::can_restore(value) || !numbers.insert(value.number) {
                return Err(impossible("an event source mapping in it is invalid"));
            }
            let mut value = value.clone();
            value.incarnation = value.incarnation.and_then(incarnation);
            let change = Change::Mapping(*uuid, Some(Box::new(value.clone())));
            built.changes.push(change);
            built.mappings.push((Uuid::from_bytes(*uuid), value));
        }
        for ((uuid, old, shard), position) in &catalog.positions {
            let Some(incarnation) = incarnation(*old) else {
                continue;
            };
            let id = ShardId::checked(*shard);
            let id = id.ok_or_else(|| impossible("a position in it has no shard"))?;
            let of_mapping = built.positions.entry(Uuid::from_bytes(*uuid)).or_default();
            of_mapping.insert((incarnation, id), position.clone());
            let key = (*uuid, incarnation, *shard);
            let change = Change::MappingPosition(key, Some(position.clone()));
            built.changes.push(change);
        }
        Ok(())
    }

    fn build_queues(
        &mut self,
        catalog: &Catalog,
        streams: &HashMap<u64, Arc<Stream>>,
        (head, now): (Head, Timestamp),
        built: &mut Built,
    ) -> Result<(), SnapshotError> {
        for (old, value) in &catalog.queues {
            let stream = streams
                .get(&value.stream)
                .filter(|_| !streams.contains_key(old));
            let stream = stream.ok_or_else(|| impossible("a queue in it has no stream"))?;
            let incarnation = self.incarnation(*old);
            self.made.insert(log_id(incarnation));
            self.check_queue(catalog, value, (incarnation, head))?;
            let mut value = value.clone();
            value.stream = stream.incarnation;
            let changed = Box::new(value.clone());
            let queue =
                self.engine
                    .restored_queue(&self.opener, incarnation, value, stream, now)?;
            let account = built.queues.entry(queue.arn.scope.clone()).or_default();
            if !account.restore(&queue) {
                return Err(impossible("two queues in it have the same name"));
            }
            let change = Change::Queue(incarnation, Some(changed));
            built.changes.push(change);
        }
        Ok(())
    }

    /// Checks a queue of the snapshot, whose new incarnation number is `incarnation`.
    ///
    /// # Errors
    /// Returns an error if no emulator saves a queue with this state. Such a queue could later hide
    /// records of its stream.
    fn check_queue(
        &self,
        catalog: &Catalog,
        value: &QueueValue,
        (incarnation, head): (u64, Head),
    ) -> Result<(), SnapshotError> {
        let next_run = (head.run + 1) << limits::SEQUENCE_INDEX_BITS_A_RUN;
        let stream = value.stream;
        let end = |shard| match self.logs.get(&LogId { stream, shard }) {
            // The last record of the shard is the last of the newest run, so no later record was
            // ever put.
            Some((end, _)) if *end > 0 && run_of(*end - 1) == head.run => *end,
            // A crash may have lost records after the last one, and a queue may still have them.
            _ => next_run,
        };
        let shards = catalog.shards.range((stream, 0)..=(stream, u32::MAX));
        let bounds = QueueBounds {
            newest_shard: shards.last().map_or(0, |((_, index), _)| *index),
            end: &end,
            deliveries_end: next_run,
        };
        check_attributes(value)
            .and_then(|()| check_state(&self.engine, incarnation, &bounds))
            .map_err(|problem| {
                let name = &value.name;
                impossible(&format!(
                    "the state of the queue {name} in it is invalid: {problem}"
                ))
            })
    }

    fn build_channels(
        &mut self,
        catalog: &Catalog,
        streams: &HashMap<u64, Arc<Stream>>,
        now: Timestamp,
        built: &mut Built,
    ) -> Result<(), SnapshotError> {
        for (old, value) in &catalog.channels {
            let stream = streams.get(&value.stream);
            let stream = stream.ok_or_else(|| impossible("a channel in it has no stream"))?;
            let incarnation = self.incarnation(*old);
            let mut value = value.clone();
            value.stream = stream.incarnation;
            let positions = channel::positions_of(catalog, *old);
            let channel =
                self.engine
                    .restored_channel(incarnation, value, positions, stream, now)?;
            if !channel::restore(&mut built.channels, &channel) {
                return Err(impossible("two channels in it have the same name"));
            }
            built.changes.extend(channel.snapshot());
        }
        let channels = &catalog.channels;
        let mut positions = catalog.channel_positions.keys();
        match positions.any(|(channel, _)| !channels.contains_key(channel)) {
            true => Err(impossible("a position in it has no channel")),
            false => Ok(()),
        }
    }
}

impl Engine {
    /// Replaces all contents of the engine by `built`, in one step. No request sees old contents
    /// together with new contents. Sets a virtual clock to `moment`. Returns the ticket of the
    /// saved change.
    fn change_over(self: &Arc<Self>, built: Built, moment: Timestamp) -> Ticket {
        let Built {
            accounts: new_accounts,
            queues: new_queues,
            channels: new_channels,
            mappings,
            positions,
            changes,
        } = built;
        self.replacements.fetch_add(1, Ordering::SeqCst);
        let (old_queues, old_channels): (Vec<Arc<Queue>>, Vec<Arc<Channel>>);
        let (ticket, old_streams) = {
            let mut accounts = self.accounts.lock();
            let mut queues = self.queues.accounts.lock();
            let mut channels = self.channels.accounts.lock();
            let old_streams = accounts.streams();
            for stream in &old_streams {
                stream.with_state(|state| state.replaced = true);
            }
            old_queues = queues.values().flat_map(AccountQueues::all).collect();
            let all_channels = channels.values().flat_map(AccountChannels::all);
            old_channels = all_channels.cloned().collect();
            let mut all = self.event_sources.remove_every();
            all.extend(stream_removals(&old_streams));
            all.extend(
                old_queues
                    .iter()
                    .map(|queue| self.queue_removal_with_account(queue)),
            );
            all.extend(self.channel_removals(&old_channels));
            let settings = AccountValue::default();
            let with_settings = accounts.with_settings();
            all.extend(with_settings.iter().map(|of| saved::account(of, &settings)));
            all.extend(changes);
            if let Clock::Virtual(clock) = &self.world.clock {
                clock.jump_to(moment);
            }
            *accounts = new_accounts;
            *queues = new_queues;
            *channels = new_channels;
            (self.store.save(all), old_streams)
        };
        for queue in &old_queues {
            self.forget_queue(queue);
        }
        for channel in &old_channels {
            self.forget_channel(channel);
        }
        for stream in &old_streams {
            self.forget(stream);
        }
        self.event_sources.restore(mappings, positions);
        for queue in self.all_queues() {
            self.await_queue(&queue);
        }
        self.begin_channels();
        for stream in self.streams() {
            self.await_transitions(&stream);
            self.event_sources.stream_changed(&stream);
        }
        ticket
    }
}

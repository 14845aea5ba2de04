//! Loading a snapshot, part by part.

use crate::engine::accounts::Accounts;
use crate::engine::core::Engine;
use crate::engine::event_source::{EventSources, Positions};
use crate::engine::queue::{AccountQueues, Queue, log_id};
use crate::engine::reset::removals;
use crate::engine::saved;
use crate::engine::slots::Slot;
use crate::engine::snapshot::error::SnapshotError;
use crate::engine::start::{RestoreError, first_index, saved_accounts, saved_shards};
use crate::engine::stream::Stream;
use crate::limits;
use crate::model::{AccountRegion, ShardId};
use crate::store::snapshot::{Block, Flaw, Head, Reader};
use crate::store::{
    AccountValue, Catalog, Change, LogId, MappingValue, Ticket, packed_records, run_of,
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
        Self::Refused(format!(
            "the snapshot is damaged: {problem} is not possible"
        ))
    }
}

fn impossible(part: &str) -> SnapshotError {
    SnapshotError::Refused(format!("the snapshot is damaged: {part}"))
}

/// A snapshot that is being loaded. Dropping it gives the load up.
#[derive(Debug)]
pub(crate) struct Loading {
    engine: Arc<Engine>,
    reader: Reader,
    head: Option<Head>,
    catalog: Catalog,
    /// Bytes of the entries of the catalog.
    catalog_bytes: usize,
    /// The new incarnation of each stream and queue, by the one in the file.
    incarnations: HashMap<u64, u64>,
    /// The logs in the file: just past the last index, and the promise of the last append.
    logs: HashMap<LogId, (u64, Option<Ticket>)>,
    /// The logs made for the load, which go with it unless it succeeds.
    made: BTreeSet<LogId>,
    _slot: Slot,
}

/// Everything that a snapshot holds, ready to take the place of the engine's.
struct Built {
    accounts: Accounts,
    queues: HashMap<AccountRegion, AccountQueues>,
    mappings: Vec<(Uuid, MappingValue)>,
    positions: Positions,
    /// The entries of the catalog.
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
    /// Begins a load.
    ///
    /// # Errors
    /// When another one is in progress, or the store does not write.
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
            catalog: Catalog::default(),
            catalog_bytes: 0,
            incarnations: HashMap::new(),
            logs: HashMap::new(),
            made: BTreeSet::new(),
            _slot: slot,
        })
    }

    /// Takes the next part of the file.
    ///
    /// # Errors
    /// When the file is not a sound snapshot, or the store does not write.
    pub(crate) async fn push(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        let mut input = part;
        while let Some(block) = self.reader.next(&mut input)? {
            match block {
                Block::Head(head) => self.begin_run(head).await?,
                Block::Entry { key, value } => self.entry(&key, &value)?,
                Block::Records { log, packed } => self.records(log, &packed).await?,
                Block::End { .. } => {}
            }
            // A part may hold much, and the task has more to do.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Begins a run above all runs of the engine and of the snapshot, durably, before the first record
    /// with an index of the snapshot: a data directory whose records are of later runs than it knows
    /// of is damaged.
    async fn begin_run(&mut self, head: Head) -> Result<(), SnapshotError> {
        let engine = &self.engine;
        let run = engine.run().max(head.run).saturating_add(1);
        let is_time = (0..=limits::LAST_MOMENT_MS).contains(&head.now_ms);
        let first = first_index(run).ok().filter(|_| is_time);
        let first = first.ok_or_else(|| impossible("its head is not possible"))?;
        engine.store.begin_run(run).await?;
        let opener = &engine.shard_opener;
        opener.first_index.fetch_max(first, Ordering::Relaxed);
        engine
            .next_incarnation
            .fetch_max(run << 32, Ordering::Relaxed);
        self.head = Some(head);
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

    /// The new incarnation of a stream or queue.
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
                return Err(impossible("a record in it is not possible"));
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

    /// Ends the load: the engine changes over to what the snapshot holds. Returns once that is as
    /// durable as the settings promise.
    ///
    /// # Errors
    /// When the file is not a whole and sound snapshot, or the store does not write.
    pub(crate) async fn end(mut self) -> Result<(), SnapshotError> {
        self.reader.end()?;
        let head = self.head.ok_or_else(|| impossible("it has no head"))?;
        for (_, ticket) in std::mem::take(&mut self.logs).into_values() {
            if let Some(ticket) = ticket {
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
        // From here on nothing fails, and the logs are the engine's.
        self.made.clear();
        let ticket = self.engine.change_over(built, moment);
        Ok(ticket.durable().await?)
    }

    /// Builds everything that the snapshot holds.
    fn build(&mut self, head: Head, now: Timestamp) -> Result<Built, SnapshotError> {
        let catalog = std::mem::take(&mut self.catalog);
        let mut built = Built {
            accounts: Accounts::default(),
            queues: HashMap::new(),
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
        self.build_queues(&catalog, &streams, now, &mut built)?;
        Ok(built)
    }

    /// Builds the streams, by their incarnations in the file.
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
            // A stream made later must not be taken for it.
            if identity >> 32 > head.run {
                return Err(impossible("the number of a stream in it is not possible"));
            }
            let mut value = value.clone();
            value.identity = Some(identity);
            let described = shards.remove(old).unwrap_or_default();
            let logs = described.iter().map(|shard| LogId {
                stream: incarnation,
                shard: shard.id.index(),
            });
            self.made.extend(logs);
            let changed = Some(Box::new(value.clone()));
            let stream = self.engine.restored(incarnation, value, described, now)?;
            if built.accounts.insert(&stream).is_some() {
                return Err(impossible("two streams in it have one name"));
            }
            built.changes.push(Change::Stream {
                incarnation,
                value: changed,
            });
            streams.insert(*old, stream);
        }
        if !shards.is_empty() {
            return Err(impossible("a shard in it has no stream"));
        }
        for ((old, index), value) in &catalog.shards {
            built.changes.push(Change::Shard {
                incarnation: self.incarnation(*old),
                index: *index,
                value: Some(value.clone()),
            });
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
                return Err(impossible("an event source mapping in it is not possible"));
            }
            let mut value = value.clone();
            value.incarnation = value.incarnation.and_then(incarnation);
            built.changes.push(Change::Mapping {
                uuid: *uuid,
                value: Some(Box::new(value.clone())),
            });
            built.mappings.push((Uuid::from_bytes(*uuid), value));
        }
        for ((uuid, old, shard), position) in &catalog.positions {
            let Some(incarnation) = incarnation(*old) else {
                continue;
            };
            let of_mapping = built.positions.entry(Uuid::from_bytes(*uuid)).or_default();
            of_mapping.insert((incarnation, ShardId::new(*shard)), position.clone());
            built.changes.push(Change::MappingPosition {
                uuid: *uuid,
                shard: (incarnation, *shard),
                value: Some(position.clone()),
            });
        }
        Ok(())
    }

    fn build_queues(
        &mut self,
        catalog: &Catalog,
        streams: &HashMap<u64, Arc<Stream>>,
        now: Timestamp,
        built: &mut Built,
    ) -> Result<(), SnapshotError> {
        for (old, value) in &catalog.queues {
            let stream = streams
                .get(&value.stream)
                .filter(|_| !streams.contains_key(old));
            let stream = stream.ok_or_else(|| impossible("a queue in it has no stream"))?;
            let incarnation = self.incarnation(*old);
            self.made.insert(log_id(incarnation));
            let mut value = value.clone();
            value.stream = stream.incarnation;
            let changed = Some(Box::new(value.clone()));
            let queue = self
                .engine
                .restored_queue(incarnation, value, stream, now)?;
            let account = built.queues.entry(queue.arn.scope.clone()).or_default();
            if !account.restore(&queue) {
                return Err(impossible("two queues in it have one name"));
            }
            built.changes.push(Change::Queue {
                incarnation,
                value: changed,
            });
        }
        Ok(())
    }
}

impl Engine {
    /// Puts `built` in the place of everything that there is, in one step for every request. A virtual
    /// clock shows `moment` from then on.
    fn change_over(self: &Arc<Self>, built: Built, moment: Timestamp) -> Ticket {
        let Built {
            accounts: new_accounts,
            queues: new_queues,
            mappings,
            positions,
            changes,
        } = built;
        let old_queues: Vec<Arc<Queue>>;
        let (ticket, old_streams) = {
            let mut accounts = self.accounts.lock();
            let mut queues = self.queues.accounts.lock();
            let old_streams = accounts.streams();
            old_queues = queues.values().flat_map(AccountQueues::all).collect();
            let mut all = self.event_sources.remove_every();
            all.extend(removals(&old_streams));
            all.extend(old_queues.iter().map(|queue| self.queue_end(queue)));
            let settings = AccountValue::default();
            let with_settings = accounts.with_settings();
            all.extend(with_settings.iter().map(|of| saved::account(of, &settings)));
            all.extend(changes);
            if let Clock::Virtual(clock) = &self.world.clock {
                clock.jump_to(moment);
            }
            *accounts = new_accounts;
            *queues = new_queues;
            (self.store.save(all), old_streams)
        };
        for queue in &old_queues {
            self.forget_queue(queue);
        }
        for stream in &old_streams {
            self.forget(stream);
        }
        self.event_sources.restore(mappings, positions);
        for queue in self.all_queues() {
            self.await_queue(&queue);
        }
        for stream in self.streams() {
            self.await_transitions(&stream);
            self.event_sources.stream_changed(&stream);
        }
        ticket
    }
}

//! A tail delivers the records of a stream as they become visible. In each shard, the delivery
//! begins at a given position.
//!
//! A tail reads a *cut* of the shards' family tree: a set of shards, with a position in each shard.
//! Every other shard is an ancestor or a descendant of a shard in the cut. The tail has read the
//! ancestors to their ends, and will read the descendants later. Therefore a later tail can
//! continue with only the positions in the cut. When the tail has read a closed shard to its end,
//! the children of the shard replace the shard in the cut. The tail reads a child only after all
//! ancestors of the child have left the cut.
//!
//! The tail does not poll. When records of a shard in the cut are published, the shard's log rings
//! the bell of the tail.

use super::batch::{Batch, Read, ReadBudget};
use super::core::Engine;
use super::shard::Shard;
use super::slots::Slot;
use super::stream::Stream;
use super::stream_state::SHARDS_PER_COUNTER;
use crate::limits;
use crate::model::ShardId;
use crate::store::{BellRegistration, StoreError};
use crate::world::{Alarm, RealDeadline, Timestamp};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The position in each shard at which a tail starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TailStart {
    /// Start at the oldest readable record.
    TrimHorizon,
    /// Start at the first record that is published after the start of the tail.
    Latest,
    /// Start at the first record that arrived at this time or later.
    Time(Timestamp),
    /// Start at the positions in the cut of an earlier tail: for each shard, the index of the next
    /// record.
    Cut(BTreeMap<ShardId, u64>),
}

/// Reason why a tail cannot start or continue.
#[derive(Debug)]
pub(crate) enum TailError {
    /// Too many tails are open. Holds the limit.
    TooMany(u64),
    /// The stream has more shards than a tail can follow.
    TooManyShards,
    /// The store cannot be read.
    Store(StoreError),
}

/// The result of one step of a tail.
#[derive(Debug)]
pub(crate) enum TailStep {
    /// Records of one shard. The caller must call [`Tail::note_delivered`] for the records that it
    /// delivered.
    Records(ShardId, Batch),
    /// The tail has ended, because its only shard was read to the end, or because the stream was
    /// deleted. Holds the reason as a text.
    End(&'static str),
}

/// A shard in the tail's cut, with the position in the shard.
#[derive(Debug)]
struct Reading {
    shard: Arc<Shard>,
    /// Index of the next record of the shard to read.
    index: u64,
    /// True if no ancestor of the shard is in the cut, so that the tail may read the shard.
    is_ready: bool,
    /// Rings the bell of the tail when the shard has new records or is closed. A drop of this value
    /// ends the ringing.
    _follower: BellRegistration,
}

/// A tail in progress, which delivers the records of a stream or of one shard.
#[derive(Debug)]
pub(crate) struct Tail {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    /// The only shard that the tail reads. In this case the tail does not read the children of the
    /// shard. None if the tail reads all shards of the stream.
    only: Option<ShardId>,
    start: TailStart,
    cut: BTreeMap<ShardId, Reading>,
    /// The shard that the tail read last. The tail reads every other shard with new records before
    /// it reads this shard again.
    last_read: ShardId,
    alarm: Alarm,
    stopping: watch::Receiver<bool>,
    _open: Slot,
}

impl Tail {
    /// Starts a tail of all shards of the stream, or of the single shard `only`. `start` determines
    /// the position in each shard.
    ///
    /// # Errors
    /// Returns an error if too many tails are open, if the stream has too many shards, or if the
    /// store cannot be read.
    pub(crate) async fn begin(
        engine: &Arc<Engine>,
        stream: &Arc<Stream>,
        only: Option<ShardId>,
        start: TailStart,
    ) -> Result<Self, TailError> {
        let mut tail = Self {
            _open: engine
                .tails
                .take(engine.limits.tails)
                .map_err(TailError::TooMany)?,
            engine: engine.clone(),
            stream: stream.clone(),
            only,
            start,
            cut: BTreeMap::new(),
            last_read: ShardId::new(0),
            alarm: engine.world.clock.lenient_alarm(),
            stopping: engine.stopping.clone(),
        };
        tail.enter_first().await?;
        Ok(tail)
    }

    /// Longest time for which the client may leave records unread. None means no limit.
    pub(crate) fn unread_limit(&self) -> Option<Duration> {
        let seconds = self.engine.limits.unread_event_seconds;
        seconds.map(Duration::from_secs)
    }

    /// The shards of the cut, each with the index of the next record to read. A later tail can
    /// continue at these positions.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (ShardId, u64)> {
        self.cut.iter().map(|(id, reading)| (*id, reading.index))
    }

    /// Notes that the caller has delivered the records of `shard` before the index `index`. The
    /// next read of the shard starts at this index.
    pub(crate) fn note_delivered(&mut self, shard: ShardId, index: u64) {
        if let Some(reading) = self.cut.get_mut(&shard) {
            reading.index = reading.index.max(index);
        }
    }

    /// Waits until `end`, or until the emulator stops.
    pub(crate) async fn pause(&mut self, end: RealDeadline) {
        let stopped = self.stopping.wait_for(|stopping| *stopping);
        let _stopped = end.with(stopped).await;
    }

    /// Skips older records in every shard in which the tail is too far behind. `most` and `kept`
    /// are numbers of sequence indexes for the whole stream, and each counter of sequence indexes
    /// gets an equal share of them. The share applies to each shard of the counter. If a position
    /// is more than the share of `most` before the end of its shard, the position moves to the
    /// share of `kept` before the end. Returns true if the tail skipped records.
    pub(crate) fn skip_to_newest(&mut self, most: u64, kept: u64) -> bool {
        let counters = self.cut.len().div_ceil(SHARDS_PER_COUNTER as usize).max(1) as u64;
        let part = |of: u64| (of / counters).max(1);
        let mut has_skipped = false;
        for reading in self.cut.values_mut() {
            let end = reading.shard.end();
            if reading.index < end.saturating_sub(part(most)) {
                reading.index = end - part(kept);
                has_skipped = true;
            }
        }
        has_skipped
    }

    /// Waits for the next step of the tail, and returns it. Returns None if the emulator stops, or
    /// if the load of a snapshot replaced the stream by a stream of the same name. In both cases
    /// the client can continue with a new tail after the last event that the client received.
    ///
    /// # Errors
    /// Returns an error if the tail cannot continue. The error ends the tail.
    pub(crate) async fn next(&mut self) -> Result<Option<TailStep>, TailError> {
        loop {
            if *self.stopping.borrow() {
                return Ok(None);
            }
            let (removed, replaced) = self.stream.look(|state| (state.removed, state.replaced));
            let arn = &self.stream.arn;
            if replaced && self.engine.find(&arn.scope, &arn.name).is_some() {
                return Ok(None);
            }
            if removed {
                return Ok(Some(TailStep::End("the stream was deleted")));
            }
            if self.cut.is_empty() {
                return Ok(Some(TailStep::End("the shard was read to its end")));
            }
            let Some((id, is_complete)) = self.news() else {
                self.wait().await;
                continue;
            };
            self.last_read = id;
            if is_complete {
                self.finish(id).await?;
            } else if let Some(batch) = self.read(id).await.map_err(TailError::Store)? {
                return Ok(Some(TailStep::Records(id, batch)));
            }
        }
    }

    /// Finds the next shard in the cut that has records to read, or that was read to its end. The
    /// search begins after the shard that the tail read last. The second value is true if the found
    /// shard was read to its end. Returns None if the cut has no such shard.
    fn news(&self) -> Option<(ShardId, bool)> {
        let after = (Bound::Excluded(self.last_read), Bound::Unbounded);
        let in_turn = self
            .cut
            .range(after)
            .chain(self.cut.range(..=self.last_read));
        let mut ready = in_turn.filter(|(_, reading)| reading.is_ready);
        ready.find_map(|(id, reading)| {
            let is_complete = reading.shard.is_complete_before(reading.index);
            let has_records = reading.shard.end() > reading.index;
            (is_complete || has_records).then_some((*id, is_complete))
        })
    }

    /// Reads the next records of a shard in the cut. If the next records have expired, moves the
    /// position past these records and returns None.
    async fn read(&mut self, id: ShardId) -> Result<Option<Batch>, StoreError> {
        let now = self.engine.world.clock.now();
        let Some(reading) = self.cut.get_mut(&id) else {
            return Ok(None);
        };
        let read = Read {
            from: reading.shard.position(reading.index, now),
            horizon: self.stream.horizon(now),
            records: limits::EVENT_RECORDS,
            bytes: limits::EVENT_BYTES,
        };
        let budget = ReadBudget::Event(&self.engine.admission);
        let batch = reading.shard.read(read, budget).await?;
        if !batch.is_empty() {
            return Ok(Some(batch));
        }
        reading.index = batch.next().index.max(reading.index);
        // Many records in a row may have expired, so let other tasks run before the next read.
        tokio::task::yield_now().await;
        Ok(None)
    }

    /// Waits until a shard in the cut has new records or is closed, or until the emulator stops.
    async fn wait(&mut self) {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            () = self.alarm.wait(None) => {}
        }
    }

    /// Adds the first shards to the cut, at the start of the tail.
    async fn enter_first(&mut self) -> Result<(), TailError> {
        let now = self.engine.world.clock.now();
        let listed = self.stream.listed_shards(now);
        if let Some(only) = self.only {
            let index = match &self.start {
                TailStart::Cut(cut) => cut.get(&only).copied(),
                _ => None,
            };
            return self.enter(only, index).await;
        }
        if let TailStart::Cut(cut) = self.start.clone() {
            for (id, index) in cut {
                self.enter(id, Some(index)).await?;
            }
            self.find_ready();
            return Ok(());
        }
        let is_first = |shard: &crate::model::Shard| match self.start {
            TailStart::Latest => shard.is_open(),
            _ => {
                let mut parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
                parents.all(|parent| listed.iter().all(|other| other.id != parent))
            }
        };
        let first: Vec<_> = listed.iter().filter(|shard| is_first(shard)).collect();
        for shard in first {
            let index = match self.start {
                TailStart::Latest => self.end_of(shard.id, now),
                _ => None,
            };
            self.enter(shard.id, index).await?;
        }
        self.find_ready();
        Ok(())
    }

    fn end_of(&self, id: ShardId, now: Timestamp) -> Option<u64> {
        self.stream.readable_shard(id, now).map(|shard| shard.end())
    }

    /// Adds a shard to the cut, at the position `index`. If `index` is None, `start` determines the
    /// position. If all records of the shard have expired, adds the shard's children instead.
    async fn enter(&mut self, id: ShardId, index: Option<u64>) -> Result<(), TailError> {
        let now = self.engine.world.clock.now();
        let mut entering = vec![(id, index)];
        while let Some((id, index)) = entering.pop() {
            let Some(shard) = self.stream.readable_shard(id, now) else {
                if self.only.is_none() {
                    let children = self.stream.children(id).into_iter();
                    entering.extend(children.map(|child| (child.id, None)));
                }
                continue;
            };
            if self.cut.len() >= limits::TAIL_SHARDS {
                return Err(TailError::TooManyShards);
            }
            // Follow the shard before the search for the index. Then a record that becomes visible
            // during the search rings the bell.
            let _follower = shard.follow(self.alarm.bell());
            let index = match index {
                Some(index) => index,
                None => self.first_index(&shard).await.map_err(TailError::Store)?,
            };
            let is_ready = self.only.is_some();
            self.cut.entry(id).or_insert(Reading {
                shard,
                index,
                is_ready,
                _follower,
            });
        }
        Ok(())
    }

    /// Returns the index of the first record that the tail reads in a shard. `start` determines
    /// this index.
    async fn first_index(&self, shard: &Shard) -> Result<u64, StoreError> {
        match self.start {
            TailStart::Time(moment) => shard.index_at_time(moment).await,
            // A tail of a single shard starts at the end of the shard. A tail of the whole stream
            // calls this function only for child shards, and reads them from their first record.
            TailStart::Latest if self.only.is_some() => Ok(shard.end()),
            TailStart::TrimHorizon | TailStart::Latest | TailStart::Cut(_) => Ok(0),
        }
    }

    /// Removes from the cut a shard that was read to its end, and adds the children of the shard.
    async fn finish(&mut self, id: ShardId) -> Result<(), TailError> {
        self.cut.remove(&id);
        if self.only.is_none() {
            for child in self.stream.children(id) {
                self.enter(child.id, None).await?;
            }
            self.find_ready();
        }
        Ok(())
    }

    /// Marks as ready every shard of the cut that has no ancestor in the cut.
    fn find_ready(&mut self) {
        let waiting: Vec<_> = self
            .cut
            .iter()
            .filter(|(_, reading)| !reading.is_ready)
            .map(|(id, reading)| (*id, reading.shard.parents))
            .collect();
        for (id, parents) in waiting {
            let mut ancestors: Vec<ShardId> = parents.into_iter().flatten().collect();
            let mut is_ready = true;
            while let Some(ancestor) = ancestors.pop() {
                is_ready &= !self.cut.contains_key(&ancestor);
                let known = self.stream.look(|state| state.shard(ancestor));
                if let Some(shard) = known.filter(|_| is_ready) {
                    ancestors.extend([shard.parent, shard.adjacent_parent].into_iter().flatten());
                }
            }
            if let Some(reading) = self.cut.get_mut(&id) {
                reading.is_ready = is_ready;
            }
        }
    }
}

impl Engine {
    /// Number of open tails.
    pub fn open_tails(&self) -> u64 {
        self.tails.in_use()
    }
}

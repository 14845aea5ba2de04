//! A tail: the records of a stream as they become visible, from a position in each shard on.
//!
//! The tail reads a *cut* of the shards' lineage: no shard of it descends from another one that is
//! read to its end, and every other shard of the stream is either an ancestor, which is done, or a
//! descendant, which comes later. So the positions in the shards of the cut are all that a later tail
//! needs to go on. When a closed shard is read to its end, its children take its place; a child is
//! read once none of its ancestors is in the cut.
//!
//! The logs of the shards ring the bell of the tail, so nothing polls.

use super::batch::{Batch, Read};
use super::core::Engine;
use super::shard::Shard;
use super::slots::Slot;
use super::stream::Stream;
use crate::limits;
use crate::model::ShardId;
use crate::store::{Follower, StoreError};
use crate::world::{Alarm, Timestamp};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The first record of each shard that a tail reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TailStart {
    /// The oldest record that can be read.
    TrimHorizon,
    /// The first record after the begin of the tail.
    Latest,
    /// The first record that arrived at this moment or later.
    Time(Timestamp),
    /// The records at these indexes, which are the cut of an earlier tail.
    Cut(BTreeMap<ShardId, u64>),
}

/// The reason why a tail does not begin.
#[derive(Debug)]
pub(crate) enum TailError {
    /// So many tails are open already.
    TooMany(u64),
    /// The stream has more shards than a tail follows.
    TooManyShards,
    /// The store cannot be read.
    Store(StoreError),
}

/// A step of a tail.
#[derive(Debug)]
pub(crate) enum TailStep {
    /// Records of one shard. The caller reports the part that it took by [`Tail::take`].
    Records(ShardId, Batch),
    /// The shard that the tail was asked for is read to its end, or the stream is gone.
    End(&'static str),
}

/// A shard of the cut.
#[derive(Debug)]
struct Reading {
    shard: Arc<Shard>,
    /// The index of the next record to read.
    index: u64,
    /// No ancestor of the shard is in the cut.
    is_ready: bool,
    /// Rings the bell of the tail.
    _follower: Follower,
}

/// A tail in progress.
#[derive(Debug)]
pub(crate) struct Tail {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    /// One shard only; its children are not read.
    only: Option<ShardId>,
    start: TailStart,
    cut: BTreeMap<ShardId, Reading>,
    /// The shard whose turn was last.
    turn: ShardId,
    alarm: Alarm,
    stopping: watch::Receiver<bool>,
    _open: Slot,
}

impl Tail {
    /// Begins a tail of the stream, or of one shard of it.
    ///
    /// # Errors
    /// When too many tails are open, the stream has too many shards, or the store cannot be read.
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
            turn: ShardId::new(0),
            alarm: engine.world.clock.lenient_alarm(),
            stopping: engine.stopping.clone(),
        };
        tail.enter_first().await?;
        Ok(tail)
    }

    /// The time for which the client may leave records unread.
    pub(crate) fn unread_limit(&self) -> Option<Duration> {
        let seconds = self.engine.limits.unread_event_seconds;
        seconds.map(Duration::from_secs)
    }

    /// The positions from which a later tail goes on.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (ShardId, u64)> {
        self.cut.iter().map(|(id, reading)| (*id, reading.index))
    }

    /// Notes that the records of `shard` before `index` were taken.
    pub(crate) fn take(&mut self, shard: ShardId, index: u64) {
        if let Some(reading) = self.cut.get_mut(&shard) {
            reading.index = reading.index.max(index);
        }
    }

    /// The next step. None: the emulator stops.
    ///
    /// # Errors
    /// When the tail cannot go on. It has ended then.
    pub(crate) async fn next(&mut self) -> Result<Option<TailStep>, TailError> {
        loop {
            if *self.stopping.borrow() {
                return Ok(None);
            }
            if self.stream.look(|state| state.removed) {
                return Ok(Some(TailStep::End("the stream was deleted")));
            }
            if self.cut.is_empty() {
                return Ok(Some(TailStep::End("the shard was read to its end")));
            }
            let Some((id, is_complete)) = self.news() else {
                self.wait().await;
                continue;
            };
            self.turn = id;
            if is_complete {
                self.finish(id).await?;
            } else if let Some(batch) = self.read(id).await.map_err(TailError::Store)? {
                return Ok(Some(TailStep::Records(id, batch)));
            }
        }
    }

    /// The next shard after the last turn that has something to read, and whether it is read to its
    /// end instead.
    fn news(&self) -> Option<(ShardId, bool)> {
        let after = (Bound::Excluded(self.turn), Bound::Unbounded);
        let in_turn = self.cut.range(after).chain(self.cut.range(..=self.turn));
        let mut ready = in_turn.filter(|(_, reading)| reading.is_ready);
        ready.find_map(|(id, reading)| {
            let is_complete = reading.shard.is_complete_before(reading.index);
            let has_records = reading.shard.end() > reading.index;
            (is_complete || has_records).then_some((*id, is_complete))
        })
    }

    /// Reads from a shard. None when the records there have expired, which moves the position.
    async fn read(&mut self, id: ShardId) -> Result<Option<Batch>, StoreError> {
        let now = self.engine.world.clock.now();
        let Some(reading) = self.cut.get_mut(&id) else {
            return Ok(None);
        };
        let batch = reading
            .shard
            .read(Read {
                from: reading.shard.position(reading.index, now),
                horizon: self.stream.horizon(now),
                records: limits::EVENT_RECORDS,
                bytes: limits::EVENT_BYTES,
            })
            .await?;
        if !batch.is_empty() {
            return Ok(Some(batch));
        }
        reading.index = batch.next().index.max(reading.index);
        // Long ranges may have expired, and the task has more to do than this tail.
        tokio::task::yield_now().await;
        Ok(None)
    }

    /// Waits for a bell or the stop.
    async fn wait(&mut self) {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            () = self.alarm.wait(None) => {}
        }
    }

    /// Makes the first cut.
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

    /// Enters a shard in the cut, at `index` or where its records begin. In the place of a shard that
    /// has expired its children are entered.
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
            // The bell first: a record that becomes visible during the search rings it.
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

    /// The first record to read of a shard that is entered without an index.
    async fn first_index(&self, shard: &Shard) -> Result<u64, StoreError> {
        match self.start {
            TailStart::Time(moment) => shard.index_at_time(moment).await,
            // The shard on its own begins at its end, a child with its first record.
            TailStart::Latest if self.only.is_some() => Ok(shard.end()),
            TailStart::TrimHorizon | TailStart::Latest | TailStart::Cut(_) => Ok(0),
        }
    }

    /// Replaces a shard that is read to its end by its children.
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

    /// Finds the shards of the cut that have no ancestor in it.
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
        self.tails.taken()
    }
}

//! The state that writers, readers and the committer share.

use super::budget::WriteBudget;
use super::pacer::CommitPacer;
use super::settings::{Durability, Settings};
use super::signal::Signal;
use super::stream_names::StreamNames;
use crate::limits;
use crate::lock::Lock;
use crate::store::disk::seam::Disk;
use crate::store::error::StoreError;
use crate::store::format::key::Pair;
use crate::store::format::record::LogId;
use crate::store::generations::Generations;
use crate::world::RealDeadline;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The state that all parts of a store share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// True when records survive a restart: there is a data directory.
    pub(crate) is_durable: bool,
    /// Bytes at which a segment is closed.
    pub(crate) segment_limit: usize,
    pub(crate) generations: Generations,
    pub(crate) budget: WriteBudget,
    /// Bytes of records in memory.
    pub(crate) memory: AtomicU64,
    /// Logs with records to commit.
    pub(crate) dirty: Lock<Vec<LogId>>,
    /// Segments in memory by log and first index, oldest first: to be evicted or spilled.
    pub(crate) sealed: Lock<VecDeque<(LogId, u64)>>,
    pub(crate) saves: Lock<Saves>,
    /// Number of saves that are durable.
    pub(crate) saved: Arc<AtomicU64>,
    /// Permits to read from the disk.
    disk_reads: Arc<Semaphore>,
    pub(crate) signal: Signal,
    pub(crate) pacer: CommitPacer,
    /// Moves when a ticket may have become durable.
    pub(crate) progress: watch::Sender<u64>,
    /// The reason why nothing is written any more.
    failure: OnceLock<StoreError>,
    pub(crate) commits: CommitCounters,
    pub(crate) names: StreamNames,
    /// Records that could not be read back.
    pub(crate) records_lost: AtomicU64,
}

/// Changes of the catalog that wait for a commit.
#[derive(Debug, Default)]
pub(crate) struct Saves {
    pub(crate) changes: Vec<Pair>,
    /// Number of saves since the start.
    pub(crate) count: u64,
}

/// Commits and the time of their flushes.
#[derive(Debug, Default)]
pub(crate) struct CommitCounters {
    count: AtomicU64,
    flush_micros: AtomicU64,
}

impl CommitCounters {
    pub(crate) fn add(&self, flush: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(flush.as_micros()).unwrap_or(u64::MAX);
        self.flush_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn flushing(&self) -> Duration {
        Duration::from_micros(self.flush_micros.load(Ordering::Relaxed))
    }
}

opaque!(Shared);

impl Shared {
    pub(crate) fn new(settings: Settings, disk: Arc<dyn Disk>, names: StreamNames) -> Arc<Self> {
        let is_durable = settings.directory.is_some();
        let limit = settings.write_limit();
        Arc::new(Self {
            // Two segments and sled's own bytes fit sled's slot for two of the full size.
            segment_limit: settings.segment_bytes.saturating_sub(256).max(1),
            settings,
            is_durable,
            generations: Generations::new(disk),
            budget: WriteBudget::new(limit),
            memory: AtomicU64::new(0),
            dirty: Lock::default(),
            sealed: Lock::default(),
            saves: Lock::default(),
            saved: Arc::default(),
            disk_reads: Arc::new(Semaphore::new(limits::DISK_READS)),
            signal: Signal::default(),
            pacer: CommitPacer::default(),
            progress: watch::Sender::new(0),
            failure: OnceLock::new(),
            commits: CommitCounters::default(),
            names,
            records_lost: AtomicU64::new(0),
        })
    }

    /// True when writes are acknowledged when they are durable.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self.settings.durability, Durability::Always)
    }

    /// Returns the reason why nothing is written any more, if there is one.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.failure.get() {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// The reason why nothing is written any more, unless the store is closed.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        let failure = self.failure.get();
        failure.filter(|error| !matches!(error, StoreError::Closed))
    }

    /// A permit to read from the disk.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when other reads hold every permit for too long.
    pub(crate) async fn disk_permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        if let Ok(permit) = self.disk_reads.clone().try_acquire_owned() {
            return Ok(permit);
        }
        select! {
            biased;
            permit = self.disk_reads.clone().acquire_owned() => permit.map_err(|_| StoreError::Closed),
            () = RealDeadline::lasting(limits::DISK_READ_WAIT).end() => Err(StoreError::Busy),
        }
    }

    /// True when memory is full and nothing can be spilled.
    pub(crate) fn is_full(&self) -> bool {
        self.budget.is_refusing() && self.budget.level() >= self.settings.memory_bytes
    }

    pub(crate) fn set_failed(&self, error: &io::Error) {
        self.failure
            .get_or_init(|| StoreError::ReadOnly(error.to_string().into()));
    }

    pub(crate) fn set_closed(&self) {
        self.failure.get_or_init(|| StoreError::Closed);
    }

    /// Wakes every request that waits for the store, so that it looks at the state of the store.
    pub(crate) fn wake_waiters(&self) {
        self.budget.wake();
        self.note_progress();
    }

    /// Tickets may have become durable.
    pub(crate) fn note_progress(&self) {
        self.progress.send_modify(|number| *number += 1);
    }

    /// Wakes the committer after an append where that is necessary.
    pub(crate) fn note_append(&self) {
        if !self.is_durable {
            if self.memory.load(Ordering::Relaxed) > self.settings.memory_bytes {
                self.signal.wake_urgently();
            }
        } else if self.pacer.count_append()
            || self.budget.level() > self.settings.unflushed_bytes / 2
        {
            self.signal.wake_urgently();
        } else {
            self.signal.wake();
        }
    }

    /// Records left memory; with `sweep` a generation became half dead.
    pub(crate) fn note_freed(&self, memory: u64, sweep: bool) {
        self.memory.fetch_sub(memory, Ordering::Relaxed);
        if !self.is_durable {
            self.budget.release(memory);
        }
        if sweep {
            self.ask_for_sweep();
        }
    }

    /// Asks the committer to remove generations that are no longer wanted.
    pub(crate) fn ask_for_sweep(&self) {
        self.signal.sweep.store(true, Ordering::Release);
        self.signal.wake_urgently();
    }

    /// Takes the changes of the catalog that wait, and the number of saves they complete.
    pub(crate) fn take_saves(&self) -> (Vec<Pair>, u64) {
        let mut saves = self.saves.lock();
        (std::mem::take(&mut saves.changes), saves.count)
    }
}

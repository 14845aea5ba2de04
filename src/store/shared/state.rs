//! The state that writers, readers and the committer share.

use super::budget::WriteBudget;
use super::committer_signal::CommitterSignal;
use super::pacer::CommitPacer;
use super::settings::{Durability, Settings};
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

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// True if records survive a restart, because there is a data directory.
    pub(crate) is_durable: bool,
    /// Size in bytes at which a segment is closed.
    pub(crate) segment_limit: usize,
    pub(crate) generations: Generations,
    pub(crate) budget: WriteBudget,
    /// Bytes of records in memory.
    pub(crate) memory: AtomicU64,
    /// Logs with records to be committed.
    pub(crate) dirty: Lock<Vec<LogId>>,
    /// Closed segments in memory that can be evicted or spilled, oldest first. An entry has the log
    /// and the first index of a segment.
    pub(crate) sealed: Lock<VecDeque<(LogId, u64)>>,
    saves: Lock<Saves>,
    /// Number of durable additions to `saves` since the start.
    pub(crate) saved: Arc<AtomicU64>,
    /// Permits to read from the disk.
    disk_reads: Arc<Semaphore>,
    pub(crate) signal: CommitterSignal,
    pub(crate) pacer: CommitPacer,
    /// A number that changes whenever the write of a ticket may have become durable.
    pub(crate) progress: watch::Sender<u64>,
    /// The failure after which the store no longer writes. Not set while the store works.
    failure: OnceLock<StoreError>,
    pub(crate) commits: CommitCounters,
    pub(crate) names: StreamNames,
    /// Number of records that could not be read back.
    pub(crate) records_lost: AtomicU64,
}

/// Catalog changes that wait for the next commit.
#[derive(Debug, Default)]
pub(crate) struct Saves {
    pub(crate) changes: Vec<Pair>,
    /// Number of calls of `add_saves` since the start.
    pub(crate) count: u64,
}

/// Number of commits, and the time spent in their flushes.
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
            // sled stores two segments in one slot of a fixed size. Segments are a little smaller
            // than the configured size, so that two segments and sled's own bytes fit in a slot.
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
            signal: CommitterSignal::default(),
            pacer: CommitPacer::default(),
            progress: watch::Sender::new(0),
            failure: OnceLock::new(),
            commits: CommitCounters::default(),
            names,
            records_lost: AtomicU64::new(0),
        })
    }

    /// True if a write is acknowledged only after it has become durable.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self.settings.durability, Durability::Always)
    }

    /// Returns an error if the store no longer writes, because a commit failed or the store was
    /// closed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.failure.get().cloned().map_or(Ok(()), Err)
    }

    /// The failure after which the store no longer writes. None if the store works or was closed.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        let failure = self.failure.get();
        failure.filter(|error| !matches!(error, StoreError::Closed))
    }

    /// Waits for a permit to read from the disk.
    ///
    /// # Errors
    /// Returns [`StoreError::Busy`] if other reads hold all permits for too long.
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

    /// True if memory is full and nothing can be spilled.
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

    /// Wakes all requests that wait for write reservations or tickets, so that they check the state
    /// of the store again.
    pub(crate) fn wake_waiters(&self) {
        self.budget.wake();
        self.note_progress();
    }

    /// Wakes the holders of tickets, because writes may have become durable.
    pub(crate) fn note_progress(&self) {
        self.progress.send_modify(|number| *number += 1);
    }

    /// Wakes the committer after an append. Without a data directory only if the records have to be
    /// spilled.
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

    /// Subtracts `memory` bytes of records that are no longer in memory. `sweep` is true if less
    /// than half of a generation is live now.
    pub(crate) fn note_freed(&self, memory: u64, sweep: bool) {
        self.memory.fetch_sub(memory, Ordering::Relaxed);
        if !self.is_durable {
            self.budget.release(memory);
        }
        if sweep {
            self.ask_for_sweep();
        }
    }

    /// Asks the committer to sweep.
    pub(crate) fn ask_for_sweep(&self) {
        self.signal.sweep.store(true, Ordering::Release);
        self.signal.wake_urgently();
    }

    /// Adds catalog changes that wait for a commit. Returns the number of calls so far.
    pub(crate) fn add_saves(&self, pairs: impl IntoIterator<Item = Pair>) -> u64 {
        let mut saves = self.saves.lock();
        saves.changes.extend(pairs);
        saves.count += 1;
        saves.count
    }

    /// Takes the waiting catalog changes, and the number of calls of `add_saves` so far.
    pub(crate) fn take_saves(&self) -> (Vec<Pair>, u64) {
        let mut saves = self.saves.lock();
        (std::mem::take(&mut saves.changes), saves.count)
    }
}

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
    /// True if the store has a data directory. Records then survive a restart of the process.
    pub(crate) is_durable: bool,
    /// Size at which a segment is closed, in bytes.
    pub(crate) segment_limit: usize,
    pub(crate) generations: Generations,
    pub(crate) budget: WriteBudget,
    /// Number of bytes of records in memory.
    pub(crate) memory: AtomicU64,
    /// The logs with records that the next commit has to write.
    pub(crate) dirty: Lock<Vec<LogId>>,
    /// The closed segments that can be dropped from memory or spilled, the oldest first. Each entry
    /// has the id of the log and the index of the segment's first record.
    pub(crate) sealed: Lock<VecDeque<(LogId, u64)>>,
    saves: Lock<Saves>,
    /// Number of calls of `add_saves` whose changes are durable, counted since the start.
    pub(crate) saved: Arc<AtomicU64>,
    deleted: Lock<Vec<DeletedLog>>,
    /// The permits to read from the disk. Their number limits the number of concurrent reads.
    disk_reads: Arc<Semaphore>,
    pub(crate) signal: CommitterSignal,
    pub(crate) pacer: CommitPacer,
    /// A number that changes whenever a write with a ticket may have become durable.
    pub(crate) progress: watch::Sender<u64>,
    /// The failure after which the store accepts no more writes. Not set while the store accepts
    /// writes.
    failure: OnceLock<StoreError>,
    pub(crate) commits: CommitCounters,
    pub(crate) names: StreamNames,
    /// Number of records that the store found to be lost.
    pub(crate) records_lost: AtomicU64,
}

/// A deleted log whose tickets are not resolved yet.
#[derive(Debug)]
struct DeletedLog {
    /// The counter that the tickets of the log wait for.
    reached: Arc<AtomicU64>,
    /// Number of calls of `add_saves` before the log was deleted. One of these calls removes the
    /// log's stream or queue from the catalog.
    saves: u64,
}

/// The catalog changes that wait for the next commit.
#[derive(Debug, Default)]
pub(crate) struct Saves {
    pub(crate) changes: Vec<Pair>,
    /// Number of calls of `add_saves` since the start.
    pub(crate) count: u64,
}

/// The number of commits, and the total duration of their flushes.
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
            // sled stores two segments in one slot of a fixed size. A segment is closed a little
            // before it has the configured size, so that two segments and sled's own bytes fit in a
            // slot.
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
            deleted: Lock::default(),
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

    /// Returns true if a write is acknowledged only after it has become durable.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self.settings.durability, Durability::Always)
    }

    /// Returns an error if the store accepts no more writes, because a commit failed or the store
    /// was closed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.failure.get().cloned().map_or(Ok(()), Err)
    }

    /// Returns the failure after which the store accepts no more writes. Returns `None` if there
    /// was no failure, even if the store was closed.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        let failure = self.failure.get();
        failure.filter(|error| !matches!(error, StoreError::Closed))
    }

    /// Waits until a permit to read from the disk is free, and returns it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if other reads hold all permits for too long.
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

    /// Returns true if the memory is full and nothing can be spilled.
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

    /// Wakes all requests that wait for write reservations or with tickets, so that these requests
    /// check the state of the store again.
    pub(crate) fn wake_waiters(&self) {
        self.budget.wake();
        self.note_progress();
    }

    /// Wakes all requests that wait with tickets, because the writes of these requests may have
    /// become durable.
    pub(crate) fn note_progress(&self) {
        self.progress.send_modify(|number| *number += 1);
    }

    /// Wakes the committer after an append. Without a data directory, wakes the committer only if
    /// records have to be spilled.
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

    /// Notes that `memory` bytes of records have left the memory. If `sweep` is true, asks the
    /// committer to sweep, because less than half of a generation is live.
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

    /// Adds `pairs` to the catalog changes that wait for a commit. Returns the number of calls of
    /// this function since the start, including this call.
    pub(crate) fn add_saves(&self, pairs: impl IntoIterator<Item = Pair>) -> u64 {
        let mut saves = self.saves.lock();
        saves.changes.extend(pairs);
        saves.count += 1;
        saves.count
    }

    /// Resolves the tickets of a deleted log when all catalog changes that were added before this
    /// call are durable. `reached` is the counter that these tickets wait for. The tickets must not
    /// resolve earlier, because after a crash the log would exist again, but without the records of
    /// the tickets.
    pub(crate) fn resolve_after_saves(&self, reached: &Arc<AtomicU64>) {
        let mut deleted = self.deleted.lock();
        let saves = self.saves.lock().count;
        if self.saved.load(Ordering::Acquire) >= saves {
            reached.store(u64::MAX, Ordering::Release);
        } else {
            let reached = reached.clone();
            deleted.push(DeletedLog { reached, saves });
        }
    }

    /// Notes that the changes of the first `saved` calls of `add_saves` are durable.
    pub(crate) fn note_saved(&self, saved: u64) {
        self.saved.fetch_max(saved, Ordering::AcqRel);
        for log in self.deleted.lock().extract_if(.., |log| log.saves <= saved) {
            log.reached.store(u64::MAX, Ordering::Release);
        }
    }

    /// Takes and returns the catalog changes that wait for a commit. Also returns the number of
    /// calls of `add_saves` since the start.
    pub(crate) fn take_saves(&self) -> (Vec<Pair>, u64) {
        let mut saves = self.saves.lock();
        (std::mem::take(&mut saves.changes), saves.count)
    }
}

//! The store: the records of every shard and the metadata of every stream.
//!
//! A [`Log`] holds the records of one shard, the newest in memory, the rest on disk. With a data
//! directory one committer thread makes everything durable; without one nothing touches a disk
//! until memory is full, and then only files without a name. The layout of a data directory:
//!
//! - `lock`: held while a process uses the directory;
//! - `version`: the version of the layout;
//! - `meta/`: a small database of metadata and of what each generation holds;
//! - `marks`: how far the databases were written (`marks.rs`);
//! - `gen-NNNNNN/`: a database of records, written one after the other; `gen-NNNNNN.corrupt` is
//!   one that was set aside, `gen-NNNNNN.dead` one that is being removed.
//!
//! `disk.rs` is what is asked of the engine below, `sled.rs` the engine, `scratch.rs` what takes
//! its place where nothing has to survive, `crash.rs` a simulated one. `segment.rs`, `frame.rs`,
//! `key.rs`, `value.rs` and `catalog.rs` are the bytes, `log.rs` and `read.rs` a shard, `commit.rs`,
//! `writer.rs` and `spill.rs` the committer, `generation.rs` and `keeper.rs` the databases,
//! `open.rs` and `recovery.rs` the start, `remains.rs` what a killed engine leaves, `room.rs` what
//! writers wait for, `check.rs` says what of a directory is whole.
//! `fuzzing.rs` is what a fuzzer runs on the stored forms.

pub mod catalog;
mod check;
mod commit;
mod crash;
mod disk;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod generation;
mod health;
mod keeper;
mod key;
mod log;
mod marks;
mod open;
mod read;
mod recovery;
mod remains;
mod room;
mod scratch;
mod segment;
mod sled;
mod spill;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use check::{Damage, Report, ShardReport, StreamReport, check};
pub use crash::SimulatedDisk;
pub use health::{Figures, Health, StoreError};
pub use log::Log;
pub use open::{OpenError, Recovered};
pub use read::{Batch, ReadLimit};
pub use room::{Ticket, WriteReservation};
pub use value::{
    AccountValue, Consumer, History, PendingChange, ReshardingOrder, ShardValue, StreamSettings,
    StreamValue,
};

use crate::limits;
use crate::lock::Lock;
use crate::world::{Faults, Timestamp};
use commit::{Committer, Company, Signal};
use disk::Claim;
use generation::Generations;
use room::{Pressure, Promise};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
pub use writer::Change;

/// When a write is acknowledged and made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Visible and acknowledged when it is durable.
    Always,
    /// Acknowledged at once, made durable this often.
    Interval(Duration),
    /// Acknowledged at once, made durable when it is convenient.
    None,
}

/// How a store works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept; without one nothing survives.
    pub directory: Option<PathBuf>,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// Bytes of records kept in memory.
    pub memory_bytes: u64,
    /// Bytes after which the next generation is begun.
    pub generation_bytes: u64,
    /// Bytes of a segment.
    pub segment_bytes: usize,
    /// Bytes that may wait to be written.
    pub unflushed_bytes: u64,
    /// The committer is a task of the runtime instead of a thread of its own, and what is on disk
    /// is read and opened where that is asked for: for a disk that is no disk, on a runtime of one
    /// thread, so that the same things happen in the same order every time.
    pub on_runtime: bool,
    /// What is to go wrong with commits.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: None,
            durability: Durability::None,
            memory_bytes: limits::MEMORY_BYTES,
            generation_bytes: limits::GENERATION_BYTES,
            segment_bytes: limits::SEGMENT_BYTES,
            unflushed_bytes: limits::UNFLUSHED_BYTES,
            on_runtime: false,
            faults: Faults::default(),
        }
    }
}

/// Names the log of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// The number of the stream's incarnation, never reused.
    pub stream: u64,
    /// The number of the shard in it.
    pub shard: u32,
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// Its place in the order of the log.
    pub index: u64,
    /// When it arrived; raised to the arrival of the record before it.
    pub arrival: Timestamp,
    /// Its partition key, where it has one.
    pub partition_key: Option<&'a str>,
    /// What it carries.
    pub data: &'a [u8],
    /// It was written while the stream was encrypted.
    pub encrypted: bool,
}

/// A record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its place in the order of the log.
    pub index: u64,
    /// When it arrived.
    pub arrival: Timestamp,
    /// Its partition key, where it has one.
    pub partition_key: Option<&'a str>,
    /// What it carries.
    pub data: &'a [u8],
    /// It was written while the stream was encrypted.
    pub encrypted: bool,
}

/// What all parts of a store share.
pub(crate) struct Shared {
    settings: Settings,
    on_disk: bool,
    /// Bytes of a segment at which it is closed.
    segment_limit: usize,
    generations: Generations,
    /// With a directory, bytes not yet committed; without, bytes in memory.
    pressure: Pressure,
    /// Bytes of records in memory.
    hot: AtomicU64,
    logs: Lock<HashMap<LogId, Arc<Log>>>,
    /// Logs with something to commit.
    dirty: Lock<Vec<Arc<Log>>>,
    /// Segments in memory, oldest first: to be evicted or, without a directory, spilled.
    sealed: Lock<VecDeque<(Arc<Log>, u64)>>,
    /// Changes of metadata to be saved, and how many saves there have been.
    saves: Lock<(Vec<Change>, u64)>,
    /// How many saves are durable.
    saved: AtomicU64,
    /// Who may read from disk now.
    disk_reads: Arc<Semaphore>,
    signal: Signal,
    company: Company,
    /// Moves whenever a ticket may have been kept.
    progress: watch::Sender<u64>,
    failure: OnceLock<StoreError>,
    commits: Commits,
}

/// What the committer has done.
#[derive(Debug, Default)]
struct Commits {
    count: AtomicU64,
    flush_micros: AtomicU64,
}

impl Commits {
    fn add(&self, flush: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(flush.as_micros()).unwrap_or(u64::MAX);
        self.flush_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn check(&self) -> Result<(), StoreError> {
        self.failure
            .get()
            .map_or(Ok(()), |error| Err(error.clone()))
    }

    fn set_failed(&self, error: &std::io::Error) {
        self.failure
            .get_or_init(|| StoreError::ReadOnly(error.to_string().into()));
    }

    /// Wakes the committer if an append made that necessary.
    fn appended(&self) {
        if !self.on_disk {
            if self.hot.load(Ordering::Relaxed) > self.settings.memory_bytes {
                self.signal.urge();
            }
        } else if self.company.is_complete_with_one_more()
            || self.pressure.level() > self.settings.unflushed_bytes / 2
        {
            self.signal.urge();
        } else {
            self.signal.tell();
        }
    }

    /// Records left memory; `sweep` when generations may have to be cleared away.
    fn freed(&self, memory: u64, sweep: bool) {
        self.hot.fetch_sub(memory, Ordering::Relaxed);
        if !self.on_disk {
            self.pressure.release(memory);
        }
        if sweep {
            self.ask_for_sweep();
        }
    }

    /// Generations may have to be cleared away.
    fn ask_for_sweep(&self) {
        self.signal.sweep.store(true, Ordering::Release);
        self.signal.urge();
    }

    /// Forgets the oldest segments in the order of eviction that are no longer in memory.
    fn forget_trimmed(&self) {
        loop {
            let Some((log, first)) = self.sealed.lock().pop_front() else {
                return;
            };
            if !log.is_trimmed(first) {
                return self.sealed.lock().push_front((log, first));
            }
        }
    }

    fn take_saves(&self) -> (Vec<Change>, u64) {
        let mut saves = self.saves.lock();
        (std::mem::take(&mut saves.0), saves.1)
    }
}

/// The store. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Running>);

/// A store and its thread; closed when it is dropped.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    committer: Lock<Option<Hands>>,
}

/// Who commits, and for how long the directory is held.
enum Hands {
    /// A thread, which holds the directory.
    Thread(JoinHandle<()>),
    /// Whoever runs [`Store::committing`].
    Task(Box<Committer>, Option<Claim>),
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Thread(_) => "Thread",
            Self::Task(..) => "Task",
        })
    }
}

impl Store {
    /// Waits until `bytes` may be appended.
    pub async fn reserve(&self, bytes: u64) -> Result<WriteReservation, StoreError> {
        WriteReservation::reserve(&self.0.shared, bytes).await
    }

    /// The log of a shard: what was recovered of it, or a new one.
    pub fn log(&self, id: LogId) -> Arc<Log> {
        let mut logs = self.0.shared.logs.lock();
        let log = logs
            .entry(id)
            .or_insert_with(|| Log::new(id, self.0.shared.clone(), true));
        log.claimed.store(true, Ordering::Relaxed);
        log.clone()
    }

    /// Deletes the logs that were recovered and never asked for.
    pub fn forget_unclaimed(&self) {
        let logs: Vec<_> = self.0.shared.logs.lock().values().cloned().collect();
        for log in logs
            .iter()
            .filter(|log| !log.claimed.load(Ordering::Relaxed))
        {
            log.delete();
        }
    }

    /// Saves changes of metadata together, after the records that were appended before.
    pub fn save(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Ticket {
        let shared = &self.0.shared;
        if let Err(error) = shared.check() {
            return Ticket(Promise::Refused(error));
        }
        if !shared.on_disk || changes.is_empty() {
            return Ticket(Promise::Ready);
        }
        let number = {
            let mut saves = shared.saves.lock();
            saves.0.extend(
                changes
                    .into_iter()
                    .map(|(key, value)| (key::engine(&key), value)),
            );
            saves.1 += 1;
            saves.1
        };
        match shared.settings.durability {
            Durability::Always => {
                // Changes are few and somebody waits for each.
                shared.signal.urge();
                Ticket(Promise::Metadata(shared.clone(), number))
            }
            Durability::Interval(_) | Durability::None => {
                shared.signal.tell();
                Ticket(Promise::Ready)
            }
        }
    }

    /// The committer, where it is to be a task of the runtime; ends when the store is closed.
    pub fn committing(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let shared = self.0.shared.clone();
        // It does not keep the store open.
        let running = Arc::downgrade(&self.0);
        shared.settings.on_runtime.then_some(async move {
            loop {
                shared.signal.woken().await;
                let Some(running) = running.upgrade() else {
                    return;
                };
                match &mut *running.committer.lock() {
                    Some(Hands::Task(committer, _)) => committer.turn(),
                    _ => return,
                }
            }
        })
    }

    /// Commits what is queued and closes the databases. Blocking.
    pub fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }

    /// Whether writes are taken.
    pub fn health(&self) -> Health {
        match self.0.shared.failure.get() {
            None | Some(StoreError::Closed) => Health::Serving,
            Some(error) => Health::ReadOnly {
                reason: error.to_string().into(),
            },
        }
    }

    /// Numbers for metrics.
    pub fn figures(&self) -> Figures {
        let shared = &self.0.shared;
        let generations = shared.generations.all.lock();
        Figures {
            memory_bytes: shared.hot.load(Ordering::Relaxed),
            disk_bytes: generations.iter().map(|generation| generation.live()).sum(),
            unflushed_bytes: if shared.on_disk {
                shared.pressure.level()
            } else {
                0
            },
            generations: generations.len(),
            logs: shared.logs.lock().len(),
            commits: shared.commits.count.load(Ordering::Relaxed),
            flushing: Duration::from_micros(shared.commits.flush_micros.load(Ordering::Relaxed)),
            set_aside: shared.generations.set_aside.load(Ordering::Relaxed),
        }
    }
}

impl Running {
    fn close(&self) -> Result<(), StoreError> {
        let Some(committer) = self.committer.lock().take() else {
            return Ok(());
        };
        self.shared.signal.closing.store(true, Ordering::Release);
        self.shared.signal.urge();
        let joined = match committer {
            Hands::Thread(thread) => thread.join(),
            Hands::Task(mut committer, claim) => {
                committer.turn();
                committer.close();
                drop(claim);
                Ok(())
            }
        };
        let result = match joined {
            Ok(()) => self.shared.check(),
            Err(_) => Err(StoreError::ReadOnly("the committer panicked".into())),
        };
        self.shared.failure.get_or_init(|| StoreError::Closed);
        // A task that commits sees that there is nothing more to do.
        self.shared.signal.urge();
        self.shared.pressure.wake();
        self.shared.progress.send_modify(|number| *number += 1);
        self.shared.logs.lock().clear();
        self.shared.sealed.lock().clear();
        self.shared.dirty.lock().clear();
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the store");
        }
    }
}

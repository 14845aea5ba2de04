//! The handle with which the engine uses the store.

use super::commit::committer::Closer;
use super::error::{Figures, StoreError};
use super::format::catalog::Change;
use super::format::key::{self, Pair};
use super::format::record::LogId;
use super::log::shard_log::Log;
use super::log::ticket::{Ticket, WriteReservation};
use super::logs::Logs;
use super::shared::state::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A handle of the store. All clones refer to the same store. Dropping the last clone closes the
/// store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    logs: Arc<Logs>,
    closer: Closer,
}

opaque!(Running);

impl Store {
    pub(super) fn new(shared: Arc<Shared>, logs: Arc<Logs>, closer: Closer) -> Self {
        Self(Arc::new(Running {
            shared,
            logs,
            closer,
        }))
    }

    /// Waits until `bytes` bytes may be appended. Returns the write reservation for these bytes.
    ///
    /// # Errors
    /// The reason why the store refuses writes.
    pub async fn reserve(&self, bytes: u64) -> Result<WriteReservation, StoreError> {
        WriteReservation::reserve(&self.0.shared, bytes).await
    }

    /// Returns the log with the id `id`. Creates an empty log if recovery found none.
    pub fn log(&self, id: LogId) -> Arc<Log> {
        self.0.logs.claim(id)
    }

    /// Deletes the log with the id `id` and all of its records.
    pub fn delete(&self, id: LogId) {
        self.0.logs.delete(id);
    }

    /// Returns true if the store has a data directory. Records and the catalog then survive a
    /// restart of the process.
    pub fn is_durable(&self) -> bool {
        self.0.shared.is_durable
    }

    /// Deletes each recovered log for which [`Store::log`] was never called. The streams of these
    /// logs no longer exist.
    pub fn forget_unclaimed(&self) {
        for log in self.0.logs.all() {
            if !log.is_claimed() {
                let shard = self.0.shared.names.describe_log(log.id());
                tracing::warn!("the records of {shard} are deleted: no stream has such a shard");
                self.0.logs.delete(log.id());
            }
        }
    }

    /// Saves the catalog changes `changes` atomically. Returns the ticket with which the caller
    /// waits until the changes are durable. If the settings promise no durability, the ticket
    /// resolves immediately. The changes never become durable before records that were appended
    /// earlier.
    pub fn save(&self, changes: Vec<Change>) -> Ticket {
        let shared = &self.0.shared;
        if let Err(error) = shared.check() {
            return Ticket::refused(error);
        }
        for change in &changes {
            shared.names.apply(change);
        }
        if !shared.is_durable || changes.is_empty() {
            return Ticket::ready();
        }
        let pairs = changes.iter().map(|change| {
            let (key, value) = change.to_pair();
            (key::catalog(&key), value)
        });
        let number = shared.add_saves(pairs);
        if shared.is_always() {
            // A change of the catalog is rare, and a request waits until the change is durable.
            // Therefore the commit starts immediately, and does not wait for further writes.
            shared.signal.wake_urgently();
            return Ticket::pending(shared, &shared.saved, number);
        }
        shared.signal.wake();
        Ticket::ready()
    }

    /// Begins the run `run`. Returns when the beginning of the run is durable, even if the settings
    /// promise no durability. From then on, the caller may append records with sequence indexes of
    /// this run and of earlier runs.
    ///
    /// # Errors
    /// The reason why the store refuses writes.
    pub async fn begin_run(&self, run: u64) -> Result<(), StoreError> {
        self.save_number(key::NEXT_RUN, run + 1).await
    }

    /// Permits appends of records with sequence indexes of runs up to `run`, although the run `run`
    /// has not begun yet. Returns when the permission is durable. A later call must not permit a
    /// smaller run.
    ///
    /// # Errors
    /// The reason why the store refuses writes.
    pub async fn permit_run(&self, run: u64) -> Result<(), StoreError> {
        self.save_number(key::PERMITTED_RUN, run).await
    }

    async fn save_number(&self, key: &[u8], number: u64) -> Result<(), StoreError> {
        let value = number.to_be_bytes().to_vec();
        self.settle([(key.to_vec(), Some(value))]).await
    }

    /// Returns when all earlier appends and all earlier changes of the catalog are durable, even if
    /// the settings promise no durability.
    ///
    /// # Errors
    /// The reason why the store refuses writes.
    pub async fn make_durable(&self) -> Result<(), StoreError> {
        match self.0.shared.is_always() {
            // Under `always`, all earlier writes are already durable, because their callers have
            // waited with the tickets.
            true => self.0.shared.check(),
            false => self.settle([]).await,
        }
    }

    /// Saves `pairs` of keys and values in the database `meta`. Returns when these pairs and all
    /// pairs that were saved earlier are durable.
    async fn settle(&self, pairs: impl IntoIterator<Item = Pair>) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        shared.check()?;
        if !shared.is_durable {
            return Ok(());
        }
        let number = shared.add_saves(pairs);
        shared.signal.wake_urgently();
        Ticket::pending(shared, &shared.saved, number)
            .durable()
            .await
    }

    /// Commits everything that waits for a commit, and closes the databases. Blocks the thread.
    ///
    /// # Errors
    /// The last commit failed, or the disk did not answer in time.
    pub fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }

    /// Checks that the store accepts writes.
    ///
    /// # Errors
    /// The reason why the store refuses writes.
    pub fn check(&self) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        let full = shared.is_full().then_some(&StoreError::Full);
        shared.failure().or(full).cloned().map_or(Ok(()), Err)
    }

    /// Returns the measurements of the store, for metrics.
    pub fn figures(&self) -> Figures {
        let shared = &self.0.shared;
        let generations = shared.generations.all.lock();
        Figures {
            memory_bytes: shared.memory.load(Ordering::Relaxed),
            disk_bytes: generations.iter().map(|generation| generation.live()).sum(),
            unflushed_bytes: match shared.is_durable {
                true => shared.budget.level(),
                false => 0,
            },
            generations: generations.len(),
            logs: self.0.logs.len(),
            commits: shared.commits.count(),
            flushing: shared.commits.flushing(),
            set_aside: shared.generations.set_aside.load(Ordering::Relaxed),
            records_lost: shared.records_lost.load(Ordering::Relaxed),
        }
    }
}

impl Running {
    fn close(&self) -> Result<(), StoreError> {
        let result = self.closer.close();
        self.shared.set_closed();
        // The committer wakes up, finds the store closed, and ends.
        self.shared.signal.wake_urgently();
        self.shared.wake_waiters();
        self.logs.clear();
        self.shared.sealed.lock().clear();
        self.shared.dirty.lock().clear();
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the store failed");
        }
    }
}

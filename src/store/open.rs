//! Opens a store: recovers the data directory, and builds the logs and the committer.

use super::commit::committer::{Commit, Committer};
use super::commit::durable::DurableCommitter;
use super::commit::generation_writer::GenerationWriter;
use super::commit::spiller::Spiller;
use super::disk::few_databases::FewDatabases;
use super::disk::layout::Layout;
use super::disk::seam::{Claim, Disk, MetadataHandle};
use super::disk::simulated_disk::SimulatedDisk;
use super::disk::sled::SledDisk;
use super::disk::temp_files::TempFiles;
use super::error::OpenError;
use super::format::catalog::Catalog;
use super::format::record::LogId;
use super::handle::Store;
use super::log::segments::LogState;
use super::log::shard_log::Log;
use super::logs::Logs;
use super::recovery::{RecoveredDirectory, RecoveredLog, recover};
use super::shared::settings::Settings;
use super::shared::state::Shared;
use super::shared::stream_names::StreamNames;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The contents of a data directory when the store was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The catalog that was in the data directory.
    pub catalog: Catalog,
    /// The number of the run that begins with this start.
    pub run: u64,
}

/// An open store whose committer is not running yet.
#[derive(Debug)]
#[must_use = "nothing is committed before the committer runs"]
pub struct Opened {
    /// The store. Appends to it become durable only while the committer runs.
    pub store: Store,
    /// The contents of the data directory.
    pub recovered: Recovered,
    /// The committer, which the caller has to run in a thread or a task.
    pub committer: Committer,
}

impl Opened {
    /// Runs the committer in a thread of its own, and returns the store and the contents of the
    /// data directory.
    ///
    /// # Errors
    /// The operating system could not start the thread.
    pub fn on_thread(self) -> Result<(Store, Recovered), OpenError> {
        self.committer.on_thread().map_err(no_thread)?;
        Ok((self.store, self.recovered))
    }
}

impl Store {
    /// Opens the store that `settings` describe. Blocks the thread.
    ///
    /// # Errors
    /// Another process uses the data directory, another version of the program wrote the directory,
    /// or the directory is damaged or cannot be read.
    pub fn open(settings: Settings) -> Result<Opened, OpenError> {
        let disk: Arc<dyn Disk> = match &settings.directory {
            Some(directory) => Arc::new(SledDisk::new(Layout::new(directory.clone()))),
            None => Arc::new(TempFiles::default()),
        };
        open_on(settings, disk)
    }

    /// Opens a store that has the simulated disk `disk` instead of a data directory.
    ///
    /// # Errors
    /// The same errors as those of [`Store::open`].
    pub fn open_simulated(settings: Settings, disk: &SimulatedDisk) -> Result<Opened, OpenError> {
        open_on(settings, Arc::new(disk.clone()))
    }
}

/// Opens the store that `settings` describe on the disk `disk`.
pub(crate) fn open_on(settings: Settings, disk: Arc<dyn Disk>) -> Result<Opened, OpenError> {
    let Some(directory) = settings.directory.clone() else {
        let shared = Shared::new(settings, disk, StreamNames::default());
        let logs = Logs::new(shared.clone(), HashMap::new());
        let writer = GenerationWriter::new(shared.clone(), None, 0).map_err(no_thread)?;
        let spiller = Spiller {
            shared,
            logs: logs.clone(),
            writer,
        };
        return Ok(opened(logs, Box::new(spiller), Recovered::default()));
    };
    let disk = match settings.databases {
        Some(most) => Arc::new(FewDatabases::new(disk, most)),
        None => disk,
    };
    let claim = disk.claim()?;
    let (metadata, mut found) = recover(&directory, &*disk)?;
    let ended = found.end_incomplete_generation();
    ended.map_err(|error| OpenError::new(&directory, error))?;
    let recovered = Recovered {
        catalog: std::mem::take(&mut found.catalog),
        run: found.run,
    };
    let names = StreamNames::of(&recovered.catalog);
    let shared = Shared::new(settings, disk, names);
    let (committer, logs) = restore(shared, metadata, found, claim).map_err(no_thread)?;
    Ok(opened(logs, Box::new(committer), recovered))
}

fn no_thread(error: io::Error) -> OpenError {
    OpenError::new(Path::new("a thread of the store"), error)
}

fn opened(logs: Arc<Logs>, commit: Box<dyn Commit>, recovered: Recovered) -> Opened {
    let shared = commit.shared().clone();
    let (committer, closer) = Committer::new(commit);
    Opened {
        store: Store::new(shared, logs, closer),
        recovered,
        committer,
    }
}

/// Builds the committer and the logs from `found`, the contents of the data directory.
fn restore(
    shared: Arc<Shared>,
    metadata: Box<dyn MetadataHandle>,
    found: RecoveredDirectory,
    claim: Box<dyn Claim>,
) -> io::Result<(DurableCommitter, Arc<Logs>)> {
    let generations = &shared.generations;
    generations
        .set_aside
        .store(found.set_aside, Ordering::Relaxed);
    *generations.all.lock() = found.generations;
    shared
        .records_lost
        .store(found.records_lost, Ordering::Relaxed);
    let mut framed = HashMap::new();
    let logs = found.logs.into_iter();
    let logs = logs.map(|(id, found)| (id, restore_log(&shared, id, found, &mut framed)));
    let logs = Logs::new(shared.clone(), logs.collect());
    let writer = GenerationWriter::new(shared.clone(), found.current, found.next_generation)?;
    let committer = DurableCommitter {
        shared,
        logs: logs.clone(),
        writer,
        metadata,
        saves: found.saves,
        late: found.late,
        framed,
        claim,
    };
    Ok((committer, logs))
}

/// Builds the log `id` from `found`. Adds the log to `framed` if the log has records that are
/// stored in commit frames and in no segment.
fn restore_log(
    shared: &Arc<Shared>,
    id: LogId,
    found: RecoveredLog,
    framed: &mut HashMap<LogId, Arc<Log>>,
) -> Arc<Log> {
    let RecoveredLog {
        segments,
        tail,
        committed,
    } = found;
    let size = tail.size() as u64;
    shared.memory.fetch_add(size, Ordering::Relaxed);
    let state = LogState::recovered(segments, tail, committed);
    let log = Log::new(id, shared.clone(), state);
    if size > 0 && committed {
        framed.insert(id, log.clone());
    } else if size > 0 {
        shared.dirty.lock().push(id);
        shared.signal.wake();
    }
    log
}

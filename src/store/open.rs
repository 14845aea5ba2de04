//! Opening a store.

use super::commit::{Committer, Company, Signal};
use super::crash::SimulatedDisk;
use super::disk::{Claim, Disk, sync_names};
use super::generation::Generations;
use super::keeper::Keeper;
use super::log::Log;
use super::recovery::{Found, recover};
use super::room::Pressure;
use super::scratch::Scratch;
use super::sled::SledDisk;
use super::writer::Writer;
use super::{Commits, Hands, Running, Settings, Shared, Store};
use crate::limits;
use crate::lock::Lock;
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Semaphore, watch};

/// The version of the layout of a data directory.
const VERSION: &str = "minikin data 2\n";

/// What begins the version of every layout.
const VERSION_BEGINS: &str = "minikin data ";

/// What a directory held when it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The keys and values that were saved, in the order of the keys.
    pub metadata: Vec<(Vec<u8>, Vec<u8>)>,
    /// How often the directory had been opened before.
    pub epoch: u64,
}

/// Why a store cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    InUse,
    Version(String),
    Absent,
    NotOurs,
    /// Below the directory something is damaged: what and how.
    Damaged(PathBuf, String),
    Io(io::Error),
}

impl OpenError {
    pub(crate) fn new(path: &Path, error: io::Error) -> Self {
        Self {
            path: path.to_path_buf(),
            problem: Problem::Io(error),
        }
    }

    /// Whether the directory is damaged, and not merely out of reach.
    pub fn is_damage(&self) -> bool {
        matches!(self.problem, Problem::Damaged(..))
    }

    /// `part` of the directory cannot be read as it should: it is damaged, unless the machine says
    /// otherwise.
    pub(crate) fn damaged(directory: &Path, part: &Path, error: io::Error) -> Self {
        if is_of_the_machine(&error) {
            return Self::new(part, error);
        }
        Self {
            path: directory.to_path_buf(),
            problem: Problem::Damaged(part.to_path_buf(), error.to_string()),
        }
    }
}

/// Whether an error says something about the machine or its user and nothing about what is on the
/// disk: then nothing is damaged.
pub(crate) fn is_of_the_machine(error: &io::Error) -> bool {
    const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];
    let kind = matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    );
    let number = error.raw_os_error();
    kind || number.is_some_and(|number| TOO_MANY_OPEN_FILES.contains(&number))
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::InUse => write!(
                formatter,
                "{path} is in use by another process: stop that one, or use another directory"
            ),
            Problem::Version(found) => write!(
                formatter,
                "{path} was written by another version ({}, this one writes {}): use that \
                 version, or another directory",
                found.trim(),
                VERSION.trim()
            ),
            Problem::Absent => write!(formatter, "{path} does not exist"),
            Problem::NotOurs => {
                write!(formatter, "{path} is not a data directory of minikin")
            }
            Problem::Damaged(part, problem) => write!(
                formatter,
                "{} cannot be opened: {problem}. It is damaged: begin a new directory, or put a \
                 copy of this one in its place",
                part.display()
            ),
            Problem::Io(error) => write!(formatter, "{path} cannot be opened: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl Store {
    /// Opens a store. Blocking.
    pub fn open(settings: Settings) -> Result<(Self, Recovered), OpenError> {
        let disk: Arc<dyn Disk> = match settings.directory {
            Some(_) => Arc::new(SledDisk),
            None => Arc::new(Scratch::default()),
        };
        Self::open_on(settings, disk, limits::LOCK_TRIES)
    }

    /// Opens a store whose data directory is on a simulated disk.
    ///
    /// # Errors
    /// As for a real one.
    pub fn open_simulated(
        settings: Settings,
        disk: &SimulatedDisk,
    ) -> Result<(Self, Recovered), OpenError> {
        Self::open_on(settings, Arc::new(disk.clone()), 1)
    }

    pub(crate) fn open_on(
        settings: Settings,
        disk: Arc<dyn Disk>,
        tries: u32,
    ) -> Result<(Self, Recovered), OpenError> {
        let Some(directory) = settings.directory.clone() else {
            return start(settings, disk, None, None).map(|store| (store, Recovered::default()));
        };
        let claim = disk.claim(&directory, tries)?;
        let mut found = recover(&directory, &*disk)?;
        let metadata = std::mem::take(&mut found.metadata);
        let recovered = Recovered {
            metadata,
            epoch: found.epoch,
        };
        start(settings, disk, Some(found), Some(claim)).map(|store| (store, recovered))
    }
}

/// Takes the directory for this process and checks its version.
pub(crate) fn claim(directory: &Path, tries: u32) -> Result<File, OpenError> {
    let fail = |error| OpenError::new(directory, error);
    if !directory.is_dir() {
        std::fs::create_dir_all(directory).map_err(fail)?;
        // Without its name in the directory around it all in it would be lost with the power.
        let around = directory.parent().filter(|path| *path != Path::new(""));
        sync_names(around.unwrap_or(Path::new("."))).map_err(fail)?;
    }
    let path = directory.join("lock");
    let damaged = |part: &Path, error| OpenError::damaged(directory, part, error);
    let lock = File::options().create(true).append(true).open(&path);
    let lock = lock.map_err(|error| damaged(&path, error))?;
    hold(&lock, directory, tries)?;
    if !has_version(directory)? {
        stamp(directory).map_err(fail)?;
    }
    Ok(lock)
}

/// Takes the directory without changing anything in it, for reading. Without a lock file no process
/// holds it.
pub(crate) fn visit(directory: &Path) -> Result<Option<File>, OpenError> {
    let fail = |error| OpenError::new(directory, error);
    let problem = |problem| OpenError {
        path: directory.to_path_buf(),
        problem,
    };
    match std::fs::metadata(directory) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(problem(Problem::NotOurs)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(problem(Problem::Absent));
        }
        Err(error) => return Err(fail(error)),
    }
    let lock = match File::open(directory.join("lock")) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(OpenError::new(&directory.join("lock"), error)),
    };
    if let Some(lock) = &lock {
        hold(lock, directory, limits::CHECK_LOCK_TRIES)?;
    }
    if !has_version(directory)? && !directory.join("meta").exists() {
        return Err(problem(Problem::NotOurs));
    }
    Ok(lock)
}

fn hold(lock: &File, directory: &Path, tries: u32) -> Result<(), OpenError> {
    let mut tries = 1..tries;
    while let Err(error) = lock.try_lock() {
        match (error, tries.next()) {
            (TryLockError::Error(error), _) => return Err(OpenError::new(directory, error)),
            (TryLockError::WouldBlock, None) => {
                return Err(OpenError {
                    path: directory.to_path_buf(),
                    problem: Problem::InUse,
                });
            }
            (TryLockError::WouldBlock, Some(_)) => std::thread::sleep(limits::LOCK_PAUSE),
        }
    }
    Ok(())
}

/// Whether the directory has the version of this program; without one a start was killed before it
/// wrote the version.
fn has_version(directory: &Path) -> Result<bool, OpenError> {
    let path = directory.join("version");
    let damaged = |text: &str| OpenError::damaged(directory, &path, io::Error::other(text));
    let found = match std::fs::read(&path) {
        Ok(found) => String::from_utf8_lossy(&found).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            return Err(damaged("it is a folder"));
        }
        Err(error) => return Err(OpenError::new(&path, error)),
    };
    if found == VERSION || found.is_empty() {
        return Ok(!found.is_empty());
    }
    let number = found.strip_prefix(VERSION_BEGINS);
    let number = number.and_then(|rest| rest.strip_suffix('\n'));
    if number.is_none_or(|number| number.parse::<u32>().is_err()) {
        return Err(damaged("it holds no version"));
    }
    Err(OpenError {
        path: directory.to_path_buf(),
        problem: Problem::Version(found),
    })
}

/// Notes the version in the directory.
fn stamp(directory: &Path) -> io::Result<()> {
    let mut file = File::create(directory.join("version"))?;
    io::Write::write_all(&mut file, VERSION.as_bytes())?;
    file.sync_all()
}

fn start(
    settings: Settings,
    disk: Arc<dyn Disk>,
    found: Option<Found>,
    claim: Option<Claim>,
) -> Result<Store, OpenError> {
    let on_runtime = settings.on_runtime;
    let (signal, receiver) = Signal::new(on_runtime);
    let on_disk = settings.directory.is_some();
    let limit = settings.unflushed_bytes + if on_disk { 0 } else { settings.memory_bytes };
    let shared = Arc::new(Shared {
        // Two segments and the engine's own bytes fit its slot for two of the full size.
        segment_limit: settings.segment_bytes.saturating_sub(256).max(1),
        settings,
        on_disk,
        generations: Generations::new(disk),
        pressure: Pressure::new(limit),
        hot: AtomicU64::new(0),
        logs: Lock::default(),
        dirty: Lock::default(),
        sealed: Lock::default(),
        saves: Lock::default(),
        saved: AtomicU64::new(0),
        disk_reads: Arc::new(Semaphore::new(limits::DISK_READS)),
        signal,
        company: Company::default(),
        progress: watch::Sender::new(0),
        failure: OnceLock::new(),
        commits: Commits::default(),
    });
    let fail = |error| OpenError::new(Path::new("the committer's thread"), error);
    let keeper = if on_runtime {
        Keeper::of_none(shared.clone())
    } else {
        Keeper::start(shared.clone()).map_err(fail)?
    };
    let directory = shared.settings.directory.clone();
    let mut writer = Writer {
        directory,
        current: None,
        meta: None,
        saves: 0,
        next_generation: 0,
        opening: None,
        late: Vec::new(),
        keeper,
    };
    let mut framed = HashMap::new();
    if let Some(found) = found {
        framed = restore(&shared, &mut writer, found);
    }
    let committer = Committer {
        shared: shared.clone(),
        receiver,
        writer,
        framed,
    };
    let committer = if on_runtime {
        Hands::Task(Box::new(committer), claim)
    } else {
        let run = move || {
            committer.run();
            drop(claim);
        };
        let thread = std::thread::Builder::new().name("committer".into());
        Hands::Thread(thread.spawn(run).map_err(fail)?)
    };
    Ok(Store(Arc::new(Running {
        shared,
        committer: Lock::new(Some(committer)),
    })))
}

/// Puts what was found where it belongs; returns the logs with records in frames only.
fn restore(
    shared: &Arc<Shared>,
    writer: &mut Writer,
    found: Found,
) -> HashMap<super::LogId, Arc<Log>> {
    let mut framed = HashMap::new();
    writer.meta = Some(found.meta);
    writer.saves = found.saves;
    writer.current = found.current;
    writer.next_generation = found.next_generation;
    writer.late = found.late;
    let set_aside = &shared.generations.set_aside;
    set_aside.store(found.set_aside, Ordering::Relaxed);
    *shared.generations.all.lock() = found.generations;
    let mut logs = shared.logs.lock();
    for (id, found) in found.logs {
        let log = Log::new(id, shared.clone(), false);
        let size = found.tail.size() as u64;
        shared.hot.fetch_add(size, Ordering::Relaxed);
        let (committed, empty) = (found.committed, found.tail.is_empty());
        log.restore(found.pieces, found.tail, committed);
        if !committed && !empty {
            shared.dirty.lock().push(log.clone());
            shared.signal.tell();
        } else if !empty {
            framed.insert(id, log.clone());
        }
        logs.insert(id, log);
    }
    drop(logs);
    framed
}

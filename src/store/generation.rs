//! Generations: the databases that hold the records, one after the other.
//!
//! The engine neither evicts what it has written since it was opened nor gives disk back. So a
//! database is written up to a size, closed, and reopened when something in it is read; and what
//! is dead leaves by removing its directory.

use super::disk::{Database, Disk, Tree};
use super::open::is_of_the_machine;
use super::segment::Segment;
use super::{StoreError, key};
use crate::limits::{DATABASE_CACHE_BYTES, OPEN_GENERATIONS};
use crate::lock::Lock;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One database of records.
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    /// What readers use, one at a time.
    reader: Lock<Option<Box<dyn Database>>>,
    /// Bytes of segments that are still wanted, and all bytes of segments.
    live: AtomicU64,
    total: AtomicU64,
    sealed: AtomicBool,
    /// Nothing in it is wanted, or it is damaged.
    gone: AtomicBool,
}

impl Generation {
    pub(crate) fn new(number: u64, path: PathBuf, reader: Option<Box<dyn Database>>) -> Arc<Self> {
        Arc::new(Self {
            number,
            path,
            sealed: AtomicBool::new(reader.is_none()),
            reader: Lock::new(reader),
            live: AtomicU64::new(0),
            total: AtomicU64::new(0),
            gone: AtomicBool::new(false),
        })
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.live.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of a segment are no longer wanted. True when there may be something to clear away.
    pub(crate) fn release(&self, bytes: u64) -> bool {
        self.live.fetch_sub(bytes, Ordering::Relaxed);
        self.is_half_dead()
    }

    /// Whether less than half of what was written is still wanted.
    pub(crate) fn is_half_dead(&self) -> bool {
        self.live() < self.total() / 2
    }

    pub(crate) fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Closes the database, also that of the writer: only then may it be opened again.
    pub(crate) fn close(&self, writer: Option<Box<dyn Database>>) {
        let mut reader = self.reader.lock();
        drop(writer);
        reader.take();
        self.sealed.store(true, Ordering::Release);
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Generation")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// All generations.
pub(crate) struct Generations {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) all: Lock<Vec<Arc<Generation>>>,
    opened: Lock<VecDeque<Arc<Generation>>>,
    /// How many were found damaged since the store was opened.
    pub(crate) set_aside: AtomicU64,
}

impl Generations {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            all: Lock::default(),
            opened: Lock::default(),
            set_aside: AtomicU64::new(0),
        }
    }

    /// Reads a segment. Blocking. `None` when it is lost or no longer wanted.
    pub(crate) fn read(
        &self,
        generation: &Arc<Generation>,
        number: u32,
    ) -> Result<Option<Segment>, StoreError> {
        if generation.is_gone() {
            return Ok(None);
        }
        match self.value(generation, number) {
            Ok(Some(bytes)) => match Segment::parse(bytes) {
                Ok(segment) => Ok(Some(segment)),
                Err(problem) => {
                    let generation = generation.number;
                    tracing::error!(generation, number, problem, "a segment is damaged: skipped");
                    Ok(None)
                }
            },
            Ok(None) if generation.is_gone() => Ok(None),
            Ok(None) => {
                let problem = format!("it lacks segment {number}, which its summary lists");
                let error = io::Error::new(io::ErrorKind::InvalidData, problem);
                self.failed(generation, &error).map(|()| None)
            }
            Err(error) => self.failed(generation, &error).map(|()| None),
        }
    }

    fn value(&self, generation: &Arc<Generation>, number: u32) -> io::Result<Option<bytes::Bytes>> {
        let mut reader = generation.reader.lock();
        let newly = reader.is_none();
        if generation.is_gone() {
            // It was removed meanwhile: opening it would make it anew, and empty.
            return Ok(None);
        }
        if newly {
            if !self.disk.holds(&generation.path) {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it is not there"));
            }
            *reader = Some(self.open(&generation.path)?);
        }
        let database = reader.as_ref().expect("opened above");
        let key = key::segment(u64::from(number));
        let mut value = database.get(Tree::Main, &key);
        if value.is_err()
            && let Ok(database) = self.disk.open_copy(&generation.path, DATABASE_CACHE_BYTES)
        {
            // After a failed write sled refuses reads as well.
            value = database.get(Tree::Main, &key);
            // Dropping the old handle would flush.
            std::mem::forget(reader.replace(database));
        }
        drop(reader);
        if generation.is_sealed() {
            self.note_used(generation, newly);
        }
        value
    }

    /// Opens a generation. sled writes to the disk for that: where the disk is full or read-only a
    /// copy of the generation is read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Database>> {
        self.disk.open(path, DATABASE_CACHE_BYTES).or_else(|error| {
            if !is_of_the_machine(&error) {
                return Err(error);
            }
            let copy = self.disk.open_copy(path, DATABASE_CACHE_BYTES);
            let database = copy.map_err(|_| error)?;
            tracing::warn!(
                "a copy of {} is read: the disk cannot be written",
                path.display()
            );
            Ok(database)
        })
    }

    /// Keeps the generations used last open and closes the one used longest ago.
    fn note_used(&self, generation: &Arc<Generation>, newly: bool) {
        let mut opened = self.opened.lock();
        let at = opened
            .iter()
            .position(|other| Arc::ptr_eq(other, generation));
        let known = at.and_then(|at| opened.remove(at)).is_some();
        if known || newly {
            opened.push_back(generation.clone());
        }
        let oldest = if opened.len() > OPEN_GENERATIONS {
            opened.pop_front()
        } else {
            None
        };
        drop(opened);
        if let Some(oldest) = oldest {
            oldest.close(None);
        }
    }

    /// A generation that cannot be read is set aside, unless it was just removed.
    fn failed(&self, generation: &Arc<Generation>, error: &io::Error) -> Result<(), StoreError> {
        if generation.is_gone() {
            return Ok(());
        }
        if !generation.is_sealed() || is_of_the_machine(error) {
            return Err(StoreError::Unreadable(error.to_string().into()));
        }
        generation.set_gone();
        generation.close(None);
        self.set_aside.fetch_add(1, Ordering::Relaxed);
        set_aside(&*self.disk, &generation.path, error);
        Ok(())
    }

    /// Closes what readers have opened.
    pub(crate) fn close(&self) {
        let opened = std::mem::take(&mut *self.opened.lock());
        for generation in opened {
            generation.close(None);
        }
    }
}

/// The directory of generation `number`.
pub(crate) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("gen-{number:06}"))
}

/// The number of the generation in a directory of this name. The last number there is has none
/// after it, and belongs to no generation.
pub(crate) fn number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("gen-")?.parse().ok()?;
    (number < u64::MAX).then_some(number)
}

/// Where a generation goes before its files are removed: the rename is one step, the removal many.
pub(crate) fn dead_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".dead");
    path.with_file_name(name)
}

/// What the name of a generation that was set aside has in it.
const CORRUPT: &str = ".corrupt";

/// Whether a directory of this name is a generation that was set aside.
pub(crate) fn is_set_aside(name: &str) -> bool {
    name.contains(CORRUPT)
}

/// Renames a damaged generation and says so.
pub(crate) fn set_aside(disk: &dyn Disk, path: &Path, error: &dyn std::fmt::Display) {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(CORRUPT);
    let aside = free(&path.with_file_name(name), |path| disk.holds(path));
    let renamed = disk.rename(path, &aside);
    let (path, aside) = (path.display(), aside.display());
    match renamed {
        Ok(()) => {
            tracing::error!(
                %error,
                "{path} is damaged and set aside as {aside}; the records in it are not served"
            )
        }
        Err(rename) => {
            tracing::error!(%error, %rename, "{path} is damaged; the records in it are not served")
        }
    }
}

/// `path`, or with a number behind it when there is something of that name.
pub(crate) fn free(path: &Path, taken: impl Fn(&Path) -> bool) -> PathBuf {
    let numbered = (2..).map(|number| {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!("-{number}"));
        path.with_file_name(name)
    });
    let mut all = std::iter::once(path.to_path_buf()).chain(numbered);
    all.find(|path| !taken(path))
        .unwrap_or_else(|| path.to_path_buf())
}

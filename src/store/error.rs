//! The store's errors, its health and its figures.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The reason why the store refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A commit failed: nothing is written any more.
    ReadOnly(Arc<str>),
    /// Memory is full and nothing can be spilled.
    Full,
    /// Other reads hold the disk or the in-flight budget for too long. A later attempt may succeed.
    Busy,
    /// Records cannot be read.
    Unreadable(Arc<str>),
    /// The store is closed.
    Closed,
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReadOnly(reason) => write!(formatter, "the store is read-only: {reason}"),
            Self::Full => formatter.write_str("memory is full and cannot be spilled to disk"),
            Self::Busy => formatter.write_str("too many large reads at one time"),
            Self::Unreadable(reason) => write!(formatter, "records cannot be read: {reason}"),
            Self::Closed => formatter.write_str("the store is closed"),
        }
    }
}

impl std::error::Error for StoreError {}

/// The health of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Writes are taken.
    Serving,
    /// Writes are refused.
    ReadOnly {
        /// The reason.
        reason: Arc<str>,
    },
}

/// Figures of a store, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of records in memory.
    pub memory_bytes: u64,
    /// Bytes of live records on disk.
    pub disk_bytes: u64,
    /// Bytes of records that are not yet committed.
    pub unflushed_bytes: u64,
    /// Number of generations.
    pub generations: usize,
    /// Number of logs.
    pub logs: usize,
    /// Commits since the start.
    pub commits: u64,
    /// Time that the flushes of these commits took.
    pub flushing: Duration,
    /// Damaged generations set aside since the start.
    pub set_aside: u64,
    /// Records that could not be read back since the start.
    pub records_lost: u64,
}

/// The reason why a store cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
pub(crate) enum Problem {
    /// Another process holds the directory.
    InUse,
    /// The directory is of another version.
    Version {
        found: String,
        ours: String,
    },
    /// There is no such directory.
    Absent,
    /// The directory is not a data directory.
    NotOurs,
    /// A part of the directory is damaged.
    Damaged(PathBuf, String),
    Io(io::Error),
}

impl OpenError {
    /// `path` cannot be opened or read.
    pub(crate) fn new(path: &Path, error: io::Error) -> Self {
        Self::of(path, Problem::Io(error))
    }

    pub(crate) fn of(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_path_buf(),
            problem,
        }
    }

    /// `part` of `directory` is damaged, unless the error is about the machine.
    pub(crate) fn damaged(directory: &Path, part: &Path, error: io::Error) -> Self {
        if is_of_the_machine(&error) {
            return Self::new(part, error);
        }
        let problem = Problem::Damaged(part.to_path_buf(), error.to_string());
        Self::of(directory, problem)
    }

    /// True when the directory is damaged, and not merely out of reach.
    pub fn is_damage(&self) -> bool {
        matches!(self.problem, Problem::Damaged(..))
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::InUse => write!(
                formatter,
                "{path} is in use by another process: stop that one, or use another directory"
            ),
            Problem::Version { found, ours } => write!(
                formatter,
                "{path} was written by another version ({found}, this one writes {ours}): use \
                 that version, or another directory",
            ),
            Problem::Absent => write!(formatter, "{path} does not exist"),
            Problem::NotOurs => write!(formatter, "{path} is not a data directory of minikin"),
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

/// Error numbers of Unix for too many open files, of the system (`ENFILE`) and of the process
/// (`EMFILE`).
const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];

/// True when an error is about the machine or its user: then nothing on the disk is damaged.
pub(crate) fn is_of_the_machine(error: &io::Error) -> bool {
    let kind = matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::OutOfMemory
    );
    kind || is_out_of_descriptors(error)
}

/// True when an error is about too many open files, which passes.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| TOO_MANY_OPEN_FILES.contains(&number))
}

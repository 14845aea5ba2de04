//! The store's errors and its figures.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Reason why the store refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A commit failed, so the store writes nothing any more. Holds the cause of the failure.
    ReadOnly(Arc<str>),
    /// Memory is full, and records cannot be spilled to disk.
    Full,
    /// Other reads have occupied the disk or the in-flight budget for too long. A later attempt may
    /// succeed.
    Busy,
    /// Records cannot be read. Holds the cause.
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

/// Figures of a store, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of records in memory.
    pub memory_bytes: u64,
    /// Bytes of the segments on disk whose records have not been deleted.
    pub disk_bytes: u64,
    /// Bytes of records that are not committed yet.
    pub unflushed_bytes: u64,
    /// Number of generations that the store holds on disk.
    pub generations: usize,
    /// Number of logs.
    pub logs: usize,
    /// Number of commits since the start.
    pub commits: u64,
    /// Time spent in the flushes of all commits since the start.
    pub flushing: Duration,
    /// Number of damaged generations that were set aside since the start.
    pub set_aside: u64,
    /// Number of records that could not be read back since the start, including the losses that the
    /// start found.
    pub records_lost: u64,
}

/// Reason why a data directory cannot be opened. The message names the file or directory.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
pub(crate) enum Problem {
    /// Another process uses the directory.
    InUse,
    /// The directory was written by another version of the program.
    Version {
        found: String,
        ours: String,
    },
    /// The directory does not exist.
    Absent,
    /// The directory is not a data directory.
    NotOurs,
    /// A part of the directory is damaged: the path of the part, and the cause.
    Damaged(PathBuf, String),
    Io(io::Error),
}

impl OpenError {
    /// An error for a file or directory that cannot be opened or read.
    pub(crate) fn new(path: &Path, error: io::Error) -> Self {
        Self::of(path, Problem::Io(error))
    }

    pub(crate) fn of(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_path_buf(),
            problem,
        }
    }

    /// An error for a damaged part of `directory`. If the cause is a state of the machine, such as
    /// a full disk, the error reports this state and no damage.
    pub(crate) fn damaged(directory: &Path, part: &Path, error: io::Error) -> Self {
        if is_of_the_machine(&error) {
            return Self::new(part, error);
        }
        let problem = Problem::Damaged(part.to_path_buf(), error.to_string());
        Self::of(directory, problem)
    }

    /// True if the directory is damaged. False if the directory cannot be used for another reason.
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

/// Error numbers of Unix for too many open files: in the whole system (`ENFILE`) and in this
/// process (`EMFILE`).
const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];

/// True if the cause of an error is not damage, but the state of the machine, such as a full disk
/// or missing permissions.
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

/// True if an error is about too many open files. Such an error is temporary.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| TOO_MANY_OPEN_FILES.contains(&number))
}

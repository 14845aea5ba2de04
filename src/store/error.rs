//! The errors of the store, and its counters for metrics.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The reason why the store refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A commit failed, so the store accepts no more writes. The text is the cause of the failure.
    ReadOnly(Arc<str>),
    /// The memory is full, and the records in it cannot be spilled to disk.
    Full,
    /// Other reads occupied the disk or the in-flight budget for too long. A later read may
    /// succeed.
    Busy,
    /// Records cannot be read. The text is the cause.
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

/// Measurements of a store, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of records in memory.
    pub memory_bytes: u64,
    /// Bytes of the live segments on disk.
    pub disk_bytes: u64,
    /// Bytes of records that are appended but not committed yet.
    pub unflushed_bytes: u64,
    /// Number of generations on disk.
    pub generations: usize,
    /// Number of logs in the store.
    pub logs: usize,
    /// Number of commits since the start.
    pub commits: u64,
    /// Total duration of the flushes of all commits since the start.
    pub flushing: Duration,
    /// Number of damaged generations that were set aside since the start.
    pub set_aside: u64,
    /// Number of records that the store found to be lost since the start. Losses that recovery
    /// found during the start count, too.
    pub records_lost: u64,
}

/// The reason why a data directory cannot be opened. The text of the error names the file or
/// directory that cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
pub(crate) enum Problem {
    /// Another process uses the data directory.
    InUse,
    /// The data directory was written by another version of the program.
    Version {
        found: String,
        ours: String,
    },
    /// The data directory does not exist.
    Absent,
    /// The directory is not a data directory of minikin.
    NotOurs,
    /// A part of the data directory is damaged. Holds the path of the part, and the cause.
    Damaged(PathBuf, String),
    Io(io::Error),
}

impl OpenError {
    /// Creates the error for the file or directory `path`, which cannot be opened or read.
    pub(crate) fn new(path: &Path, error: io::Error) -> Self {
        Self::of(path, Problem::Io(error))
    }

    pub(crate) fn of(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_path_buf(),
            problem,
        }
    }

    /// Creates the error for a file or folder of the data directory `directory`. `part` is the path
    /// of this file or folder, and `error` is the error that its use caused. The created error
    /// reports damage of the directory, unless the state of the machine caused `error`, such as a
    /// full disk, or another process has locked the file.
    pub(crate) fn damaged(directory: &Path, part: &Path, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock {
            return Self::of(directory, Problem::InUse);
        }
        if is_of_the_machine(&error) {
            return Self::new(part, error);
        }
        let problem = Problem::Damaged(part.to_path_buf(), error.to_string());
        Self::of(directory, problem)
    }

    /// Returns true if the data directory is damaged. Returns false if the directory cannot be
    /// opened for another reason.
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

/// The two error numbers of Unix for too many open files. The first one is for the whole system
/// (`ENFILE`), and the second one for this process (`EMFILE`).
const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];

/// Returns true if the state of the machine caused `error`, such as a full disk or missing
/// permissions. Returns false if damage caused `error`.
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

/// Returns true if too many open files caused `error`. Such an error is temporary.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| TOO_MANY_OPEN_FILES.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_another_process_is_no_damage() {
        let locked = io::Error::from(io::ErrorKind::WouldBlock);
        let error = OpenError::damaged(Path::new("data"), Path::new("data/meta"), locked);
        assert!(!error.is_damage());
        let text = error.to_string();
        assert!(text.contains("is in use by another process"), "{text}");
    }
}

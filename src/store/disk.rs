//! What the store asks of an engine that keeps ordered keys on a disk, and of the disk below it.
//!
//! The rest of the store knows only these two traits, so that another engine, or a simulated one,
//! can take the place of the one in use.

use super::open::{self, OpenError};
use bytes::Bytes;
use std::io;
use std::path::Path;

/// A key space of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// Segments in a generation, keys and values in `meta`.
    Main,
    /// Commit frames in a generation.
    Commits,
}

/// A handle on an open database. Several may exist; each is used by one thread at a time.
///
/// There is no cursor on purpose: the engine in use flushes whenever one is dropped, which would
/// tear a commit that is being written. [`Database::each`] is for databases nobody writes to yet.
pub(crate) trait Database: Send {
    /// The value of `key`.
    fn get(&self, tree: Tree, key: &[u8]) -> io::Result<Option<Bytes>>;
    /// Sets `key`; durable after the next flush.
    fn insert(&self, tree: Tree, key: &[u8], value: &[u8]) -> io::Result<()>;
    /// Removes `key`; durable after the next flush.
    fn remove(&self, tree: Tree, key: &[u8]) -> io::Result<()>;
    /// Makes everything since the last flush durable, all of it or nothing.
    fn flush(&self) -> io::Result<()>;
    /// Visits every key in order.
    fn each(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()>;
    /// A second handle on the same database.
    fn another(&self) -> Box<dyn Database>;
}

/// A hold on a directory, given up when it is dropped.
pub(crate) type Claim = Box<dyn Send>;

/// Opens databases, and keeps the directories they are in: where nothing else is said, those of
/// the machine's file system.
pub(crate) trait Disk: Send + Sync {
    /// Opens the database in the directory `path`, making it where there is none.
    fn open(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>>;
    /// Opens a copy of the database in the directory `path`, for reading where nothing can be or
    /// must be written. The copy is in the machine's temporary directory.
    fn open_copy(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>>;

    /// Takes a data directory for this process and checks its version.
    fn claim(&self, directory: &Path, tries: u32) -> Result<Claim, OpenError> {
        open::claim(directory, tries).map(|lock| Box::new(lock) as Claim)
    }

    /// The names in a directory.
    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let name =
            |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into());
        std::fs::read_dir(directory)?.map(name).collect()
    }

    /// Whether there is a directory at `path`.
    fn holds(&self, path: &Path) -> bool {
        path.is_dir()
    }

    /// Gives a directory another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// Removes a directory and all in it.
    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path)
    }

    /// Writes the file of marks of a data directory, without syncing it.
    fn mark(&self, directory: &Path, marks: &[u8]) -> io::Result<()> {
        let path = directory.join(MARKS);
        let file = std::fs::File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        std::os::unix::fs::FileExt::write_all_at(&file, marks, 0)
    }

    /// The file of marks of a data directory; empty where there is none.
    fn marks(&self, directory: &Path) -> io::Result<Vec<u8>> {
        match std::fs::read(directory.join(MARKS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    /// Makes the names in a directory durable: the engine does so only inside its own.
    fn sync(&self, directory: &Path) -> io::Result<()> {
        sync_names(directory)
    }
}

const MARKS: &str = "marks";

/// Makes the names in a directory of the machine's file system durable.
pub(crate) fn sync_names(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

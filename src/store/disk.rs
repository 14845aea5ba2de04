//! What the store asks of an engine that keeps ordered keys on a disk.
//!
//! The rest of the store knows only these two traits, so that another engine, or a simulated one,
//! can take the place of the one in use.

use bytes::Bytes;
use std::io;
use std::path::Path;

/// A key space of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Opens databases.
pub(crate) trait Disk: Send + Sync {
    /// Opens the database in the directory `path`, making it where there is none.
    fn open(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>>;
    /// Opens the database in the directory `path` for reading, where nothing can be written any
    /// more. An error says that it is damaged, too.
    fn open_for_reading(&self, path: &Path) -> io::Result<Box<dyn Database>>;
}

//! The settings of a store: its data directory, its durability, and its sizes and limits.

use crate::limits;
use crate::world::Faults;
use std::path::PathBuf;

/// The durability of records. It determines if a put is answered before or after its records are on
/// disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The put is answered after its records are on disk. No reader sees the records earlier.
    Always,
    /// The put is answered immediately. Its records are on disk at most `ms` milliseconds later.
    Interval {
        /// Time between two commits, in milliseconds.
        ms: u64,
    },
    /// The put is answered immediately. Its records are on disk about 200 ms later. Without a data
    /// directory the records are never durable.
    None,
}

/// The settings with which a store is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory. `None` if the store has no data directory. Nothing survives a restart
    /// then.
    pub directory: Option<PathBuf>,
    /// The durability of records. It determines if a put is answered before or after its records
    /// are on disk.
    pub durability: Durability,
    /// Maximum number of bytes of records in memory.
    pub memory_bytes: u64,
    /// Size of a generation at which the store begins the next generation, in bytes.
    pub generation_bytes: u64,
    /// Maximum size of a segment, in bytes.
    pub segment_bytes: usize,
    /// Maximum number of bytes that may wait for a commit.
    pub unflushed_bytes: u64,
    /// Maximum number of databases that may be open at the same time. The number is at least 2.
    /// `None` if the limit of open files permits as many databases as the store needs.
    pub databases: Option<usize>,
    /// The faults to inject into commits, for tests.
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
            databases: None,
            faults: Faults::default(),
        }
    }
}

/// Returns the maximum number of databases that may be open if `limit` is the limit of open files.
/// The store may use three quarters of these files. Returns `None` if the store needs no maximum,
/// because the limit is at least `LEAST_STORE_DESCRIPTORS` or there is no limit.
pub(crate) fn databases_within(limit: Option<u64>) -> Option<usize> {
    let limit = limit.filter(|limit| *limit < limits::LEAST_STORE_DESCRIPTORS)?;
    let of_store = (limit - limit / 4).saturating_sub(limits::OWN_DESCRIPTORS);
    let databases = usize::try_from(of_store / limits::DATABASE_DESCRIPTORS).ok()?;
    Some(databases.max(2))
}

impl Settings {
    /// Returns the limit of the budget for writes, in bytes, while spills succeed. Without a data
    /// directory, the budget also counts the records that stay in memory.
    pub(crate) fn write_limit(&self) -> u64 {
        match self.directory {
            Some(_) => self.unflushed_bytes,
            None => self.unflushed_bytes.saturating_add(self.memory_bytes),
        }
    }
}

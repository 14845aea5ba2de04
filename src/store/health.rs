//! How a store is: its errors, its health, its figures.

use std::sync::Arc;
use std::time::Duration;

/// Why the store does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A commit failed, so nothing is written any more.
    ReadOnly(Arc<str>),
    /// Memory is full and nothing can be spilled.
    Full,
    /// What was asked for cannot be read.
    Unreadable(Arc<str>),
    /// The store is closed.
    Closed,
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReadOnly(reason) => write!(formatter, "the store is read-only: {reason}"),
            Self::Full => formatter.write_str("memory is full and cannot be spilled to disk"),
            Self::Unreadable(reason) => write!(formatter, "records cannot be read: {reason}"),
            Self::Closed => formatter.write_str("the store is closed"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Whether the store takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Serving,
    /// It does not.
    ReadOnly {
        /// What happened.
        reason: Arc<str>,
    },
}

/// Numbers about a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of records in memory.
    pub memory_bytes: u64,
    /// Bytes of records on disk that are still wanted.
    pub disk_bytes: u64,
    /// Bytes that wait to be written.
    pub unflushed_bytes: u64,
    /// Databases of records.
    pub generations: usize,
    /// Logs.
    pub logs: usize,
    /// Commits since the start.
    pub commits: u64,
    /// How long their flushes took together.
    pub flushing: Duration,
    /// Damaged databases set aside since the start.
    pub set_aside: u64,
}

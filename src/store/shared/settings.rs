//! The settings of a store.

use crate::limits;
use crate::world::Faults;
use std::path::PathBuf;
use std::time::Duration;

/// The moments at which a write is acknowledged and made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Visible and acknowledged when it is durable.
    Always,
    /// Acknowledged at once, made durable this often.
    Interval(Duration),
    /// Acknowledged at once, made durable every 200 ms or so.
    None,
}

/// The settings of a store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory; without one nothing survives.
    pub directory: Option<PathBuf>,
    /// The moment at which a write is acknowledged.
    pub durability: Durability,
    /// Bytes of records held in memory.
    pub memory_bytes: u64,
    /// Bytes after which the next generation is begun.
    pub generation_bytes: u64,
    /// Bytes of a segment.
    pub segment_bytes: usize,
    /// Bytes that may wait for a commit.
    pub unflushed_bytes: u64,
    /// The faults to inject into commits.
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
            faults: Faults::default(),
        }
    }
}

impl Settings {
    /// The usual limit of the write budget, which without a data directory counts what is in memory
    /// too.
    pub(crate) fn write_limit(&self) -> u64 {
        match self.directory {
            Some(_) => self.unflushed_bytes,
            None => self.unflushed_bytes + self.memory_bytes,
        }
    }
}

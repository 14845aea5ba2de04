//! The position of a channel in a shard.

use serde::{Deserialize, Serialize};

/// The position of a channel in a shard. A shard without a position is read from its first record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPosition {
    /// The index before which all records are delivered.
    pub next: u64,
    /// The index before which all records belong to the object that is being written. The index is
    /// saved before the write begins, so that a repeated write after a crash has the same records.
    /// `None` when no object is being written.
    pub planned: Option<u64>,
    /// True when the shard is closed and all of its records are delivered.
    pub finished: bool,
}

impl ChannelPosition {
    /// The position after the last record of a shard. `end` is greater than the index of this
    /// record.
    pub const fn at_end(end: u64, is_open: bool) -> Self {
        Self {
            next: end,
            planned: None,
            finished: !is_open,
        }
    }
}

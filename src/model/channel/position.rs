//! The position of a channel in a shard: the progress of the delivery.

use serde::{Deserialize, Serialize};

/// The position of a channel in a shard. A shard without a position is read from its first record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPosition {
    /// An index in the shard's log. The channel has delivered all records before this index.
    pub next: u64,
    /// The index after the last record of the object that is being written, in the shard's log. The
    /// object contains the records from `next` up to this index. The index is saved before the
    /// write begins, so that a repeated write after a crash contains the same records. `None` while
    /// no object is being written.
    pub planned: Option<u64>,
    /// True if the shard is closed and all of its records are delivered.
    pub finished: bool,
}

impl ChannelPosition {
    /// Creates the position after the last record of a shard. `end` is greater than the index of
    /// the shard's last record. `is_open` is true for an open shard.
    pub const fn at_end(end: u64, is_open: bool) -> Self {
        Self {
            next: end,
            planned: None,
            finished: !is_open,
        }
    }
}

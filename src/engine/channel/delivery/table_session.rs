//! Keeps the table of a channel open from one write to the next.

use super::table_positions::positions_of_text;
use crate::engine::Engine;
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
use crate::engine::channel::table::OpenTable;
use crate::model::ShardId;
use crate::model::channel::ChannelPosition;
use std::collections::BTreeMap;

/// The table to which a channel's task writes. A failed write closes the table, and the next write
/// opens the table again.
#[derive(Debug)]
pub(super) struct TableSession {
    table: Option<OpenTable>,
    /// For each shard, the index after the last record at the time when the channel's task began.
    /// None after the first opening of the table.
    first_ends: Option<BTreeMap<ShardId, u64>>,
}

/// The positions that a newly opened table contains.
pub(super) struct Committed {
    pub(super) positions: BTreeMap<ShardId, ChannelPosition>,
    /// For each shard, the index after its last record. The channel's position in the shard must
    /// not be greater than this index.
    pub(super) ends: BTreeMap<ShardId, u64>,
}

impl TableSession {
    /// Creates a session whose table is not open yet. Stores the index after the last record of
    /// each shard. At the start of the emulator, this function is called before any record can be
    /// appended.
    pub(super) fn new(channel: &Channel) -> Self {
        Self {
            table: None,
            first_ends: Some(ends(channel)),
        }
    }

    /// Opens the channel's table, and returns the positions in the table. Returns None if the table
    /// was already open, or if it has no commits.
    ///
    /// # Errors
    /// Returns an error if the table cannot be opened.
    pub(super) async fn open(
        &mut self,
        engine: &Engine,
        channel: &Channel,
    ) -> Result<Option<Committed>, DestinationError> {
        if self.table.is_some() {
            return Ok(None);
        }
        let settings = channel.describe().settings;
        let destinations = &engine.behaviour.channels.destinations;
        let table = destinations.open_table(&channel.arn, &settings).await?;
        let positions = table.positions().map(positions_of_text);
        self.table = Some(table);
        let first_ends = self.first_ends.take();
        let Some(positions) = positions else {
            return Ok(None);
        };
        let damaged =
            || DestinationError::Refused("The positions in the table are damaged.".into());
        Ok(Some(Committed {
            positions: positions.ok_or_else(damaged)?,
            ends: first_ends.unwrap_or_else(|| ends(channel)),
        }))
    }

    /// Removes the table from the session and returns it, for a write. If the write fails, the
    /// table must be opened again.
    ///
    /// # Errors
    /// Returns an error if the table is not open.
    pub(super) fn take(&mut self) -> Result<OpenTable, DestinationError> {
        let closed = || DestinationError::Unreachable("The table is not open.".to_owned());
        self.table.take().ok_or_else(closed)
    }

    /// Gives the table back to the session after a successful write.
    pub(super) fn put_back(&mut self, table: OpenTable) {
        self.table = Some(table);
    }
}

fn ends(channel: &Channel) -> BTreeMap<ShardId, u64> {
    channel.stream.look(|state| {
        let shards = state.all().iter();
        shards.map(|shard| (shard.id, shard.end())).collect()
    })
}

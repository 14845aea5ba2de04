//! The trait of the tables that channels write to.

use super::destination_error::DestinationError;
use crate::engine::event_source::Pending;
use crate::model::channel::InvalidRecord;
use bytes::Bytes;
use std::fmt;

/// An open table of a channel. The table contains the positions of its channel, and commits records
/// and positions together.
///
/// A method that writes takes the table by value, and returns the table if it succeeds. After an
/// error the caller must open the table again, because only the files of the table show which
/// records were committed.
/// committed.
pub trait ChannelTable: Send + Sync + fmt::Debug {
    /// The positions of the channel in the newest commit of the table. None for a table without
    /// commits.
    fn positions(&self) -> Option<&str>;

    /// Writes records to the table. Readers of the table see the records after the next commit.
    /// Returns the table, and the records that do not form a valid row. The caller writes the
    /// invalid records to dead-letter objects before the commit.
    fn write(self: Box<Self>, records: Vec<Bytes>) -> Pending<Result<Written, DestinationError>>;

    /// Commits the written records together with `positions`, the channel's positions after these
    /// records. Resolves when the commit is durable.
    fn commit(self: Box<Self>, positions: String) -> Pending<Result<OpenTable, DestinationError>>;
}

/// A boxed open table.
pub type OpenTable = Box<dyn ChannelTable>;

/// A table after records were written to it.
#[derive(Debug)]
pub struct Written {
    /// The table, to which the caller can write again.
    pub table: OpenTable,
    /// The records that do not form a valid row, each with the reason. A record is given by its
    /// index in the argument of `ChannelTable::write`. The indexes are in ascending order.
    pub invalid: Vec<(usize, InvalidRecord)>,
}

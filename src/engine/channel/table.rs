//! The trait of the tables that channels write.

use super::destination_error::DestinationError;
use crate::engine::event_source::Pending;
use crate::model::channel::InvalidRecord;
use bytes::Bytes;
use std::fmt;

/// An open table of a channel. The table holds the positions of its channel, and commits records
/// and positions together.
///
/// The methods take the table and give it back. After an error the table has to be opened again:
/// then its own files decide what was committed.
pub trait ChannelTable: Send + Sync + fmt::Debug {
    /// The positions of the newest commit. `None` for a table that was never committed to.
    fn positions(&self) -> Option<&str>;

    /// Writes records, which readers see after the next commit. Answers the records that make no
    /// row. The caller stores these in the dead-letter bucket before the commit.
    fn write(self: Box<Self>, records: Vec<Bytes>) -> Pending<Result<Written, DestinationError>>;

    /// Commits the written records together with the positions after them. Resolves when the
    /// commit is durable.
    fn commit(self: Box<Self>, positions: String) -> Pending<Result<OpenTable, DestinationError>>;
}

/// An open table.
pub type OpenTable = Box<dyn ChannelTable>;

/// A table after records were written.
#[derive(Debug)]
pub struct Written {
    /// The table.
    pub table: OpenTable,
    /// The records that make no row: their indices among the given ones, in order, and the reasons.
    pub invalid: Vec<(usize, InvalidRecord)>,
}

//! Implements the engine's trait `ChannelTable`. File work runs on threads for blocking work.

use super::decoder::Decoder;
use super::error::TableError;
use super::schema_files::{SchemaFiles, SchemaVersions};
use super::table::Table;
use crate::engine::channel::{ChannelTable, DestinationError, OpenTable, Written};
use crate::engine::event_source::Pending;
use crate::model::channel::InvalidRecord;
use crate::model::channel::schema::Row;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// An open table of a channel.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) table: Table,
    /// The schema files, and the name of the channel's schema. None unless the channel's format is
    /// GSR_JSON.
    pub(super) registry: Option<(SchemaFiles, String)>,
}

impl ChannelTable for Opened {
    fn positions(&self) -> Option<&str> {
        self.table.positions()
    }

    fn write(
        mut self: Box<Self>,
        records: Vec<Bytes>,
    ) -> Pending<Result<Written, DestinationError>> {
        blocking(async move {
            let (rows, invalid) = self.rows(records)?;
            self.table.write(&rows).await?;
            let table: OpenTable = self;
            Ok(Written { table, invalid })
        })
    }

    fn commit(
        mut self: Box<Self>,
        positions: String,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        blocking(async move {
            self.table.commit(positions).await?;
            let table: OpenTable = self;
            Ok(table)
        })
    }
}

/// The indices of the records that cannot be converted to rows, with the reasons.
type Invalid = Vec<(usize, InvalidRecord)>;

impl Opened {
    fn rows(&self, records: Vec<Bytes>) -> Result<(Vec<Row>, Invalid), TableError> {
        let versions = match &self.registry {
            // Read the file again for each batch, so that new schema versions are known at once.
            Some((files, _)) => files.versions()?,
            None => SchemaVersions::default(),
        };
        let schema = self.registry.as_ref().map(|(_, schema)| schema.as_str());
        let decoder = Decoder {
            columns: self.table.columns(),
            registry: schema.map(|schema| (&versions, schema)),
        };
        let (mut rows, mut invalid) = (Vec::with_capacity(records.len()), Vec::new());
        for (at, record) in records.into_iter().enumerate() {
            match decoder.row(&record) {
                Ok(row) => rows.push(row),
                Err(reason) => invalid.push((at, reason)),
            }
        }
        Ok((rows, invalid))
    }
}

/// Runs `work` on a thread for blocking work, because the Iceberg library reads and writes local
/// files within its futures.
pub(super) fn blocking<T: Send + 'static>(
    work: impl Future<Output = Result<T, TableError>> + Send + 'static,
) -> Pending<Result<T, DestinationError>> {
    Box::pin(async move {
        let runtime = Handle::current();
        let done = spawn_blocking(move || runtime.block_on(work)).await;
        match done {
            Ok(result) => result.map_err(Into::into),
            Err(error) => Err(DestinationError::Unreachable(format!(
                "The work on the table ended early: {error}."
            ))),
        }
    })
}

impl From<TableError> for DestinationError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Unusable(reason) => Self::Refused(reason),
            TableError::Unavailable(reason) => Self::Unreachable(reason),
        }
    }
}

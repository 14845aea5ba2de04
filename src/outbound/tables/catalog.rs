//! The two kinds of Iceberg catalogs that hold the tables of channels: a local directory, and a
//! REST catalog.

use super::definition::Definition;
use super::error::TableError;
use super::local::LocalTable;
use super::rest::{RestCatalogAddress, RestTable};
use iceberg::TableCreation;
use iceberg::table::Table as IcebergTable;
use iceberg::transaction::Transaction;
use std::path::PathBuf;

/// The Iceberg catalog that holds the tables of all channels.
#[derive(Debug, Clone)]
pub(super) enum TableCatalog {
    /// A local directory that holds the tables.
    Local(PathBuf),
    /// An Iceberg REST catalog at this address.
    Rest(RestCatalogAddress),
}

/// The entry of one table in an Iceberg catalog.
#[derive(Debug)]
pub(super) enum TableEntry {
    Local(Box<LocalTable>),
    Rest(Box<RestTable>),
}

impl TableCatalog {
    /// Opens the table of a channel. Returns `None` if the table does not exist.
    ///
    /// # Errors
    /// The table exists and belongs to another channel, or it cannot be read.
    pub(super) async fn open(
        &self,
        definition: &Definition,
    ) -> Result<Option<(TableEntry, IcebergTable)>, TableError> {
        Ok(match self {
            Self::Local(local_dir) => {
                let opened = LocalTable::open(local_dir, definition).await?;
                opened.map(|(entry, table)| (TableEntry::Local(Box::new(entry)), table))
            }
            Self::Rest(address) => {
                let opened = RestTable::open(address, definition).await?;
                opened.map(|(entry, table)| (TableEntry::Rest(Box::new(entry)), table))
            }
        })
    }

    /// Creates the table of a channel.
    ///
    /// # Errors
    /// A table of that name exists, or the table cannot be written.
    pub(super) async fn create(
        &self,
        definition: &Definition,
        creation: TableCreation,
    ) -> Result<(TableEntry, IcebergTable), TableError> {
        Ok(match self {
            Self::Local(local_dir) => {
                let (entry, table) = LocalTable::create(local_dir, definition, creation).await?;
                (TableEntry::Local(Box::new(entry)), table)
            }
            Self::Rest(address) => {
                let (entry, table) = RestTable::create(address, definition, creation).await?;
                (TableEntry::Rest(Box::new(entry)), table)
            }
        })
    }

    /// The name of a channel's table, for messages.
    pub(super) fn name(&self, definition: &Definition) -> String {
        match self {
            Self::Local(_) => definition.names.join("/"),
            Self::Rest(address) => address.name(definition),
        }
    }
}

impl TableEntry {
    /// Makes the names of the written data files at `locations` durable. Does nothing for a file
    /// that is not in a local directory.
    pub(super) fn sync<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        match self {
            Self::Local(entry) => entry.sync(locations),
            Self::Rest(entry) => entry.sync(locations),
        }
    }

    /// Commits a transaction on `table`. In a REST catalog, commits only if the channel's positions
    /// in the catalog are equal to its positions in `table`.
    ///
    /// # Errors
    /// The commit failed, or its result is unknown: the transaction may or may not be committed.
    pub(super) async fn commit(
        &self,
        table: &IcebergTable,
        transaction: Transaction,
    ) -> Result<IcebergTable, TableError> {
        match self {
            Self::Local(entry) => entry.commit(transaction).await,
            Self::Rest(entry) => entry.commit(table, transaction).await,
        }
    }

    /// Removes the files of `table` at `locations`, which no snapshot needs. A failure to remove a
    /// file is ignored, because the file only takes up space.
    pub(super) async fn remove(
        &self,
        table: &IcebergTable,
        locations: &[String],
    ) -> Result<(), TableError> {
        match self {
            Self::Local(entry) => entry.remove(locations.iter().map(String::as_str)),
            Self::Rest(_) => {
                for location in locations {
                    let _may_stay = table.file_io().delete(location).await;
                }
                Ok(())
            }
        }
    }
}

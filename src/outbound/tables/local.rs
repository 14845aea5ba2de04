//! A table in a local directory. The newest complete metadata file is the state of the table. The
//! Iceberg library's catalog in memory writes the next metadata file.

use super::definition::Definition;
use super::error::TableError;
use super::warehouse::TableDirectory;
use iceberg::io::LocalFsStorageFactory;
use iceberg::memory::{MEMORY_CATALOG_WAREHOUSE, MemoryCatalogBuilder};
use iceberg::table::Table as IcebergTable;
use iceberg::transaction::Transaction;
use iceberg::{Catalog as _, CatalogBuilder as _, MemoryCatalog, TableCreation};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The directory of a channel's table.
#[derive(Debug)]
pub(super) struct LocalTable {
    catalog: MemoryCatalog,
    directory: TableDirectory,
}

impl LocalTable {
    /// Opens the table of a channel below `local_dir`. Returns `None` if the table does not exist.
    /// A metadata file that a crash left incomplete is skipped, because its snapshot was never
    /// reported as committed.
    ///
    /// # Errors
    /// The table exists and belongs to another channel, or it cannot be read.
    pub(super) async fn open(
        local_dir: &Path,
        definition: &Definition,
    ) -> Result<Option<(Self, IcebergTable)>, TableError> {
        let directory = directory(local_dir, definition)?;
        let files = directory.metadata_files()?;
        for file in files {
            if !directory.is_complete(&file)? {
                continue;
            }
            let catalog = catalog(&directory, definition).await?;
            let table = catalog.register_table(&definition.ident(), file).await?;
            let snapshot = table.metadata().current_snapshot();
            let list = snapshot.map(|snapshot| snapshot.manifest_list());
            if list.is_some_and(|list| !directory.has(list)) {
                continue;
            }
            definition.check_owner(table.metadata(), &definition.names.join("/"))?;
            let local = Self { catalog, directory };
            // Write the file `version-hint.text` again. A crash after the last commit may have left
            // the file with the name of an older metadata file.
            local.publish(&table)?;
            return Ok(Some((local, table)));
        }
        Ok(None)
    }

    /// Creates the table of a channel below `local_dir`.
    ///
    /// # Errors
    /// The directory of the table is not empty, or the table cannot be written.
    pub(super) async fn create(
        local_dir: &Path,
        definition: &Definition,
        creation: TableCreation,
    ) -> Result<(Self, IcebergTable), TableError> {
        let directory = directory(local_dir, definition)?;
        if !directory.is_empty()? {
            let name = definition.names.join("/");
            return Err(TableError::Unusable(format!(
                "The directory of the table {name} is not empty, and holds no table."
            )));
        }
        let catalog = catalog(&directory, definition).await?;
        let creation = TableCreation {
            location: Some(directory.location().to_owned()),
            ..creation
        };
        let ident = definition.ident();
        let table = catalog.create_table(ident.namespace(), creation).await?;
        let local = Self { catalog, directory };
        local.publish(&table)?;
        Ok((local, table))
    }

    /// Makes the names of the written data files at `locations` durable.
    pub(super) fn sync<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        self.directory.sync_directories(locations)
    }

    /// Commits a transaction. The new state of the table is durable afterwards.
    pub(super) async fn commit(
        &self,
        transaction: Transaction,
    ) -> Result<IcebergTable, TableError> {
        let table = transaction.commit(&self.catalog).await?;
        self.publish(&table)?;
        Ok(table)
    }

    /// Removes the files at `locations`, which no snapshot needs, and old metadata files.
    pub(super) fn remove<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        self.directory.remove_old(locations)
    }

    fn publish(&self, table: &IcebergTable) -> Result<(), TableError> {
        self.directory.publish(table.metadata_location_result()?)
    }
}

fn directory(local_dir: &Path, definition: &Definition) -> Result<TableDirectory, TableError> {
    TableDirectory::below(local_dir, definition.names.each_ref().map(String::as_str))
}

/// Makes a catalog in memory that knows only the namespace of the table.
async fn catalog(
    directory: &TableDirectory,
    definition: &Definition,
) -> Result<MemoryCatalog, TableError> {
    let warehouse = (
        MEMORY_CATALOG_WAREHOUSE.to_owned(),
        directory.location().to_owned(),
    );
    let catalog = MemoryCatalogBuilder::default()
        .with_storage_factory(Arc::new(LocalFsStorageFactory))
        .load("minikin", HashMap::from([warehouse]))
        .await?;
    let table = definition.ident();
    catalog
        .create_namespace(table.namespace(), HashMap::new())
        .await?;
    Ok(catalog)
}

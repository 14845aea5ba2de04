//! A table in an Iceberg REST catalog. The catalog holds the state of the table. The catalog also
//! gives the table a location, to which the files of the table are written.

use super::definition::{Definition, positions};
use super::error::TableError;
use super::guard::{Guard, answer};
use super::storage::TableFiles;
use super::warehouse::TableDirectory;
use crate::limits;
use crate::outbound::s3_files::is_s3;
use iceberg::table::Table as IcebergTable;
use iceberg::transaction::Transaction;
use iceberg::{
    Catalog as _, CatalogBuilder as _, Error, ErrorKind, NamespaceIdent, TableCreation, TableIdent,
};
use iceberg_catalog_rest::{REST_CATALOG_PROP_URI, RestCatalog, RestCatalogBuilder};
use std::collections::HashMap;
use std::sync::Arc;

/// The setting with the URL of the catalog.
const SETTING: &str = "channels.s3tables.rest_catalog";

/// The address of an Iceberg REST catalog.
#[derive(Debug, Clone)]
pub(super) struct RestCatalogAddress {
    url: String,
    files: TableFiles,
}

/// The entry of a channel's table in a REST catalog.
#[derive(Debug)]
pub(super) struct RestTable {
    catalog: RestCatalog,
    address: RestCatalogAddress,
    /// The directory of the table. None if the catalog has placed the table in a bucket.
    directory: Option<TableDirectory>,
}

impl RestCatalogAddress {
    /// Makes the address of the catalog at `url`. `files` is the storage of the files of its
    /// tables.
    ///
    /// # Errors
    /// The URL is not an `http` URL.
    pub(super) fn read(url: &str, files: TableFiles) -> Result<Self, String> {
        match url.strip_prefix("http://") {
            Some(host) if !host.is_empty() => Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                files,
            }),
            _ => Err(format!(
                "{SETTING} is {url}, which is not an http URL. Set the http URL of an Iceberg REST \
                 catalog and create the channel again."
            )),
        }
    }

    /// The name of a channel's table in the catalog, for messages. The name does not contain the
    /// table bucket.
    pub(super) fn name(&self, definition: &Definition) -> String {
        let [_, namespace, table] = &definition.names;
        format!(
            "{namespace}.{table} of the catalog {} ({SETTING})",
            self.url
        )
    }

    async fn connect(&self) -> Result<RestCatalog, TableError> {
        let url = (REST_CATALOG_PROP_URI.to_owned(), self.url.clone());
        let builder = RestCatalogBuilder::default();
        let catalog = builder
            .with_storage_factory(Arc::new(self.files.clone()))
            .load("minikin", HashMap::from([url]));
        catalog.await.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> TableError {
        let url = &self.url;
        TableError::Unavailable(format!(
            "The catalog {url} ({SETTING}) cannot be used: {}.",
            describe(error)
        ))
    }
}

impl RestTable {
    /// Opens the table of a channel. Returns `None` if the catalog has no such table.
    ///
    /// # Errors
    /// The table belongs to another channel, this process cannot reach the files of the table, or
    /// the catalog does not answer.
    pub(super) async fn open(
        address: &RestCatalogAddress,
        definition: &Definition,
    ) -> Result<Option<(Self, IcebergTable)>, TableError> {
        let catalog = address.connect().await?;
        let table = match answer(catalog.load_table(&definition.ident())).await {
            Ok(table) => table,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(address.failed(&error)),
        };
        definition.check_owner(table.metadata(), &address.name(definition))?;
        let entry = Self::checked_entry(address, catalog, &table).await?;
        Ok(Some((entry, table)))
    }

    /// Creates the table of a channel, and its namespace if it does not exist.
    ///
    /// # Errors
    /// The catalog refuses the table or does not answer, or this process cannot reach the files of
    /// the table.
    pub(super) async fn create(
        address: &RestCatalogAddress,
        definition: &Definition,
        creation: TableCreation,
    ) -> Result<(Self, IcebergTable), TableError> {
        let catalog = address.connect().await?;
        let ident = definition.ident();
        let namespace = create_namespace(&catalog, ident.namespace()).await;
        namespace.map_err(|error| address.failed(&error))?;
        let created = answer(catalog.create_table(ident.namespace(), with_properties(creation)));
        let table = match created.await {
            Ok(table) => table,
            // The table may exist nevertheless, because the answer of a successful creation was
            // lost or because another program has created the table.
            Err(error) => match answer(catalog.load_table(&ident)).await {
                Ok(table) => table,
                Err(_) => return Err(address.failed(&error)),
            },
        };
        definition.check_owner(table.metadata(), &address.name(definition))?;
        let entry = Self::checked_entry(address, catalog, &table).await;
        match entry {
            Ok(entry) => Ok((entry, table)),
            Err(error) => {
                // Remove the unusable table, because it would keep a new channel from creating a
                // table of this name.
                remove_entry(address, &ident).await;
                Err(error)
            }
        }
    }

    /// Makes the entry of `table`, after a check that this process can reach the files of the
    /// table.
    async fn checked_entry(
        address: &RestCatalogAddress,
        catalog: RestCatalog,
        table: &IcebergTable,
    ) -> Result<Self, TableError> {
        let location = table.metadata().location();
        let place = format!(
            "The catalog {} ({SETTING}) places the table at {location}",
            address.url
        );
        let directory = TableDirectory::at(location);
        if directory.is_none() && !is_s3(location) {
            return Err(TableError::Unusable(format!(
                "{place}. Only locations that begin with file: or s3: can be written."
            )));
        }
        if directory.is_none() && !address.files.has_server() {
            return Err(TableError::Unusable(format!(
                "{place}. Set channels.s3.endpoint to the S3-compatible server of this bucket and \
                 create the channel again."
            )));
        }
        // Another machine may have a directory of the same path, and another server a bucket of the
        // same name. The newest metadata file exists only if the catalog uses the same machine or
        // the same server as this process.
        let metadata = table.metadata_location().unwrap_or_default();
        let found = table.file_io().exists(metadata).await;
        let problem = match found {
            Ok(true) => {
                return Ok(Self {
                    catalog,
                    address: address.clone(),
                    directory,
                });
            }
            Ok(false) if directory.is_some() => "is not on this machine".to_owned(),
            Ok(false) => "is not on the server of channels.s3.endpoint".to_owned(),
            Err(error) => format!("cannot be read: {}", describe(&error)),
        };
        Err(TableError::Unavailable(format!(
            "{place}, but its metadata file {metadata} {problem}."
        )))
    }

    /// Makes the names of the written data files at `locations` durable. Does nothing for a file
    /// that is not in a local directory.
    pub(super) fn sync<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        match &self.directory {
            Some(directory) => directory.sync_directories(locations),
            None => Ok(()),
        }
    }

    /// Commits a transaction on `table`. After a conflict with another program, repeats the
    /// transaction on the newest state of the table. The commit fails if the channel's positions in
    /// the newest state differ from its positions in `table`.
    ///
    /// # Errors
    /// The commit failed, or its result is unknown: the transaction may or may not be committed.
    pub(super) async fn commit(
        &self,
        table: &IcebergTable,
        transaction: Transaction,
    ) -> Result<IcebergTable, TableError> {
        let guard = Guard {
            catalog: &self.catalog,
            positions: positions(table.metadata()),
            directory: self.directory.as_ref(),
        };
        let committed = transaction.commit(&guard).await;
        committed.map_err(|error| self.address.failed(&error))
    }
}

async fn create_namespace(
    catalog: &RestCatalog,
    namespace: &NamespaceIdent,
) -> iceberg::Result<()> {
    match answer(catalog.get_namespace(namespace)).await {
        Err(error) if is_missing(&error) => {}
        known => return known.map(drop),
    }
    match answer(catalog.create_namespace(namespace, HashMap::new())).await {
        Err(error) if error.kind() == ErrorKind::NamespaceAlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// Removes the entry of a new, unusable table from the catalog. A failure of the removal is
/// ignored, because the caller reports why the table is unusable.
async fn remove_entry(address: &RestCatalogAddress, table: &TableIdent) {
    if let Ok(catalog) = address.connect().await {
        let _may_stay = answer(catalog.drop_table(table)).await;
    }
}

/// Adds the table properties that set the format version, and let the catalog remove old metadata
/// files.
fn with_properties(mut creation: TableCreation) -> TableCreation {
    let files = limits::TABLE_METADATA_FILES.to_string();
    let properties = [
        ("format-version", "2"),
        ("write.metadata.delete-after-commit.enabled", "true"),
        ("write.metadata.previous-versions-max", &files),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    creation.properties.extend(properties);
    creation
}

fn is_missing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TableNotFound | ErrorKind::NamespaceNotFound
    )
}

/// The text of an error with its root cause, and without the headers of an answer. The body of an
/// answer is shortened.
fn describe(error: &Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    if let Some(cause) = cause {
        return format!("{}: {cause}", error.message());
    }
    let mut text = error.to_string();
    if !text.contains("context: {") {
        return error.message().trim_end_matches('.').to_owned();
    }
    if let Some(start) = text.find(", headers: {")
        && let Some(length) = text[start..].find('}')
    {
        text.replace_range(start..=start + length, "");
    }
    text.truncate(text.floor_char_boundary(limits::OUTBOUND_ERROR_BYTES));
    text
}

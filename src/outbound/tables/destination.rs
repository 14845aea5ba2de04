//! The tables of all channels.

use super::catalog::TableCatalog;
use super::definition::Definition;
use super::error::TableError;
use super::open::{Opened, blocking};
use super::rest::RestCatalogAddress;
use super::schema_files::{SchemaFiles, schema_name};
use super::storage::TableFiles;
use super::table::Table;
use crate::engine::channel::{DestinationError, OpenTable, not_configured};
use crate::engine::event_source::Pending;
use crate::model::ChannelArn;
use crate::model::channel::{ChannelSettings, DestinationKind, RecordFormat, TableDestination};
use crate::options::ChannelOptions;
use crate::outbound::buckets::Server;
use crate::outbound::s3_files::S3Files;
use crate::world::Random;
use std::future::ready;
use std::sync::Arc;

/// The tables that the options configure.
#[derive(Debug)]
pub(in crate::outbound) struct Tables {
    /// The catalog of the tables, or the reason why no table can be written.
    catalog: Result<TableCatalog, String>,
    schemas: Option<SchemaFiles>,
    random: Random,
}

/// The parameters for the creation or the opening of the table of one channel.
struct TableParameters {
    catalog: TableCatalog,
    schemas: Option<SchemaFiles>,
    random: Random,
    definition: Definition,
    /// ARN of the channel's schema.
    schema: Option<String>,
    format: RecordFormat,
}

impl Tables {
    /// Makes the tables that `options` configure. If a REST catalog places a table in a bucket,
    /// `server` holds the files of this table.
    pub(in crate::outbound) fn new(
        options: &ChannelOptions,
        server: Option<Arc<Server>>,
        random: &Random,
    ) -> Self {
        let catalog = match (&options.s3tables_local_dir, &options.s3tables_rest_catalog) {
            (Some(path), _) => Ok(TableCatalog::Local(path.clone())),
            (None, Some(url)) => {
                let address = RestCatalogAddress::read(url, TableFiles::new(server.map(S3Files)));
                address.map(TableCatalog::Rest)
            }
            (None, None) => Err(not_configured(DestinationKind::S3Tables)),
        };
        Self {
            catalog,
            schemas: options.schemas_dir.clone().map(SchemaFiles::new),
            random: random.clone(),
        }
    }

    /// The reason why no table can be written. `None` if tables can be written.
    pub(in crate::outbound) fn problem(&self) -> Option<&str> {
        self.catalog.as_ref().err().map(String::as_str)
    }

    /// Creates the table of a new channel. An existing table of the same channel, which an
    /// interrupted start has left, is used as it is. The future fails if the table belongs to
    /// another channel or cannot be created. The error is then the reason for the channel's status
    /// FAILED.
    pub(in crate::outbound) fn create(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
        table: &TableDestination,
    ) -> Pending<Result<(), DestinationError>> {
        match self.parameters(channel, settings, table) {
            Ok(parameters) => blocking(async move { parameters.create().await }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    /// Opens the table of a channel.
    pub(in crate::outbound) fn open(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
        table: &TableDestination,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        match self.parameters(channel, settings, table) {
            Ok(parameters) => blocking(async move { parameters.open().await }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn parameters(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
        table: &TableDestination,
    ) -> Result<TableParameters, DestinationError> {
        let names = [table.bucket_name(), &table.namespace, &table.table];
        let missing = DestinationError::NotConfigured;
        Ok(TableParameters {
            catalog: self.catalog.clone().map_err(missing)?,
            schemas: self.schemas.clone(),
            random: self.random.clone(),
            definition: Definition {
                channel: channel.to_string(),
                names: names.map(str::to_owned),
                compression: table.compression,
                partition_columns: table.partition_columns.clone(),
            },
            schema: settings.schema.clone(),
            format: settings.format,
        })
    }
}

impl TableParameters {
    async fn create(self) -> Result<(), TableError> {
        let (files, arn) = self.schema_files()?;
        let json_schema = files.schema(arn)?;
        let (catalog, definition, random) = (&self.catalog, &self.definition, &self.random);
        if Table::open(catalog, definition, random).await?.is_none() {
            Table::create(catalog, definition, &json_schema, random).await?;
        }
        Ok(())
    }

    async fn open(self) -> Result<OpenTable, TableError> {
        let table = Table::open(&self.catalog, &self.definition, &self.random).await?;
        let table = table.ok_or_else(|| {
            let name = self.catalog.name(&self.definition);
            TableError::Unusable(format!("The table {name} does not exist any more."))
        })?;
        let registry = match self.format {
            RecordFormat::GsrJson => {
                let (files, arn) = self.schema_files()?;
                let name = schema_name(arn).unwrap_or_default();
                Some((files.clone(), name.to_owned()))
            }
            _ => None,
        };
        Ok(Box::new(Opened { table, registry }))
    }

    fn schema_files(&self) -> Result<(&SchemaFiles, &str), TableError> {
        let missing = "No schemas are configured. Set channels.schemas.dir to the directory of the \
            JSON Schemas and create the channel again.";
        let files = self.schemas.as_ref();
        let files = files.ok_or_else(|| TableError::Unusable(missing.to_owned()))?;
        let arn = self.schema.as_deref();
        let arn = arn.ok_or_else(|| {
            TableError::Unusable("A channel into a table needs a schema.".to_owned())
        })?;
        Ok((files, arn))
    }
}

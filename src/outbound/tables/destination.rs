//! The tables of all channels.

use super::error::TableError;
use super::open::{Opened, blocking};
use super::schema_files::{SchemaFiles, schema_name};
use super::table::{Definition, Table};
use crate::engine::channel::{DestinationError, OpenTable, not_configured};
use crate::engine::event_source::Pending;
use crate::model::ChannelArn;
use crate::model::channel::{ChannelSettings, DestinationKind, RecordFormat, TableDestination};
use crate::options::ChannelOptions;
use crate::world::Random;
use std::future::ready;
use std::path::PathBuf;

/// The failure reason of a channel that needs a setting which this version does not support.
const NO_REST_CATALOG: &str = "channels.s3tables.rest_catalog is not supported yet. Set \
    channels.s3tables.local_dir instead and create the channel again.";

/// The tables that the options configure.
#[derive(Debug)]
pub(in crate::outbound) struct Tables {
    /// The directory of the tables, or the reason for which no table can be written.
    local_dir: Result<PathBuf, String>,
    schemas: Option<SchemaFiles>,
    random: Random,
}

/// A task on the table of one channel: to create or to open it.
struct Work {
    local_dir: PathBuf,
    schemas: Option<SchemaFiles>,
    random: Random,
    definition: Definition,
    /// ARN of the channel's schema.
    schema: Option<String>,
    format: RecordFormat,
}

impl Tables {
    /// The tables that `options` configure.
    pub(in crate::outbound) fn new(options: &ChannelOptions, random: &Random) -> Self {
        let local_dir = match (&options.s3tables_local_dir, &options.s3tables_rest_catalog) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(_)) => Err(NO_REST_CATALOG.to_owned()),
            (None, None) => Err(not_configured(DestinationKind::S3Tables)),
        };
        Self {
            local_dir,
            schemas: options.schemas_dir.clone().map(SchemaFiles::new),
            random: random.clone(),
        }
    }

    /// The reason for which no table can be written, if there is one.
    pub(in crate::outbound) fn problem(&self) -> Option<&str> {
        self.local_dir.as_ref().err().map(String::as_str)
    }

    /// Creates the table of a new channel. A table of the same channel, left by an interrupted
    /// start, is used as it is. The future yields the reason for the status FAILED if another table
    /// exists or no table can be created.
    pub(in crate::outbound) fn create(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
        table: &TableDestination,
    ) -> Pending<Result<(), DestinationError>> {
        match self.work(channel, settings, table) {
            Ok(work) => blocking(async move { work.create().await }),
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
        match self.work(channel, settings, table) {
            Ok(work) => blocking(async move { work.open().await }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn work(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
        table: &TableDestination,
    ) -> Result<Work, DestinationError> {
        let names = [table.bucket_name(), &table.namespace, &table.table];
        let missing = DestinationError::NotConfigured;
        Ok(Work {
            local_dir: self.local_dir.clone().map_err(missing)?,
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

impl Work {
    async fn create(self) -> Result<(), TableError> {
        let (files, arn) = self.schema_files()?;
        let json_schema = files.schema(arn)?;
        let (home, definition, random) = (&self.local_dir, &self.definition, &self.random);
        if Table::open(home, definition, random).await?.is_none() {
            Table::create(home, definition, &json_schema, random).await?;
        }
        Ok(())
    }

    async fn open(self) -> Result<OpenTable, TableError> {
        let table = Table::open(&self.local_dir, &self.definition, &self.random).await?;
        let table = table.ok_or_else(|| {
            let name = self.definition.names.join("/");
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

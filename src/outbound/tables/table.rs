//! Creates, opens and appends to one table.

use super::batch::record_batch;
use super::error::TableError;
use super::hours::HourColumns;
use super::locations::HourLocations;
use super::schema::{hour_partitions, table_schema};
use super::warehouse::TableDirectory;
use crate::limits;
use crate::model::channel::TableCompression;
use crate::model::channel::schema::{Columns, Row};
use crate::world::Random;
use arrow_schema::SchemaRef;
use iceberg::arrow::schema_to_arrow_schema;
use iceberg::io::LocalFsStorageFactory;
use iceberg::memory::{MEMORY_CATALOG_WAREHOUSE, MemoryCatalogBuilder};
use iceberg::spec::{DataFile, DataFileFormat, Literal, PartitionKey, Struct};
use iceberg::table::Table as IcebergTable;
use iceberg::transaction::{ApplyTransactionAction as _, Transaction};
use iceberg::writer::base_writer::data_file_writer::DataFileWriterBuilder;
use iceberg::writer::file_writer::ParquetWriterBuilder;
use iceberg::writer::file_writer::location_generator::DefaultFileNameGenerator;
use iceberg::writer::file_writer::rolling_writer::RollingFileWriterBuilder;
use iceberg::writer::{IcebergWriter as _, IcebergWriterBuilder as _};
use iceberg::{
    Catalog as _, CatalogBuilder as _, MemoryCatalog, NamespaceIdent, TableCreation, TableIdent,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The table property with the ARN of the channel that writes the table.
const CHANNEL: &str = "minikin.channel";
/// The table property with the JSON Schema that the columns were made from.
const JSON_SCHEMA: &str = "minikin.json-schema";
/// The entry in a snapshot's summary with the channel's positions.
const POSITIONS: &str = "minikin.positions";

/// The definition of a channel's table.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    /// ARN of the channel.
    pub(super) channel: String,
    /// Names of the table bucket, the namespace and the table.
    pub(super) names: [String; 3],
    pub(super) compression: TableCompression,
    /// The columns whose hours are the partitions of the table.
    pub(super) partition_columns: Vec<String>,
}

/// A table that is open for appending. The caller has to open the table again after an error,
/// because only the files show whether a snapshot was committed.
#[derive(Debug)]
pub(super) struct Table {
    catalog: MemoryCatalog,
    table: IcebergTable,
    directory: TableDirectory,
    columns: Columns,
    hours: HourColumns,
    arrow_schema: SchemaRef,
    writer_properties: WriterProperties,
    random: Random,
    /// The data files that were written since the last commit.
    written: Vec<DataFile>,
}

impl Table {
    /// Opens the table of a channel below `local_dir`. None if the table does not exist. A metadata
    /// file that a crash left incomplete is skipped, because its snapshot was never reported as
    /// committed.
    ///
    /// # Errors
    /// The table exists and belongs to another channel, or it cannot be read.
    pub(super) async fn open(
        local_dir: &Path,
        definition: &Definition,
        random: &Random,
    ) -> Result<Option<Self>, TableError> {
        let directory = TableDirectory::below(local_dir, definition.names())?;
        let files = directory.metadata_files()?;
        for file in files {
            if !directory.is_complete(&file)? {
                continue;
            }
            let (catalog, ident) = catalog(&directory, definition).await?;
            let table = catalog.register_table(&ident, file).await?;
            let snapshot = table.metadata().current_snapshot();
            let list = snapshot.map(|snapshot| snapshot.manifest_list());
            if list.is_some_and(|list| !directory.has(list)) {
                continue;
            }
            let table = Self::from(catalog, table, directory, definition, random)?;
            // Write the hint again: after a crash between a commit and its hint, the hint is old.
            table.publish()?;
            return Ok(Some(table));
        }
        Ok(None)
    }

    /// Creates the table of a channel with the columns of `json_schema`.
    ///
    /// # Errors
    /// No table can be made from the schema, the directory of the table is not empty, or the table
    /// cannot be written.
    pub(super) async fn create(
        local_dir: &Path,
        definition: &Definition,
        json_schema: &str,
        random: &Random,
    ) -> Result<Self, TableError> {
        let directory = TableDirectory::below(local_dir, definition.names())?;
        if !directory.is_empty()? {
            let name = definition.names.join("/");
            return Err(TableError::Unusable(format!(
                "The directory of the table {name} is not empty, and holds no table."
            )));
        }
        let mut columns = Columns::of_json_schema(json_schema.as_bytes())?;
        HourColumns::require(&mut columns, &definition.partition_columns)?;
        let schema = table_schema(&columns)?;
        let partitions = hour_partitions(&schema, &definition.partition_columns)?;
        let codec = match definition.compression {
            TableCompression::None => "uncompressed",
            TableCompression::Zstd => "zstd",
            TableCompression::Snappy => "snappy",
        };
        let (catalog, ident) = catalog(&directory, definition).await?;
        let properties = [
            (CHANNEL, definition.channel.as_str()),
            (JSON_SCHEMA, json_schema),
            ("write.parquet.compression-codec", codec),
        ];
        let creation = TableCreation::builder()
            .name(ident.name().to_owned())
            .location(directory.location().to_owned())
            .schema(schema)
            .partition_spec(partitions)
            .properties(properties.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .build();
        let table = catalog.create_table(ident.namespace(), creation).await?;
        let table = Self::from(catalog, table, directory, definition, random)?;
        table.publish()?;
        Ok(table)
    }

    fn from(
        catalog: MemoryCatalog,
        table: IcebergTable,
        directory: TableDirectory,
        definition: &Definition,
        random: &Random,
    ) -> Result<Self, TableError> {
        let properties = table.metadata().properties();
        let property = |name: &str| properties.get(name).map(String::as_str);
        if property(CHANNEL) != Some(&definition.channel) {
            return Err(TableError::Unusable(format!(
                "The table {} exists already. A channel writes only a table that it has created.",
                definition.names.join("/")
            )));
        }
        let json_schema = property(JSON_SCHEMA).unwrap_or_default();
        let mut columns = Columns::of_json_schema(json_schema.as_bytes())?;
        let hours = HourColumns::require(&mut columns, &definition.partition_columns)?;
        let arrow_schema = schema_to_arrow_schema(table.metadata().current_schema())?;
        let compression = match definition.compression {
            TableCompression::None => Compression::UNCOMPRESSED,
            TableCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            TableCompression::Snappy => Compression::SNAPPY,
        };
        Ok(Self {
            catalog,
            directory,
            columns,
            hours,
            arrow_schema: Arc::new(arrow_schema),
            writer_properties: WriterProperties::builder()
                .set_compression(compression)
                .build(),
            random: random.clone(),
            written: Vec::new(),
            table,
        })
    }

    fn publish(&self) -> Result<(), TableError> {
        self.directory
            .publish(self.table.metadata_location_result()?)
    }

    /// The columns of the table.
    pub(super) const fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The channel's positions in its stream, from the newest snapshot. None for a table without a
    /// snapshot.
    pub(super) fn positions(&self) -> Option<&str> {
        let snapshot = self.table.metadata().current_snapshot()?;
        let entries = &snapshot.summary().additional_properties;
        entries.get(POSITIONS).map(String::as_str)
    }

    /// Writes rows into data files. Readers see the rows after the next commit.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) async fn write(&mut self, rows: &[Row]) -> Result<(), TableError> {
        let metadata = self.table.metadata();
        let id = u128::from_be_bytes(self.random.bytes());
        let files = RollingFileWriterBuilder::new_with_default_file_size(
            ParquetWriterBuilder::new(
                self.writer_properties.clone(),
                metadata.current_schema().clone(),
            ),
            self.table.file_io().clone(),
            HourLocations::of_table(metadata.location()),
            DefaultFileNameGenerator::new(format!("{id:032x}"), None, DataFileFormat::Parquet),
        );
        let builder = DataFileWriterBuilder::new(files);
        for (hours, rows) in self.hours.split(rows) {
            let hours = hours.into_iter().map(|hour| Some(Literal::int(hour)));
            let key = PartitionKey::new(
                metadata.default_partition_spec().as_ref().clone(),
                metadata.current_schema().clone(),
                Struct::from_iter(hours),
            );
            let mut writer = builder.build(Some(key)).await?;
            writer
                .write(record_batch(&self.arrow_schema, &rows)?)
                .await?;
            self.written.extend(writer.close().await?);
        }
        Ok(())
    }

    /// Commits the written data files as one snapshot, together with the channel's `positions`. The
    /// snapshot is durable afterwards.
    ///
    /// # Errors
    /// A file cannot be written. The snapshot may or may not be committed.
    pub(super) async fn commit(&mut self, positions: String) -> Result<(), TableError> {
        let files = std::mem::take(&mut self.written);
        let locations = files.iter().map(DataFile::file_path);
        self.directory.sync_directories(locations)?;
        let transaction = Transaction::new(&self.table);
        let append = transaction
            .fast_append()
            // Random file names do not repeat, so the check for duplicates is not needed.
            .with_check_duplicate(false)
            .add_data_files(files)
            .set_snapshot_properties(HashMap::from([(POSITIONS.to_owned(), positions)]));
        let transaction = append.apply(transaction)?;
        self.table = transaction.commit(&self.catalog).await?;
        self.publish()?;
        self.remove_old_snapshots().await
    }

    /// The locations of all data files of the newest snapshot.
    #[cfg(test)]
    pub(super) async fn data_files(&self) -> Vec<String> {
        let Some(snapshot) = self.table.metadata().current_snapshot() else {
            return Vec::new();
        };
        let list = self
            .table
            .manifest_list_reader(snapshot)
            .load()
            .await
            .unwrap();
        let mut files = Vec::new();
        for manifest in list.entries() {
            let manifest = manifest.load_manifest(self.table.file_io()).await.unwrap();
            files.extend(
                manifest
                    .entries()
                    .iter()
                    .map(|entry| entry.file_path().to_owned()),
            );
        }
        files
    }

    /// The number of snapshots.
    #[cfg(test)]
    pub(super) fn snapshots(&self) -> usize {
        self.table.metadata().snapshots().count()
    }

    /// Removes the oldest snapshots if there are too many. No data file is removed, because the
    /// newer snapshots contain all data files of the older ones.
    async fn remove_old_snapshots(&mut self) -> Result<(), TableError> {
        let metadata = self.table.metadata();
        let count = metadata.snapshots().count();
        if count < limits::TABLE_SNAPSHOTS + limits::TABLE_SNAPSHOTS_REMOVED {
            return Ok(());
        }
        let before: Vec<(i64, String)> = metadata
            .snapshots()
            .map(|snapshot| (snapshot.snapshot_id(), snapshot.manifest_list().to_owned()))
            .collect();
        let transaction = Transaction::new(&self.table);
        let removal = transaction
            .expire_snapshots()
            .expire_older_than_ms(i64::MAX)
            .retain_last(limits::TABLE_SNAPSHOTS);
        let transaction = removal.apply(transaction)?;
        self.table = transaction.commit(&self.catalog).await?;
        self.publish()?;
        let metadata = self.table.metadata();
        let removed = before
            .iter()
            .filter(|(id, _)| metadata.snapshot_by_id(*id).is_none());
        let lists = removed.map(|(_, manifest_list)| manifest_list.as_str());
        self.directory.remove_old(lists)
    }
}

impl Definition {
    fn names(&self) -> [&str; 3] {
        self.names.each_ref().map(String::as_str)
    }
}

/// Makes a catalog in memory that knows only the namespace of the table, and returns it with the
/// name of the table.
async fn catalog(
    directory: &TableDirectory,
    definition: &Definition,
) -> Result<(MemoryCatalog, TableIdent), TableError> {
    let warehouse = (
        MEMORY_CATALOG_WAREHOUSE.to_owned(),
        directory.location().to_owned(),
    );
    let catalog = MemoryCatalogBuilder::default()
        .with_storage_factory(Arc::new(LocalFsStorageFactory))
        .load("minikin", HashMap::from([warehouse]))
        .await?;
    let [_, namespace, table] = definition.names();
    let namespace = NamespaceIdent::new(namespace.to_owned());
    catalog.create_namespace(&namespace, HashMap::new()).await?;
    Ok((catalog, TableIdent::new(namespace, table.to_owned())))
}

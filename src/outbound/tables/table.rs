//! Creates, opens and appends to one table.

use super::batch::record_batch;
use super::catalog::{TableCatalog, TableEntry};
use super::definition::{CHANNEL, Definition, JSON_SCHEMA, POSITIONS, positions};
use super::error::TableError;
use super::hours::HourColumns;
use super::locations::HourLocations;
use super::schema::{hour_partitions, own_schema, table_schema};
use crate::limits;
use crate::model::channel::TableCompression;
use crate::model::channel::schema::{Columns, Row};
use crate::world::Random;
use arrow_schema::SchemaRef as ArrowSchemaRef;
use iceberg::TableCreation;
use iceberg::arrow::schema_to_arrow_schema;
use iceberg::spec::{
    DataFile, DataFileFormat, Literal, PartitionKey, SchemaRef as IcebergSchemaRef, Struct,
};
use iceberg::table::Table as IcebergTable;
use iceberg::transaction::{ApplyTransactionAction as _, Transaction};
use iceberg::writer::base_writer::data_file_writer::DataFileWriterBuilder;
use iceberg::writer::file_writer::ParquetWriterBuilder;
use iceberg::writer::file_writer::location_generator::DefaultFileNameGenerator;
use iceberg::writer::file_writer::rolling_writer::RollingFileWriterBuilder;
use iceberg::writer::{IcebergWriter as _, IcebergWriterBuilder as _};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::sync::Arc;

/// A table that is open for appending. The caller has to open the table again after an error,
/// because only the catalog shows whether a snapshot was committed.
#[derive(Debug)]
pub(super) struct Table {
    entry: TableEntry,
    table: IcebergTable,
    columns: Columns,
    hours: HourColumns,
    /// The schema with which the table was created. Data files are written with this schema.
    schema: IcebergSchemaRef,
    arrow_schema: ArrowSchemaRef,
    writer_properties: WriterProperties,
    random: Random,
    /// The data files that were written since the last commit.
    written: Vec<DataFile>,
}

impl Table {
    /// Opens the table of a channel. Returns `None` if the table does not exist.
    ///
    /// # Errors
    /// The table exists and belongs to another channel, or it cannot be read.
    pub(super) async fn open(
        catalog: &TableCatalog,
        definition: &Definition,
        random: &Random,
    ) -> Result<Option<Self>, TableError> {
        let opened = catalog.open(definition).await?;
        let table = opened.map(|opened| Self::from(opened, catalog, definition, random));
        table.transpose()
    }

    /// Creates the table of a channel with the columns of `json_schema`.
    ///
    /// # Errors
    /// No table can be made from the schema, a table of that name exists, or the table cannot be
    /// written.
    pub(super) async fn create(
        catalog: &TableCatalog,
        definition: &Definition,
        json_schema: &str,
        random: &Random,
    ) -> Result<Self, TableError> {
        let mut columns = Columns::of_json_schema(json_schema.as_bytes())?;
        HourColumns::require(&mut columns, &definition.partition_columns)?;
        let schema = table_schema(&columns)?;
        let partitions = hour_partitions(&schema, &definition.partition_columns)?;
        let codec = match definition.compression {
            TableCompression::None => "uncompressed",
            TableCompression::Zstd => "zstd",
            TableCompression::Snappy => "snappy",
        };
        let properties = [
            (CHANNEL, definition.channel.as_str()),
            (JSON_SCHEMA, json_schema),
            ("write.parquet.compression-codec", codec),
        ];
        let creation = TableCreation::builder()
            .name(definition.ident().name().to_owned())
            .schema(schema)
            .partition_spec(partitions)
            .properties(properties.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .build();
        let created = catalog.create(definition, creation).await?;
        Self::from(created, catalog, definition, random)
    }

    fn from(
        (entry, table): (TableEntry, IcebergTable),
        catalog: &TableCatalog,
        definition: &Definition,
        random: &Random,
    ) -> Result<Self, TableError> {
        let metadata = table.metadata();
        let json_schema = metadata.properties().get(JSON_SCHEMA);
        let json_schema = json_schema.map_or("", String::as_str);
        let mut columns = Columns::of_json_schema(json_schema.as_bytes())?;
        let hours = HourColumns::require(&mut columns, &definition.partition_columns)?;
        let schema = own_schema(metadata, &columns, &definition.partition_columns)?;
        let schema = schema.ok_or_else(|| {
            TableError::Unusable(format!(
                "The columns or partitions of the table {} were changed.",
                catalog.name(definition)
            ))
        })?;
        let compression = match definition.compression {
            TableCompression::None => Compression::UNCOMPRESSED,
            TableCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            TableCompression::Snappy => Compression::SNAPPY,
        };
        Ok(Self {
            entry,
            columns,
            hours,
            arrow_schema: Arc::new(schema_to_arrow_schema(&schema)?),
            schema,
            writer_properties: WriterProperties::builder()
                .set_compression(compression)
                .build(),
            random: random.clone(),
            written: Vec::new(),
            table,
        })
    }

    /// The columns of the table.
    pub(super) const fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The channel's positions in its stream, from the newest snapshot that has positions. None if
    /// the channel has committed nothing to the table.
    pub(super) fn positions(&self) -> Option<&str> {
        positions(self.table.metadata())
    }

    /// Writes rows into data files. Readers see the rows after the next commit.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) async fn write(&mut self, rows: &[Row]) -> Result<(), TableError> {
        let metadata = self.table.metadata();
        let id = u128::from_be_bytes(self.random.bytes());
        let files = RollingFileWriterBuilder::new_with_default_file_size(
            ParquetWriterBuilder::new(self.writer_properties.clone(), self.schema.clone()),
            self.table.file_io().clone(),
            HourLocations::of_table(metadata.location()),
            DefaultFileNameGenerator::new(format!("{id:032x}"), None, DataFileFormat::Parquet),
        );
        let builder = DataFileWriterBuilder::new(files);
        for (hours, rows) in self.hours.split(rows) {
            let hours = hours.into_iter().map(|hour| Some(Literal::int(hour)));
            let key = PartitionKey::new(
                metadata.default_partition_spec().as_ref().clone(),
                self.schema.clone(),
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
    /// A file cannot be written, or the catalog does not confirm the snapshot. In both cases the
    /// snapshot may or may not be committed.
    pub(super) async fn commit(&mut self, positions: String) -> Result<(), TableError> {
        let files = std::mem::take(&mut self.written);
        let locations = files.iter().map(DataFile::file_path);
        self.entry.sync(locations)?;
        let transaction = Transaction::new(&self.table);
        let append = transaction
            .fast_append()
            // Random file names do not repeat, so the check for duplicates is not needed.
            .with_check_duplicate(false)
            .add_data_files(files)
            .set_snapshot_properties(HashMap::from([(POSITIONS.to_owned(), positions)]));
        let transaction = append.apply(transaction)?;
        self.table = self.entry.commit(&self.table, transaction).await?;
        self.remove_old_snapshots().await
    }

    /// Returns the locations of all data files of the newest snapshot.
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

    /// Returns the number of snapshots of the table.
    #[cfg(test)]
    pub(super) fn snapshots(&self) -> usize {
        self.table.metadata().snapshots().count()
    }

    /// Removes the oldest snapshots if there are too many. No data file is removed, because the
    /// newer snapshots contain all data files of the older snapshots.
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
        self.table = self.entry.commit(&self.table, transaction).await?;
        let metadata = self.table.metadata();
        let removed = before
            .into_iter()
            .filter(|(id, _)| metadata.snapshot_by_id(*id).is_none());
        let lists: Vec<String> = removed.map(|(_, manifest_list)| manifest_list).collect();
        self.entry.remove(&self.table, &lists).await
    }
}

//! Streaming tables: Apache Iceberg tables in a local directory, which the channels of the
//! destination type S3_TABLES write.
//!
//! # Files
//! - `schema`: the columns and partitions of a table in Iceberg's terms.
//! - `batch`: rows to Arrow arrays.
//! - `hours`: rows by partition. `locations`: the directories of partitions.
//! - `warehouse`: the directories of tables, and the newest metadata file of each.
//! - `table`: creates, opens and appends to one table.
//! - `schema_files`: the JSON Schemas of the configured directory.
//! - `decoder`: records to rows.
//! - `open`: a table as the engine sees it.
//! - `destination`: the tables of all channels.
//!
//! # Exactly once
//! The metadata of a table holds the channel's positions, in the summary of the newest snapshot.
//! Records and positions are committed together, by the one new metadata file of the snapshot.
//! After a crash the newest complete metadata file decides; data files that belong to no snapshot
//! are harmless.

mod batch;
mod decoder;
mod destination;
mod error;
mod hours;
mod locations;
mod open;
mod schema;
mod schema_files;
mod table;
mod warehouse;

pub(super) use destination::Tables;

#[cfg(test)]
mod tests;

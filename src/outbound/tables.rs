//! Streaming tables: Apache Iceberg tables in a local directory. Channels of the destination type
//! S3_TABLES write to them.
//!
//! # Files
//! - `schema`: converts the columns and partitions of a table to Iceberg's types.
//! - `batch`: converts rows to Arrow arrays.
//! - `hours`: groups rows by partition. `locations`: names the directories of partitions.
//! - `warehouse`: the directories of tables, and the newest metadata file of each.
//! - `table`: creates and opens one table, and appends to it.
//! - `schema_files`: reads the JSON Schemas of the configured directory.
//! - `decoder`: converts records to rows.
//! - `open`: implements the engine's trait for an open table.
//! - `destination`: the tables of all channels.
//!
//! # Exactly once
//! The metadata of a table holds the channel's positions, in the summary of the newest snapshot.
//! One new metadata file commits a snapshot, so it commits the snapshot's records and positions
//! together. After a crash, the newest complete metadata file is the state of the table. Data files
//! that belong to no snapshot are ignored.

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

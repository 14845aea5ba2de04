//! Streaming tables: Apache Iceberg tables in a local directory or in a REST catalog. Channels of
//! the destination type S3_TABLES write to them.
//!
//! # Files
//! - `schema`: converts the columns and partitions of a table to Iceberg's types.
//! - `batch`: converts rows to Arrow arrays.
//! - `hours`: groups rows by partition. `locations`: names the directories of partitions.
//! - `definition`: the definition of a channel's table, and the channel's entries in its metadata.
//! - `warehouse`: the directories of tables, and the newest metadata file of each.
//! - `local`: one table in a local directory.
//! - `storage`: the files of tables in a REST catalog.
//! - `guard`: the commit to a REST catalog. `rest`: one table in a REST catalog.
//! - `catalog`: the choice between `local` and `rest`.
//! - `table`: creates and opens one table, and appends to it.
//! - `schema_files`: reads the JSON Schemas of the configured directory.
//! - `decoder`: converts records to rows.
//! - `open`: implements the engine's trait for an open table.
//! - `destination`: the tables of all channels.
//!
//! # Exactly once
//! The metadata of a table holds the channel's positions, in the summary of the channel's newest
//! snapshot. A snapshot is committed as a whole, so its records and positions are committed
//! together: in a local directory by one new metadata file, in a REST catalog by one request. After
//! a crash or a lost answer, the newest complete metadata file, or the catalog, is the state of the
//! table. Data files that belong to no snapshot are ignored.

mod batch;
mod catalog;
mod decoder;
mod definition;
mod destination;
mod error;
mod guard;
mod hours;
mod local;
mod locations;
mod open;
mod rest;
mod schema;
mod schema_files;
mod storage;
mod table;
mod warehouse;

pub(super) use destination::Tables;

#[cfg(test)]
mod tests;

//! Schemas of streaming tables: the columns that a JSON Schema makes, and the typed rows that JSON
//! records make.
//!
//! All values here are plain. `outbound` makes Iceberg tables and Parquet files of them.

mod column;
mod convert;
mod error;
mod mapping;
mod moment;
mod number;
mod row;

#[cfg(feature = "streaming-tables")]
pub(crate) use column::{Column, DECIMAL_DIGITS, Fields};
pub(crate) use column::{ColumnType, Columns, Element};
pub(crate) use error::SchemaError;
#[cfg(feature = "streaming-tables")]
pub(crate) use row::Row;
pub(crate) use row::Value;

#[cfg(test)]
mod tests;

//! Schemas of streaming tables: the conversion of a JSON Schema to columns, and of JSON records to
//! typed rows.
//!
//! The code in this module does no I/O: the module `outbound` turns columns into Iceberg tables,
//! and rows into Parquet files.

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

//! The error of a table that cannot be created, opened or written.

use crate::model::channel::schema::SchemaError;
use std::fmt;
use std::path::Path;

/// The reason why a table cannot be created, opened or written, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableError {
    /// The table or its schema cannot be used until a setting or a file is changed.
    Unusable(String),
    /// A file cannot be read or written. A later attempt may succeed.
    Unavailable(String),
}

impl TableError {
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::Unavailable(format!("{}: {error}.", path.display()))
    }
}

impl From<SchemaError> for TableError {
    fn from(error: SchemaError) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// Every error of the Iceberg library becomes `Unavailable`. The library does not mark failures of
/// the storage, but nearly all of its errors during reads and writes of tables are such failures.
impl From<iceberg::Error> for TableError {
    fn from(error: iceberg::Error) -> Self {
        Self::Unavailable(format!("The table cannot be used: {error}."))
    }
}

impl From<arrow_schema::ArrowError> for TableError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Unavailable(format!("The rows cannot be encoded: {error}."))
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unusable(reason) | Self::Unavailable(reason)) = self;
        f.write_str(reason)
    }
}

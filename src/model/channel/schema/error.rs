//! Errors about a JSON Schema that cannot be converted to columns, and about records that do not
//! follow their schema.

use crate::model::channel::InvalidRecord;
use std::fmt;

/// The reason why a JSON Schema cannot be converted to columns, as a sentence for
/// `ChannelStatusReason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaError(String);

impl SchemaError {
    pub(super) const fn new(sentence: String) -> Self {
        Self(sentence)
    }

    /// Creates an error about the property at `path`. An empty path stands for the whole schema.
    pub(super) fn at(path: &str, problem: &str) -> Self {
        Self(match path {
            "" => format!("The schema {problem}."),
            path => format!("The schema's property '{path}' {problem}."),
        })
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Creates the error for a record that does not follow the schema. `path` is the path of the
/// invalid member. An empty path stands for the whole record. The error code in the dead-letter
/// object is a choice, because the service's codes are not published.
pub(super) fn against_schema(path: &str, problem: &str) -> InvalidRecord {
    InvalidRecord {
        code: "SchemaValidationFailed",
        message: match path {
            "" => format!("The record {problem}."),
            path => format!("The record's member '{path}' {problem}."),
        },
    }
}

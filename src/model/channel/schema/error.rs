//! Errors of schemas and of records.

use crate::model::channel::InvalidRecord;
use std::fmt;

/// The reason why a JSON Schema makes no table, as a sentence for `ChannelStatusReason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaError(String);

impl SchemaError {
    pub(super) const fn new(sentence: String) -> Self {
        Self(sentence)
    }

    /// An error of the property at `path`; an empty path is the schema itself.
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

/// The reason why the record's member at `path` makes no value; an empty path is the record itself.
/// The code is that of a dead-letter line (a choice: the service's codes are not published).
pub(super) fn against_schema(path: &str, problem: &str) -> InvalidRecord {
    InvalidRecord {
        code: "SchemaValidationFailed",
        message: match path {
            "" => format!("The record {problem}."),
            path => format!("The record's member '{path}' {problem}."),
        },
    }
}

//! The errors of saving and loading snapshots.

use crate::store::StoreError;
use std::fmt;
use std::io;

/// Reason why a snapshot cannot be saved or loaded. A failed load changes nothing, except if the
/// store fails in the last step of the load.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The maximum number of snapshots is already being saved or loaded. Holds the reason as a
    /// text.
    Busy(&'static str),
    /// The file is not a valid snapshot of a known version. Holds the reason as a text.
    Refused(String),
    /// A stream was deleted, or a reset or a load removed all contents, before the save had read
    /// all records. Holds the reason as a text.
    Removed(String),
    /// Records cannot be read or written.
    Store(StoreError),
    /// The file cannot be read or written.
    Io(io::Error),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(reason) => f.write_str(reason),
            Self::Refused(reason) | Self::Removed(reason) => f.write_str(reason),
            Self::Store(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<StoreError> for SnapshotError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

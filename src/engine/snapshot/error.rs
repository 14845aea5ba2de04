//! The reasons why a snapshot is not saved or loaded.

use crate::store::StoreError;
use std::fmt;
use std::io;

/// The reason why a snapshot is not saved or loaded. A load that fails has changed nothing, unless
/// the store failed in its last step.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// As many snapshots are being saved or loaded as may be.
    Busy(&'static str),
    /// The file is not a sound snapshot of this version, for the reason.
    Refused(String),
    /// Records cannot be read or written.
    Store(StoreError),
    /// The file cannot be read or written.
    Io(io::Error),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(reason) => f.write_str(reason),
            Self::Refused(reason) => f.write_str(reason),
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

//! The errors of the destinations that channels write to.

use std::fmt;
use std::io;

/// The reason why a write to a destination failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationError {
    /// No destination of the channel's kind is configured. Holds a text that names the missing
    /// settings.
    NotConfigured(String),
    /// The destination cannot be reached, or did not answer in time. Holds the reason as a text.
    Unreachable(String),
    /// The destination refused the object, or the channel's table cannot be used. Holds the reason
    /// as a text.
    Refused(String),
}

impl fmt::Display for DestinationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotConfigured(reason) | Self::Unreachable(reason) | Self::Refused(reason)) =
            self;
        formatter.write_str(reason)
    }
}

impl std::error::Error for DestinationError {}

impl From<io::Error> for DestinationError {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

//! The starting position of a queue in its stream.

use crate::world::Timestamp;

/// The starting position of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueStart {
    /// With the oldest record.
    TrimHorizon,
    /// With the first record that becomes visible after the request.
    Latest,
    /// With the first record that arrived at this moment or later.
    AtTimestamp(Timestamp),
}

impl QueueStart {
    /// The text on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TrimHorizon => "TRIM_HORIZON",
            Self::Latest => "LATEST",
            Self::AtTimestamp(_) => "AT_TIMESTAMP",
        }
    }

    /// The moment that was given.
    pub(crate) const fn given(self) -> Option<Timestamp> {
        match self {
            Self::AtTimestamp(at) => Some(at),
            Self::TrimHorizon | Self::Latest => None,
        }
    }

    /// The position of that text, with the moment that belongs to it.
    pub(crate) fn parse(text: &str, at: Option<Timestamp>) -> Option<Self> {
        match (text, at) {
            ("TRIM_HORIZON", None) => Some(Self::TrimHorizon),
            ("LATEST", None) => Some(Self::Latest),
            ("AT_TIMESTAMP", Some(at)) => Some(Self::AtTimestamp(at)),
            _ => None,
        }
    }
}

//! The starting position of a queue in its stream.

use crate::world::Timestamp;

/// The starting position of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueStart {
    /// The queue begins with the oldest record of the stream.
    TrimHorizon,
    /// The queue begins with the first record that is published after the CreateQueue request.
    Latest,
    /// The queue begins with the first record that arrived at this time or later.
    AtTimestamp(Timestamp),
}

impl QueueStart {
    /// The name of the starting position in requests and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TrimHorizon => "TRIM_HORIZON",
            Self::Latest => "LATEST",
            Self::AtTimestamp(_) => "AT_TIMESTAMP",
        }
    }

    /// Returns the time of the position AT_TIMESTAMP. `None` for the other positions.
    pub(crate) const fn given(self) -> Option<Timestamp> {
        match self {
            Self::AtTimestamp(at) => Some(at),
            Self::TrimHorizon | Self::Latest => None,
        }
    }

    /// Returns the position with the name `text` and the time `at`. `None` for an unknown name, for
    /// AT_TIMESTAMP without a time, and for another position with a time.
    pub(crate) fn parse(text: &str, at: Option<Timestamp>) -> Option<Self> {
        match (text, at) {
            ("TRIM_HORIZON", None) => Some(Self::TrimHorizon),
            ("LATEST", None) => Some(Self::Latest),
            ("AT_TIMESTAMP", Some(at)) => Some(Self::AtTimestamp(at)),
            _ => None,
        }
    }
}

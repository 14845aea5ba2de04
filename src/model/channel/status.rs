//! The status of a channel.

use std::fmt;

/// The status of a channel (`ChannelStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelStatus {
    /// The channel is being created. It does not deliver records yet.
    Creating,
    /// The channel delivers records.
    Active,
    /// The channel is being changed. It delivers records during the change.
    Updating,
    /// The channel is being deleted. It no longer delivers records.
    Deleting,
    /// The channel cannot deliver records. It stays in this status until it is deleted.
    Failed,
}

impl ChannelStatus {
    /// All statuses of a channel.
    pub const ALL: [Self; 5] = [
        Self::Creating,
        Self::Active,
        Self::Updating,
        Self::Deleting,
        Self::Failed,
    ];

    /// The name of the status in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Failed => "FAILED",
        }
    }

    /// The status with the name `text`. `None` for an unknown name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// True if a channel in this status delivers records.
    pub const fn delivers(self) -> bool {
        matches!(self, Self::Active | Self::Updating)
    }
}

impl fmt::Display for ChannelStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

//! Status, capacity mode and encryption type of a stream, with the names that AWS uses.

use std::fmt;

/// The status of a stream (`StreamStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamStatus {
    /// The stream is being created. It has no shards yet.
    Creating,
    /// The stream can be read, written and changed.
    Active,
    /// The stream is being changed. It can be read and written during the change.
    Updating,
    /// The stream is being deleted.
    Deleting,
}

impl StreamStatus {
    /// The name of the status in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

impl fmt::Display for StreamStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The capacity mode of a stream (`StreamMode`), which decides how the number of shards is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamMode {
    /// The client sets the number of shards.
    Provisioned,
    /// The service sets the number of shards.
    OnDemand,
}

impl StreamMode {
    /// The name of the capacity mode in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::OnDemand => "ON_DEMAND",
        }
    }
}

impl fmt::Display for StreamMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The encryption of a stream's stored records (`EncryptionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptionType {
    /// Records are not encrypted.
    None,
    /// Records are encrypted with a key of KMS.
    Kms,
}

impl EncryptionType {
    /// The name of the encryption type in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Kms => "KMS",
        }
    }
}

impl fmt::Display for EncryptionType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_modes_are_named_as_the_service_names_them() {
        use StreamStatus::{Active, Creating, Deleting, Updating};
        let states = [Creating, Active, Updating, Deleting].map(|state| state.to_string());
        assert_eq!(states, ["CREATING", "ACTIVE", "UPDATING", "DELETING"]);
        let modes = [StreamMode::Provisioned, StreamMode::OnDemand].map(|mode| mode.to_string());
        assert_eq!(modes, ["PROVISIONED", "ON_DEMAND"]);
        let types = [EncryptionType::None, EncryptionType::Kms].map(|kind| kind.to_string());
        assert_eq!(types, ["NONE", "KMS"]);
    }
}

//! Status, capacity mode and encryption type of a stream, with AWS's names.

use std::fmt;

/// `StreamStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamStatus {
    /// The stream is being created and shows no shards yet.
    Creating,
    /// The stream can be read, written and changed.
    Active,
    /// The stream is being changed. It can be read and written.
    Updating,
    /// The stream is being deleted.
    Deleting,
}

impl StreamStatus {
    /// AWS's word.
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

/// `StreamMode`: the capacity mode, which decides how the number of shards is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamMode {
    /// The client sets the number of shards.
    Provisioned,
    /// The service sets the number of shards.
    OnDemand,
}

impl StreamMode {
    /// AWS's word.
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

/// `EncryptionType`: the encryption of stored records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptionType {
    /// No encryption.
    None,
    /// Encryption with a key of the Key Management Service.
    Kms,
}

impl EncryptionType {
    /// AWS's word.
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

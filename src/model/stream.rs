//! The states and modes of a stream, in AWS's words.

use std::fmt;

/// `StreamStatus`: where a stream is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamStatus {
    /// Asked for; it has no shards yet.
    Creating,
    /// At rest: it may be read, written and changed.
    Active,
    /// Being changed; it may be read and written.
    Updating,
    /// On its way out.
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

/// `StreamMode`: who decides how many shards a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamMode {
    /// The caller.
    Provisioned,
    /// The service.
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

/// `EncryptionType`: whether records are stored encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptionType {
    /// They are not.
    None,
    /// With a key of the Key Management Service.
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

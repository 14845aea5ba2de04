//! States of KMS keys. minikin has no key service: every key is usable unless an option declares it
//! unusable.

use std::collections::HashMap;

/// The reason why a KMS key is unusable, as declared by the option `--kms-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The key is disabled.
    Disabled,
    /// The key is pending deletion, or in another state in which it cannot be used.
    Pending,
    /// The caller has no permission to use the key.
    Denied,
    /// The key does not exist.
    Missing,
    /// The account has not subscribed to KMS.
    OptIn,
    /// KMS throttles the use of the key.
    Throttled,
}

impl KeyState {
    /// All states, each with its name in the option `--kms-key`.
    pub const ALL: [(&'static str, Self); 6] = [
        ("disabled", Self::Disabled),
        ("pending", Self::Pending),
        ("denied", Self::Denied),
        ("missing", Self::Missing),
        ("opt-in", Self::OptIn),
        ("throttled", Self::Throttled),
    ];

    /// The state whose name in `--kms-key` is `name`. `None` for an unknown name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, state)| state)
    }
}

/// The state of each unusable KMS key, by the key's id, alias or ARN. A key that is not in this map
/// is usable.
pub(crate) type Keys = HashMap<String, KeyState>;

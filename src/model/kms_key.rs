//! KMS keys. There is no key service here: the configuration makes single keys unusable.

use std::collections::HashMap;

/// The reason why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The key is disabled.
    Disabled,
    /// The key is pending deletion, or in another state that forbids its use.
    Pending,
    /// The caller may not use the key.
    Denied,
    /// The key does not exist.
    Missing,
    /// The account has not signed up for the key service.
    OptIn,
    /// Too many requests used the key.
    Throttled,
}

impl KeyState {
    /// All states, with their names in the option.
    pub const ALL: [(&'static str, Self); 6] = [
        ("disabled", Self::Disabled),
        ("pending", Self::Pending),
        ("denied", Self::Denied),
        ("missing", Self::Missing),
        ("opt-in", Self::OptIn),
        ("throttled", Self::Throttled),
    ];

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, state)| state)
    }
}

/// The unusable keys by id, alias or ARN. Every other key is usable.
pub(crate) type Keys = HashMap<String, KeyState>;

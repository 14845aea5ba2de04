//! Keys of the key service, which does not exist here: what the configuration says of some.

use std::collections::HashMap;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is disabled.
    Disabled,
    /// It is pending deletion, or in another state that forbids its use.
    Pending,
    /// The caller may not use it.
    Denied,
    /// It does not exist.
    Missing,
    /// The account has not signed up for the key service.
    OptIn,
    /// It was asked for too often.
    Throttled,
}

impl KeyState {
    /// All states, by the names that the option takes.
    pub const ALL: [(&'static str, Self); 6] = [
        ("disabled", Self::Disabled),
        ("pending", Self::Pending),
        ("denied", Self::Denied),
        ("missing", Self::Missing),
        ("opt-in", Self::OptIn),
        ("throttled", Self::Throttled),
    ];

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, state)| state)
    }
}

/// The keys that cannot be used, by id, alias or ARN; every other key can.
pub type Keys = HashMap<String, KeyState>;

//! The stored forms of streams and shards: a version byte, then CBOR. Never the wire forms.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Changes when a stored form changes in a way that an older program cannot read.
const VERSION: u8 = 1;

/// A stream without its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the stream")]
pub struct StreamValue {
    pub account: String,
    pub region: String,
    pub name: String,
    pub created_ms: i64,
    pub status: String,
    /// When the status ends by itself.
    pub due_ms: Option<i64>,
    pub on_demand: bool,
    pub retention_hours: u32,
    pub max_record_kib: u32,
    pub auto_distribution: bool,
    pub key_id: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the shard")]
pub struct ShardValue {
    pub start: [u8; 16],
    pub end: [u8; 16],
    pub created_s: u64,
    pub closed_s: Option<u64>,
    pub parent: Option<u32>,
    pub adjacent_parent: Option<u32>,
}

/// Gives a value its stored form.
macro_rules! stored {
    ($($value:ident),*) => {$(
        impl $value {
            /// The stored form.
            pub fn to_bytes(&self) -> Vec<u8> {
                to_bytes(self)
            }

            /// Reads the stored form; none if it is not one.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                from_bytes(bytes)
            }
        }
    )*};
}
stored!(StreamValue, ShardValue);

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
    bytes
}

fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (version, rest) = bytes.split_first()?;
    (*version == VERSION)
        .then(|| ciborium::from_reader(rest).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_and_another_version_is_refused() {
        let shard = ShardValue {
            start: [0; 16],
            end: [0xff; 16],
            created_s: 1_700_000_000,
            closed_s: None,
            parent: Some(1),
            adjacent_parent: None,
        };
        let mut bytes = shard.to_bytes();
        assert_eq!(ShardValue::from_bytes(&bytes), Some(shard));
        bytes[0] = VERSION + 1;
        assert_eq!(ShardValue::from_bytes(&bytes), None);
        assert_eq!(ShardValue::from_bytes(&[]), None);
    }
}

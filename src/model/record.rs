//! A record of a request, before it has a sequence number.

use super::hash_key::HashKey;
use bytes::Bytes;

/// The record of a PutRecord, or of one entry of a PutRecords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// `PartitionKey`. Optional for streams with record distribution strategy AUTO.
    pub partition_key: Option<Box<str>>,
    /// The hash key, which selects the shard.
    pub hash_key: HashKey,
    /// `Data`, decoded.
    pub data: Bytes,
}

impl NewRecord {
    /// The size that limits count, in bytes: data and partition key in UTF-8. An explicit hash key
    /// does not count.
    pub fn size_bytes(&self) -> u64 {
        (self.data.len() + self.partition_key.as_deref().map_or(0, str::len)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_key_counts_in_bytes_of_utf_8() {
        let record = |key: Option<&str>| NewRecord {
            partition_key: key.map(Into::into),
            hash_key: HashKey::MAX,
            data: Bytes::from_static(b"12345"),
        };
        assert_eq!(record(Some("a")).size_bytes(), 6);
        assert_eq!(record(Some("€")).size_bytes(), 8);
        assert_eq!(record(None).size_bytes(), 5);
    }
}

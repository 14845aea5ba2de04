//! The records of put requests, before they get a sequence number.

use super::hash_key::HashKey;
use bytes::Bytes;

/// A record to be written, from a PutRecord request or from an entry of a PutRecords request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// `PartitionKey`. Only a stream with the record distribution strategy AUTO accepts a record
    /// without a partition key.
    pub partition_key: Option<Box<str>>,
    /// The hash key, which selects the shard. `None` in a stream with the record distribution
    /// strategy AUTO, because the records of such a stream go to all open shards in rotation.
    pub hash_key: Option<HashKey>,
    /// `Data`, decoded from base64.
    pub data: Bytes,
}

impl NewRecord {
    /// Returns the number of bytes that count against the limits of records and writes: the data,
    /// and the partition key in UTF-8. An explicit hash key does not count.
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
            hash_key: Some(HashKey::MAX),
            data: Bytes::from_static(b"12345"),
        };
        assert_eq!(record(Some("a")).size_bytes(), 6);
        assert_eq!(record(Some("€")).size_bytes(), 8);
        assert_eq!(record(None).size_bytes(), 5);
    }
}

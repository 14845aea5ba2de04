//! A record as a producer hands it in, before it has a sequence number.

use super::hash_key::HashKey;
use bytes::Bytes;

/// What PutRecord, or one entry of PutRecords, asks to have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// `PartitionKey`; a stream that distributes by AUTO takes records without one.
    pub partition_key: Option<Box<str>>,
    /// Whose shard the record belongs to.
    pub hash_key: HashKey,
    /// `Data`, decoded.
    pub data: Bytes,
}

impl NewRecord {
    /// What the record counts for, in bytes, in limits of size and throughput: its data and its
    /// partition key in UTF-8, not the explicit hash key.
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

//! Refusals about shards and the records that go into them.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{ShardId, StreamArn};
use std::fmt;

/// Shards.
impl Error {
    /// A text that is no shard id, or one that names no shard of the stream.
    pub fn shard_not_found(raw: impl fmt::Display, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceNotFoundException
            .says(format!("Could not find shard {raw} in stream {stream}."))
    }

    /// The same for readers; it also stands for an unknown stream.
    pub fn shard_does_not_exist(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceNotFoundException
            .says(format!("Shard {shard} in stream {stream} does not exist"))
    }

    /// A shard takes no more now; of writes.
    pub fn write_rate_exceeded(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ProvisionedThroughputExceededException
            .says(format!(
                "Rate exceeded for shard {shard} in stream {stream}."
            ))
            .by(["shard-write-bytes", "shard-write-records"])
    }

    /// A shard gives no more now; of reads.
    pub fn read_rate_exceeded<const COUNT: usize>(
        shard: ShardId,
        stream: &StreamArn,
        limits: [&'static str; COUNT],
    ) -> Self {
        let (account, name) = (&stream.scope.account, &stream.name);
        Kind::ProvisionedThroughputExceededException
            .says(format!(
                "Rate exceeded for Shard - {account}/{name}/{shard}"
            ))
            .by(limits)
    }
}

/// Records.
impl Error {
    /// A hash key of 39 digits can still be too large.
    pub fn explicit_hash_key_range(key: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
             Specified value was {key}"
        ))
    }

    /// A SequenceNumberForOrdering that was never given out.
    pub fn ordering_number_invalid(number: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {stream} is \
             invalid."
        ))
    }

    /// AUTO streams order by themselves (the text is a choice).
    pub fn ordering_not_expected() -> Self {
        Kind::InvalidArgumentException.says(
            "SequenceNumberForOrdering is not supported for streams with record distribution \
             strategy AUTO.",
        )
    }

    /// Too many bytes in one PutRecords.
    pub fn records_too_large(limit_bytes: u64) -> Self {
        let limit = limit_bytes >> 20;
        Kind::InvalidArgumentException
            .says(format!("Records size exceeds {limit} MB limit"))
            .by(["put-records-bytes"])
    }

    /// Nothing is wrong, and nothing was done (the text is a choice).
    pub fn dry_run() -> Self {
        Kind::DryRunOperationException
            .says("The request was rejected because the DryRun parameter was specified.")
    }
}

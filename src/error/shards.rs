//! Errors about shards and records.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{ShardId, StreamArn};
use std::fmt;

/// Errors about shards.
impl Error {
    /// The text `raw` does not have the form of a shard id, or the stream has no shard with this
    /// id. The message was recorded for SubscribeToShard in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/dry_run.json).
    pub fn shard_not_found(raw: impl fmt::Display, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceNotFoundException
            .says(format!("Could not find shard {raw} in stream {stream}."))
    }

    /// GetShardIterator or GetRecords: the stream or the shard does not exist.
    pub fn shard_does_not_exist(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceNotFoundException
            .says(format!("Shard {shard} in stream {stream} does not exist"))
    }

    /// A put exceeds the limit on the shard's written bytes or records per second.
    pub fn write_rate_exceeded(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ProvisionedThroughputExceededException
            .says(format!(
                "Rate exceeded for shard {shard} in stream {stream}."
            ))
            .by(["shard-write-bytes", "shard-write-records"])
    }

    /// A read exceeds a limit on the shard's read calls or bytes per second. `limits` holds the
    /// names of the limits, spelled as for the option `--limit`.
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

/// Errors about records.
impl Error {
    /// The ExplicitHashKey is 2^128 or greater.
    pub fn explicit_hash_key_range(key: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
             Specified value was {key}"
        ))
    }

    /// The SequenceNumberForOrdering does not have the form of a sequence number, or is greater
    /// than every sequence number that the emulator has assigned.
    pub fn ordering_number_invalid(number: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {stream} is \
             invalid."
        ))
    }

    /// The request has a SequenceNumberForOrdering, but the stream has record distribution strategy
    /// AUTO. The message is a choice.
    pub fn ordering_not_expected() -> Self {
        Kind::InvalidArgumentException.says(
            "SequenceNumberForOrdering is not supported for streams with record distribution \
             strategy AUTO.",
        )
    }

    /// PutRecords: the records of the request together exceed `limit_bytes` bytes.
    pub fn records_too_large(limit_bytes: u64) -> Self {
        let limit = limit_bytes >> 20;
        Kind::InvalidArgumentException
            .says(format!("Records size exceeds {limit} MB limit"))
            .by(["put-records-bytes"])
    }

    /// The request of `operation` is valid, but was not carried out because it has DryRun set. The
    /// message was recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
    pub fn dry_run(operation: &str) -> Self {
        Kind::DryRunOperationException.says(format!(
            "DryRunOperation validation succeeded while calling {operation} operation.: Request \
             would have succeeded, but DryRun flag is set."
        ))
    }
}

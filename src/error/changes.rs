//! Refusals of changes: resharding, capacity, retention, encryption.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{Shard, ShardId, StreamArn};

/// Resharding and capacity.
impl Error {
    /// A shard that was split or merged before.
    pub fn shard_closed(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Shard {shard} in stream {stream} has already been merged or split, and thus is not \
             eligible for merging or splitting."
        ))
    }

    /// Two shards that are no neighbours, or not in this order.
    pub fn shards_not_adjacent(lower: ShardId, upper: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Shards {lower} and {upper} in stream {stream} are not an adjacent pair of shards \
             eligible for merging"
        ))
    }

    /// A hash key that leaves one of the children too little.
    pub fn hash_key_not_inside(key: &str, shard: &Shard, stream: &StreamArn) -> Self {
        let (stream, range) = (named(stream), shard.hash_key_range);
        Kind::InvalidArgumentException.says(format!(
            "NewStartingHashKey {key} used in SplitShard() on shard {} in stream {stream} is not \
             both greater than one plus the shard's StartingHashKey {} and less than the shard's \
             EndingHashKey {}.",
            shard.id, range.start, range.end
        ))
    }

    /// An on-demand stream looks after its shards itself.
    pub fn stream_is_on_demand(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ValidationException.says(format!(
            "Request is invalid. Stream {stream} is in On-Demand mode."
        ))
    }

    /// A provisioned stream has no warm throughput (the text is a choice).
    pub fn stream_is_provisioned(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ValidationException.says(format!(
            "Request is invalid. Stream {stream} is in Provisioned mode."
        ))
    }

    /// More shards than a stream may have.
    pub fn target_above_limit(limit: u64, open: u64, target: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "Target shard count or number of open shards cannot be greater than {limit}. Current \
             open shard count: {open}, Target shard count: {target}"
        ))
        .by(["shards-per-stream"])
    }

    /// More than twice as many shards as before.
    pub fn target_above_double(open: u64, target: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "UpdateShardCount cannot scale up over double your current open shard count. Current \
             open shard count: {open}, Target shard count: {target}"
        ))
    }

    /// Less than half as many shards as before.
    pub fn target_below_half(open: u64, target: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "UpdateShardCount cannot scale down below half your current open shard count. Current \
             open shard count: {open}, Target shard count: {target}"
        ))
    }

    /// Something was done too often in a day (the text is a choice).
    pub fn too_often_a_day(what: &str, name: &'static str, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "{what} at most {limit} times per rolling 24 hours on a stream."
            ))
            .by([name])
    }

    /// More warm throughput than there is (the text is a choice).
    pub fn warm_throughput_too_high(limit: u64) -> Self {
        Kind::InvalidArgumentException
            .says(format!(
                "WarmThroughputMiBps cannot be greater than {limit}."
            ))
            .by(["warm-throughput"])
    }

    /// Distribution strategies are for on-demand streams (the text is a choice).
    pub fn distribution_not_supported() -> Self {
        Self::auto_distribution_not_expected()
    }

    /// A provisioned stream cannot go on spreading records itself (the text is a choice).
    pub fn auto_distribution_in_the_way() -> Self {
        Kind::InvalidArgumentException.says(
            "A stream with record distribution strategy AUTO cannot be switched to Provisioned \
             mode.",
        )
    }
}

/// Retention periods.
impl Error {
    /// Below a day.
    pub fn retention_too_short(hours: i32, min: i32) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Minimum allowed retention period is {min} hours. Requested retention period ({hours} \
             hours) is too short."
        ))
    }

    /// Above a year.
    pub fn retention_too_long(hours: i32, max: i32) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Maximum allowed retention period is {max} hours. Requested retention period ({hours} \
             hours) is too long."
        ))
    }

    /// A decrease that is an increase.
    pub fn retention_not_shorter(hours: i32, stream: &StreamArn, current: u32) -> Self {
        let stream = &stream.name;
        Kind::InvalidArgumentException.says(format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be longer than \
             existing retention period ({current} hours). Use IncreaseRetentionPeriod API."
        ))
    }

    /// An increase that is a decrease.
    pub fn retention_not_longer(hours: i32, stream: &StreamArn, current: u32) -> Self {
        let stream = &stream.name;
        Kind::InvalidArgumentException.says(format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be shorter than \
             existing retention period ({current} hours). Use DecreaseRetentionPeriod API."
        ))
    }
}

/// Encryption.
impl Error {
    /// A key is started with, not nothing (the text is a choice).
    pub fn encryption_type_not_kms() -> Self {
        Kind::InvalidArgumentException.says("EncryptionType must be KMS.")
    }

    /// A key that the stream is not encrypted with (the text is a choice).
    pub fn other_key(key: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException
            .says(format!("Stream {stream} is not encrypted with key {key}."))
    }

    /// A key that the configuration makes unusable (the texts are choices).
    pub fn key_unusable(kind: Kind, key: &str) -> Self {
        let state = match kind {
            Kind::KMSDisabledException => "is disabled.",
            Kind::KMSInvalidStateException => "is pending deletion.",
            Kind::KMSAccessDeniedException => "is not accessible to the caller.",
            Kind::KMSOptInRequired => "needs the account to be signed up for the key service.",
            Kind::KMSThrottlingException => "was asked for too often.",
            _ => "does not exist.",
        };
        kind.says(format!("KMS key {key} {state}"))
    }
}

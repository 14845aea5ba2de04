//! Errors about changes of a stream: resharding, capacity, retention and encryption.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{Shard, ShardId, StreamArn};

/// Errors about resharding and capacity.
impl Error {
    /// The shard is closed: an earlier request split or merged it. The message was recorded for
    /// SplitShard in September 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
    pub fn shard_closed(shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Shard {shard} in stream {stream} has already been merged or split, and thus is not \
             eligible for merging or splitting."
        ))
    }

    /// MergeShards: the two shards are not adjacent, or the request names the shards in the wrong
    /// order.
    pub fn shards_not_adjacent(lower: ShardId, upper: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Shards {lower} and {upper} in stream {stream} are not an adjacent pair of shards \
             eligible for merging"
        ))
    }

    /// SplitShard: with the requested NewStartingHashKey, one of the two child shards would get no
    /// hash keys.
    pub fn hash_key_not_inside(key: &str, shard: &Shard, stream: &StreamArn) -> Self {
        let (stream, range) = (named(stream), shard.hash_key_range);
        Kind::InvalidArgumentException.says(format!(
            "NewStartingHashKey {key} used in SplitShard() on shard {} in stream {stream} is not \
             both greater than one plus the shard's StartingHashKey {} and less than the shard's \
             EndingHashKey {}.",
            shard.id, range.start, range.end
        ))
    }

    /// The request would reshard an on-demand stream. The service reshards such a stream by itself.
    pub fn stream_is_on_demand(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ValidationException.says(format!(
            "Request is invalid. Stream {stream} is in On-Demand mode."
        ))
    }

    /// The request is for on-demand streams only, but the stream is provisioned. The message is a
    /// choice.
    pub fn stream_is_provisioned(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ValidationException.says(format!(
            "Request is invalid. Stream {stream} is in Provisioned mode."
        ))
    }

    /// UpdateShardCount: the stream would have more open shards than `limit` allows.
    pub fn target_above_limit(limit: u64, open: u64, target: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "Target shard count or number of open shards cannot be greater than {limit}. Current \
             open shard count: {open}, Target shard count: {target}"
        ))
        .by(["shards-per-stream"])
    }

    /// UpdateShardCount: the target is more than twice the number of open shards. The message was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/topology_raw.json).
    pub fn target_above_double(open: u64, target: u64) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "UpdateShardCount cannot scale up over double your current open shard count. Current \
             open shard count: {open} Target shard count: {target}"
        ))
    }

    /// UpdateShardCount: the target is less than half of the number of open shards. The message is
    /// a choice. Its wording follows the message of `target_above_double`.
    pub fn target_below_half(open: u64, target: u64) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "UpdateShardCount cannot scale down below half your current open shard count. Current \
             open shard count: {open} Target shard count: {target}"
        ))
    }

    /// StartStreamEncryption or StopStreamEncryption: in the last 24 hours, `operation` already
    /// changed the stream `limit` times. The message is a choice.
    pub fn too_often_a_day(operation: &str, name: &'static str, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "{operation} can be called at most {limit} times per rolling 24 hours on a stream."
            ))
            .by([name])
    }

    /// UpdateStreamMode or UpdateShardCount: the stream was changed too often in the last 24 hours.
    /// `name` is the name of the limit. The service sends the same message as for an exceeded call
    /// rate. This message was recorded for UpdateStreamMode in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json). It was reported for UpdateShardCount in 2017
    /// (awslabs/amazon-kinesis-scaling-utils#52). Another report names the limit on changes in 24
    /// hours as the cause (#54).
    pub fn daily_rate_exceeded(stream: &StreamArn, name: &'static str) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException
            .says(format!("Rate exceeded for stream {stream}."))
            .by([name])
    }

    /// The requested warm throughput exceeds the limit. The message is a choice.
    pub fn warm_throughput_too_high(limit: u64) -> Self {
        Kind::InvalidArgumentException
            .says(format!(
                "WarmThroughputMiBps cannot be greater than {limit}."
            ))
            .by(["warm-throughput"])
    }

    /// A stream with record distribution strategy AUTO cannot switch to provisioned mode. The
    /// message is a choice.
    pub fn auto_distribution_prevents_provisioned() -> Self {
        Kind::InvalidArgumentException.says(
            "A stream with record distribution strategy AUTO cannot be switched to Provisioned \
             mode.",
        )
    }
}

/// Errors about retention periods.
impl Error {
    /// The requested retention period of `hours` hours is shorter than the service allows.
    pub fn retention_too_short(hours: i32, min: i32) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Minimum allowed retention period is {min} hours. Requested retention period ({hours} \
             hours) is too short."
        ))
    }

    /// The requested retention period of `hours` hours is longer than the service allows. The
    /// message was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    pub fn retention_too_long(hours: i32, max: i32) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Maximum allowed retention period is {max} hours. Requested retention period ({hours} \
             hours) is too long."
        ))
    }

    /// DecreaseStreamRetentionPeriod: the requested retention period is longer than the present
    /// retention period.
    pub fn retention_not_shorter(hours: i32, stream: &StreamArn, current: u32) -> Self {
        let stream = &stream.name;
        Kind::InvalidArgumentException.says(format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be longer than \
             existing retention period ({current} hours). Use IncreaseRetentionPeriod API."
        ))
    }

    /// IncreaseStreamRetentionPeriod: the requested retention period is shorter than the present
    /// retention period.
    pub fn retention_not_longer(hours: i32, stream: &StreamArn, current: u32) -> Self {
        let stream = &stream.name;
        Kind::InvalidArgumentException.says(format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be shorter than \
             existing retention period ({current} hours). Use DecreaseRetentionPeriod API."
        ))
    }
}

/// Errors about encryption.
impl Error {
    /// StartStreamEncryption or StopStreamEncryption: the request has encryption type NONE. The
    /// message is a choice.
    pub fn encryption_type_not_kms() -> Self {
        Kind::InvalidArgumentException.says("EncryptionType must be KMS.")
    }

    /// StopStreamEncryption: the stream is not encrypted. The message was recorded in September
    /// 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn not_encrypted() -> Self {
        Kind::InvalidArgumentException.says("Cannot stop encrypting an unencrypted stream.")
    }

    /// StopStreamEncryption: the stream is encrypted with a key other than the key in the request.
    /// The message is a choice.
    pub fn other_key(key: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException
            .says(format!("Stream {stream} is not encrypted with key {key}."))
    }
}

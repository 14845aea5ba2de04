//! Errors about streams: their existence, status, limits and creation.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{AccountId, StreamArn, StreamStatus};

/// Errors about a stream's existence and status, and about limits of the account.
impl Error {
    /// The stream does not exist.
    pub fn stream_not_found(stream: &StreamArn) -> Self {
        Kind::ResourceNotFoundException.says(format!("Stream {} not found.", named(stream)))
    }

    /// CreateStream: the account already has a stream of this name in the region.
    pub fn stream_exists(stream: &StreamArn) -> Self {
        Kind::ResourceInUseException.says(format!("Stream {} already exists.", named(stream)))
    }

    /// The stream's status does not allow the requested change.
    pub fn stream_not_active(stream: &StreamArn, status: StreamStatus) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Stream {stream} not ACTIVE, instead in state {status}"
        ))
    }

    /// The request has neither a StreamName nor a StreamARN. The message was recorded in September
    /// 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn no_stream_given() -> Self {
        Kind::InvalidArgumentException
            .says("Stream arn and stream name can't be empty at the same time")
    }

    /// The stream's name `name` differs from `inferred`, the name in the request's StreamARN.
    /// `name` comes from the request's StreamName or from its shard iterator. The message was
    /// recorded in both cases in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json and dry_run.json).
    pub fn name_and_arn_differ(name: &str, inferred: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Input stream name {name} doesn't match the inferred name in stream arn {inferred}"
        ))
    }

    /// The request's StreamARN matches the pattern in the service model, but is not the ARN of a
    /// stream. The message is a choice.
    pub fn stream_arn_unparsed(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!("{arn} is not the ARN of a stream."))
    }

    /// The request's StreamARN names another region than the region for which the request was
    /// signed. The message was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    pub fn arn_of_other_region(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "The region specified in the ARN '{arn}' does not match the endpoint region"
        ))
    }

    /// Too many streams of the account are in status CREATING or DELETING.
    pub fn too_many_in_transition(account: AccountId, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would have exceed the limit on the number  of streams that can \
             simultaneously be in CREATING or DELETING for the account {account}. Limit: {limit}."
            ))
            .by(["streams-in-transition"])
    }

    /// The account would have more on-demand streams than the limit allows. The message is quoted
    /// in terraform-provider-aws issue 38094.
    pub fn too_many_on_demand(account: AccountId, region: &str, open: u64, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of On-Demand streams for the \
             account {account} in {region}. Current On-Demand streams count: {open}. Limit: {limit}."
            ))
            .by(["on-demand-streams"])
    }

    /// The account would have more open shards than the limit allows.
    pub fn too_many_shards(stream: &StreamArn, open: u64, limit: u64, more: u64) -> Self {
        let (account, region) = (&stream.scope.account, &stream.scope.region);
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the shard limit for the account {account} in {region}. \
             Current shard count for the account: {open}. Limit: {limit}. Number of additional \
             shards that would have resulted from this request: {more}. Refer to the AWS Service \
             Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) \
             for current limits and how to request higher limits."
            ))
            .by(["shards-per-account"])
    }
}

/// Errors about members of CreateStream that do not fit together.
impl Error {
    /// CreateStream: ShardCount is set for an on-demand stream.
    pub fn shard_count_not_expected() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is not expected when StreamMode=ON_DEMAND")
    }

    /// CreateStream: ShardCount is missing for a provisioned stream. The message was reported in
    /// September 2026 (badmintoncryer/cdk-preflight,
    /// rules/kinesis/pf-kinesis-provisioned-shard-count/meta.yaml). The exception's name is a
    /// choice.
    pub fn shard_count_required() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is expected when StreamMode=PROVISIONED")
    }

    /// CreateStream: WarmThroughputMiBps and ShardCount are both set. The message was reported in
    /// September 2026 (badmintoncryer/cdk-preflight,
    /// rules/kinesis/pf-kinesis-warm-throughput-shard-count/rule.rego). The exception's name is a
    /// choice.
    pub fn warm_throughput_and_shard_count() -> Self {
        Kind::InvalidArgumentException
            .says("Either 'warmThroughputMiBps' or 'shardCount' can be set but not both")
    }

    /// CreateStream: WarmThroughputMiBps is set for a provisioned stream. The message was reported
    /// together with the message of [`Error::warm_throughput_and_shard_count`]. The exception's
    /// name is a choice.
    pub fn warm_throughput_of_provisioned() -> Self {
        Kind::InvalidArgumentException.says(
            "WarmThroughputMiBps cannot be set while creating stream in Provisioned StreamMode",
        )
    }

    /// UpdateStreamMode: WarmThroughputMiBps is set, but the stream is or becomes provisioned. The
    /// message is a choice.
    pub fn warm_throughput_not_expected() -> Self {
        Kind::InvalidArgumentException
            .says("WarmThroughputMiBps is not expected when StreamMode=PROVISIONED")
    }

    /// WarmThroughputMiBps is set, but the account has no minimum throughput billing commitment.
    /// The message was recorded for UpdateStreamWarmThroughput in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    pub fn warm_throughput_without_commitment(account: AccountId) -> Self {
        Kind::ValidationException.says(format!(
            "Account {account} is not enabled for minimum throughput billing commitment"
        ))
    }

    /// Record distribution strategy AUTO is set for a provisioned stream. The message is a choice.
    pub fn auto_distribution_not_expected() -> Self {
        Kind::InvalidArgumentException.says(
            "Record distribution strategy AUTO is only supported for streams in On-Demand mode.",
        )
    }
}

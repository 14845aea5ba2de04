//! Errors about streams, their status, and their creation.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{AccountId, StreamArn, StreamStatus};

/// Streams and their states.
impl Error {
    /// There is no such stream.
    pub fn stream_not_found(stream: &StreamArn) -> Self {
        Kind::ResourceNotFoundException.says(format!("Stream {} not found.", named(stream)))
    }

    /// The account has a stream of that name.
    pub fn stream_exists(stream: &StreamArn) -> Self {
        Kind::ResourceInUseException.says(format!("Stream {} already exists.", named(stream)))
    }

    /// The stream's status does not allow the change.
    pub fn stream_not_active(stream: &StreamArn, status: StreamStatus) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Stream {stream} not ACTIVE, instead in state {status}"
        ))
    }

    /// The request has neither a name nor an ARN (the text is a choice).
    pub fn no_stream_given() -> Self {
        Kind::InvalidArgumentException.says("Either StreamName or StreamARN should be provided.")
    }

    /// The name and the ARN name different streams (the text is a choice).
    pub fn name_and_arn_differ(name: &str, arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "StreamName {name} and StreamARN {arn} do not refer to the same stream."
        ))
    }

    /// The text matches the pattern but is no stream's ARN (the text is a choice).
    pub fn stream_arn_unparsed(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!("{arn} is not the ARN of a stream."))
    }

    /// Too many streams are CREATING or DELETING.
    pub fn too_many_in_transition(account: AccountId, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would have exceed the limit on the number  of streams that can \
             simultaneously be in CREATING or DELETING for the account {account}. Limit: {limit}."
            ))
            .by(["streams-in-transition"])
    }

    /// The account would have too many on-demand streams (terraform-provider-aws issue 38094).
    pub fn too_many_on_demand(account: AccountId, region: &str, open: u64, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of On-Demand streams for the \
             account {account} in {region}. Current On-Demand streams count: {open}. Limit: {limit}."
            ))
            .by(["on-demand-streams"])
    }

    /// The account would have too many open shards.
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

/// CreateStream's members against each other.
impl Error {
    /// A shard count for an on-demand stream.
    pub fn shard_count_not_expected() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is not expected when StreamMode=ON_DEMAND")
    }

    /// A provisioned stream without a shard count (the text is a choice).
    pub fn shard_count_required() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is required when StreamMode=PROVISIONED")
    }

    /// Warm throughput for a provisioned stream (the text is a choice).
    pub fn warm_throughput_not_expected() -> Self {
        Kind::InvalidArgumentException
            .says("WarmThroughputMiBps is not expected when StreamMode=PROVISIONED")
    }

    /// Warm throughput without the account's commitment (the text is a choice).
    pub fn warm_throughput_without_commitment(account: AccountId) -> Self {
        Kind::ValidationException.says(format!(
            "WarmThroughputMiBps requires the minimum throughput billing commitment to be enabled \
             for the account {account}."
        ))
    }

    /// Strategy AUTO for a provisioned stream (the text is a choice).
    pub fn auto_distribution_not_expected() -> Self {
        Kind::InvalidArgumentException.says(
            "Record distribution strategy AUTO is only supported for streams in On-Demand mode.",
        )
    }
}

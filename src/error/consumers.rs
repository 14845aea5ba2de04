//! Errors about consumers, policies and rates of calls.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{AccountId, ConsumerArn, ShardId, StreamArn};

/// Consumers.
impl Error {
    /// The stream has consumers and cannot be deleted without `EnforceConsumerDeletion`. The text is
    /// quoted in five public reports.
    pub fn stream_has_consumers(stream: &StreamArn) -> Self {
        let (account, name) = (stream.scope.account, &stream.name);
        Kind::ResourceInUseException.says(format!(
            "DeleteStream can't delete {account}:{name} because there are consumers associated \
             with this data stream. To delete {name} anyway, set the EnforceConsumerDeletion \
             parameter to true to force the deletion of all the consumers that are associated \
             with it."
        ))
    }
}

/// Consumers, policies and rates.
impl Error {
    /// The request does not name a consumer completely (the text is a choice).
    pub fn no_consumer_given() -> Self {
        Kind::InvalidArgumentException
            .says("Must specify either ConsumerARN or both StreamARN and ConsumerName.")
    }

    /// The members name different consumers (the text is a choice).
    pub fn consumer_names_differ() -> Self {
        Kind::InvalidArgumentException
            .says("ConsumerARN, StreamARN and ConsumerName do not identify the same consumer.")
    }

    /// No such consumer; `given` is the ARN or the name in the request.
    pub fn consumer_not_found(given: &str, account: AccountId) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("Consumer {given}, account {account} not found."))
    }

    /// The stream has a consumer of that name (the text is a choice).
    pub fn consumer_exists(name: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} under stream {stream} already exists."
        ))
    }

    /// The consumer is CREATING or DELETING.
    pub fn consumer_not_active(consumer: &ConsumerArn) -> Self {
        let (name, stream, created) = (
            &consumer.name,
            named_with_and(&consumer.stream),
            consumer.created_s,
        );
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} with creation timestamp {created} under stream {stream} is not in \
             ACTIVE status."
        ))
    }

    /// The consumer is CREATING or DELETING, in the words of SubscribeToShard.
    pub fn subscriber_not_active(consumer: &ConsumerArn) -> Self {
        let (name, created, stream) = (&consumer.name, consumer.created_s, &consumer.stream);
        let (stream, account) = (&stream.name, stream.scope.account);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} with creation timestamp {created} under stream: {stream} , account \
             {account} is not in ACTIVE status."
        ))
    }

    /// The consumer has an active subscription to the shard.
    pub fn already_subscribed(stream: &StreamArn, shard: ShardId, consumer: &str) -> Self {
        let (account, stream) = (stream.scope.account, &stream.name);
        Kind::ResourceInUseException.says(format!(
            "Another active subscription exists for this consumer: \
             {account}:{stream}:{shard}:{consumer}"
        ))
    }

    /// The stream would have too many consumers (the text is a choice).
    pub fn too_many_consumers(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException.says(format!(
            "This request would exceed the limit on the number of consumers for stream {stream}. \
             Limit: {limit}."
        ))
        .by(["consumers-per-stream", "consumers-per-committed-stream"])
    }

    /// Too many consumers of the stream are CREATING (the text is a choice).
    pub fn too_many_consumers_creating(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of consumers that can \
             simultaneously be in CREATING for stream {stream}. Limit: {limit}."
            ))
            .by(["consumers-creating"])
    }

    /// The policy document is invalid (the text is a choice).
    pub fn policy_invalid() -> Self {
        Kind::ValidationException.says("Invalid policy document.")
    }

    /// The resource has no policy to delete.
    pub fn policy_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("No resource policy found for resource ARN {arn}."))
    }

    /// The ARN names neither a stream nor a consumer (the text is a choice).
    pub fn resource_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Resource {arn} not found."))
    }

    /// The operation was called too often on the stream.
    pub fn stream_call_rate_exceeded(rate: &'static str, stream: &str, account: AccountId) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "Rate exceeded for stream {stream} under account {account}."
            ))
            .by([rate])
    }

    /// The operation was called too often by the account.
    pub fn account_call_rate_exceeded(rate: &'static str, account: AccountId) -> Self {
        Kind::LimitExceededException
            .says(format!("Rate exceeded for account {account}."))
            .by([rate])
    }
}

/// The stream as one message about consumers names it.
fn named_with_and(stream: &StreamArn) -> String {
    format!("{} and account {}", stream.name, stream.scope.account)
}

//! Errors about consumers, resource policies and call rates.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{AccountId, ConsumerArn, ShardId, StreamArn};

/// Errors about a stream's consumers.
impl Error {
    /// DeleteStream without `EnforceConsumerDeletion`: the stream has consumers. Five public
    /// reports quote the message.
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

/// Errors about consumers, policies and call rates.
impl Error {
    /// The request has neither a ConsumerARN nor both StreamARN and ConsumerName. The message is a
    /// choice.
    pub fn no_consumer_given() -> Self {
        Kind::InvalidArgumentException
            .says("Must specify either ConsumerARN or both StreamARN and ConsumerName.")
    }

    /// ConsumerARN, StreamARN and ConsumerName of the request name different consumers. The message
    /// is a choice.
    pub fn consumer_names_differ() -> Self {
        Kind::InvalidArgumentException
            .says("ConsumerARN, StreamARN and ConsumerName do not identify the same consumer.")
    }

    /// No consumer has this ARN. The message was recorded for DescribeStreamConsumer in September
    /// 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
    pub fn consumer_not_found(consumer: &ConsumerArn) -> Self {
        let (name, created) = (&consumer.name, consumer.created_s);
        Self::no_consumer(
            &format!("{name} with creation timestamp {created}"),
            &consumer.stream,
        )
    }

    /// The stream has no consumer of this name. The message was recorded for SubscribeToShard in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json). The message does not
    /// contain the creation time, although the request's ConsumerARN contains it.
    pub fn consumer_name_not_found(name: &str, stream: &StreamArn) -> Self {
        Self::no_consumer(name, stream)
    }

    fn no_consumer(consumer: &str, stream: &StreamArn) -> Self {
        let (stream, account) = (&stream.name, stream.scope.account);
        Kind::ResourceNotFoundException.says(format!(
            "Consumer {consumer} under stream: {stream}, account {account} not found."
        ))
    }

    /// The request's ConsumerARN matches the pattern in the service model, but is not the ARN of a
    /// consumer. The message is a choice.
    pub fn consumer_arn_unparsed(arn: &str, account: AccountId) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("Consumer {arn}, account {account} not found."))
    }

    /// RegisterStreamConsumer: the stream already has a consumer of this name. The message was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/records.json).
    pub fn consumer_exists(name: &str, stream: &StreamArn) -> Self {
        let (stream, account) = (&stream.name, stream.scope.account);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} under stream {stream} already exists for account {account}."
        ))
    }

    /// The request would change the consumer or its policy, but the consumer is in status CREATING
    /// or DELETING.
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

    /// SubscribeToShard: the consumer is in status CREATING or DELETING.
    pub fn subscriber_not_active(consumer: &ConsumerArn) -> Self {
        let (name, created, stream) = (&consumer.name, consumer.created_s, &consumer.stream);
        let (stream, account) = (&stream.name, stream.scope.account);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} with creation timestamp {created} under stream: {stream} , account \
             {account} is not in ACTIVE status."
        ))
    }

    /// SubscribeToShard: the consumer already has an active subscription to the shard.
    pub fn already_subscribed(stream: &StreamArn, shard: ShardId, consumer: &str) -> Self {
        let (account, stream) = (stream.scope.account, &stream.name);
        Kind::ResourceInUseException.says(format!(
            "Another active subscription exists for this consumer: \
             {account}:{stream}:{shard}:{consumer}"
        ))
    }

    /// RegisterStreamConsumer: the stream already has `limit` consumers. The message is a choice.
    pub fn too_many_consumers(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException.says(format!(
            "This request would exceed the limit on the number of consumers for stream {stream}. \
             Limit: {limit}."
        ))
        .by(["consumers-per-stream", "consumers-per-committed-stream"])
    }

    /// RegisterStreamConsumer: `limit` consumers of the stream are already in status CREATING. The
    /// message is a choice.
    pub fn too_many_consumers_creating(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of consumers that can \
             simultaneously be in CREATING for stream {stream}. Limit: {limit}."
            ))
            .by(["consumers-creating"])
    }

    /// PutResourcePolicy: the policy document is invalid. The message was recorded in September
    /// 2026 for a text that is not JSON (radkawar/stackd, testdata/aws/kinesis/controls.json). The
    /// emulator sends the same message for a JSON document without statements.
    pub fn policy_invalid() -> Self {
        Kind::InvalidArgumentException
            .says("Policy validation error: This policy contains invalid Json")
    }

    /// PutResourcePolicy: a statement has no Principal. The message was reported in September 2026
    /// (badmintoncryer/cdk-preflight,
    /// rules/kinesis/pf-kinesis-resource-policy-principal/meta.yaml). The name of the exception is
    /// a choice, the same name as for [`Error::policy_invalid`].
    pub fn policy_without_principal() -> Self {
        Kind::InvalidArgumentException
            .says("Policy validation error: Missing required field Principal")
    }

    /// PutResourcePolicy: a statement has a NotPrincipal. The message was reported in the file
    /// rule.rego, in the same folder as the message of [`Error::policy_without_principal`].
    pub fn policy_not_principal() -> Self {
        Kind::InvalidArgumentException
            .says("Policy validation error: Has prohibited field NotPrincipal")
    }

    /// DeleteResourcePolicy: the resource has no policy. The message was recorded in September 2026
    /// (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn policy_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("No resource policy found for resource ARN {arn}."))
    }

    /// The ARN names a resource that does not exist, or a resource that cannot have a policy or
    /// tags. The message is a choice.
    pub fn resource_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Resource {arn} not found."))
    }

    /// The calls of one operation on one stream exceed the operation's call rate. `rate` is the
    /// name of the limit.
    pub fn stream_call_rate_exceeded(rate: &'static str, stream: &str, account: AccountId) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "Rate exceeded for stream {stream} under account {account}."
            ))
            .by([rate])
    }

    /// The calls of one operation by one account exceed the operation's call rate. `rate` is the
    /// name of the limit.
    pub fn account_call_rate_exceeded(rate: &'static str, account: AccountId) -> Self {
        Kind::LimitExceededException
            .says(format!("Rate exceeded for account {account}."))
            .by([rate])
    }
}

/// Returns the stream's name and account, joined with "and". Most messages join the name and the
/// account with "under" instead.
fn named_with_and(stream: &StreamArn) -> String {
    format!("{} and account {}", stream.name, stream.scope.account)
}

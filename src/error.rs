//! What the service answers when it refuses: every exception, and every text in one place.

use crate::engine::StoreError;
use crate::model::{AccountId, ConsumerArn, Shard, ShardId, StreamArn, StreamStatus};
use crate::world::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// An exception of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Which one.
    pub kind: Kind,
    /// Its message; some have none.
    pub message: Option<Cow<'static, str>>,
}

/// The exceptions' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the service's")]
pub enum Kind {
    DryRunOperationException,
    ExpiredIteratorException,
    ExpiredNextTokenException,
    IncompleteSignatureException,
    InternalFailure,
    InvalidArgumentException,
    InvalidSignatureException,
    KMSAccessDeniedException,
    KMSDisabledException,
    KMSInvalidStateException,
    KMSNotFoundException,
    KMSOptInRequired,
    KMSThrottlingException,
    LimitExceededException,
    MissingAuthenticationTokenException,
    ProvisionedThroughputExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    SerializationException,
    UnknownOperationException,
    ValidationException,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DryRunOperationException => "DryRunOperationException",
            Self::ExpiredIteratorException => "ExpiredIteratorException",
            Self::ExpiredNextTokenException => "ExpiredNextTokenException",
            Self::IncompleteSignatureException => "IncompleteSignatureException",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidArgumentException => "InvalidArgumentException",
            Self::InvalidSignatureException => "InvalidSignatureException",
            Self::KMSAccessDeniedException => "KMSAccessDeniedException",
            Self::KMSDisabledException => "KMSDisabledException",
            Self::KMSInvalidStateException => "KMSInvalidStateException",
            Self::KMSNotFoundException => "KMSNotFoundException",
            Self::KMSOptInRequired => "KMSOptInRequired",
            Self::KMSThrottlingException => "KMSThrottlingException",
            Self::LimitExceededException => "LimitExceededException",
            Self::MissingAuthenticationTokenException => "MissingAuthenticationTokenException",
            Self::ProvisionedThroughputExceededException => {
                "ProvisionedThroughputExceededException"
            }
            Self::ResourceInUseException => "ResourceInUseException",
            Self::ResourceNotFoundException => "ResourceNotFoundException",
            Self::SerializationException => "SerializationException",
            Self::UnknownOperationException => "UnknownOperationException",
            Self::ValidationException => "ValidationException",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        if matches!(self, Self::InternalFailure) {
            500
        } else {
            400
        }
    }

    /// The key of the message: the service spells it with a capital for this one type only.
    pub const fn message_key(self) -> &'static str {
        if matches!(self, Self::SerializationException) {
            "Message"
        } else {
            "message"
        }
    }

    fn says(self, message: impl Into<Cow<'static, str>>) -> Error {
        Error {
            kind: self,
            message: Some(message.into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        self.message
            .as_ref()
            .map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl std::error::Error for Error {}

/// Whatever the store's trouble is, a client is told of none of it; the log is.
impl From<StoreError> for Error {
    fn from(_: StoreError) -> Self {
        Self::internal()
    }
}

/// A stream as every text names it, also when it was addressed by its ARN.
fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}

/// Requests that cannot be read.
impl Error {
    /// The body is no document or not a structure.
    pub fn unreadable() -> Self {
        Self {
            kind: Kind::SerializationException,
            message: None,
        }
    }

    /// A member has the wrong type.
    pub fn mistyped(message: Option<Cow<'static, str>>) -> Self {
        Self {
            kind: Kind::SerializationException,
            message,
        }
    }

    /// Members break their constraints; `message` lists how.
    pub fn invalid(message: String) -> Self {
        Kind::ValidationException.says(message)
    }

    /// No such service or operation.
    pub fn unknown_operation() -> Self {
        Self {
            kind: Kind::UnknownOperationException,
            message: None,
        }
    }

    /// A bug, or a store that refuses to write.
    pub fn internal() -> Self {
        Self {
            kind: Kind::InternalFailure,
            message: None,
        }
    }
}

/// Requests whose sender is not told.
impl Error {
    /// Signed twice over.
    pub fn signed_twice() -> Self {
        Kind::InvalidSignatureException.says(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
             header.",
        )
    }

    /// Not signed at all.
    pub fn unsigned() -> Self {
        Kind::MissingAuthenticationTokenException.says("Missing Authentication Token")
    }

    /// Signed with pieces missing.
    pub fn incompletely_signed(message: String) -> Self {
        Kind::IncompleteSignatureException.says(message)
    }
}

/// Streams and their states.
impl Error {
    /// No stream of that name.
    pub fn stream_not_found(stream: &StreamArn) -> Self {
        Kind::ResourceNotFoundException.says(format!("Stream {} not found.", named(stream)))
    }

    /// The name is taken.
    pub fn stream_exists(stream: &StreamArn) -> Self {
        Kind::ResourceInUseException.says(format!("Stream {} already exists.", named(stream)))
    }

    /// The stream's state does not allow it.
    pub fn stream_not_active(stream: &StreamArn, status: StreamStatus) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Stream {stream} not ACTIVE, instead in state {status}"
        ))
    }

    /// Neither a name nor an ARN (the text is a choice).
    pub fn no_stream_given() -> Self {
        Kind::InvalidArgumentException.says("Either StreamName or StreamARN should be provided.")
    }

    /// A name and an ARN that disagree (the text is a choice).
    pub fn name_and_arn_differ(name: &str, arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "StreamName {name} and StreamARN {arn} do not refer to the same stream."
        ))
    }

    /// An ARN whose form passes the pattern but names no stream (a choice).
    pub fn stream_arn_unparsed(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!("{arn} is not the ARN of a stream."))
    }

    /// Too many streams are being created or deleted.
    pub fn too_many_in_transition(account: AccountId, limit: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "This request would have exceed the limit on the number  of streams that can \
             simultaneously be in CREATING or DELETING for the account {account}. Limit: {limit}."
        ))
    }

    /// Too many on-demand streams (the text is a choice).
    pub fn too_many_on_demand(account: AccountId, region: &str, limit: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "This request would exceed the limit on the number of on-demand streams for the \
             account {account} in {region}. Limit: {limit}."
        ))
    }

    /// Too many open shards.
    pub fn too_many_shards(stream: &StreamArn, open: u64, limit: u64, more: u64) -> Self {
        let (account, region) = (&stream.scope.account, &stream.scope.region);
        Kind::LimitExceededException.says(format!(
            "This request would exceed the shard limit for the account {account} in {region}. \
             Current shard count for the account: {open}. Limit: {limit}. Number of additional \
             shards that would have resulted from this request: {more}. Refer to the AWS Service \
             Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) \
             for current limits and how to request higher limits."
        ))
    }
}

/// CreateStream's members against each other.
impl Error {
    /// An on-demand stream is not given a shard count.
    pub fn shard_count_not_expected() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is not expected when StreamMode=ON_DEMAND")
    }

    /// A provisioned stream needs one (the text is a choice).
    pub fn shard_count_required() -> Self {
        Kind::InvalidArgumentException.says("ShardCount is required when StreamMode=PROVISIONED")
    }

    /// Warm throughput is for on-demand streams (the text is a choice).
    pub fn warm_throughput_not_expected() -> Self {
        Kind::InvalidArgumentException
            .says("WarmThroughputMiBps is not expected when StreamMode=PROVISIONED")
    }

    /// Warm throughput needs the account's commitment (the text is a choice).
    pub fn warm_throughput_without_commitment(account: AccountId) -> Self {
        Kind::ValidationException.says(format!(
            "WarmThroughputMiBps requires the minimum throughput billing commitment to be enabled \
             for the account {account}."
        ))
    }

    /// AUTO distribution is for on-demand streams (the text is a choice).
    pub fn auto_distribution_not_expected() -> Self {
        Kind::InvalidArgumentException.says(
            "Record distribution strategy AUTO is only supported for streams in On-Demand mode.",
        )
    }
}

/// Tags.
impl Error {
    /// A character no tag may have.
    pub fn tag_characters() -> Self {
        Kind::InvalidArgumentException.says(
            "Some tags contain invalid characters. Valid characters: Unicode letters, digits, \
             white space, _ . / = + - % @.",
        )
    }

    /// A character or prefix that only the second check finds.
    pub fn tags_illegal(verb: &str, preposition: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Failed to {verb} tags {preposition} stream {stream} because some tags contained \
             illegal characters. The allowed characters are Unicode letters, \
             white-spaces, '_',',','/','=','+','-','@'."
        ))
    }

    /// Too many tags; the text says 10, the limit is 50.
    pub fn too_many_tags(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Failed to add tags to stream {stream} because a given stream cannot have more than \
             10 tags associated with it."
        ))
    }
}

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
        Kind::ProvisionedThroughputExceededException.says(format!(
            "Rate exceeded for shard {shard} in stream {stream}."
        ))
    }

    /// A shard gives no more now; of reads.
    pub fn read_rate_exceeded(shard: ShardId, stream: &StreamArn) -> Self {
        let (account, name) = (&stream.scope.account, &stream.name);
        Kind::ProvisionedThroughputExceededException.says(format!(
            "Rate exceeded for Shard - {account}/{name}/{shard}"
        ))
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
        Kind::InvalidArgumentException.says(format!("Records size exceeds {limit} MB limit"))
    }

    /// Nothing is wrong, and nothing was done (the text is a choice).
    pub fn dry_run() -> Self {
        Kind::DryRunOperationException
            .says("The request was rejected because the DryRun parameter was specified.")
    }
}

/// Positions and iterators.
impl Error {
    /// A number with a type that takes none, or a type without its number.
    pub fn starting_number_mismatch(kind: &str, given: bool) -> Self {
        let found = if given { "also a" } else { "no" };
        Kind::InvalidArgumentException.says(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
             StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
             Request specified {kind} and {found} StartingSequenceNumber."
        ))
    }

    /// A number that cannot be one.
    pub fn starting_number_invalid(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid."
        ))
    }

    /// A number of another shard.
    pub fn starting_number_of_other_shard(encoded: impl fmt::Display, shard: ShardId) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to \
             a shard with {shard}"
        ))
    }

    /// A number of another stream.
    pub fn starting_number_foreign(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid because it did not come from this stream."
        ))
    }

    /// AT_TIMESTAMP without a time.
    pub fn timestamp_missing() -> Self {
        Kind::InvalidArgumentException.says(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current \
             request has no timestamp parameter.",
        )
    }

    /// AT_TIMESTAMP with a time to come.
    pub fn timestamp_in_future(given: Timestamp, now: Timestamp) -> Self {
        let (given, now) = (given.millis(), now.millis());
        Kind::InvalidArgumentException.says(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {given}, currentTimestampInMillis: {now}"
        ))
    }

    /// A text that is no iterator, or one of another stream.
    pub fn iterator_invalid() -> Self {
        Kind::InvalidArgumentException.says("Invalid ShardIterator.")
    }

    /// An iterator older than five minutes.
    pub fn iterator_expired(created: &str, now: &str, life_ms: i64) -> Self {
        Kind::ExpiredIteratorException.says(format!(
            "Iterator expired. The iterator was created at time {created} while right now it is \
             {now} which is further in the future than the tolerated delay of {life_ms} \
             milliseconds."
        ))
    }

    /// A StreamARN beside an iterator of another stream (the text is a choice).
    pub fn iterator_of_other_stream(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "The ShardIterator does not belong to the stream {arn}."
        ))
    }
}

/// Listings.
impl Error {
    /// ListShards without anything to list.
    pub fn nothing_to_list() -> Self {
        Kind::InvalidArgumentException.says("Either NextToken or StreamName should be provided.")
    }

    /// A token says it all; what else was given contradicts it.
    pub fn token_with(member: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "NextToken and {member} cannot be provided together."
        ))
    }

    /// A text that is no token (the text is a choice).
    pub fn token_invalid() -> Self {
        Kind::InvalidArgumentException.says("NextToken is invalid.")
    }

    /// A token older than five minutes (the text is a choice).
    pub fn token_expired() -> Self {
        Kind::ExpiredNextTokenException.says("The provided next token has expired.")
    }

    /// A shard filter whose members do not fit its type (the texts are choices).
    pub fn shard_filter(message: String) -> Self {
        Kind::InvalidArgumentException.says(message)
    }
}

/// Consumers.
impl Error {
    /// A stream is not deleted from under its consumers (the text is a choice).
    pub fn stream_has_consumers(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Stream {stream} has registered consumers. Deregister them or set \
             EnforceConsumerDeletion to true."
        ))
    }
}

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
    pub fn too_often_a_day(what: &str, limit: u64) -> Self {
        Kind::LimitExceededException.says(format!(
            "{what} at most {limit} times per rolling 24 hours on a stream."
        ))
    }

    /// More warm throughput than there is (the text is a choice).
    pub fn warm_throughput_too_high(limit: u64) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "WarmThroughputMiBps cannot be greater than {limit}."
        ))
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
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be longer than \
             existing retention period ({current} hours). Use IncreaseRetentionPeriod API."
        ))
    }

    /// An increase that is a decrease.
    pub fn retention_not_longer(hours: i32, stream: &StreamArn, current: u32) -> Self {
        let stream = named(stream);
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

/// Consumers, policies and rates.
impl Error {
    /// A consumer that is named in too few ways (the text is a choice).
    pub fn no_consumer_given() -> Self {
        Kind::InvalidArgumentException
            .says("Must specify either ConsumerARN or both StreamARN and ConsumerName.")
    }

    /// A consumer that is named in ways that disagree (the text is a choice).
    pub fn consumer_names_differ() -> Self {
        Kind::InvalidArgumentException
            .says("ConsumerARN, StreamARN and ConsumerName do not identify the same consumer.")
    }

    /// No such consumer; `given` is its ARN or its name, as the request has it.
    pub fn consumer_not_found(given: &str, account: AccountId) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("Consumer {given}, account {account} not found."))
    }

    /// The name is taken (the text is a choice).
    pub fn consumer_exists(name: &str, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} under stream {stream} already exists."
        ))
    }

    /// A consumer that is on its way in or out.
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

    /// A consumer that is on its way in or out, in the words of SubscribeToShard.
    pub fn subscriber_not_active(consumer: &ConsumerArn) -> Self {
        let (name, created, stream) = (&consumer.name, consumer.created_s, &consumer.stream);
        let (stream, account) = (&stream.name, stream.scope.account);
        Kind::ResourceInUseException.says(format!(
            "Consumer {name} with creation timestamp {created} under stream: {stream} , account \
             {account} is not in ACTIVE status."
        ))
    }

    /// A consumer that reads the shard already.
    pub fn seat_taken(stream: &StreamArn, shard: ShardId, consumer: &str) -> Self {
        let (account, stream) = (stream.scope.account, &stream.name);
        Kind::ResourceInUseException.says(format!(
            "Another active subscription exists for this consumer: \
             {account}:{stream}:{shard}:{consumer}"
        ))
    }

    /// More consumers than a stream may have (the text is a choice).
    pub fn too_many_consumers(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException.says(format!(
            "This request would exceed the limit on the number of consumers for stream {stream}. \
             Limit: {limit}."
        ))
    }

    /// More consumers being registered than may be (the text is a choice).
    pub fn too_many_consumers_creating(stream: &StreamArn, limit: u64) -> Self {
        let stream = named(stream);
        Kind::LimitExceededException.says(format!(
            "This request would exceed the limit on the number of consumers that can \
             simultaneously be in CREATING for stream {stream}. Limit: {limit}."
        ))
    }

    /// A policy that is none (the text is a choice).
    pub fn policy_invalid() -> Self {
        Kind::ValidationException.says("Invalid policy document.")
    }

    /// No policy to delete.
    pub fn policy_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException
            .says(format!("No resource policy found for resource ARN {arn}."))
    }

    /// An ARN that names neither a stream nor a consumer we have (a choice).
    pub fn resource_not_found(arn: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Resource {arn} not found."))
    }

    /// An operation on a stream was called too often.
    pub fn stream_call_rate_exceeded(stream: &str, account: AccountId) -> Self {
        Kind::LimitExceededException.says(format!(
            "Rate exceeded for stream {stream} under account {account}."
        ))
    }

    /// An operation of the whole account was called too often.
    pub fn account_call_rate_exceeded(account: AccountId) -> Self {
        Kind::LimitExceededException.says(format!("Rate exceeded for account {account}."))
    }
}

/// A stream as the one text about consumers spells it.
fn named_with_and(stream: &StreamArn) -> String {
    format!("{} and account {}", stream.name, stream.scope.account)
}

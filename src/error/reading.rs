//! Errors about starting positions, shard iterators and listings.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{ShardId, StreamArn};
use crate::world::Timestamp;
use std::fmt;
use time::OffsetDateTime;
use time::macros::format_description;

/// Errors about starting positions and shard iterators.
impl Error {
    /// The iterator type `kind` does not fit the request. If `given` is true, the request has a
    /// StartingSequenceNumber, but the type allows none. If `given` is false, the request has no
    /// StartingSequenceNumber, but the type needs one.
    pub fn starting_number_mismatch(kind: &str, given: bool) -> Self {
        let found = if given { "also a" } else { "no" };
        Kind::InvalidArgumentException.says(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
             StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
             Request specified {kind} and {found} StartingSequenceNumber."
        ))
    }

    /// The StartingSequenceNumber does not have the form of a sequence number.
    pub fn starting_number_invalid(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid."
        ))
    }

    /// The StartingSequenceNumber contains another shard id than the request. `encoded` is the
    /// shard in the StartingSequenceNumber.
    pub fn starting_number_of_other_shard(encoded: impl fmt::Display, shard: ShardId) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to \
             a shard with {shard}"
        ))
    }

    /// The StartingSequenceNumber contains the shard id of the request, but belongs to a shard of
    /// another stream.
    pub fn starting_number_foreign(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid because it did not come from this stream."
        ))
    }

    /// The iterator type is AFTER_SEQUENCE_NUMBER, and the StartingSequenceNumber is the ending
    /// sequence number of a closed shard. The message was recorded
    /// (spring-cloud/spring-cloud-stream-binder-aws-kinesis#187).
    pub fn starting_number_is_last() -> Self {
        Kind::InvalidArgumentException.says(
            "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber \
             has reached max possible value for the shard.",
        )
    }

    /// The iterator type is AT_TIMESTAMP, but the request has no Timestamp.
    pub fn timestamp_missing() -> Self {
        Kind::InvalidArgumentException.says(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current \
             request has no timestamp parameter.",
        )
    }

    /// The iterator type is AT_TIMESTAMP, but the Timestamp is later than the emulator's clock.
    pub fn timestamp_in_future(given: Timestamp, now: Timestamp) -> Self {
        let (given, now) = (given.millis(), now.millis());
        Kind::InvalidArgumentException.says(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {given}, currentTimestampInMillis: {now}"
        ))
    }

    /// The request's ShardIterator does not have the form of a shard iterator, or belongs to
    /// another stream than the request.
    pub fn iterator_invalid() -> Self {
        Kind::InvalidArgumentException.says("Invalid ShardIterator.")
    }

    /// The shard iterator is older than its lifetime of `life_ms` milliseconds.
    pub fn iterator_expired(created: Timestamp, now: Timestamp, life_ms: i64) -> Self {
        let (created, now) = (written_out(created), written_out(now));
        Kind::ExpiredIteratorException.says(format!(
            "Iterator expired. The iterator was created at time {created} while right now it is \
             {now} which is further in the future than the tolerated delay of {life_ms} \
             milliseconds."
        ))
    }
}

/// Errors about listings.
impl Error {
    /// ListShards: the request has neither a stream nor a NextToken.
    pub fn nothing_to_list() -> Self {
        Kind::InvalidArgumentException.says("Either NextToken or StreamName should be provided.")
    }

    /// The request has a NextToken together with `member`, but only the request for the first page
    /// may have this member. Public reports quote the message for StreamName
    /// (hashicorp/terraform-provider-aws#40494), StreamARN (aws/aws-cli#9635),
    /// ExclusiveStartShardId (awslabs/amazon-kinesis-scaling-utils#82) and ShardFilter
    /// (apache/beam#33478). ListShards uses the word "StreamCreationEpoch" in the message about its
    /// member StreamCreationTimestamp, as recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/topology_raw.json). The same message for ListStreamConsumers is a
    /// choice.
    pub fn token_with(member: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "NextToken and {member} cannot be provided together."
        ))
    }

    /// ListStreams: the request has a NextToken and an ExclusiveStartStreamName. The message was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn token_with_start_name() -> Self {
        Kind::InvalidArgumentException
            .says("ExclusiveStartStreamName and NextToken cannot be provided together.")
    }

    /// The NextToken does not have the form of a token. The message was recorded for ListStreams in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn token_invalid() -> Self {
        Kind::InvalidArgumentException.says("Invalid NextToken.")
    }

    /// The NextToken is older than five minutes. The message is a choice.
    pub fn token_expired() -> Self {
        Kind::ExpiredNextTokenException.says("The provided next token has expired.")
    }

    /// The ShardFilter has type `kind`, which needs the member `member`, but the request lacks this
    /// member. The message for a missing ShardId was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/topology.json). The message for a missing Timestamp is a choice with
    /// the same wording.
    pub fn shard_filter_needs(member: &str, kind: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "{member} must be provided when the ShardFilter Type is {kind}."
        ))
    }

    /// The Timestamp of ShardFilter is later than the emulator's clock. The message was recorded in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
    pub fn shard_filter_in_future() -> Self {
        Kind::InvalidArgumentException
            .says("ShardFilter Timestamp must not be greater than current time.")
    }

    /// The Timestamp of ShardFilter is before the stream's trim horizon. The message was recorded
    /// in September 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
    pub fn shard_filter_too_old() -> Self {
        Kind::InvalidArgumentException
            .says("ShardFilter Timestamp cannot be older than TRIM_HORIZON of the stream.")
    }

    /// ListShards: the request has a ShardFilter and an ExclusiveStartShardId. The message is a
    /// choice.
    pub fn shard_filter_with_start() -> Self {
        Kind::InvalidArgumentException
            .says("ShardFilter and ExclusiveStartShardId cannot be provided together.")
    }
}

/// Formats a time in the form `Thu Jan 22 01:22:02 UTC 2015`. The service uses this form only in
/// the message of ExpiredIteratorException.
fn written_out(moment: Timestamp) -> String {
    let layout = format_description!(
        "[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]"
    );
    let moment = OffsetDateTime::from_unix_timestamp(moment.seconds());
    moment
        .ok()
        .and_then(|moment| moment.format(layout).ok())
        .unwrap_or_default()
}

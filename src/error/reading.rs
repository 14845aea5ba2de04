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
    /// The iterator type allows no StartingSequenceNumber, but the request has one (`given` is
    /// true), or the iterator type needs one, but the request has none (`given` is false).
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

    /// The StartingSequenceNumber belongs to another shard than the shard in the request.
    pub fn starting_number_of_other_shard(encoded: impl fmt::Display, shard: ShardId) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to \
             a shard with {shard}"
        ))
    }

    /// The StartingSequenceNumber names the right shard id, but no record of this shard can have
    /// this number, which is from another stream.
    pub fn starting_number_foreign(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid because it did not come from this stream."
        ))
    }

    /// AFTER_SEQUENCE_NUMBER with the ending sequence number of a closed shard. The message was
    /// recorded (spring-cloud/spring-cloud-stream-binder-aws-kinesis#187).
    pub fn starting_number_is_last() -> Self {
        Kind::InvalidArgumentException.says(
            "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber \
             has reached max possible value for the shard.",
        )
    }

    /// AT_TIMESTAMP without a Timestamp.
    pub fn timestamp_missing() -> Self {
        Kind::InvalidArgumentException.says(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current \
             request has no timestamp parameter.",
        )
    }

    /// AT_TIMESTAMP with a Timestamp later than the emulator's clock.
    pub fn timestamp_in_future(given: Timestamp, now: Timestamp) -> Self {
        let (given, now) = (given.millis(), now.millis());
        Kind::InvalidArgumentException.says(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {given}, currentTimestampInMillis: {now}"
        ))
    }

    /// The ShardIterator does not have the form of a shard iterator, or belongs to another stream.
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
    /// ListShards with neither a stream nor a NextToken.
    pub fn nothing_to_list() -> Self {
        Kind::InvalidArgumentException.says("Either NextToken or StreamName should be provided.")
    }

    /// The request has a NextToken together with `member`, which only a first page may have. The
    /// message is quoted for StreamName (hashicorp/terraform-provider-aws#40494), StreamARN
    /// (aws/aws-cli#9635), ExclusiveStartShardId (awslabs/amazon-kinesis-scaling-utils#82) and
    /// ShardFilter (apache/beam#33478). The message about StreamCreationTimestamp of ListShards was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/topology_raw.json): it
    /// calls the member StreamCreationEpoch. The same message for ListStreamConsumers is a choice.
    pub fn token_with(member: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "NextToken and {member} cannot be provided together."
        ))
    }

    /// ListStreams with a NextToken and an ExclusiveStartStreamName. The message was recorded in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn token_with_start_name() -> Self {
        Kind::InvalidArgumentException
            .says("ExclusiveStartStreamName and NextToken cannot be provided together.")
    }

    /// The NextToken does not have the form of a token. The message was recorded for ListStreams in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub fn token_invalid() -> Self {
        Kind::InvalidArgumentException.says("Invalid NextToken.")
    }

    /// The NextToken is older than five minutes (our own text).
    pub fn token_expired() -> Self {
        Kind::ExpiredNextTokenException.says("The provided next token has expired.")
    }

    /// The Type of ShardFilter, `kind`, needs the member `member`, which the request lacks. The
    /// message for a missing ShardId was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/topology.json); the message for a missing Timestamp is our own, worded
    /// alike.
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

    /// The Timestamp of ShardFilter is before the trim horizon. The message was recorded in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
    pub fn shard_filter_too_old() -> Self {
        Kind::InvalidArgumentException
            .says("ShardFilter Timestamp cannot be older than TRIM_HORIZON of the stream.")
    }

    /// ListShards with a ShardFilter and an ExclusiveStartShardId (our own text).
    pub fn shard_filter_with_start() -> Self {
        Kind::InvalidArgumentException
            .says("ShardFilter and ExclusiveStartShardId cannot be provided together.")
    }
}

/// Formats a time as the service does only in ExpiredIteratorException: `Thu Jan 22 01:22:02 UTC
/// 2015`.
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

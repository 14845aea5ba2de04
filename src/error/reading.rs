//! Errors about positions, iterators and listings.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::{ShardId, StreamArn};
use crate::world::Timestamp;
use std::fmt;
use time::OffsetDateTime;
use time::macros::format_description;

/// Positions and iterators.
impl Error {
    /// A sequence number with a type that takes none (`given`), or a type without its number.
    pub fn starting_number_mismatch(kind: &str, given: bool) -> Self {
        let found = if given { "also a" } else { "no" };
        Kind::InvalidArgumentException.says(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
             StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
             Request specified {kind} and {found} StartingSequenceNumber."
        ))
    }

    /// The number is no sequence number.
    pub fn starting_number_invalid(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid."
        ))
    }

    /// The number belongs to another shard.
    pub fn starting_number_of_other_shard(encoded: impl fmt::Display, shard: ShardId) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to \
             a shard with {shard}"
        ))
    }

    /// The number belongs to another stream.
    pub fn starting_number_foreign(number: &str, shard: ShardId, stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::InvalidArgumentException.says(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream \
             {stream} is invalid because it did not come from this stream."
        ))
    }

    /// AFTER_SEQUENCE_NUMBER with the ending number of a closed shard. The text was observed
    /// (spring-cloud/spring-cloud-stream-binder-aws-kinesis#187).
    pub fn starting_number_is_last() -> Self {
        Kind::InvalidArgumentException.says(
            "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber \
             has reached max possible value for the shard.",
        )
    }

    /// AT_TIMESTAMP without a time.
    pub fn timestamp_missing() -> Self {
        Kind::InvalidArgumentException.says(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current \
             request has no timestamp parameter.",
        )
    }

    /// AT_TIMESTAMP with a time in the future.
    pub fn timestamp_in_future(given: Timestamp, now: Timestamp) -> Self {
        let (given, now) = (given.millis(), now.millis());
        Kind::InvalidArgumentException.says(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {given}, currentTimestampInMillis: {now}"
        ))
    }

    /// The text is no iterator, or one of another stream.
    pub fn iterator_invalid() -> Self {
        Kind::InvalidArgumentException.says("Invalid ShardIterator.")
    }

    /// The iterator is older than five minutes.
    pub fn iterator_expired(created: Timestamp, now: Timestamp, life_ms: i64) -> Self {
        let (created, now) = (written_out(created), written_out(now));
        Kind::ExpiredIteratorException.says(format!(
            "Iterator expired. The iterator was created at time {created} while right now it is \
             {now} which is further in the future than the tolerated delay of {life_ms} \
             milliseconds."
        ))
    }

    /// The StreamARN names another stream than the iterator (the text is a choice).
    pub fn iterator_of_other_stream(arn: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "The ShardIterator does not belong to the stream {arn}."
        ))
    }
}

/// Listings.
impl Error {
    /// ListShards without a stream and without a token.
    pub fn nothing_to_list() -> Self {
        Kind::InvalidArgumentException.says("Either NextToken or StreamName should be provided.")
    }

    /// A member that must not be given together with a token.
    pub fn token_with(member: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "NextToken and {member} cannot be provided together."
        ))
    }

    /// The text is no token (the text is a choice).
    pub fn token_invalid() -> Self {
        Kind::InvalidArgumentException.says("NextToken is invalid.")
    }

    /// The token is older than five minutes (the text is a choice).
    pub fn token_expired() -> Self {
        Kind::ExpiredNextTokenException.says("The provided next token has expired.")
    }

    /// The members of the shard filter do not fit its type (the texts are choices).
    pub fn shard_filter(message: String) -> Self {
        Kind::InvalidArgumentException.says(message)
    }
}

/// A moment as the service writes it in one message only: `Thu Jan 22 01:22:02 UTC 2015`.
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

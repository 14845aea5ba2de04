//! Dead-letter objects, which describe the records that a channel cannot deliver. An object has one
//! line of JSON for each of these records. The line identifies the record but does not contain its
//! payload. This form is a choice that follows the dead-letter objects of Amazon MSK's channels.

use super::key_template::utc;
use super::record_check::InvalidRecord;
use crate::world::Timestamp;
use serde::Serialize;
use time::macros::format_description;

/// A record that a channel cannot deliver, and the reason.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetter<'a> {
    /// ARN of the channel that cannot deliver the record.
    pub channel: &'a str,
    /// ARN of the stream that holds the record.
    pub stream: &'a str,
    /// Id of the shard that holds the record.
    pub shard: &'a str,
    /// Sequence number of the record.
    pub number: &'a str,
    /// Arrival time of the record in the stream.
    pub arrival: Timestamp,
    /// The reason why the record cannot be delivered.
    pub reason: &'a InvalidRecord,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    channel_arn: &'a str,
    stream_arn: &'a str,
    shard_id: &'a str,
    sequence_number: &'a str,
    approximate_arrival_timestamp: String,
    error_code: &'a str,
    error_message: &'a str,
}

impl DeadLetter<'_> {
    /// Returns the JSON line about the record for a dead-letter object, with a line feed at its
    /// end. The members of the JSON are a choice.
    pub fn line(&self) -> Vec<u8> {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let line = Line {
            channel_arn: self.channel,
            stream_arn: self.stream,
            shard_id: self.shard,
            sequence_number: self.number,
            approximate_arrival_timestamp: utc(self.arrival).format(format).unwrap_or_default(),
            error_code: self.reason.code,
            error_message: &self.reason.message,
        };
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Returns the key of a dead-letter object: `prefix`, an hour in UTC, the channel's name and id,
/// and `suffix`. The form of the key is a choice.
///
/// The hour in the key is the hour of `first_arrival`, the arrival time of the first record that
/// the object describes. Lines that do not fit in one dead-letter object are divided among several
/// objects. `part` is the number of the object, beginning with 0. A number above 0 is appended to
/// `suffix`.
pub fn dead_letter_key(
    prefix: &str,
    (channel_name, channel_id): (&str, &str),
    first_arrival: Timestamp,
    (suffix, part): (&str, usize),
) -> String {
    let format = format_description!("[year]/[month]/[day]/[hour]/");
    let hour = utc(first_arrival).format(format).unwrap_or_default();
    let part = match part {
        0 => String::new(),
        part => format!("-{part}"),
    };
    format!("{prefix}{hour}{channel_name}-{channel_id}{suffix}{part}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVAL: Timestamp = Timestamp::from_millis(1_789_809_045_948);

    #[test]
    fn a_line_identifies_the_record() {
        let reason = InvalidRecord {
            code: "InvalidJson",
            message: "expected \"value\"\nat line 1".to_owned(),
        };
        let letter = DeadLetter {
            channel: "arn:channel",
            stream: "arn:stream",
            shard: "shardId-000000000001",
            number: "4967",
            arrival: ARRIVAL,
            reason: &reason,
        };
        let line = letter.line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let expected = serde_json::json!({
            "channelArn": "arn:channel",
            "streamArn": "arn:stream",
            "shardId": "shardId-000000000001",
            "sequenceNumber": "4967",
            "approximateArrivalTimestamp": "2026-09-19T09:10:45.948Z",
            "errorCode": "InvalidJson",
            "errorMessage": "expected \"value\"\nat line 1",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_key_has_the_hour_and_the_part() {
        let key = |part| dead_letter_key("errors/", ("c", "id"), ARRIVAL, ("-000001-ab", part));
        assert_eq!(key(0), "errors/2026/09/19/09/c-id-000001-ab.json");
        assert_eq!(key(2), "errors/2026/09/19/09/c-id-000001-ab-2.json");
    }
}

//! Shapes of the service model, each with its constraints.
//!
//! The names are the service model's. A value of these types satisfies its shape's constraints and
//! nothing else; the types of the module `model` carry the meaning.

use crate::wire::{Blob, Pattern, Shape, Shaped, choice, integer, list, map, string};
use bytes::Bytes;
use serde::{Deserialize, Deserializer};

/// Letters, digits and `_.-`.
pub(super) static NAME: Pattern = Pattern::by("[a-zA-Z0-9_.-]+", |text| {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
});
/// Recordings show this spelling; the newest model writes `^(0|([1-9]\d{0,38}))$`. A choice.
static HASH_KEY: Pattern = Pattern::by(r"0|([1-9]\d{0,38})", |text| is_decimal(text, 39));
/// Recordings show this spelling; the newest model writes `^(0|([1-9]\d{0,128}))$`. A choice.
static SEQUENCE_NUMBER: Pattern = Pattern::by(r"0|([1-9]\d{0,128})", |text| is_decimal(text, 129));
static STREAM_ARN: Pattern = Pattern::new(r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+");
static CONSUMER_ARN: Pattern = Pattern::new(
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+",
);
static RESOURCE_ARN: Pattern =
    Pattern::new(r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+");
static STREAM_ID: Pattern = Pattern::new("[a-z0-9]{20}-[a-z0-9]{3}");

/// A decimal number of at most `digits` digits without a leading zero.
fn is_decimal(text: &str, digits: usize) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= digits;
    plain && !text.is_empty() && (text == "0" || !text.starts_with('0'))
}

string!(/// Name of a stream.
    StreamName, length: 1..=128, pattern: NAME);
string!(/// ARN of a stream.
    StreamARN, length: 1..=2048, pattern: STREAM_ARN);
string!(/// Reserved by the service: checked, then ignored.
    StreamId, length: 1..=24, pattern: STREAM_ID);
string!(/// A shard id, in any of the spellings the service takes.
    ShardIdText, length: 1..=128, pattern: NAME);
string!(/// A key that assigns a record to a shard.
    PartitionKey, length: 1..=256);
string!(/// A hash key; it may exceed the key space.
    HashKeyText, pattern: HASH_KEY);
string!(/// A decimal number; it need not be a valid sequence number.
    SequenceNumberText, pattern: SEQUENCE_NUMBER);
string!(/// A shard iterator; it need not be valid.
    ShardIteratorText, length: 1..=512);
string!(/// A page token; it need not be valid.
    NextToken, length: 1..=1_048_576);
string!(/// Key of a tag.
    TagKey, length: 1..=128);
string!(/// Value of a tag.
    TagValue, length: 0..=256);
map!(/// Tags given at once.
    TagMap of TagKey, to TagValue, length: 1..=200);

list!(/// Keys of tags to remove.
    TagKeyList of TagKey, length: 1..=50);
string!(/// Name of a consumer.
    ConsumerName, length: 1..=128, pattern: NAME);
string!(/// ARN of a consumer.
    ConsumerARN, length: 1..=2048, pattern: CONSUMER_ARN);
string!(/// ARN of a stream or a consumer.
    ResourceARN, length: 1..=2048, pattern: RESOURCE_ARN);
string!(/// A key of the key service, by id, alias or ARN.
    KeyId, length: 1..=2048);
string!(/// A resource policy.
    Policy);

integer!(/// Page size of ListStreamConsumers.
    ListStreamConsumersInputLimit, 1..=10_000);
integer!(/// Page size of ListTagsForStream.
    ListTagsForStreamInputLimit, 1..=50);
integer!(/// A retention period, whose bounds the operations check.
    RetentionPeriodHours);
integer!(/// Page size of DescribeStream.
    DescribeStreamInputLimit, 1..=10_000);
integer!(/// Records wanted of GetRecords.
    GetRecordsInputLimit, 1..=10_000);
integer!(/// Page size of ListShards.
    ListShardsInputLimit, 1..=10_000);
integer!(/// Page size of ListStreams.
    ListStreamsInputLimit, 1..=10_000);
integer!(/// A count of shards.
    PositiveIntegerObject, 1..);
integer!(/// Warm throughput in MiB/s.
    NaturalIntegerObject, 0..);
integer!(/// Largest record of a stream.
    MaxRecordSizeInKiB, 1024..=10240);

choice!(/// How a stream's capacity is set.
    StreamMode { Provisioned = "PROVISIONED", OnDemand = "ON_DEMAND" });
choice!(/// The way in which records are spread over the shards.
    RecordDistributionStrategy { Auto = "AUTO", UserPartitionKey = "USER_PARTITION_KEY" });
choice!(/// The kinds of starting positions, in the order of the service's message.
ShardIteratorType {
    AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER",
    Latest = "LATEST",
    AtTimestamp = "AT_TIMESTAMP",
    AtSequenceNumber = "AT_SEQUENCE_NUMBER",
    TrimHorizon = "TRIM_HORIZON",
});
choice!(/// The kinds of filters of ListShards.
ShardFilterType {
    AfterShardId = "AFTER_SHARD_ID",
    AtTrimHorizon = "AT_TRIM_HORIZON",
    FromTrimHorizon = "FROM_TRIM_HORIZON",
    AtLatest = "AT_LATEST",
    AtTimestamp = "AT_TIMESTAMP",
    FromTimestamp = "FROM_TIMESTAMP",
});

choice!(/// How records are encrypted.
    EncryptionType { None = "NONE", Kms = "KMS" });
choice!(/// How shards are scaled.
    ScalingType { UniformScaling = "UNIFORM_SCALING" });
choice!(/// The status of a commitment that a request asks for.
    CommitmentStatus { Enabled = "ENABLED", Disabled = "DISABLED" });
choice!(/// A shard-level metric, or all of them.
MetricsName {
    IncomingBytes = "IncomingBytes",
    IncomingRecords = "IncomingRecords",
    OutgoingBytes = "OutgoingBytes",
    OutgoingRecords = "OutgoingRecords",
    WriteProvisionedThroughputExceeded = "WriteProvisionedThroughputExceeded",
    ReadProvisionedThroughputExceeded = "ReadProvisionedThroughputExceeded",
    IteratorAgeMilliseconds = "IteratorAgeMilliseconds",
    All = "ALL",
});
list!(/// Metrics to enable or disable.
    MetricsNameList of MetricsName, length: 1..=7);

impl MetricsName {
    /// The real metrics, in the model's order.
    pub const ALL_NAMES: [&'static str; 7] = [
        Self::IncomingBytes.as_str(),
        Self::IncomingRecords.as_str(),
        Self::OutgoingBytes.as_str(),
        Self::OutgoingRecords.as_str(),
        Self::WriteProvisionedThroughputExceeded.as_str(),
        Self::ReadProvisionedThroughputExceeded.as_str(),
        Self::IteratorAgeMilliseconds.as_str(),
    ];
}

/// A record's payload, at most 10 MiB; the stream's own maximum is usually lower.
#[derive(Debug, Clone)]
pub struct Data(pub Bytes);

impl Shaped for Data {
    const SHAPE: &'static Shape = &Shape::Blob {
        length: Some((0, 10_485_760)),
    };
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let Blob(bytes) = Blob::deserialize(reader)?;
        crate::wire::declare::counted(bytes.len(), Self::SHAPE)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_written_matchers_agree_with_their_patterns() {
        let samples = [
            "",
            "0",
            "00",
            "01",
            "1",
            "10",
            "a",
            "a b",
            "a_b.c-D9",
            "ä",
            "-",
            "1a",
            " 1",
            "9\n",
            "340282366920938463463374607431768211456",
            "3402823669209384634633746074317682114560",
        ];
        for pattern in [&NAME, &HASH_KEY, &SEQUENCE_NUMBER] {
            for sample in samples {
                let expected = pattern.expression().is_match(sample);
                assert_eq!(
                    pattern.matches(sample),
                    expected,
                    "{sample:?} for {pattern:?}"
                );
            }
        }
    }
}

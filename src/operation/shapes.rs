//! Shapes of the service model, each with its constraints.
//!
//! The types have the names of the service model. A value of such a type satisfies only the
//! constraints of its shape; for example, a text of the type `SequenceNumberText` need not be a
//! valid sequence number. The types of the module `model` hold the parsed values.

use crate::wire::{Blob, Pattern, Shape, Shaped, choice, input, integer, list, map, string};
use crate::world::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Deserializer};

/// The pattern of names, such as the name of a stream. It permits letters, digits and `_.-`.
pub(super) static NAME: Pattern = Pattern::by("[a-zA-Z0-9_.-]+", |text| {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
});
/// The pattern of hash keys, as spelled in the service model and in a message recorded in September
/// 2026 (radkawar/stackd, testdata/aws/kinesis/records.json). Messages recorded until 2020 say
/// `0|([1-9]\d{0,38})`.
static HASH_KEY: Pattern = Pattern::by(r"^(0|([1-9]\d{0,38}))$", |text| is_decimal(text, 39));
/// The pattern of sequence numbers, as spelled in the service model and in a message recorded in
/// September 2026 (radkawar/stackd, testdata/aws/kinesis/records.json). Messages recorded until
/// 2020 say `0|([1-9]\d{0,128})`.
static SEQUENCE_NUMBER: Pattern =
    Pattern::by(r"^(0|([1-9]\d{0,128}))$", |text| is_decimal(text, 129));
static STREAM_ARN: Pattern = Pattern::by(r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+", |text| {
    is_kinesis_arn(text, ":stream/")
});
static CONSUMER_ARN: Pattern = Pattern::new(
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+",
);
static RESOURCE_ARN: Pattern =
    Pattern::new(r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+");
static STREAM_ID: Pattern = Pattern::new("[a-z0-9]{20}-[a-z0-9]{3}");

/// True for a decimal number of at most `digits` digits without a leading zero.
fn is_decimal(text: &str, digits: usize) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= digits;
    plain && !text.is_empty() && (text == "0" || !text.starts_with('0'))
}

/// Returns true for a text that matches `arn:aws.*:kinesis:.*:\d{12}`, followed by `resource` and
/// `\S+`. The function replaces a regular expression. Matching the expression for the stream or
/// queue of a small request would take longer than the rest of the request.
pub(super) fn is_kinesis_arn(text: &str, resource: &str) -> bool {
    let Some(rest) = text.strip_prefix("arn:aws") else {
        return false;
    };
    rest.match_indices(resource).any(|(at, _)| {
        let name = &rest.as_bytes()[at + resource.len()..];
        let Some((scope, account)) = rest[..at].rsplit_once(':') else {
            return false;
        };
        account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && scope.contains(":kinesis:")
            && !scope.contains('\n')
            && !name.is_empty()
            && !name.iter().any(|byte| matches!(byte, b'\t'..=b'\r' | b' '))
    })
}

string!(/// Name of a stream.
    StreamName, length: 1..=128, pattern: NAME);
string!(/// ARN of a stream.
    StreamARN, length: 1..=2048, pattern: STREAM_ARN);
string!(/// The id of a stream, which AWS reserves. Its form is checked, but the id has no effect.
    StreamId, length: 1..=24, pattern: STREAM_ID);
string!(/// A shard id, in any of the spellings that the service accepts.
    ShardIdText, length: 1..=128, pattern: NAME);
string!(/// The partition key of a record, which assigns the record to a shard.
    PartitionKey, length: 1..=256);
string!(/// A hash key in decimal digits, which may be greater than the largest hash key.
    HashKeyText, pattern: HASH_KEY);
string!(/// A sequence number in decimal digits, which need not be valid.
    SequenceNumberText, pattern: SEQUENCE_NUMBER);
string!(/// A shard iterator, which need not be valid.
    ShardIteratorText, length: 1..=512);
string!(/// The token of a listing's next page, which need not be valid.
    NextToken, length: 1..=1_048_576);
string!(/// Key of a tag.
    TagKey, length: 1..=128);
string!(/// Value of a tag.
    TagValue, length: 0..=256);
map!(/// The tags that one request adds to a resource.
    TagMap of TagKey, to TagValue, length: 1..=200);

input! {
    /// A stream that a filter of ListQueues or ListChannels names.
    pub struct StreamFilter {
        "StreamARN" => arn: StreamARN,
        "StreamCreationTimestamp" => created: Option<Timestamp>,
    }
}
list!(/// A filter of ListQueues or ListChannels: the streams whose queues or channels are listed.
    StreamFilterList of StreamFilter, length: 1..=10_000);
list!(/// Keys of the tags that a request removes from a resource.
    TagKeyList of TagKey, length: 1..=50);
string!(/// Name of a consumer.
    ConsumerName, length: 1..=128, pattern: NAME);
string!(/// ARN of a consumer.
    ConsumerARN, length: 1..=2048, pattern: CONSUMER_ARN);
string!(/// ARN of a stream, a consumer, a queue or a channel.
    ResourceARN, length: 1..=2048, pattern: RESOURCE_ARN);
string!(/// A KMS key, named by id, alias or ARN.
    KeyId, length: 1..=2048);
string!(/// The text of a resource policy.
    Policy);

integer!(/// Maximum number of consumers on one page of ListStreamConsumers.
    ListStreamConsumersInputLimit, 1..=10_000);
integer!(/// Maximum number of tags on one page of ListTagsForStream.
    ListTagsForStreamInputLimit, 1..=50);
integer!(/// A retention period in hours. The operations check the bounds of the period.
    RetentionPeriodHours);
integer!(/// Maximum number of shards on one page of DescribeStream.
    DescribeStreamInputLimit, 1..=10_000);
integer!(/// Largest number of records that GetRecords returns.
    GetRecordsInputLimit, 1..=10_000);
integer!(/// Maximum number of shards on one page of ListShards.
    ListShardsInputLimit, 1..=10_000);
integer!(/// Maximum number of streams on one page of ListStreams.
    ListStreamsInputLimit, 1..=10_000);
integer!(/// A number of shards, at least 1.
    PositiveIntegerObject, 1..);
integer!(/// A warm throughput that a request asks for, in MiB/s.
    NaturalIntegerObject, 0..);
integer!(/// Maximum record size of a stream, in KiB.
    MaxRecordSizeInKiB, 1024..=10240);

choice!(/// The capacity modes of a stream, in the order of the service's error message.
    /// The error message was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    StreamMode { OnDemand = "ON_DEMAND", Provisioned = "PROVISIONED" });
choice!(/// The strategies that distribute records over the shards of a stream.
    RecordDistributionStrategy { Auto = "AUTO", UserPartitionKey = "USER_PARTITION_KEY" });
choice!(/// The kinds of starting positions, in the order of the service's error message.
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

choice!(/// The encryption types of a stream, in the order of the service's error message.
    /// The error message was recorded in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    EncryptionType { Kms = "KMS", None = "NONE" });
choice!(/// The kinds of scaling by UpdateShardCount.
    ScalingType { UniformScaling = "UNIFORM_SCALING" });
choice!(/// The status of the billing commitment that an UpdateAccountSettings request asks for.
    CommitmentStatus { Enabled = "ENABLED", Disabled = "DISABLED" });
choice!(/// The shard-level metrics, and `ALL` for all metrics, in the order of the error message.
/// The error message was recorded in September 2026 (radkawar/stackd,
/// testdata/aws/kinesis/controls.json).
MetricsName {
    All = "ALL",
    IteratorAgeMilliseconds = "IteratorAgeMilliseconds",
    IncomingBytes = "IncomingBytes",
    WriteProvisionedThroughputExceeded = "WriteProvisionedThroughputExceeded",
    OutgoingRecords = "OutgoingRecords",
    ReadProvisionedThroughputExceeded = "ReadProvisionedThroughputExceeded",
    IncomingRecords = "IncomingRecords",
    OutgoingBytes = "OutgoingBytes",
});
list!(/// The shard-level metrics to enable or disable.
    MetricsNameList of MetricsName, length: 1..=7);

impl MetricsName {
    /// The seven metrics, without `ALL`, in the order of the service's answers. This order was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/metric_depth.json). Error
    /// messages have another order.
    pub const ALL_NAMES: [&'static str; 7] = [
        Self::IncomingBytes.as_str(),
        Self::OutgoingRecords.as_str(),
        Self::IteratorAgeMilliseconds.as_str(),
        Self::IncomingRecords.as_str(),
        Self::ReadProvisionedThroughputExceeded.as_str(),
        Self::WriteProvisionedThroughputExceeded.as_str(),
        Self::OutgoingBytes.as_str(),
    ];
}

/// The data of a record, at most 10 MiB. The maximum record size of the stream is usually lower.
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
    use proptest::prelude::*;

    /// Parts from which the test builds valid ARNs of streams and texts that resemble such ARNs.
    const PARTS: [&str; 12] = [
        "arn:aws",
        "arn:aws:kinesis:us-east-1:123456789012:stream/name",
        "-cn",
        ":kinesis:",
        ":",
        "123456789012",
        "1",
        ":stream/",
        "stream/",
        "\n",
        "\u{a0}é",
        " ",
    ];

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

    proptest! {
        #[test]
        fn the_matcher_of_arns_agrees_with_the_pattern(
            parts in proptest::collection::vec(0_usize..PARTS.len(), 0..14),
        ) {
            let text: String = parts.iter().map(|part| PARTS[*part]).collect();
            let expected = STREAM_ARN.expression().is_match(&text);
            prop_assert_eq!(STREAM_ARN.matches(&text), expected, "{:?}", text);
        }

        #[test]
        fn the_matcher_of_arns_takes_what_stands_around_an_arn_as_the_pattern_does(
            before in "(|arn|arn:aws|arn:aws-cn)", scope in "(:kinesis|:)?:[a-z\n:]{0,9}(:kinesis:)?",
            account in "[0-9]{11,13}", after in "[:a-z\n\x0b /]{0,5}",
        ) {
            let text = format!("{before}{scope}:{account}:stream/{after}");
            let expected = STREAM_ARN.expression().is_match(&text);
            prop_assert_eq!(STREAM_ARN.matches(&text), expected, "{:?}", text);
        }
    }
}

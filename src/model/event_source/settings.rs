//! The settings of a mapping, with Lambda's defaults for Kinesis.

use super::super::arn::{ConsumerArn, StreamArn};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The starting position of a mapping in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartingPosition {
    /// The mapping begins with the oldest record.
    TrimHorizon,
    /// The mapping begins with the next record that is published.
    Latest,
    /// The mapping begins with the first record that arrived at the given time or later. The time
    /// is in whole seconds since 1970.
    AtTimestamp(i64),
}

impl StartingPosition {
    /// The name of the position in Lambda's API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TrimHorizon => "TRIM_HORIZON",
            Self::Latest => "LATEST",
            Self::AtTimestamp(_) => "AT_TIMESTAMP",
        }
    }
}

/// The stream or the consumer from which a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A stream. The mapping reads the stream's shards like a client that calls GetRecords.
    Stream(StreamArn),
    /// A consumer with enhanced fan-out. The mapping subscribes to each shard as this consumer.
    Consumer(ConsumerArn),
}

impl Source {
    /// Parses the ARN of a stream or of a consumer. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let stream = || StreamArn::parse(text).map(Self::Stream);
        let consumer = || ConsumerArn::parse(text).map(Self::Consumer);
        stream().or_else(consumer)
    }

    /// The stream that the mapping reads, directly or as a consumer.
    pub const fn stream(&self) -> &StreamArn {
        match self {
            Self::Stream(stream) => stream,
            Self::Consumer(consumer) => &consumer.stream,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => stream.fmt(formatter),
            Self::Consumer(consumer) => consumer.fmt(formatter),
        }
    }
}

/// The settings of a mapping. `Settings::default()` returns Lambda's defaults for Kinesis, as
/// recorded from Lambda.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `BatchSize`: the maximum number of records in a batch, 1 to 10,000.
    pub batch_size: u32,
    /// `MaximumBatchingWindowInSeconds`: the longest wait for a full batch in seconds, 0 to 300.
    pub batching_window_s: u32,
    /// `ParallelizationFactor`: the number of lanes for each shard, 1 to 10.
    pub factor: u32,
    /// `MaximumRecordAgeInSeconds`: the age in seconds at which a record is discarded. `None`
    /// stands for −1, which means no limit.
    pub max_age_s: Option<u32>,
    /// `MaximumRetryAttempts`: the maximum number of retries of a batch. `None` stands for −1,
    /// which means no limit.
    pub max_retries: Option<u32>,
    /// `BisectBatchOnFunctionError`: true if a failed batch is split in two.
    pub bisect: bool,
    /// `TumblingWindowInSeconds`: the length of a window in seconds, 0 to 900. The value 0 means no
    /// windows.
    pub tumbling_window_s: u32,
    /// True if `FunctionResponseTypes` contains ReportBatchItemFailures.
    pub report: bool,
    /// The JSON texts of the filter patterns.
    pub filters: Vec<String>,
    /// `DestinationConfig.OnFailure.Destination`, exactly as in the request. `None` if the mapping
    /// has no on-failure destination.
    pub on_failure: Option<String>,
    /// `MetricsConfig` as JSON. The emulator returns the setting in answers, but the setting has no
    /// effect.
    pub metrics_config: Option<String>,
    /// `KMSKeyArn`. The emulator returns the setting in answers, but the setting has no effect.
    pub kms_key_arn: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_size: 100,
            batching_window_s: 0,
            factor: 1,
            max_age_s: None,
            max_retries: None,
            bisect: false,
            tumbling_window_s: 0,
            report: false,
            filters: Vec::new(),
            on_failure: None,
            metrics_config: None,
            kms_key_arn: None,
        }
    }
}

/// The on-failure destination of a mapping, which receives the failure records of discarded
/// batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// An SQS queue.
    Sqs {
        /// The ARN of the SQS queue.
        arn: String,
        /// The name of the SQS queue.
        name: String,
    },
    /// An SNS topic.
    Sns {
        /// The ARN of the SNS topic.
        arn: String,
    },
    /// An S3 bucket.
    S3 {
        /// The name of the S3 bucket.
        bucket: String,
    },
    /// A Kinesis stream of the same emulator. The emulator offers this kind of destination as a
    /// choice, because Lambda does not have it.
    Kinesis(StreamArn),
    /// A file, to which the emulator appends one line for each discarded batch. The emulator offers
    /// this kind of destination as a choice, because Lambda does not have it. Only an option of the
    /// emulator can set a file. A request cannot.
    File(String),
}

impl Destination {
    /// Parses the ARN of an on-failure destination, or `file:PATH`. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("file:") {
            return (!path.is_empty()).then(|| Self::File(path.to_owned()));
        }
        if let Some(stream) = StreamArn::parse(text) {
            return Some(Self::Kinesis(stream));
        }
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        parts.next().filter(|part| part.starts_with("aws"))?;
        let (service, _region, account) = (parts.next()?, parts.next()?, parts.next()?);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let arn = text.to_owned();
        let resource = !name.contains([':', '/']) && account.len() == 12;
        match service {
            "sqs" if resource => Some(Self::Sqs {
                arn,
                name: name.to_owned(),
            }),
            "sns" if resource => Some(Self::Sns { arn }),
            "s3" if !name.contains([':', '/']) => Some(Self::S3 {
                bucket: name.to_owned(),
            }),
            _ => None,
        }
    }

    /// True for a FIFO queue or FIFO topic, which Lambda refuses as on-failure destination.
    pub fn is_fifo(&self) -> bool {
        match self {
            Self::Sqs { arn, .. } | Self::Sns { arn } => arn.ends_with(".fifo"),
            Self::S3 { .. } | Self::Kinesis(_) | Self::File(_) => false,
        }
    }

    /// True if the failure records for this destination contain the whole event as `payload`.
    pub const fn takes_payload(&self) -> bool {
        matches!(self, Self::S3 { .. } | Self::File(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_recognized_by_their_arns() {
        let queue = Destination::parse("arn:aws:sqs:us-east-1:000000000042:dead").unwrap();
        assert!(matches!(&queue, Destination::Sqs { name, .. } if name == "dead"));
        assert!(!queue.is_fifo() && !queue.takes_payload());
        let topic = Destination::parse("arn:aws:sns:us-east-1:000000000042:dead.fifo").unwrap();
        assert!(matches!(topic, Destination::Sns { .. }) && topic.is_fifo());
        let bucket = Destination::parse("arn:aws:s3:::dead").unwrap();
        assert!(matches!(&bucket, Destination::S3 { bucket } if bucket == "dead"));
        assert!(bucket.takes_payload());
        let stream = Destination::parse("arn:aws:kinesis:us-east-1:000000000042:stream/dead");
        assert!(matches!(stream, Some(Destination::Kinesis(_))));
        let file = Destination::parse("file:a/b.jsonl");
        assert_eq!(file, Some(Destination::File("a/b.jsonl".to_owned())));
        for text in [
            "",
            "dead",
            "file:",
            "arn:aws:sqs:us-east-1:42:dead",
            "arn:aws:s3:::",
            "arn:aws:lambda:us-east-1:000000000042:function:f",
            "arn:aws:sqs:us-east-1",
        ] {
            assert_eq!(Destination::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_source_is_a_stream_or_a_consumer() {
        let stream = "arn:aws:kinesis:us-east-1:000000000042:stream/orders";
        let consumer = format!("{stream}/consumer/c:1700000000");
        for text in [stream, &consumer] {
            let source = Source::parse(text).unwrap();
            assert_eq!(source.to_string(), text);
            assert_eq!(source.stream().to_string(), stream);
        }
        assert_eq!(Source::parse("arn:aws:sqs:us-east-1:000000000042:q"), None);
    }
}

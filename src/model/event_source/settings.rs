//! The settings of a mapping, with the defaults for a Kinesis stream.

use super::super::arn::{ConsumerArn, StreamArn};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The starting position of a mapping in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartingPosition {
    /// The oldest record.
    TrimHorizon,
    /// The next record.
    Latest,
    /// The first record that arrived at or after so many whole seconds since 1970.
    AtTimestamp(i64),
}

impl StartingPosition {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TrimHorizon => "TRIM_HORIZON",
            Self::Latest => "LATEST",
            Self::AtTimestamp(_) => "AT_TIMESTAMP",
        }
    }
}

/// A stream, or a consumer of one: what a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A stream.
    Stream(StreamArn),
    /// A consumer with enhanced fan-out.
    Consumer(ConsumerArn),
}

impl Source {
    /// Reads the ARN of a stream or of a consumer.
    pub fn parse(text: &str) -> Option<Self> {
        let stream = || StreamArn::parse(text).map(Self::Stream);
        let consumer = || ConsumerArn::parse(text).map(Self::Consumer);
        stream().or_else(consumer)
    }

    /// The stream that is read.
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

/// The settings of a mapping. A missing value is the service's default for Kinesis (recorded).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Most records of a batch, 1–10,000.
    pub batch_size: u32,
    /// `MaximumBatchingWindowInSeconds`, 0–300.
    pub batching_window_s: u32,
    /// `ParallelizationFactor`: lanes of a shard, 1–10.
    pub factor: u32,
    /// `MaximumRecordAgeInSeconds`: none is −1, no limit.
    pub max_age_s: Option<u32>,
    /// `MaximumRetryAttempts`: none is −1, no limit.
    pub max_retries: Option<u32>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `TumblingWindowInSeconds`, 0–900; 0 is no windows.
    pub tumbling_window_s: u32,
    /// True when `FunctionResponseTypes` has ReportBatchItemFailures.
    pub report: bool,
    /// The texts of the filter patterns.
    pub filters: Vec<String>,
    /// `DestinationConfig.OnFailure.Destination`.
    pub on_failure: Option<String>,
    /// `MetricsConfig` as JSON, which has no effect here.
    pub metrics_config: Option<String>,
    /// `KMSKeyArn`, which has no effect here.
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

/// The destination of the records about discarded batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A queue of this name.
    Sqs {
        /// The queue's ARN.
        arn: String,
        /// The queue's name.
        name: String,
    },
    /// A topic.
    Sns {
        /// The topic's ARN.
        arn: String,
    },
    /// A bucket.
    S3 {
        /// The bucket's name.
        bucket: String,
    },
    /// A stream of minikin itself (a choice: Lambda has none).
    Kinesis(StreamArn),
    /// A file, to which lines are appended (a choice, from options only).
    File(String),
}

impl Destination {
    /// Reads an ARN, or `file:PATH`.
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

    /// True for a FIFO queue or topic, which the service refuses.
    pub fn is_fifo(&self) -> bool {
        match self {
            Self::Sqs { arn, .. } | Self::Sns { arn } => arn.ends_with(".fifo"),
            Self::S3 { .. } | Self::Kinesis(_) | Self::File(_) => false,
        }
    }

    /// True when the record holds the whole event as `payload`.
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

//! The description of a consumer, as answers contain it.

use super::present::present;
use super::stream_details::whole_seconds;
use crate::engine::{Consumer, consumer_arn, consumer_status};
use crate::model::StreamArn;
use crate::wire::output;
use crate::world::Timestamp;

output! {
    /// The description of a consumer in an answer. Only answers of DescribeStreamConsumer have the
    /// member `StreamARN`.
    pub struct ConsumerDescription {
        "ConsumerARN" => arn: String,
        "ConsumerCreationTimestamp" => created: Timestamp,
        "ConsumerName" => name: String,
        "ConsumerStatus" => status: &'static str,
        "StreamARN" => stream_arn: Option<String>,
    }
}
present!(ConsumerDescription);

impl ConsumerDescription {
    pub(super) fn of(stream: &StreamArn, name: &str, consumer: &Consumer) -> Self {
        Self {
            arn: consumer_arn(stream, name, consumer).to_string(),
            created: whole_seconds(Timestamp::from_millis(consumer.created_ms)),
            name: name.to_owned(),
            status: consumer_status(consumer).as_str(),
            stream_arn: None,
        }
    }
}

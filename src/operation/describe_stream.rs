//! DescribeStream: describes a stream with one page of its shards.
use super::prelude::*;
use crate::model::StreamStatus;

pub(super) struct DescribeStream;

input! { pub struct Input {
    "Limit" => limit: Option<DescribeStreamInputLimit>,
    "ExclusiveStartShardId" => exclusive_start: Option<ShardIdText>,
    .. stream: StreamRef,
} }

output! { pub struct Output { "StreamDescription" => description: StreamDescription, } }

output! {
    /// The description of a stream, with one page of the stream's shards.
    pub struct StreamDescription {
        "EncryptionType" => encryption: &'static str,
        "EnhancedMonitoring" => monitoring: Vec<EnhancedMetrics>,
        "HasMoreShards" => has_more: bool,
        "KeyId" => key_id: Option<String>,
        "RetentionPeriodHours" => retention_hours: u32,
        "Shards" => shards: Vec<ShardDescription>,
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
        "StreamModeDetails" => mode: StreamModeDetails,
        "StreamName" => name: String,
        "StreamStatus" => status: &'static str,
    }
}
document!(Output);
present!(StreamDescription);

impl Operation for DescribeStream {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let stream = context.stream(&input.stream)?;
        let page = page_size(input.limit.map(|limit| limit.0), limits::DESCRIBE_PAGE);
        let now = context.engine.world.clock.now();
        let after = input.exclusive_start.as_ref().map(ShardIdText::as_str);
        let properties = stream.properties();
        // The answer lists no shards of a stream that is DELETING, as was recorded in September
        // 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
        let listed = match properties.status {
            StreamStatus::Deleting => Vec::new(),
            _ => stream.listed_shards(now),
        };
        let mut shards = listed.iter().filter(|shard| is_after(shard.id, after));
        let shown = shards
            .by_ref()
            .take(page)
            .map(ShardDescription::of)
            .collect();
        Ok(Output {
            description: StreamDescription {
                encryption: properties.encryption.as_str(),
                monitoring: enhanced_monitoring(&properties),
                has_more: shards.next().is_some(),
                key_id: properties.key_id.clone(),
                retention_hours: properties.retention_hours,
                shards: shown,
                arn: stream.arn.to_string(),
                created: whole_seconds(stream.created),
                mode: StreamModeDetails::of(properties.mode),
                name: stream.arn.name.to_string(),
                status: properties.status.as_str(),
            },
        })
    }
}

//! DescribeStreamSummary: describes a stream without its shards.
use super::prelude::*;
use crate::model;

pub(super) struct DescribeStreamSummary;

input! { pub struct Input { .. stream: StreamRef, } }

output! { pub struct Output { "StreamDescriptionSummary" => summary: StreamDescriptionSummary, } }

output! {
    /// The description of a stream without its shards. Answers never contain the member `StreamId`,
    /// because an SDK that knows a stream id derives the endpoint from the id. The SDK would then
    /// call AWS instead of the emulator.
    pub struct StreamDescriptionSummary {
        "ChannelCount" => channel_count: usize,
        "ConsumerCount" => consumer_count: usize,
        "EncryptionType" => encryption: &'static str,
        "EnhancedMonitoring" => monitoring: Vec<EnhancedMetrics>,
        "KeyId" => key_id: Option<String>,
        "MaxRecordSizeInKiB" => max_record_size: u32,
        "OpenShardCount" => open_shard_count: Option<usize>,
        "QueueCount" => queue_count: usize,
        "RecordDistributionStrategy" => strategy: Option<&'static str>,
        "RetentionPeriodHours" => retention_hours: u32,
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
        "StreamModeDetails" => mode: StreamModeDetails,
        "StreamName" => name: String,
        "StreamStatus" => status: &'static str,
        "WarmThroughput" => warm_throughput: Option<WarmThroughput>,
    }
}
document!(Output);
present!(StreamDescriptionSummary);

impl Operation for DescribeStreamSummary {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let stream = context.stream(&input.stream)?;
        let properties = stream.properties();
        let strategy = if properties.auto_distribution {
            RecordDistributionStrategy::Auto
        } else {
            RecordDistributionStrategy::UserPartitionKey
        };
        let settled = matches!(
            properties.status,
            model::StreamStatus::Active | model::StreamStatus::Updating
        );
        let on_demand = properties.mode == model::StreamMode::OnDemand;
        Ok(Output {
            summary: StreamDescriptionSummary {
                channel_count: properties.channels,
                consumer_count: properties.consumers,
                encryption: properties.encryption.as_str(),
                monitoring: enhanced_monitoring(&properties),
                key_id: properties.key_id.clone(),
                max_record_size: properties.max_record_kib,
                // OpenShardCount is absent while the stream is CREATING or DELETING, as was
                // recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
                open_shard_count: settled.then_some(properties.open_shards),
                queue_count: properties.queues,
                strategy: on_demand.then_some(strategy.as_str()),
                retention_hours: properties.retention_hours,
                arn: stream.arn.to_string(),
                created: whole_seconds(stream.created),
                mode: StreamModeDetails::of(properties.mode),
                name: stream.arn.name.to_string(),
                status: properties.status.as_str(),
                warm_throughput: WarmThroughput::of(&properties),
            },
        })
    }
}

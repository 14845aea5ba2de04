//! The description of a channel, as answers contain it.

use super::channel_shapes::{ChannelEncryptionType, PartitionTransform};
use super::present::present;
use super::stream_details::whole_seconds;
use crate::engine::channel::Channel;
use crate::model::channel::{
    BucketRef, ChannelSettings, ChannelStatus, DeadLetterBucket, Destination, LogSettings,
    S3Destination, TableDestination,
};
use crate::wire::output;
use crate::world::Timestamp;

output! {
    /// The description of a channel in an answer. A setting that no request gave has its default
    /// value.
    pub struct ChannelDescription {
        "ChannelARN" => arn: String,
        "ChannelCreationTimestamp" => created: Timestamp,
        "ChannelId" => id: String,
        "ChannelName" => name: String,
        "ChannelStatus" => status: &'static str,
        "ChannelStatusReason" => reason: Option<String>,
        "EncryptionConfiguration" => encryption: Option<EncryptionOutput>,
        "LoggingConfiguration" => logging: LoggingOutput,
        "S3DestinationConfiguration" => s3: Option<S3DestinationDescription>,
        "S3TablesDestinationConfiguration" => tables: Option<S3TablesDestinationDescription>,
        "ServiceExecutionRoleARN" => role: String,
        "StreamConfigurationList" => streams: Vec<ChannelStreamDescription>,
    }
}
output! {
    /// The stream of a channel, and the format of the stream's records.
    pub struct ChannelStreamDescription {
        "RecordConfiguration" => records: RecordsOutput,
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
    }
}
output! {
    /// The format of the records that a channel delivers, and the schema that validates these
    /// records.
    pub struct RecordsOutput {
        "GSRSchemaARN" => schema: Option<String>,
        "RecordFormatType" => format: &'static str,
    }
}
output! {
    /// The general purpose bucket to which a channel delivers, the data freshness, and the bucket
    /// for dead-letter objects.
    pub struct S3DestinationDescription {
        "DataFreshnessInSeconds" => freshness: u32,
        "DeadLetterQueueS3Configuration" => dead_letters: DeadLetterOutput,
        "StorageConfiguration" => storage: S3StorageOutput,
    }
}
output! {
    /// The bucket for a channel's dead-letter objects, and the prefix of their keys.
    pub struct DeadLetterOutput {
        "BucketARN" => bucket: String,
        "ErrorOutputPrefix" => prefix: String,
        "ExpectedBucketOwner" => owner: String,
    }
}
output! {
    /// The bucket to which a channel delivers, and the properties of the delivered objects.
    pub struct S3StorageOutput {
        "BucketARN" => bucket: String,
        "CompressionType" => compression: &'static str,
        "ExpectedBucketOwner" => owner: String,
        "OutputKeyTemplate" => key_template: String,
        "StorageClass" => storage_class: &'static str,
    }
}
output! {
    /// The table to which a channel delivers, the data freshness, and the bucket for dead-letter
    /// objects.
    pub struct S3TablesDestinationDescription {
        "DataFreshnessInSeconds" => freshness: u32,
        "DeadLetterQueueS3Configuration" => dead_letters: DeadLetterOutput,
        "S3TablesConfigurationList" => tables: Vec<S3TablesOutput>,
    }
}
output! {
    /// The table to which a channel delivers: its name, its table bucket, and its properties.
    pub struct S3TablesOutput {
        "CompressionType" => compression: &'static str,
        "Namespace" => namespace: String,
        "PartitionSpec" => partitions: PartitionSpecOutput,
        "TableBucketARN" => bucket: String,
        "TableName" => table: String,
    }
}
output! {
    /// The partition columns of the table to which a channel delivers.
    pub struct PartitionSpecOutput { "PartitionFields" => fields: Vec<PartitionFieldOutput>, }
}
output! {
    /// A partition column of a table, and the transform of the column's values.
    pub struct PartitionFieldOutput {
        "SourceName" => source: String,
        "Transform" => transform: &'static str,
    }
}
output! {
    /// The KMS key that encrypts the data that a channel delivers.
    pub struct EncryptionOutput {
        "EncryptionType" => kind: &'static str,
        "KeyId" => key: String,
    }
}
output! {
    /// The settings of a channel's log.
    pub struct LoggingOutput { "CloudWatchLogs" => logs: CloudWatchLogsOutput, }
}
output! {
    /// The log group and the log stream of a channel's log in CloudWatch Logs.
    pub struct CloudWatchLogsOutput {
        "Enabled" => enabled: bool,
        "LogGroupName" => group: Option<String>,
        "LogStreamName" => stream: Option<String>,
    }
}
present!(
    ChannelDescription,
    RecordsOutput,
    DeadLetterOutput,
    S3StorageOutput,
    PartitionSpecOutput,
    LoggingOutput,
    CloudWatchLogsOutput
);

impl ChannelDescription {
    pub(super) fn of(channel: &Channel) -> Self {
        let described = channel.describe();
        let reason = described.reason;
        Self {
            reason,
            ..Self::with(channel, described.status, &described.settings)
        }
    }

    /// Describes a channel as if it had the status `status` and the settings `settings`. The
    /// channel's present status and settings are not used.
    pub(super) fn with(
        channel: &Channel,
        status: ChannelStatus,
        settings: &ChannelSettings,
    ) -> Self {
        let key = settings.key_id.clone();
        let (mut s3, mut tables) = (None, None);
        match &settings.destination {
            Destination::S3(bucket) => s3 = Some(s3_description(settings, bucket)),
            Destination::S3Tables(table) => tables = Some(tables_description(settings, table)),
        }
        Self {
            arn: channel.arn.to_string(),
            created: whole_seconds(channel.created),
            id: channel.arn.id.to_string(),
            name: channel.name.to_string(),
            status: status.as_str(),
            reason: None,
            encryption: key.map(|key| EncryptionOutput {
                kind: ChannelEncryptionType::Kms.as_str(),
                key,
            }),
            logging: LoggingOutput::of(&settings.log),
            s3,
            tables,
            role: settings.role.clone(),
            streams: vec![ChannelStreamDescription {
                records: RecordsOutput {
                    schema: settings.schema.clone(),
                    format: settings.format.as_str(),
                },
                arn: channel.stream.arn.to_string(),
                created: whole_seconds(channel.stream.created),
            }],
        }
    }
}

impl LoggingOutput {
    fn of(log: &LogSettings) -> Self {
        Self {
            logs: CloudWatchLogsOutput {
                enabled: log.enabled,
                group: log.group.clone(),
                stream: log.stream.clone(),
            },
        }
    }
}

impl DeadLetterOutput {
    fn of(dead_letters: &DeadLetterBucket) -> Self {
        let BucketRef { arn, owner } = dead_letters.bucket.clone();
        Self {
            bucket: arn,
            prefix: dead_letters.prefix.clone(),
            owner,
        }
    }
}

fn s3_description(settings: &ChannelSettings, given: &S3Destination) -> S3DestinationDescription {
    let BucketRef { arn, owner } = given.bucket.clone();
    S3DestinationDescription {
        freshness: settings.freshness_s,
        dead_letters: DeadLetterOutput::of(&settings.dead_letters),
        storage: S3StorageOutput {
            bucket: arn,
            compression: given.compression.as_str(),
            owner,
            key_template: given.key_template.clone(),
            storage_class: given.storage_class.as_str(),
        },
    }
}

fn tables_description(
    settings: &ChannelSettings,
    given: &TableDestination,
) -> S3TablesDestinationDescription {
    let field = |column: &String| PartitionFieldOutput {
        source: column.clone(),
        transform: PartitionTransform::TimeHour.as_str(),
    };
    S3TablesDestinationDescription {
        freshness: settings.freshness_s,
        dead_letters: DeadLetterOutput::of(&settings.dead_letters),
        tables: vec![S3TablesOutput {
            compression: given.compression.as_str(),
            namespace: given.namespace.clone(),
            partitions: PartitionSpecOutput {
                fields: given.partition_columns.iter().map(field).collect(),
            },
            bucket: given.bucket_arn.clone(),
            table: given.table.clone(),
        }],
    }
}

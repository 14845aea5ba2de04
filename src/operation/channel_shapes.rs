//! The shapes of the service model that only operations on channels use, with their constraints.

use super::shapes::{KeyId, NAME, StreamARN};
use crate::wire::{Pattern, Truth, choice, input, integer, list, string};

static CHANNEL_ARN: Pattern = Pattern::new(r"arn:aws.*:kinesis:.*:\d{12}:channel/\S+");
static ROLE_ARN: Pattern =
    Pattern::new(r"arn:aws[-a-z0-9]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+");
static SCHEMA_ARN: Pattern = Pattern::new(
    r"arn:aws[-a-z0-9]*:glue:[-a-z0-9]+:\d{12}:schema/[-a-zA-Z0-9_$#.]+/[-a-zA-Z0-9_$#.]+",
);
static BUCKET_ARN: Pattern = Pattern::new(r"arn:aws[-a-z0-9]*:s3:::[a-z0-9._-]{3,63}");
static TABLE_BUCKET_ARN: Pattern =
    Pattern::new(r"arn:aws[-a-z0-9]*:s3tables:[-a-z0-9]+:\d{12}:bucket/[a-z0-9_-]{3,63}");
static BUCKET_OWNER: Pattern = Pattern::new(r"\d{12}");
static ERROR_PREFIX: Pattern = Pattern::new(r"[0-9A-Za-z!\-_'.*()\/]+");
static KEY_TEMPLATE: Pattern = Pattern::new(r"[0-9A-Za-z!\-_'.*()\/=:{}]+");
static TABLE_NAME: Pattern = Pattern::new("[0-9a-z_]+");
static SOURCE_NAME: Pattern = Pattern::new(r"[a-zA-Z0-9\.\_]+");
static LOG_GROUP: Pattern = Pattern::new(r"[\.\-_/#A-Za-z0-9]+");
static LOG_STREAM: Pattern = Pattern::new("[^:*]*");

string!(/// Name of a channel.
    ChannelName, length: 1..=128, pattern: NAME);
string!(/// ARN of a channel.
    ChannelARN, length: 1..=2048, pattern: CHANNEL_ARN);
string!(/// ARN of the IAM role with which a channel writes to its destination.
    RoleARN, length: 1..=512, pattern: ROLE_ARN);
string!(/// ARN of the schema in AWS Glue Schema Registry that validates the records of a channel.
    GSRSchemaARN, length: 1..=512, pattern: SCHEMA_ARN);
string!(/// ARN of a general purpose bucket.
    BucketARN, length: 1..=2048, pattern: BUCKET_ARN);
string!(/// ARN of a table bucket.
    TableBucketARN, length: 1..=2048, pattern: TABLE_BUCKET_ARN);
string!(/// Id of the account that owns a bucket.
    ExpectedBucketOwner, length: 12..=12, pattern: BUCKET_OWNER);
string!(/// Prefix of the keys of dead-letter objects.
    S3ErrorOutputPrefix, length: 1..=512, pattern: ERROR_PREFIX);
string!(/// Template of the keys of delivered objects. The operation checks the variables in it.
    S3OutputKeyTemplate, length: 1..=1024, pattern: KEY_TEMPLATE);
string!(/// Namespace of the table to which a channel delivers.
    S3TablesNamespace, length: 1..=255, pattern: TABLE_NAME);
string!(/// Name of the table to which a channel delivers.
    S3TablesTableName, length: 1..=255, pattern: TABLE_NAME);
string!(/// Name of a partition column of a table.
    PartitionSourceName, length: 1..=255, pattern: SOURCE_NAME);
string!(/// Name of the log group of a channel's log.
    CloudWatchLogGroupName, length: 1..=512, pattern: LOG_GROUP);
string!(/// Name of the log stream of a channel's log.
    CloudWatchLogStreamName, length: 1..=512, pattern: LOG_STREAM);

integer!(/// Longest time for which a record may wait for its delivery, in seconds. The operations
    /// check the range.
    DataFreshnessInSeconds);
integer!(/// Maximum number of channels on one page of ListChannels.
    ListChannelsInputLimit, 1..=10_000);

choice!(/// The format of the records of a channel's stream.
RecordFormatType {
    GsrJson = "GSR_JSON",
    Json = "JSON",
    String = "STRING",
    ByteArray = "BYTE_ARRAY",
});
choice!(/// The compression of delivered objects.
    S3CompressionType { None = "NONE", Gzip = "GZIP", Zstd = "ZSTD" });
choice!(/// The storage class of delivered objects.
S3StorageClass {
    Standard = "STANDARD",
    IntelligentTiering = "INTELLIGENT_TIERING",
    GlacierIr = "GLACIER_IR",
});
choice!(/// The compression of a table's data files.
    S3TablesCompressionType { None = "NONE", Zstd = "ZSTD", Snappy = "SNAPPY" });
choice!(/// The transforms of the partition columns of a table.
    PartitionTransform { TimeHour = "TIME_HOUR" });
choice!(/// The kinds of encryption of a channel's delivered data.
    ChannelEncryptionType { Kms = "KMS" });

input! {
    /// The format of the records that a channel delivers, and the schema that validates these
    /// records.
    pub struct RecordConfiguration {
        "RecordFormatType" => format: RecordFormatType,
        "GSRSchemaARN" => schema: Option<GSRSchemaARN>,
    }
}
input! {
    /// The stream of a channel, and the format of the stream's records.
    pub struct ChannelStreamConfiguration {
        "StreamARN" => arn: StreamARN,
        "RecordConfiguration" => records: RecordConfiguration,
    }
}
list!(/// The streams of a channel. CreateChannel accepts only one stream.
    ChannelStreamConfigurationList of ChannelStreamConfiguration, length: 1..=10_000);
input! {
    /// The bucket for a channel's dead-letter objects, and the prefix of their keys.
    pub struct DeadLetterQueueS3Configuration {
        "BucketARN" => bucket: BucketARN,
        "ExpectedBucketOwner" => owner: ExpectedBucketOwner,
        "ErrorOutputPrefix" => prefix: Option<S3ErrorOutputPrefix>,
    }
}
input! {
    /// The bucket to which a channel delivers, and the properties of the delivered objects.
    pub struct S3StorageConfiguration {
        "BucketARN" => bucket: BucketARN,
        "ExpectedBucketOwner" => owner: ExpectedBucketOwner,
        "OutputKeyTemplate" => key_template: Option<S3OutputKeyTemplate>,
        "StorageClass" => storage_class: Option<S3StorageClass>,
        "CompressionType" => compression: S3CompressionType,
    }
}
input! {
    /// The general purpose bucket to which a channel delivers, the data freshness, and the bucket
    /// for dead-letter objects.
    pub struct S3DestinationConfiguration {
        "DataFreshnessInSeconds" => freshness: Option<DataFreshnessInSeconds>,
        "DeadLetterQueueS3Configuration" => dead_letters: Option<DeadLetterQueueS3Configuration>,
        "StorageConfiguration" => storage: S3StorageConfiguration,
    }
}
input! {
    /// A partition column of a table, and the transform of the column's values.
    pub struct PartitionField {
        "Transform" => _transform: PartitionTransform,
        "SourceName" => source: PartitionSourceName,
    }
}
list!(/// The partition columns of the table to which a channel delivers.
    PartitionFieldList of PartitionField, length: 1..=10);
input! {
    /// The partition columns of the table to which a channel delivers, as a structure.
    pub struct PartitionSpec { "PartitionFields" => fields: PartitionFieldList, }
}
input! {
    /// The table to which a channel delivers: its name, its table bucket, and its properties.
    pub struct S3TablesConfiguration {
        "TableBucketARN" => bucket: TableBucketARN,
        "Namespace" => namespace: S3TablesNamespace,
        "TableName" => table: S3TablesTableName,
        "CompressionType" => compression: S3TablesCompressionType,
        "PartitionSpec" => partitions: Option<PartitionSpec>,
    }
}
list!(/// The tables of a channel. CreateChannel accepts only one table.
    S3TablesConfigurationList of S3TablesConfiguration, length: 1..=10_000);
input! {
    /// The table to which a channel delivers, the data freshness, and the bucket for dead-letter
    /// objects.
    pub struct S3TablesDestinationConfiguration {
        "DataFreshnessInSeconds" => freshness: Option<DataFreshnessInSeconds>,
        "DeadLetterQueueS3Configuration" => dead_letters: DeadLetterQueueS3Configuration,
        "S3TablesConfigurationList" => tables: S3TablesConfigurationList,
    }
}
input! {
    /// The KMS key that encrypts the data that a channel delivers.
    pub struct ChannelEncryptionConfiguration {
        "EncryptionType" => _kind: ChannelEncryptionType,
        "KeyId" => key: KeyId,
    }
}
input! {
    /// The log group and the log stream of a channel's log in CloudWatch Logs.
    pub struct CloudWatchLogs {
        "Enabled" => enabled: Truth,
        "LogGroupName" => group: Option<CloudWatchLogGroupName>,
        "LogStreamName" => stream: Option<CloudWatchLogStreamName>,
    }
}
input! {
    /// The settings of a channel's log.
    pub struct ChannelLoggingConfiguration { "CloudWatchLogs" => logs: CloudWatchLogs, }
}
input! {
    /// The data freshness: the only member of a destination that UpdateChannel can change.
    pub struct DestinationUpdateInput { "DataFreshnessInSeconds" => freshness: DataFreshnessInSeconds, }
}

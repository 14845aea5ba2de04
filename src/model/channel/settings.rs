//! The settings that CreateChannel and UpdateChannel requests give to a channel. A setting that no
//! request gives has its default value.

use serde::{Deserialize, Serialize};

/// Default template of the keys of delivered objects (AWS developer guide).
pub const DEFAULT_KEY_TEMPLATE: &str = "kinesis-channel/!{channel-name}/!{channel-id}/!{yyyy}/!{MM}/!{dd}/!{HH}/\
    !{channel-name}-!{channel-id}-!{yyyy}-!{MM}-!{dd}-!{HH}-!{mm}!{extension}";

/// The settings of a channel, such as its destination and the format of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// ARN of the role with which the service writes to the destination.
    pub role: String,
    /// The format of the stream's records.
    pub format: RecordFormat,
    /// ARN of the schema that validates the records. `None` for a channel without a schema.
    pub schema: Option<String>,
    /// The destination of the records.
    pub destination: Destination,
    /// The longest time in seconds for which a record may wait for its delivery
    /// (`DataFreshnessInSeconds`).
    pub freshness_s: u32,
    /// The destination of dead-letter objects, which list the records that cannot be delivered and
    /// the reasons.
    pub dead_letters: DeadLetterBucket,
    /// The KMS key that encrypts the delivered data. `None` without encryption.
    pub key_id: Option<String>,
    /// The settings of the channel's log.
    pub log: LogSettings,
}

/// The format in which the stream of a channel holds its records (`RecordFormatType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordFormat {
    /// Each record is JSON in the frame that the serializers of AWS Glue Schema Registry write.
    GsrJson,
    /// Each record is a JSON value.
    Json,
    /// Each record is text in UTF-8.
    String,
    /// Each record is a sequence of any bytes.
    ByteArray,
}

impl RecordFormat {
    /// The name of the format in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GsrJson => "GSR_JSON",
            Self::Json => "JSON",
            Self::String => "STRING",
            Self::ByteArray => "BYTE_ARRAY",
        }
    }

    /// True if a destination of the kind `kind` accepts records of this format.
    pub const fn fits(self, kind: DestinationKind) -> bool {
        match self {
            Self::GsrJson => matches!(kind, DestinationKind::S3Tables),
            Self::Json => true,
            Self::String | Self::ByteArray => matches!(kind, DestinationKind::S3),
        }
    }
}

/// The kind of a channel's destination (`ChannelDestinationType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationKind {
    /// The channel writes objects to a general purpose bucket.
    S3,
    /// The channel writes to an Apache Iceberg table in a table bucket.
    S3Tables,
}

impl DestinationKind {
    /// The name of this kind in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::S3Tables => "S3_TABLES",
        }
    }
}

/// The destination of a channel: a bucket or a table, each with its own settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// The channel writes objects to a general purpose bucket.
    S3(S3Destination),
    /// The channel writes to an Apache Iceberg table in a table bucket.
    S3Tables(TableDestination),
}

impl Destination {
    /// The kind of the destination.
    pub const fn kind(&self) -> DestinationKind {
        match self {
            Self::S3(_) => DestinationKind::S3,
            Self::S3Tables(_) => DestinationKind::S3Tables,
        }
    }
}

/// A bucket and the account that owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRef {
    /// ARN of the bucket.
    pub arn: String,
    /// Id of the account that owns the bucket (`ExpectedBucketOwner`).
    pub owner: String,
}

impl BucketRef {
    /// Name of the bucket: the part of the ARN after the last colon.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }
}

/// The settings of a channel's destination that is a general purpose bucket. The channel writes
/// objects to this bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Destination {
    /// The bucket to which the objects are written.
    pub bucket: BucketRef,
    /// The compression of the objects.
    pub compression: S3Compression,
    /// Template from which the keys of the objects are made.
    pub key_template: String,
    /// The storage class of the objects.
    pub storage_class: StorageClass,
}

/// The compression of delivered objects (`S3CompressionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum S3Compression {
    /// The objects are not compressed.
    None,
    /// The objects are compressed with gzip.
    Gzip,
    /// The objects are compressed with Zstandard.
    Zstd,
}

impl S3Compression {
    /// The name of the compression in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Gzip => "GZIP",
            Self::Zstd => "ZSTD",
        }
    }
}

/// The storage class of delivered objects (`S3StorageClass`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum StorageClass {
    /// S3 Standard.
    #[default]
    Standard,
    /// S3 Intelligent-Tiering.
    IntelligentTiering,
    /// S3 Glacier Instant Retrieval.
    GlacierIr,
}

impl StorageClass {
    /// The name of the storage class in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::GlacierIr => "GLACIER_IR",
        }
    }
}

/// The settings of a channel's destination that is an Apache Iceberg table in a table bucket. The
/// channel creates this table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDestination {
    /// ARN of the table bucket.
    pub bucket_arn: String,
    /// Namespace of the table.
    pub namespace: String,
    /// Name of the table.
    pub table: String,
    /// The compression of the table's data files.
    pub compression: TableCompression,
    /// Names of the partition columns. The partition transform is always the hour, because the
    /// service has no other transform.
    pub partition_columns: Vec<String>,
}

impl TableDestination {
    /// Name of the table bucket: the part of the ARN after the last slash.
    pub fn bucket_name(&self) -> &str {
        self.bucket_arn.rsplit('/').next().unwrap_or_default()
    }
}

/// The compression of a table's data files (`S3TablesCompressionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TableCompression {
    /// The data files are not compressed.
    None,
    /// The data files are compressed with Zstandard.
    Zstd,
    /// The data files are compressed with Snappy.
    Snappy,
}

impl TableCompression {
    /// The name of the compression in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Zstd => "ZSTD",
            Self::Snappy => "SNAPPY",
        }
    }
}

/// The destination of a channel's dead-letter objects: a bucket, and a prefix of the objects' keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterBucket {
    /// The bucket to which the dead-letter objects are written.
    pub bucket: BucketRef,
    /// Prefix with which the keys of dead-letter objects begin (`ErrorOutputPrefix`).
    pub prefix: String,
}

impl DeadLetterBucket {
    /// Default prefix of the keys of dead-letter objects. The value is a choice.
    pub const DEFAULT_PREFIX: &str = "kinesis-channel-errors/";
}

/// The log of a channel in CloudWatch Logs. The emulator stores these settings, but writes no log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSettings {
    /// True if the log is enabled.
    pub enabled: bool,
    /// Name of the log group. `None` if the log is disabled and the client gave no name.
    pub group: Option<String>,
    /// Name of the log stream. `None` if the log is disabled and the client gave no name.
    pub stream: Option<String>,
}

impl LogSettings {
    /// Fills in the default name of the log group or the log stream if the client gave no name.
    /// Does nothing if the log is disabled. The default names are those of the service model.
    pub fn with_defaults(mut self, channel_name: &str, channel_id: &str) -> Self {
        if self.enabled {
            let group = || format!("/aws/kinesis/{channel_name}/{channel_id}");
            self.group.get_or_insert_with(group);
            self.stream
                .get_or_insert_with(|| "DestinationDelivery".to_owned());
        }
        self
    }
}

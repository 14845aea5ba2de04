//! Conversion of a request's members to the settings of a channel.

use super::channel_shapes::{
    ChannelEncryptionConfiguration, ChannelLoggingConfiguration, DataFreshnessInSeconds,
    DeadLetterQueueS3Configuration, RecordConfiguration, RecordFormatType, S3CompressionType,
    S3DestinationConfiguration, S3StorageClass, S3StorageConfiguration, S3TablesCompressionType,
    S3TablesConfiguration, S3TablesDestinationConfiguration,
};
use crate::error::Error;
use crate::limits;
use crate::model::channel::{
    BucketRef, DEFAULT_KEY_TEMPLATE, DeadLetterBucket, Destination, KeyTemplate, LogSettings,
    RecordFormat, S3Compression, S3Destination, StorageClass, TableCompression, TableDestination,
    check_prefix,
};
use crate::wire::Truth;

/// The destination that a request gives for a channel. Missing members are not replaced by defaults
/// yet.
pub(super) enum GivenDestination<'a> {
    S3(&'a S3DestinationConfiguration),
    S3Tables(&'a S3TablesDestinationConfiguration),
}

impl<'a> GivenDestination<'a> {
    /// Returns the destination that a request gives. Refuses a request with no destination or with
    /// several destinations.
    pub(super) fn of(
        s3: Option<&'a S3DestinationConfiguration>,
        tables: Option<&'a S3TablesDestinationConfiguration>,
    ) -> Result<Self, Error> {
        match (s3, tables) {
            (Some(s3), None) => Ok(Self::S3(s3)),
            (None, Some(tables)) => Ok(Self::S3Tables(tables)),
            (None, None) | (Some(_), Some(_)) => Err(Error::channel_destinations()),
        }
    }

    /// Returns the destination, with defaults for the members that the request does not give.
    pub(super) fn destination(&self) -> Result<Destination, Error> {
        match self {
            Self::S3(given) => Ok(Destination::S3(s3_destination(&given.storage))),
            Self::S3Tables(given) => {
                let [table] = &given.tables.0[..] else {
                    let (list, entry) = ("S3TablesConfigurationList", "table configuration");
                    return Err(Error::channel_list(list, entry, given.tables.0.len()));
                };
                table_destination(table).map(Destination::S3Tables)
            }
        }
    }

    /// Returns the longest time in seconds for which a record may wait for its delivery: the value
    /// of the request, or the default.
    pub(super) fn freshness_s(&self) -> Result<u32, Error> {
        let given = match self {
            Self::S3(given) => given.freshness,
            Self::S3Tables(given) => given.freshness,
        };
        given.map_or(Ok(limits::CHANNEL_FRESHNESS_S), checked_freshness)
    }

    /// Returns the destination of dead-letter objects. A channel that delivers to a bucket also
    /// writes its dead-letter objects to this bucket, unless the request gives another destination
    /// for the dead-letter objects.
    pub(super) fn dead_letters(&self) -> DeadLetterBucket {
        match self {
            Self::S3(S3DestinationConfiguration {
                dead_letters: None,
                storage,
                ..
            }) => DeadLetterBucket {
                bucket: bucket(storage.bucket.as_str(), storage.owner.as_str()),
                prefix: DeadLetterBucket::DEFAULT_PREFIX.to_owned(),
            },
            Self::S3(S3DestinationConfiguration {
                dead_letters: Some(given),
                ..
            }) => dead_letter_bucket(given),
            Self::S3Tables(given) => dead_letter_bucket(&given.dead_letters),
        }
    }
}

/// Checks that `given`, the longest time in seconds for which a record may wait for its delivery,
/// is in the range that the service's developer guide gives. Returns the checked value.
pub(super) fn checked_freshness(given: DataFreshnessInSeconds) -> Result<u32, Error> {
    let (least, most) = (
        limits::CHANNEL_FRESHNESS_S_LEAST,
        limits::CHANNEL_FRESHNESS_S_MOST,
    );
    let checked = u32::try_from(given.0).ok();
    checked
        .filter(|_| (least..=most).contains(&given.0))
        .ok_or_else(|| Error::channel_freshness(given.0, least, most))
}

/// Returns the format of the stream's records, and the ARN of their schema. Refuses a format or a
/// schema that does not fit the destination.
pub(super) fn record_format(
    given: &RecordConfiguration,
    destination: &Destination,
) -> Result<(RecordFormat, Option<String>), Error> {
    let format = match given.format {
        RecordFormatType::GsrJson => RecordFormat::GsrJson,
        RecordFormatType::Json => RecordFormat::Json,
        RecordFormatType::String => RecordFormat::String,
        RecordFormatType::ByteArray => RecordFormat::ByteArray,
    };
    let kind = destination.kind();
    if !format.fits(kind) {
        return Err(Error::channel_format(format, kind));
    }
    let schema = given.schema.as_ref().map(ToString::to_string);
    if matches!(destination, Destination::S3Tables(_)) && schema.is_none() {
        return Err(Error::channel_table_needs("GSRSchemaARN"));
    }
    Ok((format, schema))
}

/// Returns the KMS key that encrypts the delivered data. Refuses the keys that AWS manages, whose
/// aliases begin with `aws/`.
pub(super) fn encryption_key(given: &ChannelEncryptionConfiguration) -> Result<String, Error> {
    let key = given.key.as_str();
    let alias = key.rsplit(':').next().unwrap_or_default();
    let name = alias.strip_prefix("alias/").unwrap_or(alias);
    match name.starts_with("aws/") {
        true => Err(Error::channel_service_key(key)),
        false => Ok(key.to_owned()),
    }
}

/// Checks the key template and the dead-letter prefix in the settings of a channel called `name`.
pub(super) fn check_keys(
    destination: &Destination,
    dead_letters: &DeadLetterBucket,
    name: &str,
) -> Result<(), Error> {
    if let Destination::S3(S3Destination { key_template, .. }) = destination {
        let parsed = KeyTemplate::parse(key_template, name);
        parsed.map_err(|fault| Error::channel_key("OutputKeyTemplate", &fault))?;
    }
    let checked = check_prefix(&dead_letters.prefix);
    checked.map_err(|fault| Error::channel_key("ErrorOutputPrefix", &fault))
}

/// Returns the log settings `before` with the changes that a request asks for. A log group or log
/// stream that the request does not name stays unchanged. Keeping these names is a choice.
pub(super) fn changed_log(
    before: &LogSettings,
    given: &ChannelLoggingConfiguration,
) -> LogSettings {
    let Truth(enabled) = given.logs.enabled;
    let group = given.logs.group.as_ref().map(ToString::to_string);
    let stream = given.logs.stream.as_ref().map(ToString::to_string);
    LogSettings {
        enabled,
        group: group.or_else(|| before.group.clone()),
        stream: stream.or_else(|| before.stream.clone()),
    }
}

fn bucket(arn: &str, owner: &str) -> BucketRef {
    BucketRef {
        arn: arn.to_owned(),
        owner: owner.to_owned(),
    }
}

fn dead_letter_bucket(given: &DeadLetterQueueS3Configuration) -> DeadLetterBucket {
    let prefix = given.prefix.as_ref().map(ToString::to_string);
    DeadLetterBucket {
        bucket: bucket(given.bucket.as_str(), given.owner.as_str()),
        prefix: prefix.unwrap_or_else(|| DeadLetterBucket::DEFAULT_PREFIX.to_owned()),
    }
}

fn s3_destination(given: &S3StorageConfiguration) -> S3Destination {
    let template = given.key_template.as_ref().map(ToString::to_string);
    S3Destination {
        bucket: bucket(given.bucket.as_str(), given.owner.as_str()),
        compression: match given.compression {
            S3CompressionType::None => S3Compression::None,
            S3CompressionType::Gzip => S3Compression::Gzip,
            S3CompressionType::Zstd => S3Compression::Zstd,
        },
        key_template: template.unwrap_or_else(|| DEFAULT_KEY_TEMPLATE.to_owned()),
        storage_class: match given.storage_class {
            None | Some(S3StorageClass::Standard) => StorageClass::Standard,
            Some(S3StorageClass::IntelligentTiering) => StorageClass::IntelligentTiering,
            Some(S3StorageClass::GlacierIr) => StorageClass::GlacierIr,
        },
    }
}

fn table_destination(given: &S3TablesConfiguration) -> Result<TableDestination, Error> {
    let partitions = given.partitions.as_ref();
    let partitions = partitions.ok_or_else(|| Error::channel_table_needs("PartitionSpec"))?;
    let columns = partitions.fields.0.iter();
    Ok(TableDestination {
        bucket_arn: given.bucket.to_string(),
        namespace: given.namespace.to_string(),
        table: given.table.to_string(),
        compression: match given.compression {
            S3TablesCompressionType::None => TableCompression::None,
            S3TablesCompressionType::Zstd => TableCompression::Zstd,
            S3TablesCompressionType::Snappy => TableCompression::Snappy,
        },
        partition_columns: columns.map(|field| field.source.to_string()).collect(),
    })
}

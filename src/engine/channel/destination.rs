//! The trait of the destinations that channels write to, and its implementation without any
//! destination.

use crate::engine::event_source::Pending;
use crate::limits;
use crate::model::channel::{BucketRef, ChannelSettings, DestinationKind, StorageClass};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// The destinations that channels write to.
pub trait Destinations: Send + Sync + fmt::Debug {
    /// Checks that the destination of a new channel can be written: the buckets exist and belong to
    /// the expected accounts, and the schema can be found. Resolves to the reason for the status
    /// FAILED if the check fails.
    fn check(&self, settings: &ChannelSettings) -> Pending<Result<(), String>>;

    /// Begins an object. May block.
    ///
    /// # Errors
    /// The object cannot be begun.
    fn begin(&self, object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError>;
}

/// An object that is being written. Its writes may block. An object that is dropped before its end
/// does not appear.
pub trait ObjectWriter: Write + Send + fmt::Debug {
    /// Completes the object. An object with the same key is replaced. Resolves to the number of
    /// bytes when the object is durable.
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>>;
}

/// An object to write, without its content.
#[derive(Debug, Clone)]
pub struct ObjectHead {
    /// The bucket, with the account that has to own it.
    pub bucket: BucketRef,
    /// Key of the object.
    pub key: String,
    /// Value of the header `Content-Type`.
    pub content_type: &'static str,
    /// The storage class of the object.
    pub storage_class: StorageClass,
    /// The KMS key that encrypts the object. `None` without encryption.
    pub key_id: Option<String>,
}

/// The reason for which an object is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationError {
    /// No destination of this kind is configured. Holds the names of the missing settings.
    NotConfigured(String),
    /// The destination cannot be reached, or did not answer in time.
    Unreachable(String),
    /// The destination refused the object.
    Refused(String),
}

impl fmt::Display for DestinationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotConfigured(reason) | Self::Unreachable(reason) | Self::Refused(reason)) =
            self;
        formatter.write_str(reason)
    }
}

impl std::error::Error for DestinationError {}

impl From<io::Error> for DestinationError {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Settings of the emulator for all channels.
#[derive(Debug, Clone)]
pub struct ChannelBehaviour {
    /// The destinations that channels write to.
    pub destinations: Arc<dyn Destinations>,
    /// Time after which a channel delivers its records, in milliseconds. None: the channel's data
    /// freshness.
    pub flush_interval_ms: Option<u64>,
    /// Size after which an object is delivered, in bytes before the compression.
    pub max_object_bytes: u64,
}

impl Default for ChannelBehaviour {
    /// No destinations, and the default sizes.
    fn default() -> Self {
        Self {
            destinations: Arc::new(NoDestinations),
            flush_interval_ms: None,
            max_object_bytes: limits::CHANNEL_OBJECT_BYTES,
        }
    }
}

/// The destinations of an emulator without any: the check of every channel fails.
#[derive(Debug)]
struct NoDestinations;

/// The reason for which a channel with a destination of this kind cannot deliver when no
/// destination of the kind is configured. The names are those of the `--config` file.
pub(crate) fn not_configured(kind: DestinationKind) -> String {
    let settings = match kind {
        DestinationKind::S3 => "channels.s3.local_dir or channels.s3.endpoint",
        DestinationKind::S3Tables => {
            "channels.s3tables.local_dir or channels.s3tables.rest_catalog"
        }
    };
    format!(
        "No destination of type {} is configured. Set {settings} and create the channel again.",
        kind.as_str()
    )
}

impl Destinations for NoDestinations {
    fn check(&self, settings: &ChannelSettings) -> Pending<Result<(), String>> {
        let reason = not_configured(settings.destination.kind());
        Box::pin(std::future::ready(Err(reason)))
    }

    fn begin(&self, _object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        let reason = not_configured(DestinationKind::S3);
        Err(DestinationError::NotConfigured(reason))
    }
}

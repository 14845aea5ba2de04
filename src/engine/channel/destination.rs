//! The trait of the destinations that channels write to, and an implementation for an emulator
//! without destinations.

use super::destination_error::DestinationError;
use super::table::OpenTable;
use crate::engine::event_source::Pending;
use crate::limits;
use crate::model::ChannelArn;
use crate::model::channel::{BucketRef, ChannelSettings, DestinationKind, StorageClass};
use std::fmt;
use std::future::ready;
use std::io::Write;
use std::sync::Arc;

/// The destinations that channels write to.
pub trait Destinations: Send + Sync + fmt::Debug {
    /// Checks that the buckets of a new channel exist and belong to the expected accounts. If the
    /// check fails, resolves to the reason for the status FAILED.
    fn check(&self, settings: &ChannelSettings) -> Pending<Result<(), String>>;

    /// Creates an incomplete object, and returns the writer of its content. The function may block
    /// the thread.
    ///
    /// # Errors
    /// Returns an error if the object cannot be created.
    fn begin(&self, object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError>;

    /// Creates the table of a new channel, after the check of its destination. If an interrupted
    /// earlier call has already created the table, keeps this table. The default implementation is
    /// for destinations without tables, and does nothing.
    fn create_table(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
    ) -> Pending<Result<(), DestinationError>> {
        Box::pin(ready(Ok(())))
    }

    /// Opens the table that was created for a channel. The error [`DestinationError::Refused`]
    /// makes the channel FAILED, because a repeated call would not succeed.
    fn open_table(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        Box::pin(ready(Err(no_tables())))
    }
}

fn no_tables() -> DestinationError {
    DestinationError::NotConfigured(not_configured(DestinationKind::S3Tables))
}

/// An object that is being written. A write to the object may block the thread. An object that is
/// dropped before it is finished does not appear in the bucket.
pub trait ObjectWriter: Write + Send + fmt::Debug {
    /// Completes the object, which replaces an existing object with the same key. Resolves to the
    /// size of the object, in bytes, when the object is durable.
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>>;
}

/// The key and the properties of an object to write.
#[derive(Debug, Clone)]
pub struct ObjectHead {
    /// The bucket of the object, and the account that must own the bucket.
    pub bucket: BucketRef,
    /// Key of the object in the bucket.
    pub key: String,
    /// Value of the object's header `Content-Type`.
    pub content_type: &'static str,
    /// The storage class of the object.
    pub storage_class: StorageClass,
    /// The KMS key that encrypts the object. None without encryption.
    pub key_id: Option<String>,
}

/// Settings of the emulator for all channels.
#[derive(Debug, Clone)]
pub struct ChannelBehaviour {
    /// The destinations that channels write to.
    pub destinations: Arc<dyn Destinations>,
    /// The age, in milliseconds, that the oldest undelivered record must reach before a channel
    /// writes an object that is not full. None means that the data freshness of each channel
    /// applies.
    pub flush_interval_ms: Option<u64>,
    /// Size at which an object is full, in bytes before compression.
    pub max_object_bytes: u64,
}

impl Default for ChannelBehaviour {
    /// Settings without destinations, and with the default size of objects.
    fn default() -> Self {
        Self {
            destinations: Arc::new(NoDestinations),
            flush_interval_ms: None,
            max_object_bytes: limits::CHANNEL_OBJECT_BYTES,
        }
    }
}

/// The [`Destinations`] of an emulator that has no configured destinations. The check of every
/// channel fails.
#[derive(Debug)]
struct NoDestinations;

/// Returns the reason why a channel cannot deliver if no destination of the kind `kind` is
/// configured. The text names the missing settings of the `--config` file.
pub(crate) fn not_configured(kind: DestinationKind) -> String {
    let settings = match kind {
        DestinationKind::S3 => "channels.s3.local_dir or channels.s3.endpoint",
        DestinationKind::S3Tables => {
            "channels.s3tables.local_dir or channels.s3tables.rest_catalog"
        }
    };
    format!(
        "No destination of type {} is configured. Set {settings}, and create the channel again if \
         it is FAILED.",
        kind.as_str()
    )
}

impl Destinations for NoDestinations {
    fn check(&self, settings: &ChannelSettings) -> Pending<Result<(), String>> {
        let reason = not_configured(settings.destination.kind());
        Box::pin(ready(Err(reason)))
    }

    fn begin(&self, _object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        let reason = not_configured(DestinationKind::S3);
        Err(DestinationError::NotConfigured(reason))
    }
}

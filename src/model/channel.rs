//! Channels: the records of a stream are delivered to a bucket or to a table.
//!
//! All values here are plain. The engine reads the records, supplies the time, and saves the
//! positions.

mod position;
mod settings;
mod status;

pub use position::ChannelPosition;
pub use settings::{
    BucketRef, ChannelSettings, DEFAULT_KEY_TEMPLATE, DeadLetterBucket, Destination,
    DestinationKind, LogSettings, RecordFormat, S3Compression, S3Destination, StorageClass,
    TableCompression, TableDestination,
};
pub use status::ChannelStatus;

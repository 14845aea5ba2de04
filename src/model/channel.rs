//! Channels, which deliver the records of a stream to a bucket or to a table.
//!
//! The code in this module does no I/O: the engine reads the records, supplies the time, and saves
//! the positions of the channels.

mod dead_letter;
#[cfg(any(test, feature = "streaming-tables"))]
pub(crate) mod gsr;
mod key_template;
mod plan;
mod position;
mod record_check;
#[cfg(any(test, feature = "streaming-tables"))]
pub(crate) mod schema;
mod settings;
mod status;

pub use dead_letter::{DeadLetter, dead_letter_key};
pub use key_template::{KeyFault, KeyTemplate, KeyValues, check_prefix};
pub use plan::{Block, ObjectPlan, Offered, ShardRange};
pub use position::ChannelPosition;
pub use record_check::InvalidRecord;
pub use settings::{
    BucketRef, ChannelSettings, DEFAULT_KEY_TEMPLATE, DeadLetterBucket, Destination,
    DestinationKind, LogSettings, RecordFormat, S3Compression, S3Destination, StorageClass,
    TableCompression, TableDestination,
};
pub use status::ChannelStatus;

//! The service's concepts as plain values: streams, shards, sequence numbers, shard iterators,
//! policies, queues, channels and event source mappings.
//!
//! The code in this module is not async, takes no lock, logs nothing, and reads no clock. The
//! functions get the time and random bytes as arguments. A rule of the service that depends only on
//! its inputs is a pure function with unit tests. Examples are the choice of a shard by a hash key,
//! the parsing of a sequence number, and the split of a shard.

mod aggregate;
mod arn;
mod bucket;
pub mod channel;
pub mod event_source;
mod hash_key;
mod identities;
mod kms_key;
mod page_token;
mod policy;
mod queue;
mod record;
mod resource_id;
mod scaling;
mod sealed_text;
mod sequence_number;
mod shard;
mod shard_id;
mod shard_iterator;
mod stream;
mod tag;
mod u192;
mod write_limit;

pub(crate) use aggregate::{Aggregate, UserRecord};
pub use arn::{AccountId, AccountRegion, ConsumerArn, Region, StreamArn};
pub(crate) use arn::{ChannelArn, QueueArn, is_name};
pub(crate) use bucket::Bucket;
pub use hash_key::HashKey;
pub(crate) use hash_key::HashKeyRange;
pub(crate) use identities::Identities;
pub use kms_key::KeyState;
pub(crate) use kms_key::Keys;
pub use page_token::PageToken;
pub(crate) use policy::{Policy, Principal, Refusal, Request, Target, judge};
pub(crate) use queue::{
    Delivery, HandleFault, HandleSeal, PeekState, QUEUE_SECRET_BYTES, QueueAttributes, QueueBounds,
    QueueCounts, QueueEntry, QueueRecords, QueueReplay, QueueStart, ReceiptHandle, RecordBefore,
    RecordIds, RecordPlace, UnreadRecord, changes_document,
};
pub(crate) use record::NewRecord;
pub(crate) use resource_id::resource_id;
pub(crate) use scaling::scale;
pub use sealed_text::SALT_BYTES;
pub(crate) use sequence_number::ParsedNumber;
pub use sequence_number::{SEQUENCE_NUMBER_DIGITS, SequenceNumber};
pub(crate) use shard::{Shard, merge, split};
pub use shard_id::ShardId;
pub(crate) use shard_id::{SHARD_ID_CHARACTERS, display_shard_index};
pub use shard_iterator::ShardIterator;
pub(crate) use stream::{EncryptionType, StreamMode, StreamStatus};
pub(crate) use tag::{TagFault, Tags};
pub(crate) use write_limit::WriteLimit;

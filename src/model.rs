//! The nouns of the service, as plain values: what a stream, a shard, a sequence number or an
//! iterator is, whoever keeps it and however it is sent.
//!
//! Nothing in here is async, locks, logs or reads a clock: time and chance are handed in. So every
//! rule of the service that is a function (where a key belongs, what a number encodes, what a
//! split leaves behind, whether a rate is kept) can be tested as one.

mod arn;
mod bucket;
mod hash_key;
mod identities;
mod kms_key;
mod page_token;
mod policy;
mod record;
mod scaling;
mod sealed_text;
mod sequence_number;
mod shard;
mod shard_id;
mod shard_iterator;
mod stream;
mod tag;
mod u192;

pub use arn::{AccountId, AccountRegion, ConsumerArn, Region, StreamArn};
pub use bucket::{Bucket, WriteLimit};
pub use hash_key::{HashKey, HashKeyRange};
pub use identities::Identities;
pub use kms_key::{KeyState, Keys};
pub use page_token::PageToken;
pub use policy::{Policy, Principal, Refusal, Request, Target, judge};
pub use record::NewRecord;
pub use scaling::scale;
pub use sealed_text::SALT_BYTES;
pub use sequence_number::{ParsedNumber, SEQUENCE_NUMBER_DIGITS, SequenceNumber};
pub use shard::{Resharding, Shard, merge, split};
pub use shard_id::{SHARD_ID_CHARACTERS, ShardId, display_shard_index};
pub use shard_iterator::ShardIterator;
pub use stream::{EncryptionType, StreamMode, StreamStatus};
pub use tag::{TagFault, Tags};

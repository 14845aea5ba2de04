//! The shard that a request names.

use super::shapes::ShardIdText;
use crate::error::Error;
use crate::model::{ShardId, StreamArn};

/// A shard id that a request gave, in any of the spellings the service takes; it is read before
/// the stream is looked for.
pub(super) fn read_shard_id(text: &ShardIdText, stream: &StreamArn) -> Result<ShardId, Error> {
    let id = ShardId::parse(text.as_str());
    id.ok_or_else(|| Error::shard_not_found(text.as_str(), stream))
}

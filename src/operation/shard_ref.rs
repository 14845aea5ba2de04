//! The parser for the shard id that a request names.

use super::shapes::ShardIdText;
use crate::error::Error;
use crate::model::{ShardId, StreamArn};

/// Parses a shard id in any of the spellings that the service accepts. Like in the service, the
/// shard id is parsed before the stream is looked up.
pub(super) fn read_shard_id(text: &ShardIdText, stream: &StreamArn) -> Result<ShardId, Error> {
    let id = ShardId::parse(text.as_str());
    id.ok_or_else(|| Error::shard_not_found(text.as_str(), stream))
}

//! The log of one shard: sealed segments in memory and on disk, and the tail being filled.

pub(crate) mod peek;
pub(crate) mod read;
pub(crate) mod segments;
pub(crate) mod shard_log;
pub(crate) mod ticket;
pub(crate) mod upkeep;

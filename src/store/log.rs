//! The log of one shard: closed segments in memory and on disk, and the tail, to which records are
//! appended.

pub(crate) mod blocks;
pub(crate) mod peek;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod segments;
pub(crate) mod shard_log;
pub(crate) mod ticket;
pub(crate) mod upkeep;

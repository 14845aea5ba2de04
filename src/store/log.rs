//! The log of one shard. A log has closed segments, in memory or on disk, and a tail. The tail is
//! the open segment to which records are appended.

pub(crate) mod blocks;
pub(crate) mod peek;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod segments;
pub(crate) mod shard_log;
pub(crate) mod ticket;
pub(crate) mod upkeep;

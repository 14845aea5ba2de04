//! The log of one shard: its closed segments, in memory and on disk, and its tail, the open segment
//! that appended records enter.

pub(crate) mod blocks;
pub(crate) mod peek;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod segments;
pub(crate) mod shard_log;
pub(crate) mod ticket;
pub(crate) mod upkeep;

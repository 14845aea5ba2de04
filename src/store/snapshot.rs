//! Snapshots: everything that a store holds, in one portable file that does not depend on sled.
//!
//! # The file
//! A file is one zstd frame with its checksum. Its content is the line `minikin snapshot 1`, with
//! the version, and then blocks up to its end:
//!
//! `kind u8 | length u32 | body | checksum u32`
//!
//! Numbers are little endian. The checksum is the CRC-32 of the block's number in the file (u64, from
//! 0), its kind, its length and its body, so a block that is missing or moved is noticed too.
//!
//! | kind | body |
//! |---|---|
//! | `h` | run u64, time i64: the head, the first block |
//! | `e` | length of the key u16, key, value: an entry of the catalog |
//! | `r` | stream u64, shard u32, records: a part of a log |
//! | `z` | records u64: the end, the last block; it counts the records of all `r` |
//!
//! - The run is the greatest one whose sequence indexes the emulator had given out: the upper bits of
//!   an index (`limits::SEQUENCE_INDEX_BITS_A_RUN`). The time is that of the emulator's clock, in
//!   milliseconds since 1970.
//! - The entries of the catalog have the keys and values of a data directory (`format/catalog.rs`):
//!   a version byte, then CBOR. The time of a virtual clock is not among them.
//! - The records of a log have the packed form of a data directory (`format/record.rs`). Their
//!   indexes grow from block to block. The log of a queue, which has the queue's number and shard 0,
//!   holds the documents of the queue's state. The entries of a stream and of its shards, or of a
//!   queue, come before its records.
//! - Iterators and page tokens are sealed with a key that is the same in every emulator, and receipt
//!   handles with the key in the entry of their queue. So all of them outlive a snapshot.
//!
//! A block of another kind, an entry that cannot be read, or a greater number in the first line
//! belongs to a newer version of minikin, and the whole file is refused.

mod block;
mod reader;
mod writer;

pub(crate) use block::{Block, Head};
pub(crate) use reader::{Flaw, Reader};
pub(crate) use writer::Writer;

#[cfg(test)]
mod tests;

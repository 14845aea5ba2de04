//! Snapshots. A snapshot is one portable file with the whole contents of a store. The format of the
//! file is independent of sled.
//!
//! # The file
//! A file is one zstd frame with a checksum. The content of the frame is the line `minikin snapshot
//! 1`, in which 1 is the version of the format, and then blocks up to the end of the frame:
//!
//! `kind u8 | length u32 | body | checksum u32`
//!
//! Numbers are little-endian. The checksum is a CRC-32 over the block's position in the file (u64,
//! counted from 0), its kind, its length and its body. Missing and moved blocks are therefore
//! detected.
//!
//! | kind | body |
//! |---|---|
//! | `h` | run u64, time i64: the head, which is the first block |
//! | `e` | length of the key u16, key, value: an entry of the catalog |
//! | `r` | stream u64, shard u32, records: a part of a log |
//! | `z` | records u64: the end, which is the last block, with the number of records in all `r` blocks |
//!
//! - The run in the head is the greatest run in which the emulator issued sequence indexes. The run
//!   is the upper part of a sequence index (`limits::SEQUENCE_INDEX_BITS_A_RUN`). The time in the
//!   head is that of the emulator's clock, in milliseconds since the epoch.
//! - The catalog entries have the same keys and values as in a data directory
//!   (`format/catalog.rs`): a version byte, then CBOR. The time of a virtual clock is left out.
//! - The records of a log have the same packed form as in a data directory (`format/record.rs`).
//!   The indexes of the records increase from block to block. The journal of a queue is a log, too:
//!   its stream number is the incarnation number of the queue, and its shard is 0. The catalog
//!   entries of a stream and its shards, or of a queue, come before its records.
//! - Shard iterators and page tokens remain valid after a load, because every emulator encrypts
//!   them with the same key. Receipt handles remain valid, because their key is part of the queue's
//!   catalog entry.
//!
//! A block of an unknown kind, an unreadable entry, or a greater version in the first line means
//! that a newer version of minikin wrote the file. A load refuses such a file as a whole.

mod block;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod reader;
mod writer;

pub(crate) use block::{Block, Head};
pub(crate) use reader::{Flaw, Reader};
pub(crate) use writer::Writer;

#[cfg(test)]
mod tests;

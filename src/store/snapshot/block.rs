//! The blocks that a snapshot file consists of.

use crate::store::format::bytes::u64_at;
use crate::store::format::record::{LogId, Record, record_starts, unpack};

/// The text in the first line of a snapshot file, before the version number.
pub(super) const TITLE: &str = "minikin snapshot ";
/// The version of the snapshot format that this program writes, and the newest version that it
/// reads.
pub(super) const VERSION: u32 = 1;

/// Number of bytes of the kind and the length of a block, which stand before the block's body.
pub(super) const HEADER_BYTES: usize = 5;
/// Number of bytes of the checksum of a block, which stands after the block's body.
pub(super) const CHECKSUM_BYTES: usize = 4;

const HEAD: u8 = b'h';
const ENTRY: u8 = b'e';
const RECORDS: u8 = b'r';
const END: u8 = b'z';

/// The first block of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The greatest run in which the emulator issued sequence indexes.
    pub(crate) run: u64,
    /// Time of the emulator's clock when the snapshot was saved, in milliseconds since the epoch.
    pub(crate) now_ms: i64,
}

/// A block of a snapshot file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// The first block of the file.
    Head(Head),
    /// An entry of the catalog.
    Entry { key: Vec<u8>, value: Vec<u8> },
    /// Consecutive records of one log.
    Records {
        log: LogId,
        /// The records in their packed form.
        packed: Vec<u8>,
    },
    /// The last block of the file.
    End {
        /// Number of records in the whole file.
        records: u64,
    },
}

impl Block {
    /// Packs `records`, which belong to the log `log`, into a block.
    pub(crate) fn of_records<'a>(log: LogId, records: impl Iterator<Item = Record<'a>>) -> Self {
        let mut packed = Vec::new();
        for record in records {
            record.pack(record.arrival, &mut packed);
        }
        Self::Records { log, packed }
    }

    /// Returns the number of records in the block. Returns 0 for a block of another kind than
    /// `Records`.
    pub(super) fn records(&self) -> u64 {
        match self {
            Self::Records { packed, .. } => unpack(packed).count() as u64,
            _ => 0,
        }
    }

    /// Appends the encoded block to `out`. `number` is the block's position in the file, counted
    /// from 0.
    pub(super) fn write(&self, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        let kind = match self {
            Self::Head(head) => {
                out.extend_from_slice(&head.run.to_le_bytes());
                out.extend_from_slice(&head.now_ms.to_le_bytes());
                HEAD
            }
            Self::Entry { key, value } => {
                let length = u16::try_from(key.len()).expect("the keys of the catalog are short");
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(key);
                out.extend_from_slice(value);
                ENTRY
            }
            Self::Records { log, packed } => {
                out.extend_from_slice(&log.to_bytes());
                out.extend_from_slice(packed);
                RECORDS
            }
            Self::End { records } => {
                out.extend_from_slice(&records.to_le_bytes());
                END
            }
        };
        let length = u32::try_from(out.len() - start - HEADER_BYTES);
        let length = length.expect("a block is below 4 GiB");
        out[start] = kind;
        out[start + 1..start + HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        let checksum = checksum(number, &out[start..]);
        out.extend_from_slice(&checksum.to_le_bytes());
    }

    /// Decodes a block from its kind and its body. Returns `None` if the block is damaged, or if a
    /// newer version of the program wrote it.
    pub(super) fn read(kind: u8, body: &[u8]) -> Option<Self> {
        match kind {
            HEAD if body.len() == 16 => Some(Self::Head(Head {
                run: u64_at(body, 0),
                now_ms: u64_at(body, 8).cast_signed(),
            })),
            ENTRY => {
                let (length, rest) = body.split_first_chunk()?;
                let length = usize::from(u16::from_le_bytes(*length));
                let (key, value) = rest.split_at_checked(length)?;
                let (key, value) = (key.to_vec(), value.to_vec());
                Some(Self::Entry { key, value })
            }
            RECORDS => {
                let (log, packed) = body.split_at_checked(LogId::BYTES)?;
                record_starts(packed)?;
                Some(Self::Records {
                    log: LogId::read(log),
                    packed: packed.to_vec(),
                })
            }
            END if body.len() == 8 => Some(Self::End {
                records: u64_at(body, 0),
            }),
            _ => None,
        }
    }
}

/// Computes the checksum of the block at position `number` in the file. `bytes` are the kind, the
/// length and the body of the block.
pub(super) fn checksum(number: u64, bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&number.to_le_bytes());
    checksum.update(bytes);
    checksum.finalize()
}

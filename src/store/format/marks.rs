//! The file `marks`, which says how much was written to the databases of a data directory.
//!
//! sled silently drops a damaged part of its own logs, and everything after this part. If entries
//! of `meta` were lost in this way, the next start would not know of some streams, and would remove
//! the records of these streams. Therefore the committer writes numbers to this file after each
//! flush: how much is in `meta` and in the newest generation. The next start compares these numbers
//! with the databases. The file is not synced, so after a power cut it can be older than the
//! databases, but never newer.
//!
//! Format: `crc32 u32 | saves u64 | generation u64 | segments u64 | commits u64`, little-endian.

use super::bytes::{checksummed_buffer, u64_at, verified_content, write_checksum};

/// Size of the file `marks` in bytes.
const BYTES: usize = 36;

/// The contents of the file `marks`, which say how much was written to the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Number of writes to the database `meta` since the data directory was created.
    pub(crate) saves: u64,
    /// Number of the newest generation, for example 3 for the folder `gen-000003`.
    pub(crate) generation: u64,
    /// Number of segments that were written to the newest generation.
    pub(crate) segments: u64,
    /// Number of commits that were written to the newest generation.
    pub(crate) commits: u64,
}

impl Marks {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = checksummed_buffer();
        for number in [self.saves, self.generation, self.segments, self.commits] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        write_checksum(&mut bytes);
        bytes
    }

    /// Decodes the file `marks`. Returns zero for all numbers if the file is absent or damaged, so
    /// that the comparison with the databases finds no loss.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        if bytes.len() != BYTES || verified_content(bytes).is_err() {
            return Self::default();
        }
        Self {
            saves: u64_at(bytes, 4),
            generation: u64_at(bytes, 12),
            segments: u64_at(bytes, 20),
            commits: u64_at(bytes, 28),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back_and_damaged_ones_say_nothing() {
        let marks = Marks {
            saves: 3,
            generation: 1,
            segments: 70,
            commits: u64::MAX,
        };
        let mut bytes = marks.to_bytes();
        assert_eq!(Marks::from_bytes(&bytes), marks);
        bytes[9] ^= 1;
        assert_eq!(Marks::from_bytes(&bytes), Marks::default());
        assert_eq!(Marks::from_bytes(&[]), Marks::default());
    }
}

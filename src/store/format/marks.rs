//! The file `marks`, which holds the amounts that were written to the databases of a data
//! directory.
//!
//! sled silently drops a damaged part of its own logs, and everything after this part. If `meta`
//! lost entries in this way, a start would not know of some streams, and would remove their
//! records. Therefore the committer writes after each flush the amounts that `meta` and the newest
//! generation hold, and the next start compares these amounts with the databases. The file is not
//! synced. After a power cut the file can be older than the databases, but never newer.
//!
//! Format: `crc32 u32 | saves u64 | generation u64 | segments u64 | commits u64`, little-endian.

use super::bytes::{checksummed_buffer, u64_at, verified_content, write_checksum};

/// Size of the file in bytes.
const BYTES: usize = 36;

/// The amounts that were written to the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Number of writes to the database `meta` since the directory was created.
    pub(crate) saves: u64,
    /// Number of the newest generation.
    pub(crate) generation: u64,
    /// Number of segments that were written to `generation`.
    pub(crate) segments: u64,
    /// Number of commits that were written to `generation`.
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

    /// Reads the file. All numbers are zero if the file is absent or damaged: the comparison with
    /// the databases then finds no loss.
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

//! The file `marks`: how far the databases of a data directory were written.
//!
//! sled silently drops the rest of a log of its own after a damaged part of it. What it dropped
//! from `meta` would look like streams that were never created, whose records are then removed.
//! So the committer notes here, after each flush, how much `meta` and the newest generation hold,
//! and the next start compares. The file is not synced: after a power cut it may be older than the
//! databases, never newer.
//!
//! Its bytes: `crc32 u32 | saves u64 | generation u64 | segments u64 | commits u64`, little endian.

use super::bytes::{checked, framed, stamp, u64_at};

/// Bytes of the file.
const BYTES: usize = 36;

/// The ends of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Saves of metadata since the directory was made.
    pub(crate) saves: u64,
    /// The newest generation.
    pub(crate) generation: u64,
    /// Segments numbered in that generation.
    pub(crate) segments: u64,
    /// Commit frames numbered in that generation.
    pub(crate) commits: u64,
}

impl Marks {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = framed();
        for number in [self.saves, self.generation, self.segments, self.commits] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        stamp(&mut bytes);
        bytes
    }

    /// Reads the file; without readable marks nothing is known, which is no damage.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        if bytes.len() != BYTES || checked(bytes).is_err() {
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

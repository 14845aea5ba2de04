//! The file `marks`, which notes how much was written to the databases of a data directory.
//!
//! When sled finds a damaged part in one of its own logs, it silently drops the part and everything
//! behind it. If `meta` lost entries in this way, streams would seem to have never been created,
//! and their records would be removed. Therefore the committer notes after each flush how much
//! `meta` and the newest generation hold, and the next start compares the notes with the databases.
//! The file is not synced: after a power cut it can be older than the databases, but never newer.
//!
//! Format: `crc32 u32 | saves u64 | generation u64 | segments u64 | commits u64`, little-endian.

use super::bytes::{checked, framed, stamp, u64_at};

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
        let mut bytes = framed();
        for number in [self.saves, self.generation, self.segments, self.commits] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        stamp(&mut bytes);
        bytes
    }

    /// Reads the file. If it is absent or damaged, all numbers are zero, so that no database seems
    /// to have lost anything.
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

//! Slab files: slots of one size, each with a leaf and a checksum.
//!
//! A slot ends with the length of what is in it, in as few bytes as the size of the slot needs,
//! and a checksum of all before. In it is a compressed leaf: its lowest key, the lowest key of the
//! next one, how many bytes its keys have in common with the first, and its keys and values.

use super::checksum_of;
use crate::store::segment::u64_at;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// How many sizes of slots there are.
pub(super) const SLABS: u8 = 78;

/// The bytes of the smaller slots; from there on each is twice the last but one.
const SMALL: [u64; 42] = [
    64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536,
    1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 14336, 16384, 20480,
    24576, 28672, 32768, 40960, 49152, 57344, 65536, 98304,
];

/// A leaf larger than this is not one of ours: it would hold four records of 10 MiB and more.
const LARGEST: u64 = 256 << 20;

/// The size of the slots in the slab file of this place in the order of sizes.
pub(super) fn slot_size(slab: u8) -> u64 {
    let slab = usize::from(slab);
    match slab {
        0..=41 => SMALL[slab],
        42 => 131_072,
        43 => 163_840,
        _ => {
            let doublings = (slab - 44) / 2;
            (if slab.is_multiple_of(2) {
                196_608
            } else {
                262_144
            }) << doublings
        }
    }
}

/// A leaf of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its lowest possible key.
    pub(crate) low: Vec<u8>,
    /// The lowest key of the leaf after it.
    pub(crate) high: Option<Vec<u8>>,
    /// How often it was changed.
    pub(crate) changes: u64,
    pub(crate) pairs: Vec<(Vec<u8>, Bytes)>,
}

/// Reads the leaf in a slot, or says what is wrong with it.
pub(super) fn read(file: &File, slab: u8, number: u64) -> io::Result<Result<Leaf, &'static str>> {
    let size = slot_size(slab);
    if size > LARGEST {
        return Ok(Err("its slots are larger than any leaf"));
    }
    let mut slot = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    match file.read_exact_at(&mut slot, size.saturating_mul(number)) {
        Ok(()) => Ok(unwrap(&slot).and_then(decode)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err("it is too short")),
        Err(error) => Err(error),
    }
}

/// What is in a slot.
fn unwrap(slot: &[u8]) -> Result<&[u8], &'static str> {
    let (rest, checksum) = slot.split_at(slot.len() - 4);
    if checksum != checksum_of(rest) {
        return Err("a checksum in it is wrong");
    }
    let width = match slot.len() {
        0..=0xFF => 1,
        0x100..=0xFFFF => 2,
        _ => 4,
    };
    let (content, length) = rest.split_at(rest.len() - width);
    let length = length
        .iter()
        .rev()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    content.get(..length).ok_or("a length in it is wrong")
}

/// Reads a leaf in its compressed form.
fn decode(bytes: &[u8]) -> Result<Leaf, &'static str> {
    let broken = "a leaf in it cannot be read";
    let mut plain = Vec::with_capacity(bytes.len());
    let decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(|_| broken)?;
    decoder
        .take(LARGEST)
        .read_to_end(&mut plain)
        .map_err(|_| broken)?;
    let plain = Bytes::from(plain);
    Fields(plain).leaf().ok_or(broken)
}

/// The bytes of a leaf that are not yet read.
struct Fields(Bytes);

impl Fields {
    fn number(&mut self) -> Option<u64> {
        let bytes = self.take(8)?;
        Some(u64_at(&bytes, 0))
    }

    fn take(&mut self, length: u64) -> Option<Bytes> {
        let length = usize::try_from(length).ok()?;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    fn text(&mut self) -> Option<Bytes> {
        let length = self.number()?;
        self.take(length)
    }

    fn leaf(&mut self) -> Option<Leaf> {
        let low = self.text()?.to_vec();
        let high = match self.take(1)?[0] {
            0 => None,
            1 => Some(self.text()?.to_vec()),
            _ => return None,
        };
        let common = usize::try_from(self.number()?).ok()?;
        let common = low.get(..common)?;
        let mut pairs = Vec::new();
        for _ in 0..self.number()? {
            let key = [common, &self.text()?].concat();
            pairs.push((key, self.text()?));
        }
        let _size_in_memory = self.number()?;
        let changes = self.number()?;
        Some(Leaf {
            low,
            high,
            changes,
            pairs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_slots_double() {
        let sizes: Vec<_> = (0..SLABS).map(slot_size).collect();
        assert!(sizes.is_sorted_by(|one, two| one < two));
        assert_eq!(sizes[44..48], [196_608, 262_144, 393_216, 524_288]);
        assert_eq!(sizes[77], 17_179_869_184);
    }

    #[test]
    fn bytes_that_are_no_leaf_are_refused() {
        assert!(unwrap(&[0; 64]).is_err());
        assert!(decode(b"no leaf").is_err());
        let mut slot = vec![7; 64];
        slot[59] = 200;
        let checksum = u32::from_le_bytes(checksum_of(&slot[..60]));
        slot[60..].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(unwrap(&slot), Err("a length in it is wrong"));
    }
}

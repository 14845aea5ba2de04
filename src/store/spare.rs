//! A second copy of the metadata, in a file of its own: `meta.copy`.
//!
//! Metadata is small, and without it no record is known by its stream: one damaged leaf of `meta`
//! must not cost a stream. Every change is appended here too, after it is durable there. Nothing
//! reads this but a repair, and nothing waits for it to reach the disk.
//!
//! The file is frames: `crc32 u32 | length u32`, and changes of `key length u32 | key |
//! value length u32 | value`, where a removed key has the length `u32::MAX` and no value.

use super::segment::u32_at;
use super::writer::Change;
use crate::limits;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const HEADER: usize = 8;
const REMOVED: u32 = u32::MAX;

/// The pairs of the metadata.
pub(crate) type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The copy that is being written.
#[derive(Debug)]
pub(crate) struct Spare {
    directory: PathBuf,
    /// None when it could not be written: then it is done without.
    file: Option<File>,
    bytes: u64,
    limit: u64,
}

impl Spare {
    /// Begins the copy anew with `pairs`.
    pub(crate) fn begin(directory: &Path, pairs: &Pairs) -> Self {
        let mut spare = Self {
            directory: directory.to_path_buf(),
            file: None,
            bytes: 0,
            limit: 0,
        };
        spare.rewrite(pairs);
        spare
    }

    fn rewrite(&mut self, pairs: &Pairs) {
        self.file = None;
        let frame = frame(pairs.iter().map(|(key, value)| (key, Some(value))));
        let write = || {
            let new = self.directory.join("meta.copy.new");
            let mut file = File::create(&new)?;
            file.write_all(&frame)?;
            file.sync_all()?;
            std::fs::rename(new, path(&self.directory))?;
            Ok(file)
        };
        self.bytes = frame.len() as u64;
        self.limit = limits::SPARE_METADATA_BYTES.max(4 * self.bytes);
        self.keep(write());
    }

    fn keep(&mut self, written: io::Result<File>) {
        match written {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                tracing::warn!(%error, "the second copy of the metadata cannot be written");
            }
        }
    }

    /// Adds changes that are durable in `meta`.
    pub(crate) fn add(&mut self, changes: &[Change]) {
        let Some(mut file) = self.file.take() else {
            return;
        };
        let frame = frame(changes.iter().map(|(key, value)| (key, value.as_ref())));
        self.bytes += frame.len() as u64;
        self.keep(file.write_all(&frame).map(|()| file));
    }

    /// It cannot be begun anew now: it grows on to twice the size.
    pub(crate) fn put_off(&mut self) {
        self.limit = 2 * self.bytes;
    }

    /// Whether it has grown so much that it should be begun anew.
    pub(crate) fn is_long(&self) -> bool {
        self.file.is_some() && self.bytes > self.limit
    }
}

/// Where the copy is.
pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join("meta.copy")
}

fn frame<'a>(changes: impl Iterator<Item = (&'a Vec<u8>, Option<&'a Vec<u8>>)>) -> Vec<u8> {
    let mut frame = vec![0; HEADER];
    let push_length = |frame: &mut Vec<u8>, length: usize| {
        let length = u32::try_from(length).expect("metadata is below 4 GiB");
        frame.extend_from_slice(&length.to_le_bytes());
    };
    for (key, value) in changes {
        push_length(&mut frame, key.len());
        frame.extend_from_slice(key);
        match value {
            Some(value) => {
                push_length(&mut frame, value.len());
                frame.extend_from_slice(value);
            }
            None => frame.extend_from_slice(&REMOVED.to_le_bytes()),
        }
    }
    let mut header = Vec::new();
    let length = frame.len() - HEADER;
    push_length(&mut header, length);
    frame[4..HEADER].copy_from_slice(&header);
    let checksum = crc32fast::hash(&frame[4..]);
    frame[..4].copy_from_slice(&checksum.to_le_bytes());
    frame
}

/// What the copy says, and whether all of it could be read. A directory of an earlier release has
/// none.
pub(crate) fn read(directory: &Path) -> io::Result<(Pairs, bool)> {
    let mut pairs = Pairs::new();
    let bytes = match std::fs::read(path(directory)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((pairs, true)),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => return Ok((pairs, false)),
        Err(error) => return Err(error),
    };
    let mut rest = bytes.as_slice();
    while let Some((frame, after)) = whole(rest) {
        rest = after;
        if apply(frame, &mut pairs).is_none() {
            return Ok((pairs, false));
        }
    }
    // A kill or a power cut may have cut the last frame.
    Ok((pairs, is_cut(rest)))
}

/// The changes of the frame that begins here, and what comes after it.
fn whole(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32_at(bytes.get(..HEADER)?, 4) as usize;
    let (frame, after) = bytes.split_at_checked(HEADER + length)?;
    (crc32fast::hash(&frame[4..]) == u32_at(frame, 0)).then_some((&frame[HEADER..], after))
}

fn is_cut(bytes: &[u8]) -> bool {
    let whole = bytes
        .get(..HEADER)
        .map(|header| HEADER + u32_at(header, 4) as usize);
    whole.is_none_or(|whole| bytes.len() < whole) || bytes.iter().all(|byte| *byte == 0)
}

fn apply(mut changes: &[u8], pairs: &mut Pairs) -> Option<()> {
    let mut take = |length: usize| {
        let (taken, rest) = changes.split_at_checked(length)?;
        changes = rest;
        Some(taken)
    };
    while let Some(length) = take(4) {
        let key = take(u32_at(length, 0) as usize)?.to_vec();
        match u32_at(take(4)?, 0) {
            REMOVED => drop(pairs.remove(&key)),
            length => drop(pairs.insert(key, take(length as usize)?.to_vec())),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
        (key.into(), value.into())
    }

    #[test]
    fn changes_are_read_back_in_their_order() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()).unwrap(), (Pairs::new(), true));
        let mut spare = Spare::begin(home.path(), &[pair("a", "1"), pair("b", "2")].into());
        spare.add(&[(b"c".into(), Some(b"3".into())), (b"a".into(), None)]);
        spare.add(&[(b"b".into(), Some(b"4".into()))]);
        let expected: Pairs = [pair("b", "4"), pair("c", "3")].into();
        assert_eq!(read(home.path()).unwrap(), (expected, true));
        assert!(!spare.is_long());
    }

    #[test]
    fn a_cut_is_told_from_damage() {
        let home = tempfile::tempdir().unwrap();
        let mut spare = Spare::begin(home.path(), &[pair("a", "1")].into());
        spare.add(&[(b"b".into(), Some(b"2".into()))]);
        let whole = std::fs::read(path(home.path())).unwrap();
        let first: Pairs = [pair("a", "1")].into();
        std::fs::write(path(home.path()), &whole[..whole.len() - 1]).unwrap();
        assert_eq!(read(home.path()).unwrap(), (first.clone(), true));
        let mut flipped = whole;
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(path(home.path()), flipped).unwrap();
        assert_eq!(read(home.path()).unwrap(), (first, false));
    }
}

//! The commits in the write-ahead log of a generation (`disk/sled/wal.rs`).
//!
//! A commit is `crc32 u32 | length u32 | number u64 | values`. A value is
//! `tree u8 | key length u8 | value length u32 | key | value`. The length of a commit includes the
//! commit's header. All lengths are in bytes, and all numbers are little-endian. The checksum covers
//! all bytes after it.

use super::bytes::{u32_at, u64_at, verified_content, write_checksum};

const HEADER: usize = 16;
const VALUE_HEADER: usize = 6;

/// The tree of a generation's database to which a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeName {
    /// The tree of the segments.
    Main,
    /// The tree of the commit frames.
    Commits,
}

/// A value of a commit in the write-ahead log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WalValue<'a> {
    pub(crate) tree: TreeName,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl WalValue<'_> {
    /// Returns the number of bytes that the value takes in a commit.
    pub(crate) fn size(&self) -> usize {
        VALUE_HEADER + self.key.len() + self.value.len()
    }
}

/// A commit for the write-ahead log that is not complete yet.
#[derive(Debug, Default)]
pub(crate) struct WalCommit(Vec<u8>);

impl WalCommit {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the size of the commit in bytes. Returns 0 if the commit has no values.
    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn push(&mut self, value: &WalValue<'_>) {
        if self.0.is_empty() {
            self.0.resize(HEADER, 0);
        }
        let key_length = u8::try_from(value.key.len()).expect("a key is below 256 bytes");
        let length = u32::try_from(value.value.len()).expect("a value is below 4 GiB");
        self.0.push(value.tree as u8);
        self.0.push(key_length);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(value.key);
        self.0.extend_from_slice(value.value);
    }

    /// Completes the commit and sets its number to `number`. Returns the bytes of the commit. The
    /// commit must have at least one value.
    pub(crate) fn finish(&mut self, number: u64) -> &[u8] {
        let length = u32::try_from(self.0.len()).expect("a commit is below 4 GiB");
        self.0[4..8].copy_from_slice(&length.to_le_bytes());
        self.0[8..16].copy_from_slice(&number.to_le_bytes());
        write_checksum(&mut self.0);
        &self.0
    }
}

/// Returns the complete commits at the start of `bytes`, the bytes of one half of a write-ahead
/// log. Stops at a commit whose number does not follow the number of the previous commit. New
/// commits overwrite the half from its start, so any bytes after the newest commit are older.
pub(crate) fn commits(mut bytes: &[u8]) -> impl Iterator<Item = Vec<WalValue<'_>>> {
    let mut expected = None;
    std::iter::from_fn(move || {
        let (number, values, rest) = split_commit(bytes)?;
        if expected.is_some_and(|expected| number != expected) {
            return None;
        }
        expected = Some(number.checked_add(1)?);
        bytes = rest;
        Some(values)
    })
}

/// Splits the first commit from `bytes`. Returns the number of the commit, the values of the commit
/// and the bytes after the commit. Returns `None` if `bytes` do not begin with a complete commit.
fn split_commit(bytes: &[u8]) -> Option<(u64, Vec<WalValue<'_>>, &[u8])> {
    if bytes.len() < HEADER {
        return None;
    }
    let (commit, rest) = bytes.split_at_checked(u32_at(bytes, 4) as usize)?;
    if commit.len() < HEADER {
        return None;
    }
    verified_content(commit).ok()?;
    let mut left = &commit[HEADER..];
    let mut values = Vec::new();
    while !left.is_empty() {
        let (value, after) = split_value(left)?;
        values.push(value);
        left = after;
    }
    Some((u64_at(commit, 8), values, rest))
}

fn split_value(bytes: &[u8]) -> Option<(WalValue<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(VALUE_HEADER)?;
    let tree = match header[0] {
        0 => TreeName::Main,
        1 => TreeName::Commits,
        _ => return None,
    };
    let (key, rest) = rest.split_at_checked(usize::from(header[1]))?;
    let (value, rest) = rest.split_at_checked(u32_at(header, 2) as usize)?;
    Some((WalValue { tree, key, value }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Sample = (bool, Vec<u8>, Vec<u8>);

    fn value((is_main, key, value): &Sample) -> WalValue<'_> {
        let tree = match is_main {
            true => TreeName::Main,
            false => TreeName::Commits,
        };
        WalValue { tree, key, value }
    }

    fn commit(number: u64, samples: &[Sample]) -> Vec<u8> {
        let mut commit = WalCommit::default();
        samples
            .iter()
            .for_each(|sample| commit.push(&value(sample)));
        commit.finish(number).to_vec()
    }

    fn samples() -> impl Strategy<Value = Vec<Vec<Sample>>> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
        let sample = (any::<bool>(), bytes(), bytes());
        let commit = proptest::collection::vec(sample, 1..4);
        proptest::collection::vec(commit, 1..5)
    }

    proptest! {
        #[test]
        fn the_complete_commits_of_a_cut_log_read_back(
            samples in samples(),
            first in 0..u64::MAX - 9,
            cut in any::<prop::sample::Index>(),
        ) {
            let parts = (first..).zip(&samples).map(|(number, commit)| self::commit(number, commit));
            let parts: Vec<Vec<u8>> = parts.collect();
            let wal = parts.concat();
            let cut = cut.index(wal.len() + 1);
            let mut end = 0;
            let complete = parts.iter().take_while(|part| { end += part.len(); end <= cut }).count();
            let found: Vec<_> = commits(&wal[..cut]).collect();
            let expected: Vec<Vec<_>> =
                samples[..complete].iter().map(|commit| commit.iter().map(value).collect()).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_changed_byte_ends_the_log(samples in samples(), at in any::<prop::sample::Index>()) {
            let parts = (7..).zip(&samples).map(|(number, commit)| self::commit(number, commit));
            let parts: Vec<Vec<u8>> = parts.collect();
            let mut wal = parts.concat();
            let at = at.index(wal.len());
            wal[at] ^= 1;
            let mut end = 0;
            let before = parts.iter().take_while(|part| { end += part.len(); end <= at }).count();
            prop_assert_eq!(commits(&wal).count(), before);
        }

        #[test]
        fn arbitrary_bytes_are_no_commits(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(commits(&bytes).count(), 0);
        }
    }

    #[test]
    fn an_older_commit_behind_the_newest_does_not_count() {
        let sample = [(true, vec![1], vec![2])];
        let wal = [commit(9, &sample), commit(2, &sample)].concat();
        assert_eq!(commits(&wal).count(), 1);
    }
}

//! The keys in the databases. Numbers in keys are big-endian, so that the keys sort in the order of
//! the numbers.
//!
//! | database | tree | key | value | removed |
//! |---|---|---|---|---|
//! | generation | main | segment number, u64 | a segment (`segment.rs`) | with its generation |
//! | generation | commits | commit u64, part u32 | a commit frame (`frame.rs`) | with its generation |
//! | `meta` | main | `0`, `epoch` | number of the next run, u64 | never |
//! | `meta` | main | `0`, `ahead` | greatest run of records that a load may have written, u64 | when no such record is left |
//! | `meta` | main | `0`, `b`, generation u64 | nothing: the generation was begun | when it has a summary |
//! | `meta` | main | `0`, `g`, generation u64 | its summary (`summary.rs`) | with its generation |
//! | `meta` | main | `1`, key of the catalog | value of the catalog (`catalog.rs`) | by the engine |
//! | `meta` | commits | `0`, `saves` | number of writes to `meta`, u64 | never |
//!
//! The keys of the catalog are in `catalog.rs`. A consumer has no key: it is a part of the value of
//! its stream (`value.rs`).
//!
//! The number of writes to `meta` is in a separate tree, because sled rewrites neighbouring keys
//! together. If its key were next to the summaries, every save would rewrite a summary.

use crate::limits;

/// A key and its new value. The value `None` removes the key.
pub(crate) type Pair = (Vec<u8>, Option<Vec<u8>>);

/// The key under which `meta` holds the number of the next run.
pub(crate) const NEXT_RUN: &[u8] = b"\0epoch";

/// The key under which `meta` holds the greatest run of the records that an unfinished or failed
/// load of a snapshot may have written. A load writes its records before it begins the run of these
/// records.
pub(crate) const PERMITTED_RUN: &[u8] = b"\0ahead";

/// The key under which `meta` holds the number of writes to `meta`.
pub(crate) const SAVES: &[u8] = b"\0saves";

const BEGUN: &[u8] = b"\0b";
const SUMMARY: &[u8] = b"\0g";
const CATALOG: u8 = 1;

/// Returns the key under which a generation holds its segment `number`.
pub(crate) fn segment(number: u32) -> [u8; 8] {
    u64::from(number).to_be_bytes()
}

/// Returns the key under which a generation holds frame number `part` of the commit `number`. The
/// frames of a commit are counted from 0.
pub(crate) fn commit(number: u64, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Returns the number in the first 8 bytes of `key`, which is big-endian. Returns `None` if `key`
/// is shorter than 8 bytes.
pub(crate) fn number(key: &[u8]) -> Option<u64> {
    key.first_chunk().map(|number| u64::from_be_bytes(*number))
}

/// Returns the run in which the record with the sequence index `index` was put. Runs are counted
/// from 0.
pub(crate) fn run_of(index: u64) -> u64 {
    index >> limits::SEQUENCE_INDEX_BITS_A_RUN
}

/// Returns the key of the entry in `meta` that marks the generation `generation` as begun. If the
/// entry exists without its generation, records were lost.
pub(crate) fn begun(generation: u64) -> Vec<u8> {
    [BEGUN, &generation.to_be_bytes()].concat()
}

/// Returns the key under which `meta` holds the summary of a generation.
pub(crate) fn summary(generation: u64) -> Vec<u8> {
    [SUMMARY, &generation.to_be_bytes()].concat()
}

/// Returns the key under which `meta` holds a catalog entry. `key` is the key that `catalog.rs`
/// gives to this entry.
pub(crate) fn catalog(key: &[u8]) -> Vec<u8> {
    [&[CATALOG], key].concat()
}

/// A decoded key of the database `meta`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Metadata<'a> {
    /// The key of the number of the next run.
    NextRun,
    /// The key of the greatest run of the records that an unfinished or failed load of a snapshot
    /// may have written.
    PermittedRun,
    /// The key of the entry that marks a generation as begun. Holds the number of the generation.
    /// If the entry exists without its generation, records were lost.
    Begun(u64),
    /// The key of the summary of a generation. Holds the number of the generation.
    Summary(u64),
    /// The key of a catalog entry. Holds the key that `catalog.rs` gives to this entry.
    Catalog(&'a [u8]),
    /// A key that this version of the program does not know.
    Unknown,
}

/// Decodes a key of the database `meta`.
pub(crate) fn metadata(key: &[u8]) -> Metadata<'_> {
    if key == NEXT_RUN {
        return Metadata::NextRun;
    }
    if key == PERMITTED_RUN {
        return Metadata::PermittedRun;
    }
    if let Some(generation) = key.strip_prefix(BEGUN).and_then(number) {
        return Metadata::Begun(generation);
    }
    if let Some(generation) = key.strip_prefix(SUMMARY).and_then(number) {
        return Metadata::Summary(generation);
    }
    match key.split_first() {
        Some((&CATALOG, key)) => Metadata::Catalog(key),
        _ => Metadata::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_their_numbers_and_read_back() {
        let commits = [
            (0, 0),
            (0, 1),
            (0, 256),
            (1, 0),
            (255, 9),
            (256, 0),
            (u64::MAX, u32::MAX),
        ];
        let keys = commits.map(|(number, part)| commit(number, part));
        assert!(keys.is_sorted());
        assert!(
            keys.iter()
                .zip(commits)
                .all(|(key, (was, _))| number(key) == Some(was))
        );
        assert!([0, 1, 255, 256, u32::MAX].map(segment).is_sorted());
        assert_eq!(metadata(&summary(258)), Metadata::Summary(258));
        assert_eq!(metadata(&begun(258)), Metadata::Begun(258));
        assert_eq!(
            metadata(&catalog(b"\0epoch")),
            Metadata::Catalog(b"\0epoch")
        );
        assert_eq!(metadata(NEXT_RUN), Metadata::NextRun);
        assert_eq!(metadata(PERMITTED_RUN), Metadata::PermittedRun);
        assert_eq!(metadata(b"\0other"), Metadata::Unknown);
    }
}

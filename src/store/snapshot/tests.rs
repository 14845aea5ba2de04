//! Tests of the format of snapshot files: the reader accepts the files of the writer, and no other
//! files.

use super::*;
use crate::store::format::record::{LogId, Record};
use crate::world::Timestamp;
use proptest::prelude::*;

fn written(blocks: &[Block]) -> Vec<u8> {
    let mut writer = Writer::begin().unwrap();
    let mut bytes = Vec::new();
    for block in blocks {
        writer.add(block).unwrap();
        bytes.extend(writer.take());
    }
    bytes.extend(writer.end().unwrap());
    bytes
}

/// Reads the snapshot file `bytes`, which arrives in parts of `part` bytes. Returns all blocks
/// except the last block.
fn read(bytes: &[u8], part: usize) -> Result<Vec<Block>, Flaw> {
    let mut reader = Reader::new().unwrap();
    let mut blocks = Vec::new();
    for mut input in bytes.chunks(part.max(1)) {
        while let Some(block) = reader.next(&mut input)? {
            blocks.push(block);
        }
        assert!(input.is_empty());
    }
    reader.end()?;
    blocks.pop();
    Ok(blocks)
}

const HEAD: Block = Block::Head(Head {
    run: 3,
    now_ms: 1_700_000_000_000,
});

fn records(first: u64, data: &[Vec<u8>]) -> Block {
    let log = LogId {
        stream: 7,
        shard: 1,
    };
    let record = |(index, data): (u64, &'static [u8])| Record {
        index,
        arrival: Timestamp::from_millis(5),
        partition_key: Some("key"),
        data,
        encrypted: false,
    };
    let data = data.iter().map(|data| &*data.clone().leak());
    Block::of_records(log, (first..).zip(data).map(record))
}

fn some() -> Vec<Block> {
    let entry = Block::Entry {
        key: b"c".to_vec(),
        value: vec![0; 8],
    };
    let data: Vec<_> = (0..50).map(|number| vec![number; 20]).collect();
    vec![HEAD, entry, records(1, &data), records(60, &data)]
}

proptest! {
    #[test]
    fn a_snapshot_is_read_as_it_was_written(
        entries in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..300)), 0..8),
        data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..40),
        part in 1..5_000_usize,
    ) {
        let mut blocks = vec![HEAD];
        blocks.extend(entries.into_iter().map(|(key, value)| Block::Entry { key, value }));
        blocks.push(records(1 << 44, &data));
        prop_assert_eq!(read(&written(&blocks), part), Ok(blocks));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), part in 1..100_usize) {
        prop_assert!(read(&bytes, part).is_err());
        let compressed = zstd::bulk::compress(&bytes, 1).unwrap();
        prop_assert!(read(&compressed, part).is_err());
        let titled = [b"minikin snapshot 1\n".as_slice(), &bytes].concat();
        let compressed = zstd::bulk::compress(&titled, 1).unwrap();
        prop_assert!(read(&compressed, part).is_err());
    }

    #[test]
    fn a_block_that_is_missing_or_moved_is_noticed(from in 0..4_usize, to in 0..4_usize) {
        let plain = zstd::bulk::decompress(&written(&some()), 1 << 20).unwrap();
        let (title, mut rest) = plain.split_at(19);
        let mut parts = Vec::new();
        while let Some((header, _)) = rest.split_at_checked(5) {
            let length = u32::from_le_bytes(header[1..].try_into().unwrap()) as usize + 9;
            let (part, after) = rest.split_at(length);
            parts.push(part);
            rest = after;
        }
        prop_assert_eq!(parts.len(), 5);
        let file = |parts: &[&[u8]]| zstd::bulk::compress(&[title, &parts.concat()].concat(), 1).unwrap();
        prop_assert_eq!(read(&file(&parts), 9), Ok(some()));
        let mut moved = parts.clone();
        moved.swap(from, to);
        prop_assert_eq!(read(&file(&moved), 9).is_ok(), from == to);
        parts.remove(from);
        prop_assert!(read(&file(&parts), 9).is_err());
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused_at_every_length() {
    let bytes = written(&some());
    for length in 0..bytes.len() {
        assert_eq!(read(&bytes[..length], 100), Err(Flaw::CutOff), "{length}");
    }
}

#[test]
fn a_changed_bit_is_refused_or_changes_nothing() {
    let bytes = written(&some());
    for at in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[at / 8] ^= 1 << (at % 8);
        match read(&changed, 100) {
            // Some bits of a zstd frame have no meaning. A change of such a bit leaves the blocks
            // as they are.
            Ok(blocks) => assert_eq!(blocks, some(), "bit {at}"),
            Err(flaw) => assert_ne!(flaw, Flaw::Foreign, "bit {at}"),
        }
    }
}

#[test]
fn a_file_that_goes_on_is_refused() {
    let bytes = written(&some());
    for more in [&b"\0"[..], &bytes] {
        assert_eq!(read(&[&bytes, more].concat(), 100), Err(Flaw::TooLong));
    }
    let mut plain = zstd::bulk::decompress(&bytes, 1 << 20).unwrap();
    plain.push(0);
    let longer = zstd::bulk::compress(&plain, 1).unwrap();
    assert_eq!(read(&longer, 100), Err(Flaw::TooLong));
}

#[test]
fn a_damaged_beginning_is_no_foreign_file() {
    let bytes = written(&[]);
    for (at, length) in [(0, 9), (3, 9), (4, 9), (5, bytes.len()), (8, bytes.len())] {
        let mut changed = bytes[..length].to_vec();
        changed[at] = !changed[at];
        let flaw = read(&changed, 100).unwrap_err();
        let is_damage = matches!(flaw, Flaw::Damaged(_) | Flaw::CutOff);
        assert!(is_damage, "byte {at}: {flaw}");
    }
}

fn first_line() -> Flaw {
    Flaw::Damaged("its first line is not readable".to_owned())
}

#[test]
fn other_files_are_refused_with_the_reason() {
    for (plain, flaw) in [
        (&b"minikin snapshot 2\nanything"[..], Flaw::Newer(2)),
        (b"minikin snapshot 0\n", first_line()),
        (b"minikin snapshot 18446744073709551616\n", first_line()),
        (b"minikin snapshot \n", first_line()),
        (b"mini", Flaw::CutOff),
        (b"minikin snapshut 1\n", first_line()),
        (b"another text", Flaw::Foreign),
        (
            b"another text that is longer than the first line",
            Flaw::Foreign,
        ),
        (b"", Flaw::CutOff),
    ] {
        let file = zstd::bulk::compress(plain, 1).unwrap();
        assert_eq!(read(&file, 7), Err(flaw));
    }
    for plain in [&b"PK\x03\x04"[..], b"{\"a\": 1}", &[0; 100]] {
        assert_eq!(read(plain, 100), Err(Flaw::Foreign));
    }
}

//! Checks of the snapshot format, for fuzzers and unit tests. The fuzz target is in the folder
//! `tests/fuzz`.

use super::block::{Block, TITLE, VERSION, checksum};
use super::reader::{Flaw, Reader};
use super::writer::Writer;

/// Reads `input` in four ways: as a snapshot file, as the decompressed content of a snapshot file,
/// as the content after the first line, and as blocks without checksums. The function adds valid
/// checksums to these blocks. Checks that the read blocks are the same after a write and a second
/// read.
///
/// # Panics
/// Panics if the blocks are not the same after the second read.
pub fn snapshot(input: &[u8]) {
    read_any(input);
    let title = format!("{TITLE}{VERSION}\n").into_bytes();
    let framed = [title.as_slice(), &blocks(input)].concat();
    for plain in [input, &[title.as_slice(), input].concat(), &framed] {
        read_any(&zstd::bulk::compress(plain, 1).expect("a vector takes every byte"));
    }
}

/// Makes blocks from `input`. For each block, `input` has three bytes for the kind of the block and
/// the length of its body, and then the body.
fn blocks(input: &[u8]) -> Vec<u8> {
    let (mut rest, mut blocks) = (input, Vec::new());
    let mut number = 0;
    while let Some(([kind, low, high], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (body, after) = after.split_at(length);
        let start = blocks.len();
        blocks.push(b"herz"[usize::from(kind % 4)]);
        blocks.extend(u32::try_from(length).expect("it is short").to_le_bytes());
        blocks.extend_from_slice(body);
        let checksum = checksum(number, &blocks[start..]);
        blocks.extend(checksum.to_le_bytes());
        number += 1;
        rest = after;
    }
    blocks
}

/// Reads the snapshot file `bytes`, which arrives in parts of `part` bytes. Returns the blocks of
/// the file.
fn read(bytes: &[u8], part: usize) -> Result<Vec<Block>, Flaw> {
    let mut reader = Reader::new().expect("there is memory");
    let mut blocks = Vec::new();
    for mut input in bytes.chunks(part) {
        while let Some(block) = reader.next(&mut input)? {
            blocks.push(block);
        }
    }
    reader.end().map(|()| blocks)
}

fn read_any(bytes: &[u8]) {
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(read(bytes, 7), whole, "the parts make no difference");
    let Ok(mut blocks) = whole else { return };
    let mut writer = Writer::begin().expect("there is memory");
    let end = blocks.pop();
    assert!(matches!(end, Some(Block::End { .. })));
    for block in &blocks {
        writer.add(block).expect("a vector takes every byte");
    }
    let again = read(&writer.end().expect("a vector takes every byte"), 100);
    blocks.extend(end);
    assert_eq!(again, Ok(blocks));
}

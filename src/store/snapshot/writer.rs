//! Writing a snapshot, part by part.

use super::block::{Block, TITLE, VERSION};
use std::io::{self, Write as _};
use zstd::stream::write::Encoder;

/// The level of the compression: the fastest of zstd's usual ones, which makes the work as fast as
/// a disk.
const LEVEL: i32 = 1;

/// A snapshot that is being written. The bytes so far are in memory until they are taken.
pub(crate) struct Writer {
    encoder: Encoder<'static, Vec<u8>>,
    /// The number of blocks so far.
    blocks: u64,
    records: u64,
    /// Space for one block.
    plain: Vec<u8>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (blocks, records) = (self.blocks, self.records);
        write!(formatter, "Writer({blocks} blocks, {records} records)")
    }
}

impl Writer {
    /// Begins a snapshot.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub(crate) fn begin() -> io::Result<Self> {
        let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        writeln!(encoder, "{TITLE}{VERSION}")?;
        Ok(Self {
            encoder,
            blocks: 0,
            records: 0,
            plain: Vec::new(),
        })
    }

    /// Adds a block.
    ///
    /// # Errors
    /// When zstd fails.
    pub(crate) fn add(&mut self, block: &Block) -> io::Result<()> {
        self.plain.clear();
        block.write(self.blocks, &mut self.plain);
        self.blocks += 1;
        self.records += block.records();
        self.encoder.write_all(&self.plain)
    }

    /// The number of bytes that can be taken now.
    pub(crate) fn len(&self) -> usize {
        self.encoder.get_ref().len()
    }

    /// Takes the bytes so far.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.encoder.get_mut())
    }

    /// Ends the snapshot, and returns the rest of its bytes.
    ///
    /// # Errors
    /// When zstd fails.
    pub(crate) fn end(mut self) -> io::Result<Vec<u8>> {
        let records = self.records;
        self.add(&Block::End { records })?;
        self.encoder.finish()
    }
}

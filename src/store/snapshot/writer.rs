//! Writes a snapshot file in parts.

use super::block::{Block, TITLE, VERSION};
use std::io::{self, Write as _};
use zstd::stream::write::Encoder;

/// Compression level of zstd: the fastest normal level, which is about as fast as a disk.
const LEVEL: i32 = 1;

/// The writer of one snapshot file. The written bytes stay in memory until the caller takes them.
pub(crate) struct Writer {
    encoder: Encoder<'static, Vec<u8>>,
    /// Number of blocks that were written so far.
    blocks: u64,
    records: u64,
    /// A buffer for one uncompressed block.
    plain: Vec<u8>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (blocks, records) = (self.blocks, self.records);
        write!(formatter, "Writer({blocks} blocks, {records} records)")
    }
}

impl Writer {
    /// Starts a snapshot file.
    ///
    /// # Errors
    /// zstd cannot allocate memory.
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

    /// Writes `block` to the snapshot file.
    ///
    /// # Errors
    /// zstd fails.
    pub(crate) fn add(&mut self, block: &Block) -> io::Result<()> {
        self.plain.clear();
        block.write(self.blocks, &mut self.plain);
        self.blocks += 1;
        self.records += block.records();
        self.encoder.write_all(&self.plain)
    }

    /// Returns the number of bytes that `take` would return now.
    pub(crate) fn len(&self) -> usize {
        self.encoder.get_ref().len()
    }

    /// Returns the bytes of the file that were written since the last call of this function.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.encoder.get_mut())
    }

    /// Ends the snapshot file, and returns its last bytes.
    ///
    /// # Errors
    /// zstd fails.
    pub(crate) fn end(mut self) -> io::Result<Vec<u8>> {
        let records = self.records;
        self.add(&Block::End { records })?;
        self.encoder.finish()
    }
}

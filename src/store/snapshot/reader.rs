//! Reads a snapshot file that arrives in parts, and checks its form.

use super::block::{Block, CHECKSUM_BYTES, HEADER_BYTES, TITLE, VERSION, checksum};
use crate::limits;
use crate::store::format::bytes::u32_at;
use std::fmt;
use zstd::stream::raw::{DParameter, Decoder, Operation as _};

/// Maximum number of decompressed bytes that one step produces.
const STEP_BYTES: usize = 128 << 10;
/// Base-2 logarithm of the size of the largest zstd window that the reader accepts, in bytes.
/// Without this limit, a small file could make the reader allocate any amount of memory.
const WINDOW_LOG: u32 = 23;

/// Number of decompressed bytes after which the reader refuses a file that does not begin like a
/// snapshot. Before that, the reader decompresses the file, to find out if the file is damaged. The
/// value is a choice.
const FOREIGN_BYTES: usize = 1 << 20;
/// The first bytes of a zstd frame.
const FRAME_START: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The reason why a snapshot file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The file is not a snapshot.
    Foreign,
    /// A newer program wrote the file. Holds the version of the file.
    Newer(u32),
    /// The file ends too early.
    CutOff,
    /// The file continues after the last block.
    TooLong,
    /// A part of the file is damaged. The text describes the damage.
    Damaged(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("the file is not a snapshot of minikin"),
            Self::Newer(version) => write!(
                f,
                "the snapshot is of version {version}, and this program reads version {VERSION}: a \
                 newer minikin wrote it"
            ),
            Self::CutOff => f.write_str("the snapshot is cut off: its end is missing"),
            Self::TooLong => f.write_str("the snapshot has data after its end"),
            Self::Damaged(problem) => write!(f, "the snapshot is damaged: {problem}"),
        }
    }
}

/// The part of the snapshot file that the reader expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Title,
    /// The reader looks for the end of a file that does not begin like a snapshot.
    Foreign,
    Blocks,
    /// The reader expects nothing more, because it has read the last block.
    Over,
}

/// The reader of one snapshot file.
pub(crate) struct Reader {
    decoder: Decoder<'static>,
    /// The first compressed bytes of the file. The reader compares these bytes with
    /// [`FRAME_START`].
    first: Vec<u8>,
    /// True if the zstd frame of the file is complete.
    is_complete: bool,
    stage: Stage,
    /// Decompressed bytes of the file. The bytes before `start` have already been read.
    plain: Vec<u8>,
    start: usize,
    blocks: u64,
    records: u64,
    step: Box<[u8]>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, records) = (self.blocks, self.records);
        write!(formatter, "Reader({blocks} blocks, {records} records)")
    }
}

impl Reader {
    /// Creates a reader for one snapshot file.
    ///
    /// # Errors
    /// zstd cannot allocate memory.
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self {
            decoder,
            first: Vec::new(),
            is_complete: false,
            stage: Stage::Title,
            plain: Vec::new(),
            start: 0,
            blocks: 0,
            records: 0,
            step: vec![0; STEP_BYTES].into(),
        })
    }

    /// Reads the next block of the file. Removes from `input` the bytes that the function has read.
    /// Returns `None` if all of `input` was read and the block is still incomplete.
    ///
    /// # Errors
    /// The reason why the file is not a valid snapshot of a known version.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Block>, Flaw> {
        loop {
            if let Some(block) = self.block()? {
                return Ok(Some(block));
            }
            if !self.decompress(input)? {
                return Ok(None);
            }
        }
    }

    /// Checks that the file is complete. Must be called after all bytes of the file were read.
    ///
    /// # Errors
    /// The file ends too early, or is not a snapshot.
    pub(crate) fn end(&self) -> Result<(), Flaw> {
        match (self.stage, self.is_complete) {
            (Stage::Over, true) => Ok(()),
            (Stage::Foreign, true) => Err(Flaw::Foreign),
            _ => Err(Flaw::CutOff),
        }
    }

    /// Decompresses one step of the file from `input`. Returns false if more input is needed.
    fn decompress(&mut self, input: &mut &[u8]) -> Result<bool, Flaw> {
        if self.is_complete {
            return match input.is_empty() {
                true => Ok(false),
                false => Err(Flaw::TooLong),
            };
        }
        let done = self.decoder.run_on_buffers(input, &mut self.step);
        let missing = FRAME_START.len() - self.first.len();
        let read = done.as_ref().map_or(input.len(), |done| done.bytes_read);
        self.first.extend(input[..read].iter().take(missing));
        let done = done.map_err(|error| match is_similar(&self.first, &FRAME_START) {
            true => Flaw::Damaged(error.to_string()),
            false => Flaw::Foreign,
        })?;
        *input = &input[read..];
        let came = done.bytes_read > 0 || done.bytes_written > 0;
        self.is_complete = came && done.remaining == 0;
        if done.bytes_written > 0 {
            self.plain.drain(..std::mem::take(&mut self.start));
            self.plain
                .extend_from_slice(&self.step[..done.bytes_written]);
        }
        Ok(came)
    }

    /// Reads the next block. Returns `None` if the block is not yet completely decompressed.
    fn block(&mut self) -> Result<Option<Block>, Flaw> {
        if self.stage == Stage::Title && !self.title()? {
            return Ok(None);
        }
        if self.stage == Stage::Foreign {
            // The reader continues to the end of the zstd frame, because the checksum at the end
            // shows damage.
            return match self.is_complete || self.plain.len() > FOREIGN_BYTES {
                true => Err(Flaw::Foreign),
                false => Ok(None),
            };
        }
        let rest = &self.plain[self.start..];
        if self.stage == Stage::Over {
            return match rest.is_empty() {
                true => Ok(None),
                false => Err(Flaw::TooLong),
            };
        }
        let Some(header) = rest.get(..HEADER_BYTES) else {
            return Ok(None);
        };
        let length = u32_at(header, 1) as usize;
        if length > limits::SNAPSHOT_BLOCK_BYTES {
            return Err(self.damaged("is too long"));
        }
        let end = HEADER_BYTES + length;
        let Some(whole) = rest.get(..end + CHECKSUM_BYTES) else {
            return Ok(None);
        };
        if u32_at(whole, end) != checksum(self.blocks, &whole[..end]) {
            return Err(self.damaged("has a wrong checksum"));
        }
        let block = Block::read(header[0], &whole[HEADER_BYTES..end]);
        let block = block.ok_or_else(|| self.damaged("cannot be decoded"))?;
        self.check(&block)?;
        self.start += end + CHECKSUM_BYTES;
        self.blocks += 1;
        Ok(Some(block))
    }

    /// Reads the first line of the file, and sets the next stage. Returns false if the line is
    /// incomplete.
    fn title(&mut self) -> Result<bool, Flaw> {
        /// Maximum number of bytes of the version number and the line break after it.
        const NUMBER_BYTES: usize = 11;
        let title = TITLE.as_bytes();
        let damaged = || Err(Flaw::Damaged("its first line is not readable".to_owned()));
        let known = &self.plain[..self.plain.len().min(title.len())];
        if known.len() < title.len() && !self.is_complete {
            return Ok(false);
        }
        if !title.starts_with(known) {
            if is_similar(known, title) {
                return damaged();
            }
            self.stage = Stage::Foreign;
            return Ok(true);
        }
        let Some(end) = self.plain.iter().position(|byte| *byte == b'\n') else {
            return match self.plain.len() > TITLE.len() + NUMBER_BYTES {
                true => damaged(),
                false => Ok(false),
            };
        };
        let number = self.plain.get(TITLE.len()..end).unwrap_or_default();
        let number = std::str::from_utf8(number).unwrap_or_default();
        match number.parse() {
            Ok(VERSION) => {}
            Ok(newer) if newer > VERSION => return Err(Flaw::Newer(newer)),
            _ => return damaged(),
        }
        self.start = end + 1;
        self.stage = Stage::Blocks;
        Ok(true)
    }

    /// Checks that `block` may stand at its position in the file, and counts the records of the
    /// block.
    fn check(&mut self, block: &Block) -> Result<(), Flaw> {
        if matches!(block, Block::Head(_)) != (self.blocks == 0) {
            return Err(self.damaged("is at the wrong place"));
        }
        self.records += block.records();
        if let Block::End { records } = block {
            if *records != self.records {
                return Err(self.damaged("states a wrong number of records"));
            }
            self.stage = Stage::Over;
        }
        Ok(())
    }

    fn damaged(&self, problem: &str) -> Flaw {
        Flaw::Damaged(format!("block {} {problem}", self.blocks))
    }
}

/// Returns true if at most a quarter of `bytes` differs from the beginning of `expected`. The
/// reader takes a file with such a beginning for a damaged snapshot, and any other file for no
/// snapshot. The fraction is a choice.
fn is_similar(bytes: &[u8], expected: &[u8]) -> bool {
    let pairs = bytes.iter().zip(expected);
    let wrong = pairs.filter(|(byte, expected)| byte != expected).count();
    4 * wrong <= bytes.len()
}

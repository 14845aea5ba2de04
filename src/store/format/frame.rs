//! Commit frames. The commit frames of a commit have the new records that the commit does not write
//! as segments.
//!
//! A commit frame consists of a checksum and blocks. A block is `stream u64 | shard u32 | length
//! u32 | records`. The records of a block are consecutive packed records of one log, and `length`
//! is their number of bytes.

use super::bytes::{checksummed_buffer, u32_at, verified_content, write_checksum};
use super::record::{LogId, record_starts};

const RUN_HEADER: usize = 16;

/// Builds the commit frames of one commit. A commit with many bytes has several frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    done: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Frames {
    /// Adds a block of packed records of `log` to the frames. A frame exceeds `limit` bytes only if
    /// it consists of a single block.
    pub(crate) fn push(&mut self, log: LogId, records: &[u8], limit: usize) {
        if !self.open.is_empty() && self.open.len() + RUN_HEADER + records.len() > limit {
            self.close();
        }
        if self.open.is_empty() {
            self.open = checksummed_buffer();
        }
        let length = u32::try_from(records.len()).expect("a run is below 4 GiB");
        self.open.extend_from_slice(&log.to_bytes());
        self.open.extend_from_slice(&length.to_le_bytes());
        self.open.extend_from_slice(records);
    }

    fn close(&mut self) {
        let mut frame = std::mem::take(&mut self.open);
        if !frame.is_empty() {
            write_checksum(&mut frame);
            self.done.push(frame);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Vec<u8>> {
        self.close();
        self.done
    }
}

/// Splits a commit frame into its blocks. Returns the id of the log and the packed records of each
/// block.
pub(crate) fn runs(frame: &[u8]) -> Result<Vec<(LogId, &[u8])>, &'static str> {
    let mut rest = verified_content(frame)?;
    let mut runs = Vec::new();
    while !rest.is_empty() {
        if rest.len() < RUN_HEADER {
            return Err("it ends inside a header");
        }
        let length = u32_at(rest, LogId::BYTES) as usize;
        let Some((records, after)) = rest[RUN_HEADER..].split_at_checked(length) else {
            return Err("it ends inside a run");
        };
        if record_starts(records).is_none() {
            return Err("its records are broken");
        }
        runs.push((LogId::read(rest), records));
        rest = after;
    }
    Ok(runs)
}

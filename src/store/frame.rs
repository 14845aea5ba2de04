//! Commit frames and summaries of generations, as bytes.
//!
//! A frame is `crc32 u32` and runs of records: `stream u64 | shard u32 | length u32 | records`.
//! A summary is `crc32 u32` and entries of 44 bytes, one for each segment.

use super::LogId;
use super::segment::{record_starts, u32_at, u64_at};
use crate::world::Timestamp;

const RUN_HEADER: usize = 16;
const ENTRY: usize = 44;

/// Builds the frames of one commit, none much larger than asked.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    done: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Frames {
    /// Adds records of `log`, in a frame of at most `limit` bytes where that is possible.
    pub(crate) fn push(&mut self, log: LogId, records: &[u8], limit: usize) {
        if !self.open.is_empty() && self.open.len() + RUN_HEADER + records.len() > limit {
            self.close();
        }
        if self.open.is_empty() {
            self.open.extend_from_slice(&[0; 4]);
        }
        let length = u32::try_from(records.len()).expect("a run is below 4 GiB");
        self.open.extend_from_slice(&log.stream.to_le_bytes());
        self.open.extend_from_slice(&log.shard.to_le_bytes());
        self.open.extend_from_slice(&length.to_le_bytes());
        self.open.extend_from_slice(records);
    }

    fn close(&mut self) {
        let mut frame = std::mem::take(&mut self.open);
        if !frame.is_empty() {
            stamp(&mut frame);
            self.done.push(frame);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Vec<u8>> {
        self.close();
        self.done
    }
}

/// The runs of a frame: the log and its packed records.
pub(crate) fn runs(frame: &[u8]) -> Result<Vec<(LogId, &[u8])>, &'static str> {
    let mut rest = checked(frame)?;
    let mut runs = Vec::new();
    while !rest.is_empty() {
        if rest.len() < RUN_HEADER {
            return Err("it ends inside a header");
        }
        let log = LogId {
            stream: u64_at(rest, 0),
            shard: u32_at(rest, 8),
        };
        let length = u32_at(rest, 12) as usize;
        let Some((records, after)) = rest[RUN_HEADER..].split_at_checked(length) else {
            return Err("it ends inside a run");
        };
        if record_starts(records).is_none() {
            return Err("its records are broken");
        }
        runs.push((log, records));
        rest = after;
    }
    Ok(runs)
}

/// What a summary says about one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) log: LogId,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) last_arrival: Timestamp,
    pub(crate) bytes: u32,
    pub(crate) number: u32,
}

/// The summary of a generation.
pub(crate) fn summary(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.reserve(ENTRY * entries.len());
    for entry in entries {
        bytes.extend_from_slice(&entry.log.stream.to_le_bytes());
        bytes.extend_from_slice(&entry.log.shard.to_le_bytes());
        bytes.extend_from_slice(&entry.first.to_le_bytes());
        bytes.extend_from_slice(&entry.last.to_le_bytes());
        bytes.extend_from_slice(&entry.last_arrival.millis().to_le_bytes());
        bytes.extend_from_slice(&entry.bytes.to_le_bytes());
        bytes.extend_from_slice(&entry.number.to_le_bytes());
    }
    stamp(&mut bytes);
    bytes
}

/// The entries of a summary.
pub(crate) fn entries(summary: &[u8]) -> Result<Vec<Entry>, &'static str> {
    let entries = checked(summary)?.chunks(ENTRY).map(|bytes| {
        if bytes.len() < ENTRY {
            return Err("it ends inside an entry");
        }
        let entry = Entry {
            log: LogId {
                stream: u64_at(bytes, 0),
                shard: u32_at(bytes, 8),
            },
            first: u64_at(bytes, 12),
            last: u64_at(bytes, 20),
            last_arrival: Timestamp::from_millis(u64_at(bytes, 28).cast_signed()),
            bytes: u32_at(bytes, 36),
            number: u32_at(bytes, 40),
        };
        // As of records: one index is left behind the last.
        if entry.first > entry.last || entry.last == u64::MAX {
            return Err("an entry is broken");
        }
        Ok(entry)
    });
    entries.collect()
}

fn stamp(bytes: &mut [u8]) {
    let checksum = crc32fast::hash(&bytes[4..]);
    bytes[..4].copy_from_slice(&checksum.to_le_bytes());
}

fn checked(bytes: &[u8]) -> Result<&[u8], &'static str> {
    match bytes.split_first_chunk() {
        Some((checksum, rest)) if u32::from_le_bytes(*checksum) == crc32fast::hash(rest) => {
            Ok(rest)
        }
        _ => Err("its checksum is wrong"),
    }
}

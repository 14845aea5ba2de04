//! Summaries. The summary of a generation lists the generation's segments. The committer stores the
//! summary in `meta` when the generation is complete.
//!
//! A summary consists of a checksum and an entry of 56 bytes for each segment. An entry is
//! `stream u64 | shard u32 | first u64 | last u64 | first arrival i64 | last arrival i64 |
//! records u32 | bytes u32 | number u32`. All numbers are little-endian, and the arrival times are
//! in milliseconds since the epoch.

use super::bytes::{checksummed_buffer, u32_at, u64_at, verified_content, write_checksum};
use super::record::{LogId, Records};
use super::segment::Segment;
use crate::world::Timestamp;

const ENTRY: usize = 56;

/// The description of one segment, without the records of the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) log: LogId,
    /// Sequence index of the segment's first record.
    pub(crate) first: u64,
    /// Sequence index of the segment's last record.
    pub(crate) last: u64,
    pub(crate) first_arrival: Timestamp,
    pub(crate) last_arrival: Timestamp,
    /// Number of records in the segment.
    pub(crate) records: u32,
    /// Size of the segment in bytes.
    pub(crate) bytes: u32,
    /// Number of the segment in its generation. 0 until the segment is written to a generation.
    pub(crate) number: u32,
}

impl SegmentEntry {
    /// Describes `segment`, which has the number `number` in its generation.
    pub(crate) fn of(segment: &Segment, number: u32) -> Self {
        let last = segment.len() - 1;
        let small = |size| u32::try_from(size).expect("a segment is below 4 GiB");
        Self {
            log: segment.log(),
            first: segment.index(0),
            last: segment.index(last),
            first_arrival: segment.arrival(0),
            last_arrival: segment.arrival(last),
            records: small(segment.len()),
            bytes: small(segment.bytes().len()),
            number,
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.log.to_bytes());
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.last.to_le_bytes());
        bytes.extend_from_slice(&self.first_arrival.millis().to_le_bytes());
        bytes.extend_from_slice(&self.last_arrival.millis().to_le_bytes());
        for number in [self.records, self.bytes, self.number] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() < ENTRY {
            return Err("it ends inside an entry");
        }
        let time = |at| Timestamp::from_millis(u64_at(bytes, at).cast_signed());
        let entry = Self {
            log: LogId::read(bytes),
            first: u64_at(bytes, 12),
            last: u64_at(bytes, 20),
            first_arrival: time(28),
            last_arrival: time(36),
            records: u32_at(bytes, 44),
            bytes: u32_at(bytes, 48),
            number: u32_at(bytes, 52),
        };
        // The index `u64::MAX` is reserved for the position after the last record.
        if entry.first > entry.last || entry.last == u64::MAX {
            return Err("an entry is broken");
        }
        Ok(entry)
    }
}

/// Encodes the summary of a generation. `entries` describe the segments of the generation.
pub(crate) fn summary(entries: &[SegmentEntry]) -> Vec<u8> {
    let mut bytes = checksummed_buffer();
    bytes.reserve(ENTRY * entries.len());
    for entry in entries {
        entry.write(&mut bytes);
    }
    write_checksum(&mut bytes);
    bytes
}

/// Decodes a summary. Returns the descriptions of the segments in the summary.
pub(crate) fn entries(summary: &[u8]) -> Result<Vec<SegmentEntry>, &'static str> {
    let entries = verified_content(summary)?.chunks(ENTRY);
    entries.map(SegmentEntry::read).collect()
}

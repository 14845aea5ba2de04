//! A record and its packed form, which is the same in memory and on disk.
//!
//! A packed record is
//! `index u64 | arrival i64 | data length u32 | key length u16 | flags u8 | key | data`.
//! All numbers are little-endian, and the arrival time is in milliseconds since the epoch. A packed
//! record contains the lengths of its key and data, so consecutive packed records can be read
//! without further data.

use super::bytes::{u32_at, u64_at};
use crate::world::Timestamp;
use bytes::Bytes;
use std::ops::Range;

/// Number of bytes of a packed record before its partition key and data.
const HEADER: usize = 23;
const NO_KEY: u16 = u16::MAX;
const ENCRYPTED: u8 = 1;

/// Number of bytes of the smallest packed record.
pub(super) const MIN_BYTES: usize = HEADER;

/// The id of the log of one shard, or of the journal of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// Incarnation number of the shard's stream, or of the queue if the log is a journal. The
    /// number is never used again.
    pub stream: u64,
    /// Index of the shard in its stream. 0 for a journal.
    pub shard: u32,
}

impl LogId {
    /// Number of bytes of an encoded id.
    pub(crate) const BYTES: usize = 12;

    /// Encodes the id of the log as `stream u64 | shard u32`, little-endian.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.stream.to_le_bytes());
        bytes[8..].copy_from_slice(&self.shard.to_le_bytes());
        bytes
    }

    /// Decodes the id of a log at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self {
            stream: u64_at(bytes, 0),
            shard: u32_at(bytes, 8),
        }
    }
}

/// One record of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Sequence index of the record. The records of a log are in ascending order of their indexes.
    /// A log need not have a record for each index.
    pub index: u64,
    /// Arrival time of the record. If this time is earlier than that of the log's previous record,
    /// the log stores the record with the time of the previous record.
    pub arrival: Timestamp,
    /// Partition key of the record. `None` if the record was written without one.
    pub partition_key: Option<&'a str>,
    /// The payload of the record.
    pub data: &'a [u8],
    /// True if the record's stream was encrypted when the record was written.
    pub encrypted: bool,
}

impl Record<'_> {
    /// Returns the number of bytes of the packed record.
    pub(super) fn packed_size(&self) -> usize {
        HEADER + self.partition_key.map_or(0, str::len) + self.data.len()
    }

    /// Appends the packed form of the record to `bytes`. The packed record has the arrival time
    /// `arrival`.
    pub(crate) fn pack(&self, arrival: Timestamp, bytes: &mut Vec<u8>) {
        let key = self.partition_key.map_or(&b""[..], str::as_bytes);
        let key_length = match self.partition_key {
            None => NO_KEY,
            Some(_) => u16::try_from(key.len()).expect("a partition key has at most 256 letters"),
        };
        let data_length = u32::try_from(self.data.len()).expect("a record is below 4 GiB");
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&self.index.to_le_bytes());
        header[8..16].copy_from_slice(&arrival.millis().to_le_bytes());
        header[16..20].copy_from_slice(&data_length.to_le_bytes());
        header[20..22].copy_from_slice(&key_length.to_le_bytes());
        header[22] = if self.encrypted { ENCRYPTED } else { 0 };
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(self.data);
    }
}

/// A sequence of packed records with access to each record by its position. The positions count
/// from 0.
pub(crate) trait Records {
    /// Returns the number of records in the sequence.
    fn len(&self) -> usize;
    /// Returns the buffer that holds the record at `position`, and the offset of the record in this
    /// buffer.
    fn start(&self, position: usize) -> (&[u8], usize);
    /// Returns the records at the positions in `range`. The returned records of a closed segment
    /// share the segment's memory. The returned records of an open segment are copies.
    fn slice(&self, range: Range<usize>) -> PackedRecords;

    fn index(&self, position: usize) -> u64 {
        let (bytes, start) = self.start(position);
        u64_at(bytes, start)
    }

    fn arrival(&self, position: usize) -> Timestamp {
        let (bytes, start) = self.start(position);
        arrival_at(bytes, start)
    }

    /// Returns the number of bytes of the partition key and data of the record at `position`.
    fn weight(&self, position: usize) -> u64 {
        let (bytes, start) = self.start(position);
        let (key, data) = lengths(&bytes[start..]);
        (key.unwrap_or_default() + data) as u64
    }

    /// Returns the position of the first record that has an index of at least `from` and an arrival
    /// time of at least `horizon`. Returns the number of records if there is no such record.
    fn first_from(&self, from: u64, horizon: Timestamp) -> usize
    where
        Self: Sized,
    {
        self.search(|at| self.index(at) < from || self.arrival(at) < horizon)
    }

    /// Returns the position after the last record that has an index less than `end`. Returns 0 if
    /// there is no such record.
    fn end_before(&self, end: u64) -> usize
    where
        Self: Sized,
    {
        self.search(|at| self.index(at) < end)
    }

    /// Returns the number of bytes of the partition keys and data of all records at the positions
    /// in `range`.
    fn weights(&self, range: Range<usize>) -> u64 {
        let Some(last) = range.end.checked_sub(1).filter(|last| range.start <= *last) else {
            return 0;
        };
        let start = |position| self.start(position).1;
        let headers = HEADER * (last - range.start);
        (start(last) - start(range.start) - headers) as u64 + self.weight(last)
    }

    /// Returns the first position for which `passed` returns false, or the number of records if
    /// there is no such position. The caller must ensure that `passed` returns true for all earlier
    /// positions and false for all later positions.
    fn search(&self, passed: impl Fn(usize) -> bool) -> usize
    where
        Self: Sized,
    {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if passed(middle) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }
}

/// Consecutive packed records of one log.
#[derive(Debug, Clone)]
pub(crate) struct PackedRecords(pub(super) Bytes);

impl PackedRecords {
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        unpack(&self.0)
    }
}

/// Iterates over the records that are packed in `bytes`.
///
/// # Panics
/// The iterator panics if `bytes` are not packed records. The caller must check bytes from a disk
/// with [`record_starts`] first.
pub(crate) fn unpack(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (record, rest) = first(bytes).expect("packed records were checked when they were read");
        bytes = rest;
        Some(record)
    })
}

/// Returns the offset of each record in `bytes`. Returns `None` if `bytes` are not packed records
/// in ascending order of their indexes. Also returns `None` if a record has the index `u64::MAX`,
/// because the index after the last record would overflow.
pub(crate) fn record_starts(bytes: &[u8]) -> Option<Vec<usize>> {
    let mut starts = Vec::new();
    let (mut rest, mut next) = (bytes, 0);
    while !rest.is_empty() {
        let (record, after) = first(rest)?;
        if record.index < next {
            return None;
        }
        next = record.index.checked_add(1)?;
        starts.push(bytes.len() - rest.len());
        rest = after;
    }
    Some(starts)
}

/// Decodes the first packed record in `bytes`. Returns the record and the bytes after it. Returns
/// `None` if `bytes` do not begin with a packed record.
fn first(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let (key_length, data_length) = lengths(header);
    let (key, rest) = rest.split_at_checked(key_length.unwrap_or_default())?;
    let (data, rest) = rest.split_at_checked(data_length)?;
    let key = std::str::from_utf8(key).ok()?;
    let record = Record {
        index: u64_at(header, 0),
        arrival: arrival_at(header, 0),
        partition_key: key_length.map(|_| key),
        data,
        encrypted: header[22] & ENCRYPTED != 0,
    };
    Some((record, rest))
}

/// Returns the length of a record's partition key and the length of its data, from the header of
/// the packed record. The length of the partition key is `None` if the record has no partition key.
fn lengths(bytes: &[u8]) -> (Option<usize>, usize) {
    let key = u16::from_le_bytes([bytes[20], bytes[21]]);
    let key = (key != NO_KEY).then_some(usize::from(key));
    (key, u32_at(bytes, 16) as usize)
}

fn arrival_at(bytes: &[u8], record: usize) -> Timestamp {
    Timestamp::from_millis(u64_at(bytes, record + 8).cast_signed())
}

//! Segments. A segment is a block of consecutive records of one log, with the same bytes in memory
//! and on disk.
//!
//! A segment consists of the header `crc32 u32 | count u32 | stream u64 | shard u32 | table u32`,
//! the packed records, and a table. The table holds the offset of each record, and the number
//! `table` is the offset of the table. Offsets are in bytes from the start of the segment. All
//! numbers are little-endian. The checksum covers all bytes after it.

use super::bytes::{u32_at, verified_content, write_checksum};
use super::record::{LogId, MIN_BYTES, PackedRecords, Record, Records, record_starts};
use crate::world::Timestamp;
use bytes::Bytes;
use std::ops::Range;

const HEADER: usize = 24;
/// Number of bytes of one entry of a segment's table.
const OFFSET: usize = 4;

/// Returns the number of bytes that `record` takes in a segment, including the record's entry in
/// the segment's table.
pub(crate) fn packed_size(record: &Record<'_>) -> usize {
    record.packed_size() + OFFSET
}

/// Estimates the number of bytes of partition keys and data in a segment. `bytes` is the size of
/// the segment in bytes, and `records` is the number of its records.
pub(crate) fn weight_of(bytes: u32, records: u32) -> u64 {
    let frame = HEADER + (MIN_BYTES + OFFSET) * records as usize;
    u64::from(bytes).saturating_sub(frame as u64)
}

/// The open segment at the end of a log. New records are appended to this segment.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl Tail {
    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Returns the size in bytes that the segment would have if it were closed now. Returns 0 if
    /// the segment has no records.
    pub(crate) fn size(&self) -> usize {
        match self.is_empty() {
            true => 0,
            false => self.bytes.len() + OFFSET * self.offsets.len(),
        }
    }

    /// Allocates memory for the open segment, so that it can grow to `bytes` bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes.saturating_sub(self.bytes.len()));
    }

    pub(crate) fn push(&mut self, record: &Record<'_>, arrival: Timestamp) {
        if self.bytes.is_empty() {
            self.bytes.resize(HEADER, 0);
        }
        let offset = u32::try_from(self.bytes.len()).expect("a segment is below 4 GiB");
        self.offsets.push(offset);
        record.pack(arrival, &mut self.bytes);
    }

    /// Closes the segment of the log `log` and returns it. The tail is empty afterwards.
    pub(crate) fn seal(&mut self, log: LogId) -> Segment {
        let Self { mut bytes, offsets } = std::mem::take(self);
        let table = u32::try_from(bytes.len()).expect("a segment is below 4 GiB");
        let count = u32::try_from(offsets.len()).expect("a segment is below 4 GiB");
        for offset in &offsets {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes[4..8].copy_from_slice(&count.to_le_bytes());
        bytes[8..20].copy_from_slice(&log.to_bytes());
        bytes[20..24].copy_from_slice(&table.to_le_bytes());
        write_checksum(&mut bytes);
        Segment {
            bytes: Bytes::from(bytes),
        }
    }

    /// Returns the packed records of the open segment, from the record at `position` to the end.
    pub(crate) fn run(&self, position: usize) -> &[u8] {
        &self.bytes[self.offset(position)..]
    }

    fn offset(&self, position: usize) -> usize {
        let offset = self.offsets.get(position);
        offset.map_or(self.bytes.len(), |offset| *offset as usize)
    }
}

/// A closed segment, whose records no longer change. All clones share the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    bytes: Bytes,
}

impl Segment {
    /// Checks the bytes of a segment that was read from a disk, and returns the segment.
    ///
    /// # Errors
    /// The reason why the bytes are not a valid segment.
    pub(crate) fn parse(bytes: Bytes) -> Result<Self, &'static str> {
        if bytes.len() < HEADER + MIN_BYTES + OFFSET {
            return Err("it is too short");
        }
        verified_content(&bytes)?;
        let segment = Self { bytes };
        let table = u32_at(&segment.bytes, 20) as usize;
        if segment.len() == 0 || table + OFFSET * segment.len() != segment.bytes.len() {
            return Err("its table of records is broken");
        }
        let starts = record_starts(segment.bytes.get(HEADER..table).unwrap_or_default());
        let starts = starts.ok_or("its records are broken")?;
        let listed = (0..segment.len()).map(|position| segment.offset(position));
        if !starts.into_iter().map(|start| HEADER + start).eq(listed) {
            return Err("its table of records is broken");
        }
        Ok(segment)
    }

    pub(crate) fn log(&self) -> LogId {
        LogId::read(&self.bytes[8..])
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn offset(&self, position: usize) -> usize {
        let table = u32_at(&self.bytes, 20) as usize;
        if position == self.len() {
            return table;
        }
        u32_at(&self.bytes, table + OFFSET * position) as usize
    }
}

impl Records for Tail {
    fn len(&self) -> usize {
        self.offsets.len()
    }

    fn start(&self, position: usize) -> (&[u8], usize) {
        (&self.bytes, self.offsets[position] as usize)
    }

    fn slice(&self, range: Range<usize>) -> PackedRecords {
        let bytes = &self.bytes[self.offset(range.start)..self.offset(range.end)];
        PackedRecords(Bytes::copy_from_slice(bytes))
    }
}

impl Records for Segment {
    fn len(&self) -> usize {
        u32_at(&self.bytes, 4) as usize
    }

    fn start(&self, position: usize) -> (&[u8], usize) {
        (&self.bytes, self.offset(position))
    }

    fn slice(&self, range: Range<usize>) -> PackedRecords {
        let bytes = self.offset(range.start)..self.offset(range.end);
        PackedRecords(self.bytes.slice(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::unpack;
    use super::*;
    use proptest::prelude::*;

    type Sample = (u64, i64, Option<String>, Vec<u8>, bool);

    fn samples() -> impl Strategy<Value = Vec<Sample>> {
        let key = proptest::option::of(".{0,20}");
        let data = proptest::collection::vec(any::<u8>(), 0..50);
        let sample = (1..1000_u64, 0..1000_i64, key, data, any::<bool>());
        proptest::collection::vec(sample, 1..40).prop_map(|mut samples| {
            for at in 1..samples.len() {
                samples[at].0 += samples[at - 1].0;
                samples[at].1 += samples[at - 1].1;
            }
            samples
        })
    }

    fn record(sample: &Sample) -> Record<'_> {
        let (index, arrival, key, data, encrypted) = sample;
        Record {
            index: *index,
            arrival: Timestamp::from_millis(*arrival),
            partition_key: key.as_deref(),
            data,
            encrypted: *encrypted,
        }
    }

    fn fill(samples: &[Sample]) -> Tail {
        let mut tail = Tail::default();
        for record in samples.iter().map(record) {
            tail.push(&record, record.arrival);
        }
        tail
    }

    proptest! {
        #[test]
        fn packed_records_read_back(samples in samples(), cut in any::<prop::sample::Index>()) {
            let mut tail = fill(&samples);
            let size = tail.size();
            let cut = cut.index(samples.len());
            let views: Vec<_> = samples.iter().map(record).collect();
            prop_assert!(tail.slice(cut..samples.len()).iter().eq(views[cut..].iter().copied()));
            prop_assert!(unpack(tail.run(cut)).eq(views[cut..].iter().copied()));
            let log = LogId { stream: 7, shard: 9 };
            let segment = Segment::parse(tail.seal(log).bytes().clone()).unwrap();
            prop_assert_eq!((segment.log(), segment.len()), (log, samples.len()));
            prop_assert_eq!(segment.bytes().len(), size);
            prop_assert!(segment.slice(0..cut).iter().eq(views[..cut].iter().copied()));
            let found = segment.search(|at| segment.index(at) < samples[cut].0);
            prop_assert_eq!(found, cut);
        }

        #[test]
        fn broken_records_are_noticed_though_the_checksum_is_right(
            samples in samples(),
            at in any::<prop::sample::Index>(),
            to: u8,
        ) {
            let segment = fill(&samples).seal(LogId { stream: 1, shard: 0 });
            let mut bytes = segment.bytes().to_vec();
            let at = 4 + at.index(bytes.len() - 4);
            bytes[at] = to;
            write_checksum(&mut bytes);
            if let Ok(segment) = Segment::parse(bytes.into()) {
                let records = segment.slice(0..segment.len());
                prop_assert_eq!(records.iter().count(), samples.len());
            }
        }

        #[test]
        fn a_changed_byte_is_noticed(samples in samples(), at in any::<prop::sample::Index>()) {
            let segment = fill(&samples).seal(LogId { stream: 1, shard: 0 });
            let mut bytes = segment.bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert!(Segment::parse(bytes.into()).is_err());
        }
    }
}

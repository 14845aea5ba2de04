//! How records are packed: the same bytes in memory and on disk.
//!
//! A segment is `crc32 u32 | count u32 | stream u64 | shard u32 | table u32`, the records, and at
//! `table` the offset of each record, all little endian; the checksum covers what follows it. A
//! record is `index u64 | arrival i64 | data length u32 | key length u16 | flags u8 | key | data`
//! and says where the next one starts, so a run of records can be cut out and read on its own.

use super::{Append, LogId, RecordView};
use crate::world::Timestamp;
use bytes::Bytes;

const HEADER: usize = 24;
const RECORD_HEADER: usize = 23;
const NO_KEY: u16 = u16::MAX;
const ENCRYPTED: u8 = 1;

/// Bytes that a record takes in a segment, its place in the table included.
pub(crate) fn packed_size(record: &Append<'_>) -> usize {
    RECORD_HEADER + 4 + record.partition_key.map_or(0, str::len) + record.data.len()
}

/// A segment that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl Tail {
    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Bytes of the segment that sealing would make.
    pub(crate) fn size(&self) -> usize {
        if self.is_empty() {
            0
        } else {
            self.bytes.len() + 4 * self.offsets.len()
        }
    }

    /// Makes room at once for a segment of `bytes`.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes.saturating_sub(self.bytes.len()));
    }

    pub(crate) fn push(&mut self, record: &Append<'_>, arrival: Timestamp) {
        if self.bytes.is_empty() {
            self.bytes.resize(HEADER, 0);
        }
        let key = record.partition_key.map_or(&b""[..], str::as_bytes);
        let key_length = match record.partition_key {
            None => NO_KEY,
            Some(_) => u16::try_from(key.len()).expect("a partition key has at most 256 letters"),
        };
        let data_length = u32::try_from(record.data.len()).expect("a record is below 4 GiB");
        let offset = u32::try_from(self.bytes.len()).expect("a segment is below 4 GiB");
        self.offsets.push(offset);
        let mut header = [0; RECORD_HEADER];
        header[..8].copy_from_slice(&record.index.to_le_bytes());
        header[8..16].copy_from_slice(&arrival.millis().to_le_bytes());
        header[16..20].copy_from_slice(&data_length.to_le_bytes());
        header[20..22].copy_from_slice(&key_length.to_le_bytes());
        header[22] = if record.encrypted { ENCRYPTED } else { 0 };
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(record.data);
    }

    /// Closes the segment, leaving an empty tail.
    pub(crate) fn seal(&mut self, log: LogId) -> Segment {
        let Self { mut bytes, offsets } = std::mem::take(self);
        let table = u32::try_from(bytes.len()).expect("a segment is below 4 GiB");
        let count = u32::try_from(offsets.len()).expect("a segment is below 4 GiB");
        for offset in &offsets {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes[4..8].copy_from_slice(&count.to_le_bytes());
        bytes[8..16].copy_from_slice(&log.stream.to_le_bytes());
        bytes[16..20].copy_from_slice(&log.shard.to_le_bytes());
        bytes[20..24].copy_from_slice(&table.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[4..]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        Segment {
            bytes: Bytes::from(bytes),
        }
    }

    /// The packed records from the one at `position` on.
    pub(crate) fn run(&self, position: usize) -> &[u8] {
        let start = self
            .offsets
            .get(position)
            .map_or(self.bytes.len(), |start| *start as usize);
        &self.bytes[start..]
    }

    /// A copy of the records at `range`.
    pub(crate) fn copy(&self, range: std::ops::Range<usize>) -> Run {
        let end = self
            .offsets
            .get(range.end)
            .map_or(self.bytes.len(), |end| *end as usize);
        let start = self.offsets[range.start] as usize;
        Run {
            bytes: Bytes::copy_from_slice(&self.bytes[start..end]),
        }
    }
}

/// A closed segment. Cloning it shares the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    bytes: Bytes,
}

impl Segment {
    /// Reads a segment back; says what is wrong with bytes that are none.
    pub(crate) fn parse(bytes: Bytes) -> Result<Self, &'static str> {
        if bytes.len() < HEADER + RECORD_HEADER + 4 {
            return Err("it is too short");
        }
        if crc32fast::hash(&bytes[4..]) != u32_at(&bytes, 0) {
            return Err("its checksum is wrong");
        }
        let segment = Self { bytes };
        let table = u32_at(&segment.bytes, 20) as usize;
        if segment.len() == 0 || table + 4 * segment.len() != segment.bytes.len() {
            return Err("its table of records is broken");
        }
        let starts = record_starts(segment.bytes.get(HEADER..table).unwrap_or_default());
        let starts = starts.ok_or("its records are broken")?;
        let told = (0..segment.len()).map(|position| segment.offset(position));
        if !starts.into_iter().map(|start| HEADER + start).eq(told) {
            return Err("its table of records is broken");
        }
        Ok(segment)
    }

    pub(crate) fn log(&self) -> LogId {
        LogId {
            stream: u64_at(&self.bytes, 8),
            shard: u32_at(&self.bytes, 16),
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The records at `range`, sharing this segment's bytes.
    pub(crate) fn slice(&self, range: std::ops::Range<usize>) -> Run {
        let end = self.offset(range.end);
        Run {
            bytes: self.bytes.slice(self.offset(range.start)..end),
        }
    }

    fn offset(&self, position: usize) -> usize {
        let table = u32_at(&self.bytes, 20) as usize;
        if position == self.len() {
            return table;
        }
        u32_at(&self.bytes, table + 4 * position) as usize
    }
}

/// Records that can be looked up by position.
pub(crate) trait Records {
    /// How many there are.
    fn len(&self) -> usize;
    /// The bytes and where in them the record at `position` starts.
    fn start(&self, position: usize) -> (&[u8], usize);

    fn index(&self, position: usize) -> u64 {
        let (bytes, start) = self.start(position);
        u64_at(bytes, start)
    }

    fn arrival(&self, position: usize) -> Timestamp {
        let (bytes, start) = self.start(position);
        arrival_at(bytes, start)
    }

    /// Bytes that the record takes when it is read: key and data.
    fn weight(&self, position: usize) -> u64 {
        let (bytes, start) = self.start(position);
        let (key, data) = lengths(&bytes[start..]);
        (key.unwrap_or_default() + data) as u64
    }

    /// The first position for which `passed` is no longer true.
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

impl Records for Tail {
    fn len(&self) -> usize {
        self.offsets.len()
    }

    fn start(&self, position: usize) -> (&[u8], usize) {
        (&self.bytes, self.offsets[position] as usize)
    }
}

impl Records for Segment {
    fn len(&self) -> usize {
        u32_at(&self.bytes, 4) as usize
    }

    fn start(&self, position: usize) -> (&[u8], usize) {
        (&self.bytes, self.offset(position))
    }
}

/// Consecutive records, packed.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    bytes: Bytes,
}

impl Run {
    pub(crate) fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        unpack(&self.bytes)
    }
}

/// The records packed in `bytes`, one after the other.
///
/// # Panics
/// When they are not what [`record_starts`] takes: what was read from a disk was checked by it.
pub(crate) fn unpack(mut bytes: &[u8]) -> impl Iterator<Item = RecordView<'_>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (record, rest) = view(bytes).expect("packed records were checked when they were read");
        bytes = rest;
        Some(record)
    })
}

/// Where in `bytes` each record starts; none if these are no records in their order. The last
/// index there is belongs to no record, so that there is always one behind it.
pub(crate) fn record_starts(bytes: &[u8]) -> Option<Vec<usize>> {
    let mut starts = Vec::new();
    let (mut rest, mut next) = (bytes, 0);
    while !rest.is_empty() {
        let (record, after) = view(rest)?;
        if record.index < next {
            return None;
        }
        next = record.index.checked_add(1)?;
        starts.push(bytes.len() - rest.len());
        rest = after;
    }
    Some(starts)
}

/// The first record in `bytes`, and what follows it.
fn view(bytes: &[u8]) -> Option<(RecordView<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(RECORD_HEADER)?;
    let (key_length, data_length) = lengths(header);
    let (key, rest) = rest.split_at_checked(key_length.unwrap_or_default())?;
    let (data, rest) = rest.split_at_checked(data_length)?;
    let key = std::str::from_utf8(key).ok()?;
    let record = RecordView {
        index: u64_at(header, 0),
        arrival: arrival_at(header, 0),
        partition_key: key_length.map(|_| key),
        data,
        encrypted: header[22] & ENCRYPTED != 0,
    };
    Some((record, rest))
}

/// The lengths of the partition key, if there is one, and of the data of the record at the start.
fn lengths(bytes: &[u8]) -> (Option<usize>, usize) {
    let key = u16::from_le_bytes([bytes[20], bytes[21]]);
    let key = (key != NO_KEY).then_some(usize::from(key));
    (key, u32_at(bytes, 16) as usize)
}

fn arrival_at(bytes: &[u8], record: usize) -> Timestamp {
    Timestamp::from_millis(u64_at(bytes, record + 8).cast_signed())
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let [a, b, c, d, ..] = bytes[at..] else {
        panic!("bytes for a number are missing")
    };
    u32::from_le_bytes([a, b, c, d])
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
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

    fn view(sample: &Sample) -> RecordView<'_> {
        let (index, arrival, key, data, encrypted) = sample;
        let arrival = Timestamp::from_millis(*arrival);
        let partition_key = key.as_deref();
        RecordView {
            index: *index,
            arrival,
            partition_key,
            data,
            encrypted: *encrypted,
        }
    }

    fn fill(samples: &[Sample]) -> Tail {
        let mut tail = Tail::default();
        for RecordView {
            index,
            arrival,
            partition_key,
            data,
            encrypted,
        } in samples.iter().map(view)
        {
            tail.push(
                &Append {
                    index,
                    arrival,
                    partition_key,
                    data,
                    encrypted,
                },
                arrival,
            );
        }
        tail
    }

    proptest! {
        #[test]
        fn packed_records_read_back(samples in samples(), cut in any::<prop::sample::Index>()) {
            let mut tail = fill(&samples);
            let size = tail.size();
            let cut = cut.index(samples.len());
            let views: Vec<_> = samples.iter().map(view).collect();
            prop_assert!(tail.copy(cut..samples.len()).iter().eq(views[cut..].iter().copied()));
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
            let checksum = crc32fast::hash(&bytes[4..]);
            bytes[..4].copy_from_slice(&checksum.to_le_bytes());
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

//! Describes the records of a log without their payloads. The functions return the index, arrival
//! time and size of each of the next records, and the total number and size of all records from an
//! index on.

use super::segments::SegmentRef;
use super::shard_log::Log;
use crate::store::format::record::Records;
use crate::store::format::segment::weight_of;
use crate::store::format::summary::SegmentEntry;
use crate::world::Timestamp;

/// The index, arrival time and size of one record of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peeked {
    /// Sequence index of the record.
    pub(crate) index: u64,
    /// Arrival time of the record.
    pub(crate) arrival: Timestamp,
    /// Number of bytes of the record's partition key and data.
    pub(crate) weight: u64,
}

/// The result of `Log::peek`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PeekResult {
    /// The next records, and the index at which the next call of `Log::peek` has to start. The list
    /// is empty at the end of the log.
    Found(Vec<Peeked>, u64),
    /// The next record is only on disk. The caller has to read this record from the disk.
    OnDisk,
}

impl Log {
    /// Describes the next published records that have an index of at least `from` and an arrival
    /// time of at least `horizon`, but at most `count` records. Never waits, and never accesses the
    /// disk.
    pub(crate) fn peek(&self, from: u64, horizon: Timestamp, count: usize) -> PeekResult {
        let state = self.state.lock();
        let mut found = Vec::new();
        if from >= state.visible {
            return PeekResult::Found(found, from);
        }
        let visible = state.visible;
        let start = state.first_from(from, horizon);
        for (at, segment) in state.segments.iter().enumerate().skip(start) {
            if segment.entry.first >= visible {
                break;
            }
            let Some(segment) = &segment.memory else {
                return match found.last().map(|last| last.index + 1) {
                    Some(next) => PeekResult::Found(found, next),
                    None => PeekResult::OnDisk,
                };
            };
            let first = match at == start {
                true => segment.first_from(from, horizon),
                false => 0,
            };
            gather(&mut found, segment, first, visible, count);
            if found.len() == count {
                break;
            }
        }
        if found.len() < count {
            let first = state.tail.first_from(from, horizon);
            gather(&mut found, &state.tail, first, visible, count);
        }
        let full = found.len() == count;
        let next = found.last().filter(|_| full).map(|last| last.index + 1);
        PeekResult::Found(found, next.unwrap_or(visible))
    }

    /// Returns true if the record with the index `index` is published and arrived at `horizon` or
    /// later. Never accesses the disk. For a segment that is only on disk, the function assumes
    /// that every record arrived at the same time as the segment's last record.
    pub(crate) fn has(&self, index: u64, horizon: Timestamp) -> bool {
        let state = self.state.lock();
        if index >= state.visible {
            return false;
        }
        let at = state.first_from(index, horizon);
        match state.segments.get(at) {
            Some(segment) => match &segment.memory {
                Some(memory) => is_at(memory, index, horizon),
                None => segment.entry.first <= index,
            },
            None => is_at(&state.tail, index, horizon),
        }
    }

    /// Returns the index and the arrival time of the newest published record. `None` if the log
    /// contains no published record. Never accesses the disk.
    pub(crate) fn newest(&self) -> Option<(u64, Timestamp)> {
        fn newest_of(records: &impl Records, visible: u64) -> Option<(u64, Timestamp)> {
            let at = records.end_before(visible).checked_sub(1)?;
            Some((records.index(at), records.arrival(at)))
        }
        let state = self.state.lock();
        let of_segment = |SegmentRef { entry, memory, .. }: &SegmentRef| match memory {
            Some(memory) => newest_of(memory, state.visible),
            // A segment is on disk only if all of its records are published.
            None => Some((entry.last, entry.last_arrival)),
        };
        let in_tail = newest_of(&state.tail, state.visible);
        in_tail.or_else(|| state.segments.iter().rev().find_map(of_segment))
    }

    /// Returns the number and the bytes of the published records that have an index of at least
    /// `from` and an arrival time of at least `horizon`. Never accesses the disk. For a segment
    /// that is only on disk, the function assumes that every record arrived at the same time as the
    /// segment's last record. Therefore the result may be too large.
    pub(crate) fn amount_from(&self, from: u64, horizon: Timestamp) -> Amount {
        let state = self.state.lock();
        let mut amount = Amount::default();
        if from >= state.visible {
            return amount;
        }
        for segment in &state.segments {
            let SegmentRef { entry, memory, .. } = segment;
            match memory {
                _ if segment.is_before(from, horizon) => {}
                Some(memory) => amount.add(memory, from, horizon, state.visible),
                None => {
                    amount.note_oldest(entry.first_arrival.max(horizon));
                    let records = records_from(entry, from);
                    amount.records += records;
                    let bytes = weight_of(entry.bytes, entry.records);
                    amount.bytes += bytes * records / u64::from(entry.records.max(1));
                }
            }
        }
        amount.add(&state.tail, from, horizon, state.visible);
        amount
    }
}

/// Returns the number of records in the segment of `entry` that have an index of at least `from`.
/// The number may be too large if the segment has no records for some indexes. Otherwise the number
/// is exact.
fn records_from(entry: &SegmentEntry, from: u64) -> u64 {
    let rest = entry.last + 1 - from.clamp(entry.first, entry.last + 1);
    rest.min(u64::from(entry.records))
}

/// Returns true if `records` contains a record with the index `index`, and this record arrived at
/// `horizon` or later.
fn is_at(records: &impl Records, index: u64, horizon: Timestamp) -> bool {
    let at = records.first_from(index, horizon);
    at < records.len() && records.index(at) == index
}

/// A total of records: their number, the bytes of their partition keys and data, and the arrival
/// time of the oldest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Arrival time of the oldest record, or an earlier time if this record is only on disk. `None`
    /// if there are no records.
    pub(crate) oldest: Option<Timestamp>,
}

impl Amount {
    fn note_oldest(&mut self, arrival: Timestamp) {
        self.oldest.get_or_insert(arrival);
    }

    /// Adds to the total the records in `records` that have an index of at least `from` and less
    /// than `visible`, and an arrival time of at least `horizon`.
    fn add(&mut self, records: &impl Records, from: u64, horizon: Timestamp, visible: u64) {
        let first = records.first_from(from, horizon);
        let end = records.end_before(visible);
        if first < end {
            self.note_oldest(records.arrival(first));
        }
        self.records += end.saturating_sub(first) as u64;
        self.bytes += records.weights(first..end);
    }
}

/// Adds to `found` the descriptions of the records in `records`, starting with the record at
/// position `first`. Stops when `found` has `count` descriptions, or at a record whose index is
/// `visible` or greater.
fn gather(
    found: &mut Vec<Peeked>,
    records: &impl Records,
    first: usize,
    visible: u64,
    count: usize,
) {
    let left = count - found.len();
    let next = (first..records.len()).take(left).map(|position| Peeked {
        index: records.index(position),
        arrival: records.arrival(position),
        weight: records.weight(position),
    });
    found.extend(next.take_while(|record| record.index < visible));
}

//! The state of a log: its closed segments, and its tail.

use crate::store::format::record::Records as _;
use crate::store::format::segment::{Segment, Tail};
use crate::store::format::summary::SegmentEntry;
use crate::store::generations::Generation;
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// A closed segment of a log. The segment is in memory, in a generation, or in both.
#[derive(Debug)]
pub(crate) struct SegmentRef {
    pub(crate) entry: SegmentEntry,
    pub(crate) memory: Option<Segment>,
    /// The generation in which the segment is stored. `None` if the segment is only in memory.
    pub(crate) generation: Option<Arc<Generation>>,
}

/// The location of a stored segment. It consists of the segment's generation and of the segment's
/// entry in the summary of this generation.
pub(crate) type Location = (Arc<Generation>, SegmentEntry);

impl SegmentRef {
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.entry.bytes)
    }

    /// Returns the location of the stored segment. Returns `None` if the segment is only in memory.
    pub(crate) fn location(&self) -> Option<Location> {
        Some((self.generation.clone()?, self.entry))
    }

    /// Returns true if each record of the segment has an index less than `from`, or if each record
    /// arrived before `horizon`.
    pub(crate) fn is_before(&self, from: u64, horizon: Timestamp) -> bool {
        self.entry.last < from || self.entry.last_arrival < horizon
    }

    /// Returns true if the segment is stored in `generation`.
    pub(crate) fn is_in(&self, generation: &Arc<Generation>) -> bool {
        let place = self.generation.as_ref();
        place.is_some_and(|place| Arc::ptr_eq(place, generation))
    }
}

/// The state of a log that the log's lock protects.
#[derive(Debug, Default)]
pub(crate) struct LogState {
    /// The closed segments of the log in ascending order of their indexes. The order of their
    /// arrival times is the same.
    pub(crate) segments: VecDeque<SegmentRef>,
    /// Number of segments at the end of `segments` that are only in memory.
    pub(crate) unstored: usize,
    pub(crate) tail: Tail,
    /// Number of records at the start of the tail that are already stored in commit frames.
    pub(crate) committed: usize,
    /// The index after the last appended record.
    pub(crate) next: u64,
    pub(crate) last_arrival: Option<Timestamp>,
    /// The index after the last published record.
    pub(crate) visible: u64,
    /// Number of records that are appended but not yet published.
    pub(crate) unpublished: usize,
    /// Number of bytes that were appended since the last commit.
    pub(crate) pending: u64,
    /// True if the log is in the list of logs that the next commit has to write.
    pub(crate) dirty: bool,
    pub(crate) deleted: bool,
    /// True if the log has filled a segment before. The log then allocates the memory for a whole
    /// segment in one step.
    pub(crate) has_filled_a_segment: bool,
}

/// The memory and the disk space that the deletion of records frees.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    /// Number of bytes of memory that become free.
    pub(crate) memory: u64,
    /// True if less than half of the bytes of a generation are live now. A sweep is then
    /// worthwhile.
    pub(crate) sweep: bool,
}

impl LogState {
    /// Returns the position of the first closed segment that may contain records with an index of
    /// at least `from` and an arrival time of at least `horizon`.
    pub(crate) fn first_from(&self, from: u64, horizon: Timestamp) -> usize {
        self.segments
            .partition_point(|segment| segment.is_before(from, horizon))
    }

    /// Returns the closed segment whose first record has the index `first`. Returns `None` if there
    /// is no such segment.
    pub(crate) fn segment(&mut self, first: u64) -> Option<&mut SegmentRef> {
        let at = self.position(first)?;
        self.segments.get_mut(at)
    }

    /// Returns the position of the closed segment whose first record has the index `first`. Returns
    /// `None` if there is no such segment.
    pub(crate) fn position(&self, first: u64) -> Option<usize> {
        let segments = &self.segments;
        segments
            .binary_search_by_key(&first, |segment| segment.entry.first)
            .ok()
    }

    /// Notes that a segment is now stored in `generation`. `entry` is the entry of the segment in
    /// this generation. Returns the segment, or `None` if the segment was deleted in the meantime.
    pub(crate) fn set_stored(
        &mut self,
        entry: &SegmentEntry,
        generation: &Arc<Generation>,
    ) -> Option<&mut SegmentRef> {
        let at = self.position(entry.first)?;
        let segment = &mut self.segments[at];
        segment.entry = *entry;
        generation.add(segment.bytes());
        match segment.generation.replace(generation.clone()) {
            Some(old) => drop(old.release(segment.bytes())),
            None => self.unstored -= 1,
        }
        Some(segment)
    }

    /// Adds a closed segment that is not stored on disk yet to the log.
    pub(crate) fn push(&mut self, segment: Segment) {
        self.segments.push_back(SegmentRef {
            entry: SegmentEntry::of(&segment, 0),
            memory: Some(segment),
            generation: None,
        });
        self.unstored += 1;
        self.committed = 0;
    }

    /// Removes segments from the front of the log. Stops at the first segment for which `dead`
    /// returns false. Returns the memory and the disk space that the removal frees.
    pub(crate) fn trim(&mut self, dead: impl Fn(&SegmentRef) -> bool) -> Freed {
        let mut freed = Freed::default();
        while let Some(segment) = self.segments.pop_front_if(|segment| dead(segment)) {
            if segment.memory.is_some() {
                freed.memory += segment.bytes();
            }
            match &segment.generation {
                Some(generation) => freed.sweep |= generation.release(segment.bytes()),
                None => self.unstored -= 1,
            }
        }
        freed
    }

    /// Drops the records of the tail. Returns the number of bytes that these records occupied.
    pub(crate) fn drop_tail(&mut self) -> u64 {
        let size = self.tail.size() as u64;
        self.tail = Tail::default();
        self.committed = 0;
        size
    }

    /// The arrival time of the last record in the oldest closed segment, or in the tail if there is
    /// no closed segment. None if there are no records.
    pub(crate) fn first_trim(&self) -> Option<Timestamp> {
        let oldest = self.segments.front();
        oldest
            .map(|segment| segment.entry.last_arrival)
            .or_else(|| {
                let last = self.tail.len().checked_sub(1)?;
                Some(self.tail.arrival(last))
            })
    }

    /// Returns true if the tail has records, and each record of the tail arrived before `horizon`
    /// and has an index less than `end`.
    pub(crate) fn is_tail_expired(&self, horizon: Timestamp, end: u64) -> bool {
        let last = self.tail.len().checked_sub(1);
        last.is_some_and(|last| self.tail.arrival(last) < horizon && self.tail.index(last) < end)
    }
}

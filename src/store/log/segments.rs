//! The segments of a log, and its tail.

use crate::store::format::record::Records as _;
use crate::store::format::segment::{Segment, Tail};
use crate::store::format::summary::SegmentEntry;
use crate::store::generations::Generation;
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// A sealed segment, in memory, in a generation, or both.
#[derive(Debug)]
pub(crate) struct SegmentRef {
    pub(crate) entry: SegmentEntry,
    pub(crate) memory: Option<Segment>,
    /// The generation that holds it.
    pub(crate) generation: Option<Arc<Generation>>,
}

/// A stored segment: its generation, and its entry there.
pub(crate) type Location = (Arc<Generation>, SegmentEntry);

impl SegmentRef {
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.entry.bytes)
    }

    /// The location of the segment, if it is stored.
    pub(crate) fn location(&self) -> Option<Location> {
        Some((self.generation.clone()?, self.entry))
    }

    /// True when every record has an index below `from` or arrived before `horizon`.
    pub(crate) fn is_before(&self, from: u64, horizon: Timestamp) -> bool {
        self.entry.last < from || self.entry.last_arrival < horizon
    }

    /// True when the segment is stored in `generation`.
    pub(crate) fn is_in(&self, generation: &Arc<Generation>) -> bool {
        let place = self.generation.as_ref();
        place.is_some_and(|place| Arc::ptr_eq(place, generation))
    }
}

/// The state of a log.
#[derive(Debug, Default)]
pub(crate) struct LogState {
    /// In the order of their indexes, which is the order of their arrivals.
    pub(crate) segments: VecDeque<SegmentRef>,
    /// Number of segments, the newest, that are not stored.
    pub(crate) unstored: usize,
    pub(crate) tail: Tail,
    /// Records of the tail that are in a commit frame.
    pub(crate) committed: usize,
    /// Just past the index of the last record.
    pub(crate) next: u64,
    pub(crate) last_arrival: Option<Timestamp>,
    /// Just past the index of the last visible record.
    pub(crate) visible: u64,
    /// Number of records appended since the last commit that are not visible.
    pub(crate) unpublished: usize,
    /// Bytes appended since the last commit.
    pub(crate) pending: u64,
    /// True when the log is in the list of logs to commit.
    pub(crate) dirty: bool,
    pub(crate) deleted: bool,
    /// True when a segment was filled before: then the next tail is allocated at its full size.
    pub(crate) seasoned: bool,
}

/// The memory and the disk space that deleted records give back.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// A generation became half dead.
    pub(crate) sweep: bool,
}

impl LogState {
    /// The position of the first segment that may hold records from index `from` on that did not
    /// arrive before `horizon`.
    pub(crate) fn first_from(&self, from: u64, horizon: Timestamp) -> usize {
        self.segments
            .partition_point(|segment| segment.is_before(from, horizon))
    }

    /// The segment whose first record has the index `first`.
    pub(crate) fn segment(&mut self, first: u64) -> Option<&mut SegmentRef> {
        let at = self.position(first)?;
        self.segments.get_mut(at)
    }

    /// The position of the segment whose first record has the index `first`.
    pub(crate) fn position(&self, first: u64) -> Option<usize> {
        let segments = &self.segments;
        segments
            .binary_search_by_key(&first, |segment| segment.entry.first)
            .ok()
    }

    /// Notes that the segment of `entry` is stored in `generation`, and returns the segment if it
    /// is still there.
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

    /// Adds a sealed segment that is not stored.
    pub(crate) fn push(&mut self, segment: Segment) {
        self.segments.push_back(SegmentRef {
            entry: SegmentEntry::of(&segment, 0),
            memory: Some(segment),
            generation: None,
        });
        self.unstored += 1;
        self.committed = 0;
    }

    /// Removes segments from the front as long as they are `dead`.
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

    /// Drops the tail, and returns its bytes.
    pub(crate) fn drop_tail(&mut self) -> u64 {
        let size = self.tail.size() as u64;
        self.tail = Tail::default();
        self.committed = 0;
        size
    }

    /// True when every record of the tail arrived before `horizon` and is visible.
    pub(crate) fn is_tail_expired(&self, horizon: Timestamp) -> bool {
        let Some(last) = self.tail.len().checked_sub(1) else {
            return false;
        };
        self.tail.arrival(last) < horizon && self.tail.index(last) < self.visible
    }
}

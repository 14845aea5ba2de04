//! Replays the records in the commit frames of one log, to find the records that are in no segment.

use super::format::record::{Records as _, unpack};
use super::format::segment::Tail;
use super::log::segments::SegmentRef;
use std::collections::BTreeMap;

/// The replay of the records in one log's commit frames.
#[derive(Default)]
pub(crate) struct Replay {
    /// The first and the last index of each stored segment, in ascending order of the indexes.
    stored: Vec<(u64, u64)>,
    /// The gaps in the log. The records of a gap are in no segment, although a later segment
    /// exists. The key of a gap is the number of segments before the gap.
    gaps: BTreeMap<usize, Tail>,
}

impl Replay {
    pub(crate) fn new(segments: &[SegmentRef]) -> Self {
        let segments = segments.iter();
        let stored = segments.map(|segment| (segment.entry.first, segment.entry.last));
        let mut stored: Vec<_> = stored.collect();
        stored.sort_unstable();
        Self {
            stored,
            gaps: BTreeMap::new(),
        }
    }

    /// Finds the records in the packed `records` that are in no segment. Adds a record after the
    /// last segment to `tail`. Adds any other such record to the gap before the next segment.
    pub(crate) fn run(&mut self, records: &[u8], tail: &mut Tail) {
        for record in unpack(records) {
            let is_before = |(_, last): &(u64, u64)| *last < record.index;
            let before = self.stored.partition_point(is_before);
            let next = self.stored.get(before);
            if next.is_some_and(|(first, _)| *first <= record.index) {
                continue;
            }
            let target = match next {
                Some(_) => self.gaps.entry(before).or_default(),
                None => &mut *tail,
            };
            let last = target.len().checked_sub(1).map(|last| target.index(last));
            if last.is_none_or(|last| record.index > last) {
                target.push(&record, record.arrival);
            }
        }
    }

    /// Returns the gaps in the log, each as a tail with the records of the gap.
    pub(crate) fn into_gaps(self) -> impl Iterator<Item = Tail> {
        self.gaps.into_values()
    }
}

//! The operations of the committer on a log. The committer takes records for a commit, publishes
//! these records, drops segments from memory, notes the copies of segments in other generations,
//! and drops lost segments.

use super::segments::{Location, LogState, SegmentRef};
use super::shard_log::Log;
use crate::store::format::frame::Frames;
use crate::store::format::record::Records as _;
use crate::store::format::segment::{Segment, Tail};
use crate::store::format::summary::SegmentEntry;
use crate::store::generations::Generation;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The part of a commit that comes from one log. The part has the new segments and records of the
/// log.
#[derive(Debug)]
pub(crate) struct CommitBatch {
    pub(crate) log: Arc<Log>,
    pub(crate) segments: Vec<(SegmentEntry, Segment)>,
    /// The index after the last record of the batch.
    end: u64,
    /// Number of bytes that were appended to the log since the last commit.
    pub(crate) pending: u64,
    /// Number of the log's records that the commit publishes.
    records: usize,
    /// True if the batch has records that are stored in a commit frame and in no segment.
    pub(crate) in_frames: bool,
}

impl LogState {
    /// Creates the state of a log after recovery. `tail` has the records that are stored in commit
    /// frames and in no segment. `committed` is true if these frames are in the current generation.
    pub(crate) fn recovered(segments: Vec<SegmentRef>, tail: Tail, committed: bool) -> Self {
        let mut state = Self::default();
        if let Some(last) = segments.last() {
            state.next = last.entry.last + 1;
            state.last_arrival = Some(last.entry.last_arrival);
        }
        if let Some(last) = tail.len().checked_sub(1) {
            state.next = tail.index(last) + 1;
            state.last_arrival = Some(tail.arrival(last));
            state.committed = if committed { tail.len() } else { 0 };
            state.dirty = !committed;
        }
        state.segments = segments.into();
        state.tail = tail;
        state.visible = state.next;
        state
    }
}

impl Log {
    /// Returns the entries of the segments of this log that are stored in `generation`.
    pub(crate) fn segments_in(&self, generation: &Arc<Generation>) -> Vec<SegmentEntry> {
        let state = self.state.lock();
        let segments = state.segments.iter();
        let here = segments.filter(|segment| segment.is_in(generation));
        here.map(|segment| segment.entry).collect()
    }

    pub(crate) fn has_tail(&self) -> bool {
        !self.state.lock().tail.is_empty()
    }

    /// Notes that a segment was copied to `generation`. `entry` is the entry of the segment in this
    /// generation.
    pub(crate) fn note_copy(&self, entry: &SegmentEntry, generation: &Arc<Generation>) {
        self.state.lock().set_stored(entry, generation);
    }

    /// Drops the segment at `location`, which cannot be read, and logs an error. Counts the records
    /// of the segment as lost. Does nothing if the log has the segment in memory or at another
    /// location.
    pub(crate) fn drop_lost_segment(&self, location: &Location, problem: &str) {
        let (generation, entry) = location;
        let mut state = self.state.lock();
        let Some(at) = state.position(entry.first) else {
            return;
        };
        let segment = &state.segments[at];
        if !segment.is_in(generation) || segment.entry != *entry || segment.memory.is_some() {
            return;
        }
        state.segments.remove(at);
        drop(state);
        let sweep = generation.release(u64::from(entry.bytes)) || generation.is_gone();
        let records = u64::from(entry.records);
        self.shared
            .records_lost
            .fetch_add(records, Ordering::Relaxed);
        tracing::error!(
            records,
            generation = generation.number,
            problem,
            "records are lost: {}",
            self.shared.names.describe(entry)
        );
        self.shared.note_freed(0, sweep);
    }

    /// Returns the segment whose first record has the index `first`, and the entry of the segment.
    /// Returns `None` if the segment is stored on disk or was deleted.
    pub(crate) fn unstored(&self, first: u64) -> Option<(SegmentEntry, Segment)> {
        let mut state = self.state.lock();
        let segment = state.segment(first);
        let segment = segment.filter(|segment| segment.generation.is_none())?;
        Some((segment.entry, segment.memory.clone()?))
    }

    /// Drops a segment from memory after it was spilled to `generation`. Returns the number of
    /// bytes of memory that become free.
    pub(crate) fn spilled(&self, entry: &SegmentEntry, generation: &Arc<Generation>) -> u64 {
        let mut state = self.state.lock();
        let Some(segment) = state.set_stored(entry, generation) else {
            return 0;
        };
        segment.memory = None;
        segment.bytes()
    }

    /// Returns true if the segment whose first record has the index `first` is not in memory.
    pub(crate) fn is_evicted(&self, first: u64) -> bool {
        let mut state = self.state.lock();
        let segment = state.segment(first);
        segment.is_none_or(|segment| segment.memory.is_none())
    }

    /// Closes the tail if it has records, because only closed segments can be spilled.
    pub(crate) fn seal_tail(&self) {
        let mut state = self.state.lock();
        if !state.tail.is_empty() {
            self.seal(&mut state);
            state.has_filled_a_segment = false;
        }
    }

    /// Takes from the log all segments and records that are not committed yet. Adds the new records
    /// of the tail to `frames`. If `seal` is true, closes the tail first, so that all records are
    /// in segments.
    pub(crate) fn take(self: &Arc<Self>, seal: bool, frames: &mut Frames) -> CommitBatch {
        let limit = self.shared.segment_limit;
        let mut state = self.state.lock();
        state.dirty = false;
        let fresh = state.tail.run(state.committed).len();
        // A tail is closed if its new records fill half a segment. Records in a short segment are
        // stored only once, but records in a commit frame are later stored again in a segment.
        if !state.tail.is_empty() && (seal || fresh >= limit / 2) {
            self.seal(&mut state);
        }
        let start = state.segments.len() - state.unstored;
        let segments = state.segments.range(start..).map(|segment| {
            let memory = segment.memory.clone();
            (
                segment.entry,
                memory.expect("a segment is in memory until it is stored"),
            )
        });
        let segments = segments.collect();
        let in_frames = state.committed < state.tail.len();
        if in_frames {
            frames.push(self.id(), state.tail.run(state.committed), limit);
            state.committed = state.tail.len();
        }
        CommitBatch {
            log: self.clone(),
            segments,
            end: state.next,
            pending: std::mem::take(&mut state.pending),
            records: std::mem::take(&mut state.unpublished),
            in_frames,
        }
    }

    /// Publishes the records of `batch` after their commit, and notes that the segments of `batch`
    /// are stored in `generation`.
    pub(crate) fn publish(&self, batch: &CommitBatch, generation: &Arc<Generation>) {
        let mut state = self.state.lock();
        for (entry, _) in &batch.segments {
            state.set_stored(entry, generation);
        }
        if state.visible < batch.end && !state.deleted {
            let new = (batch.records, batch.pending);
            self.publish_before(&mut state, batch.end, new);
        }
        self.durable.fetch_max(batch.end, Ordering::Release);
    }

    /// Drops the segment whose first record has the index `first` from memory, if it is stored on
    /// disk. Returns the number of bytes of memory that become free.
    pub(crate) fn evict(&self, first: u64) -> u64 {
        let mut state = self.state.lock();
        let segment = state.segment(first);
        let Some(segment) = segment.filter(|segment| segment.generation.is_some()) else {
            return 0;
        };
        match segment.memory.take() {
            Some(_) => segment.bytes(),
            None => 0,
        }
    }

    /// Drops the records that are not published. Must be called after a failed commit.
    pub(crate) fn drop_invisible(&self) {
        let mut state = self.state.lock();
        let visible = state.visible;
        let mut freed = 0;
        let is_invisible = |segment: &mut SegmentRef| segment.entry.first >= visible;
        while let Some(segment) = state.segments.pop_back_if(is_invisible) {
            freed += segment.bytes();
            state.unstored = state.unstored.saturating_sub(1);
        }
        if !state.tail.is_empty() && state.tail.index(0) >= visible {
            freed += state.drop_tail();
        }
        drop(state);
        self.shared.note_freed(freed, false);
    }
}

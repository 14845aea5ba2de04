//! What recovery and the committer do to a log.

use super::{Log, Piece, Place};
use crate::store::frame::{Entry, Frames};
use crate::store::generation::Generation;
use crate::store::segment::{Records, Segment, Tail};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the committer takes from a log.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) log: Arc<Log>,
    pub(crate) segments: Vec<(Entry, Segment)>,
    pub(crate) end: u64,
    pub(crate) pending: u64,
    /// Records of the tail are now in a commit frame only.
    pub(crate) in_frames: bool,
}

impl Log {
    /// Puts back what recovery found: segments on disk and records from commit frames, which are
    /// `committed` when the frames are in the current generation.
    pub(crate) fn restore(&self, pieces: Vec<Piece>, tail: Tail, committed: bool) {
        let mut state = self.state.lock();
        if let Some(last) = pieces.last() {
            state.next = last.last + 1;
            state.last_arrival = Some(last.last_arrival);
        }
        if let Some(last) = tail.len().checked_sub(1) {
            state.next = tail.index(last) + 1;
            state.last_arrival = Some(tail.arrival(last));
            state.committed = if committed { tail.len() } else { 0 };
            state.dirty = !committed;
        }
        state.pieces = pieces.into();
        state.tail = tail;
        state.visible = state.next;
        self.durable.store(state.next, Ordering::Release);
    }

    /// The segments that are in `generation`.
    pub(crate) fn pieces_in(&self, generation: &Arc<Generation>) -> Vec<(Place, Entry)> {
        let state = self.state.lock();
        let placed = state.pieces.iter().filter_map(|piece| {
            let place = piece.place.as_ref()?;
            let here = Arc::ptr_eq(&place.generation, generation);
            here.then(|| (place.clone(), piece.entry(self.id, place.number)))
        });
        placed.collect()
    }

    /// A segment was copied to another generation.
    pub(crate) fn moved(&self, entry: &Entry, generation: &Arc<Generation>) {
        let mut state = self.state.lock();
        let Some(piece) = state.piece(entry.first) else {
            return;
        };
        let place = Place {
            generation: generation.clone(),
            number: entry.number,
        };
        generation.add(piece.bytes);
        if let Some(old) = piece.place.replace(place) {
            old.generation.release(piece.bytes);
        }
    }

    /// A segment cannot be read any more.
    pub(crate) fn lose(&self, first: u64) {
        let mut state = self.state.lock();
        let Ok(at) = state
            .pieces
            .binary_search_by_key(&first, |piece| piece.first)
        else {
            return;
        };
        if let Some(Piece {
            place: Some(place),
            bytes,
            ..
        }) = state.pieces.remove(at)
        {
            place.generation.release(bytes);
        }
    }

    /// A segment that is in memory only.
    pub(crate) fn unstored(&self, first: u64) -> Option<(Entry, Segment)> {
        let mut state = self.state.lock();
        let piece = state.piece(first).filter(|piece| piece.place.is_none())?;
        let segment = piece.memory.clone()?;
        Some((piece.entry(self.id, 0), segment))
    }

    /// A segment was spilled: memory gives it up. Says how many bytes that gave back.
    pub(crate) fn spilled(&self, entry: &Entry, generation: &Arc<Generation>) -> u64 {
        let mut state = self.state.lock();
        let Some(piece) = state.piece(entry.first) else {
            return 0;
        };
        let bytes = piece.bytes;
        generation.add(bytes);
        piece.place = Some(Place {
            generation: generation.clone(),
            number: entry.number,
        });
        piece.memory = None;
        state.unstored -= 1;
        bytes
    }

    /// True when nothing is left of the segment in memory.
    pub(crate) fn is_trimmed(&self, first: u64) -> bool {
        self.state
            .lock()
            .piece(first)
            .is_none_or(|piece| piece.memory.is_none())
    }

    /// Hands what is not yet committed to the committer: full segments to be stored, and the
    /// tail's new records for a commit frame; `seal` asks for segments only.
    pub(crate) fn take(self: &Arc<Self>, seal: bool, frames: &mut Frames) -> Taken {
        let limit = self.shared.segment_limit;
        let mut state = self.state.lock();
        state.dirty = false;
        let fresh = state.tail.run(state.committed).len();
        // Half a segment is better stored once as a short one than twice.
        if !state.tail.is_empty() && (seal || fresh >= limit / 2) {
            self.seal(&mut state);
        }
        let start = state.pieces.len() - state.unstored;
        let segments = state.pieces.range(start..).map(|piece| {
            let segment = piece
                .memory
                .clone()
                .expect("what is not on disk is in memory");
            (piece.entry(self.id, 0), segment)
        });
        let segments = segments.collect();
        let in_frames = state.committed < state.tail.len();
        if in_frames {
            frames.push(self.id, state.tail.run(state.committed), limit);
            state.committed = state.tail.len();
        }
        let pending = std::mem::take(&mut state.pending);
        Taken {
            log: self.clone(),
            segments,
            end: state.next,
            pending,
            in_frames,
        }
    }

    /// Called by the committer after the flush: segments are on disk, records become visible.
    pub(crate) fn publish(&self, taken: &Taken, generation: &Arc<Generation>) {
        let mut state = self.state.lock();
        for (entry, _) in &taken.segments {
            let Some(piece) = state.piece(entry.first) else {
                continue;
            };
            generation.add(piece.bytes);
            piece.place = Some(Place {
                generation: generation.clone(),
                number: entry.number,
            });
            state.unstored -= 1;
        }
        if state.visible < taken.end && !state.deleted {
            state.visible = taken.end;
            self.tell(taken.end);
        }
        self.durable.fetch_max(taken.end, Ordering::Release);
    }

    /// Drops the memory of a segment that is on disk; says how many bytes that gave back.
    pub(crate) fn evict(&self, first: u64) -> u64 {
        let mut state = self.state.lock();
        let stored = state.piece(first).filter(|piece| piece.place.is_some());
        stored.map_or(0, |piece| piece.memory.take().map_or(0, |_| piece.bytes))
    }

    /// After a failed commit: records that nobody saw are gone.
    pub(crate) fn drop_invisible(&self) {
        let mut state = self.state.lock();
        let visible = state.visible;
        let mut freed = 0;
        while state
            .pieces
            .back()
            .is_some_and(|piece| piece.first >= visible)
        {
            freed += state.pieces.pop_back().map_or(0, |piece| piece.bytes);
            state.unstored = state.unstored.saturating_sub(1);
        }
        if !state.tail.is_empty() && state.tail.index(0) >= visible {
            freed += state.drop_tail();
        }
        drop(state);
        self.shared.freed(freed, false);
    }
}

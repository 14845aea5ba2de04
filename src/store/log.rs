//! The records of one shard: sealed segments in memory and on disk, and the tail being filled.

mod committed;

pub(crate) use committed::Taken;

use super::frame::Entry;
use super::generation::Generation;
use super::room::{Promise, Ticket, WriteReservation};
use super::segment::{Records, Segment, Tail, packed_size};
use super::{Append, Durability, LogId, Shared};
use crate::lock::Lock;
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::watch;

/// The log of a shard.
#[derive(Debug)]
pub struct Log {
    id: LogId,
    shared: Arc<Shared>,
    /// Records before this index are on disk; kept for tickets.
    durable: AtomicU64,
    pub(crate) claimed: AtomicBool,
    pub(crate) state: Lock<State>,
    end: watch::Sender<u64>,
}

/// A sealed segment and where it is: in memory, on disk, or both.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) last_arrival: Timestamp,
    pub(crate) bytes: u64,
    pub(crate) memory: Option<Segment>,
    pub(crate) place: Option<Place>,
}

/// Where on disk a segment is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) generation: Arc<Generation>,
    pub(crate) number: u32,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// In the order of their indexes, as they are in that of their arrivals.
    pub(crate) pieces: VecDeque<Piece>,
    /// How many of them, the newest, are not on disk.
    unstored: usize,
    pub(crate) tail: Tail,
    /// How many records of the tail are in a commit frame.
    committed: usize,
    /// Just past the last record.
    next: u64,
    last_arrival: Option<Timestamp>,
    /// Just past the last record that readers may see.
    pub(crate) visible: u64,
    /// Bytes appended since the last commit.
    pending: u64,
    /// The committer knows that there is something to commit.
    dirty: bool,
    deleted: bool,
    /// A segment was filled before: the next tail is given its full size at once.
    seasoned: bool,
}

impl Log {
    pub(crate) fn new(id: LogId, shared: Arc<Shared>, claimed: bool) -> Arc<Self> {
        Arc::new(Self {
            id,
            shared,
            durable: AtomicU64::new(0),
            claimed: AtomicBool::new(claimed),
            state: Lock::default(),
            end: watch::Sender::new(0),
        })
    }

    /// Which log this is.
    pub fn id(&self) -> LogId {
        self.id
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Appends records, whose indexes must grow. Never waits and never touches the disk.
    ///
    /// # Panics
    /// When an index is not greater than all before it.
    pub fn append<'a>(
        self: &Arc<Self>,
        room: WriteReservation,
        records: impl IntoIterator<Item = Append<'a>>,
    ) -> Ticket {
        if let Err(error) = self.shared.check() {
            return Ticket(Promise::Refused(error));
        }
        let always = matches!(self.shared.settings.durability, Durability::Always);
        let mut state = self.state.lock();
        if state.deleted {
            return Ticket(Promise::Ready);
        }
        let mut added = 0;
        for record in records {
            added += self.push(&mut state, &record);
        }
        let end = state.next;
        state.pending += added;
        if !always {
            state.visible = end;
            self.tell(end);
        }
        self.shared.hot.fetch_add(added, Ordering::Relaxed);
        room.spend(added);
        if self.shared.on_disk && !state.dirty {
            state.dirty = true;
            self.shared.dirty.lock().push(self.clone());
        }
        drop(state);
        self.shared.appended();
        Ticket(if always {
            Promise::Records(self.clone(), end)
        } else {
            Promise::Ready
        })
    }

    fn push(self: &Arc<Self>, state: &mut State, record: &Append<'_>) -> u64 {
        assert!(
            record.index >= state.next,
            "records are appended in the order of their indexes"
        );
        let limit = self.shared.segment_limit;
        let size = packed_size(record);
        if !state.tail.is_empty() && state.tail.size() + size > limit {
            self.seal(state);
        }
        if state.tail.is_empty() {
            let whole = if state.seasoned {
                limit.max(size)
            } else {
                size
            };
            state.tail.reserve(whole + 64);
        }
        let arrival = state
            .last_arrival
            .map_or(record.arrival, |last| last.max(record.arrival));
        let before = state.tail.size();
        state.tail.push(record, arrival);
        let added = (state.tail.size() - before) as u64;
        state.next = record.index + 1;
        state.last_arrival = Some(arrival);
        if state.tail.size() >= limit {
            self.seal(state);
        }
        added
    }

    /// Closes the tail, which must not be empty.
    fn seal(self: &Arc<Self>, state: &mut State) {
        let (first, last) = (state.tail.index(0), state.tail.index(state.tail.len() - 1));
        let last_arrival = state.tail.arrival(state.tail.len() - 1);
        let segment = state.tail.seal(self.id);
        let bytes = segment.bytes().len() as u64;
        let memory = Some(segment);
        state.pieces.push_back(Piece {
            first,
            last,
            last_arrival,
            bytes,
            memory,
            place: None,
        });
        state.unstored += 1;
        state.committed = 0;
        state.seasoned = true;
        if !self.shared.on_disk {
            self.shared.sealed.lock().push_back((self.clone(), first));
        }
    }

    /// Closes the tail if there is one, to be spilled.
    pub(crate) fn seal_tail(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if !state.tail.is_empty() {
            self.seal(&mut state);
            state.seasoned = false;
        }
    }

    fn tell(&self, end: u64) {
        // Whoever begins to follow later is told in `follow`, under the same lock.
        if self.end.receiver_count() > 0 {
            self.end.send_replace(end);
        }
    }

    /// Just past the last visible record; 0 when there was none.
    pub fn end(&self) -> u64 {
        self.state.lock().visible
    }

    /// Just past the last record appended, visible or not yet.
    pub fn next(&self) -> u64 {
        self.state.lock().next
    }

    /// The end, as it moves.
    pub fn follow(&self) -> watch::Receiver<u64> {
        let state = self.state.lock();
        let receiver = self.end.subscribe();
        self.end.send_replace(state.visible);
        receiver
    }

    /// When the newest record arrived, visible or not.
    pub fn last_arrival(&self) -> Option<Timestamp> {
        self.state.lock().last_arrival
    }

    /// Forgets the records that arrived before `horizon`, by whole segments.
    pub fn trim(&self, horizon: Timestamp) {
        let mut state = self.state.lock();
        let visible = state.visible;
        let freed = state.trim(|piece| piece.last_arrival < horizon && piece.last < visible);
        let mut memory = freed.memory;
        if state.pieces.is_empty() && !state.tail.is_empty() {
            let last = state.tail.len() - 1;
            if state.tail.arrival(last) < horizon && state.tail.index(last) < visible {
                memory += state.drop_tail();
            }
        }
        drop(state);
        self.shared.freed(memory, freed.sweep);
    }

    /// Everything in this log is dead.
    pub fn delete(&self) {
        self.shared.logs.lock().remove(&self.id);
        let mut state = self.state.lock();
        state.deleted = true;
        let freed = state.trim(|_| true);
        let memory = freed.memory + state.drop_tail();
        drop(state);
        self.durable.store(u64::MAX, Ordering::Release);
        self.shared.freed(memory, freed.sweep);
        self.shared.progress.send_modify(|number| *number += 1);
    }
}

#[derive(Debug, Default)]
struct Freed {
    memory: u64,
    sweep: bool,
}

impl Piece {
    /// Whether the segment is stored in `generation`.
    pub(crate) fn is_in(&self, generation: &Arc<Generation>) -> bool {
        let place = self.place.as_ref();
        place.is_some_and(|place| Arc::ptr_eq(&place.generation, generation))
    }

    pub(crate) fn entry(&self, log: LogId, number: u32) -> Entry {
        let bytes = u32::try_from(self.bytes).expect("a segment is below 4 GiB");
        let Self {
            first,
            last,
            last_arrival,
            ..
        } = *self;
        Entry {
            log,
            first,
            last,
            last_arrival,
            bytes,
            number,
        }
    }
}

impl State {
    pub(crate) fn piece(&mut self, first: u64) -> Option<&mut Piece> {
        let at = self
            .pieces
            .binary_search_by_key(&first, |piece| piece.first)
            .ok()?;
        self.pieces.get_mut(at)
    }

    /// Removes pieces from the front as long as they are `dead`.
    fn trim(&mut self, dead: impl Fn(&Piece) -> bool) -> Freed {
        let mut freed = Freed::default();
        while let Some(piece) = self.pieces.pop_front_if(|piece| dead(piece)) {
            if piece.memory.is_some() {
                freed.memory += piece.bytes;
            }
            match piece.place {
                Some(place) => freed.sweep |= place.generation.release(piece.bytes),
                None => self.unstored -= 1,
            }
        }
        freed
    }

    fn drop_tail(&mut self) -> u64 {
        let size = self.tail.size() as u64;
        self.tail = Tail::default();
        self.committed = 0;
        size
    }
}

//! The log of one shard, with the appends of records and the removal of old records.

use super::segments::LogState;
use super::ticket::{Ticket, WriteReservation};
use crate::lock::Lock;
use crate::store::format::record::{LogId, Record};
use crate::store::format::segment::packed_size;
use crate::store::shared::arrivals::Arrivals;
use crate::store::shared::state::Shared;
use crate::world::{Bell, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// The log of one shard, or the journal of one queue.
#[derive(Debug)]
pub struct Log {
    id: LogId,
    pub(super) shared: Arc<Shared>,
    /// All records with an index less than this number are durable.
    pub(super) durable: Arc<AtomicU64>,
    /// True if the engine has used the log since the start. A recovered log that the engine never
    /// uses belongs to a deleted stream.
    claimed: AtomicBool,
    pub(super) state: Lock<LogState>,
    /// The channel on which followers receive the index after the last published record.
    pub(super) end: watch::Sender<u64>,
    /// Wakes the receive requests at the stream's queues and the deliveries of the stream's
    /// channels whenever records are published.
    pub(super) arrivals: OnceLock<Arc<Arrivals>>,
    /// The bell of each follower, with the follower's number. The bells ring when records are
    /// published.
    pub(super) bells: Lock<Vec<(u64, Bell)>>,
}

impl Log {
    pub(crate) fn new(id: LogId, shared: Arc<Shared>, state: LogState) -> Arc<Self> {
        Arc::new(Self {
            id,
            shared,
            durable: Arc::new(AtomicU64::new(state.visible)),
            claimed: AtomicBool::new(false),
            state: Lock::new(state),
            end: watch::Sender::new(0),
            bells: Lock::new(Vec::new()),
            arrivals: OnceLock::new(),
        })
    }

    /// Returns the id of the log.
    pub fn id(&self) -> LogId {
        self.id
    }

    pub(crate) fn claim(&self) {
        self.claimed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    /// Makes the log announce all published records to `arrivals`, which wakes the receive requests
    /// at queues and the deliveries of channels.
    pub(crate) fn announce_to(&self, arrivals: &Arc<Arrivals>) {
        let _set_before = self.arrivals.set(arrivals.clone());
    }

    /// Appends `records` to the log, in ascending order of their indexes. Returns the ticket with
    /// which the caller waits until the records are durable. Never waits, and never accesses the
    /// disk.
    ///
    /// # Panics
    /// Panics if the index of a record is not greater than all earlier indexes in the log.
    pub fn append<'a>(
        &self,
        reservation: WriteReservation,
        records: impl IntoIterator<Item = Record<'a>>,
    ) -> Ticket {
        let ticket = self.enqueue(reservation, records);
        self.shared.note_append();
        ticket
    }

    /// Appends `records` to the log, for a caller that does not wait until these records are
    /// durable. The records become durable with the next commit, but do not make this commit start
    /// earlier.
    ///
    /// # Panics
    /// Panics if the index of a record is not greater than all earlier indexes in the log.
    pub fn append_deferred<'a>(
        &self,
        reservation: WriteReservation,
        records: impl IntoIterator<Item = Record<'a>>,
    ) {
        let _deferred = self.enqueue(reservation, records);
        self.shared.signal.wake();
    }

    fn enqueue<'a>(
        &self,
        reservation: WriteReservation,
        records: impl IntoIterator<Item = Record<'a>>,
    ) -> Ticket {
        if let Err(error) = self.shared.check() {
            return Ticket::refused(error);
        }
        let always = self.shared.is_always();
        let mut state = self.state.lock();
        if state.deleted {
            return Ticket::ready();
        }
        let mut added = 0;
        for record in records {
            added += self.push(&mut state, &record);
            state.unpublished += 1;
        }
        let end = state.next;
        state.pending += added;
        if !always {
            let records = std::mem::take(&mut state.unpublished);
            self.publish_before(&mut state, end, (records, added));
        }
        self.shared.memory.fetch_add(added, Ordering::Relaxed);
        reservation.spend(added);
        if self.shared.is_durable && !state.dirty {
            state.dirty = true;
            self.shared.dirty.lock().push(self.id);
        }
        drop(state);
        match always {
            true => Ticket::pending(&self.shared, &self.durable, end),
            false => Ticket::ready(),
        }
    }

    /// Adds a record to the tail. Returns the number of bytes that the record occupies.
    fn push(&self, state: &mut LogState, record: &Record<'_>) -> u64 {
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
            let whole = match state.has_filled_a_segment {
                true => limit.max(size),
                false => size,
            };
            state.tail.reserve(whole + 64);
        }
        let last = state.last_arrival;
        let arrival = last.map_or(record.arrival, |last| last.max(record.arrival));
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

    /// Closes the tail, which must have records. The new segment becomes the last closed segment.
    pub(super) fn seal(&self, state: &mut LogState) {
        let segment = state.tail.seal(self.id);
        state.push(segment);
        state.has_filled_a_segment = true;
        if !self.shared.is_durable
            && let Some(segment) = state.segments.back()
        {
            let first = segment.entry.first;
            self.shared.sealed.lock().push_back((self.id, first));
        }
    }

    /// Returns the index after the last record of the log. The record need not be published.
    pub fn next(&self) -> u64 {
        self.state.lock().next
    }

    /// Returns the arrival time of the last record of the log. The record need not be published.
    /// Returns `None` if the log never had a record.
    pub fn last_arrival(&self) -> Option<Timestamp> {
        self.state.lock().last_arrival
    }

    /// Returns the time such that [`Log::trim`] deletes nothing if its horizon is this time or
    /// earlier: the arrival time of the last record in the oldest segment. Returns `None` if the log
    /// has no records.
    pub(crate) fn first_trim(&self) -> Option<Timestamp> {
        self.state.lock().first_trim()
    }

    /// Deletes each segment of which every record is published and arrived before `horizon`.
    pub fn trim(&self, horizon: Timestamp) {
        self.trim_up_to(horizon, u64::MAX);
    }

    /// Deletes each segment of which every record is published, arrived before `horizon`, and has
    /// an index less than `end`. Returns true if [`Log::trim`] would delete further segments.
    pub(crate) fn trim_up_to(&self, horizon: Timestamp, end: u64) -> bool {
        let mut state = self.state.lock();
        let end = end.min(state.visible);
        let freed =
            state.trim(|segment| segment.entry.last_arrival < horizon && segment.entry.last < end);
        let mut memory = freed.memory;
        if state.segments.is_empty() && state.is_tail_expired(horizon, end) {
            memory += state.drop_tail();
        }
        let visible = state.visible;
        let is_left = match state.segments.front() {
            Some(segment) => segment.entry.last_arrival < horizon && segment.entry.last < visible,
            None => state.is_tail_expired(horizon, visible),
        };
        drop(state);
        self.shared.note_freed(memory, freed.sweep);
        is_left
    }

    /// Deletes each segment of which every record has an index less than `index`.
    pub fn trim_before(&self, index: u64) {
        let freed = self.state.lock().trim(|segment| segment.entry.last < index);
        self.shared.note_freed(freed.memory, freed.sweep);
    }

    /// Deletes all records of the log. The log ignores later appends. The ticket of an append that
    /// is not durable resolves when all catalog changes that were saved before the deletion are
    /// durable.
    pub(crate) fn delete(&self) {
        let mut state = self.state.lock();
        state.deleted = true;
        let freed = state.trim(|_| true);
        let memory = freed.memory + state.drop_tail();
        let pending = std::mem::take(&mut state.pending);
        drop(state);
        if self.shared.is_durable {
            // The function gives the bytes back to the budget, because no commit will contain them
            // any more.
            self.shared.budget.release(pending);
        }
        self.shared.resolve_after_saves(&self.durable);
        self.shared.note_freed(memory, freed.sweep);
        self.shared.note_progress();
    }
}

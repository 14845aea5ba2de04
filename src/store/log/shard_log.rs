//! The log of a shard: appending, following, trimming.

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

/// The log of a shard.
#[derive(Debug)]
pub struct Log {
    id: LogId,
    pub(super) shared: Arc<Shared>,
    /// Records before this index are durable.
    pub(super) durable: Arc<AtomicU64>,
    /// True when the engine asked for the log since the start.
    claimed: AtomicBool,
    pub(super) state: Lock<LogState>,
    /// Just past the index of the last visible record, for followers.
    end: watch::Sender<u64>,
    /// Announces records to the receivers of queues as they become visible.
    arrivals: OnceLock<Arc<Arrivals>>,
    /// The tasks to wake when the end moves.
    bells: Lock<Vec<(u64, Bell)>>,
}

/// Wakes a task whenever a record becomes visible, until it is dropped.
#[derive(Debug)]
pub struct Follower {
    log: Arc<Log>,
    number: u64,
    /// Makes appends look for bells.
    _end: watch::Receiver<u64>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut bells = self.log.bells.lock();
        bells.retain(|(number, _)| *number != self.number);
    }
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

    /// The id of the log.
    pub fn id(&self) -> LogId {
        self.id
    }

    pub(crate) fn claim(&self) {
        self.claimed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    /// From now on records are announced to `arrivals` as they become visible.
    pub(crate) fn announce_to(&self, arrivals: &Arc<Arrivals>) {
        let _set_before = self.arrivals.set(arrivals.clone());
    }

    /// Appends records, whose indexes must grow. Never waits and never touches the disk.
    ///
    /// # Panics
    /// When an index is not greater than all before it.
    pub fn append<'a>(
        &self,
        reservation: WriteReservation,
        records: impl IntoIterator<Item = Record<'a>>,
    ) -> Ticket {
        let ticket = self.enqueue(reservation, records);
        self.shared.note_append();
        ticket
    }

    /// Appends records that no request waits for: they go with the next commit.
    ///
    /// # Panics
    /// When an index is not greater than all before it.
    pub fn append_unhurried<'a>(
        &self,
        reservation: WriteReservation,
        records: impl IntoIterator<Item = Record<'a>>,
    ) {
        let _unhurried = self.enqueue(reservation, records);
        self.shared.signal.work();
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
            self.publish_before(&mut state, end, records);
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

    /// Adds a record to the tail, and returns the bytes that it added.
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
            let whole = match state.seasoned {
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

    /// Closes the tail, which must not be empty.
    pub(super) fn seal(&self, state: &mut LogState) {
        let segment = state.tail.seal(self.id);
        state.push(segment);
        state.seasoned = true;
        if !self.shared.is_durable
            && let Some(segment) = state.segments.back()
        {
            let first = segment.entry.first;
            self.shared.sealed.lock().push_back((self.id, first));
        }
    }

    /// Publishes the records before `end`, and announces that `records` of them are new.
    pub(super) fn publish_before(&self, state: &mut LogState, end: u64, records: usize) {
        state.visible = end;
        // A follower that subscribes later gets the end in `follow`, under the same lock.
        if self.end.receiver_count() > 0 {
            self.end.send_replace(end);
            self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
        }
        if let Some(arrivals) = self.arrivals.get() {
            arrivals.announce(records);
        }
    }

    /// Just past the index of the last visible record; 0 without one.
    pub fn end(&self) -> u64 {
        self.state.lock().visible
    }

    /// Just past the index of the last record, visible or not yet.
    pub fn next(&self) -> u64 {
        self.state.lock().next
    }

    /// Follows the end as it moves.
    pub fn follow(&self) -> watch::Receiver<u64> {
        let state = self.state.lock();
        let receiver = self.end.subscribe();
        self.end.send_replace(state.visible);
        receiver
    }

    /// Rings `bell` whenever the end moves.
    pub fn ring_at_end(self: &Arc<Self>, bell: Bell) -> Follower {
        let mut bells = self.bells.lock();
        let number = bells.last().map_or(0, |(number, _)| number + 1);
        bells.push((number, bell));
        Follower {
            log: self.clone(),
            number,
            _end: self.end.subscribe(),
        }
    }

    /// Rings the bells of all followers: something else than the end of the log has changed.
    pub fn wake_followers(&self) {
        self.bells.lock().iter().for_each(|(_, bell)| bell.ring());
    }

    /// The arrival of the last record, visible or not yet.
    pub fn last_arrival(&self) -> Option<Timestamp> {
        self.state.lock().last_arrival
    }

    /// Deletes the segments whose records all arrived before `horizon`.
    pub fn trim(&self, horizon: Timestamp) {
        let mut state = self.state.lock();
        let visible = state.visible;
        let freed = state
            .trim(|segment| segment.entry.last_arrival < horizon && segment.entry.last < visible);
        let mut memory = freed.memory;
        if state.segments.is_empty() && state.is_tail_expired(horizon) {
            memory += state.drop_tail();
        }
        drop(state);
        self.shared.note_freed(memory, freed.sweep);
    }

    /// Deletes the segments whose records all have smaller indexes than `index`.
    pub fn trim_before(&self, index: u64) {
        let freed = self.state.lock().trim(|segment| segment.entry.last < index);
        self.shared.note_freed(freed.memory, freed.sweep);
    }

    /// Deletes every record. Later appends are ignored.
    pub(crate) fn delete(&self) {
        let mut state = self.state.lock();
        state.deleted = true;
        let freed = state.trim(|_| true);
        let memory = freed.memory + state.drop_tail();
        let pending = std::mem::take(&mut state.pending);
        drop(state);
        if self.shared.is_durable {
            // No commit takes these bytes any more.
            self.shared.budget.release(pending);
        }
        self.durable.store(u64::MAX, Ordering::Release);
        self.shared.note_freed(memory, freed.sweep);
        self.shared.note_progress();
    }
}

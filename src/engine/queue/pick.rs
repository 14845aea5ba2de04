//! Picks the records for a receive, under the lock of the queue.

use super::item::{Queue, QueueState};
use super::journal::CommitPriority;
use super::view::{StreamView, Unread};
use crate::engine::{Engine, Shard};
use crate::limits;
use crate::model::{Delivery, UnreadRecord};
use crate::store::{Ticket, WriteReservation};
use crate::world::Timestamp;
use std::sync::Arc;

/// The parameters of a receive: the kind and the number of the records, and their visibility
/// timeout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) dead: bool,
    pub(super) count: usize,
    pub(super) visibility_s: Option<u32>,
}

/// Result of a search for records in a queue.
pub(super) enum Look {
    /// The picked records. Empty if no record is available now.
    Picked(Vec<Delivery>),
    /// The next record of a shard is on disk and not in memory. Holds the shard and the index of
    /// the record.
    OnDisk(Arc<Shard>, u64),
    /// The queue's status does not permit receiving.
    NotServing,
}

/// Records of `shard` that the caller has read from the disk for a receive. `after` is the index
/// after the last record that was read.
pub(super) struct Claim<'a> {
    pub(super) shard: &'a Shard,
    pub(super) found: Vec<UnreadRecord>,
    pub(super) after: u64,
}

/// One search for records in a queue, under the queue's lock.
struct Pass<'a> {
    view: &'a StreamView,
    now: Timestamp,
    due: Timestamp,
    picked: Vec<Delivery>,
    count: usize,
    bytes: u64,
    /// The first shard to visit for unread records, as an index in the list of shards.
    start: usize,
}

impl Queue {
    /// Picks the records that a receive can return now. With `claim`, takes the records that were
    /// never received only from the claim, which the caller has read from the disk.
    pub(super) fn look(
        self: &Arc<Self>,
        engine: &Engine,
        wanted: Wanted,
        reservation: Option<WriteReservation>,
        claim: Option<Claim<'_>>,
    ) -> Look {
        let now = engine.world.clock.now();
        let view = StreamView::of(&self.stream, now);
        self.with_state(|state| {
            if !state.serves() {
                return Look::NotServing;
            }
            state.refresh(&view, now);
            let count = wanted.count.min(state.space(engine, wanted.dead));
            let timeout = wanted.visibility_s;
            let timeout = timeout.unwrap_or(state.attributes.visibility_timeout_s);
            let mut pass = Pass {
                view: &view,
                now,
                due: now.plus_millis(i64::from(timeout) * 1000),
                picked: Vec::new(),
                count,
                bytes: limits::QUEUE_ANSWER_BYTES,
                start: state.rotation,
            };
            let on_disk = if wanted.dead {
                pass.take_dead(state);
                None
            } else {
                pass.take(state, claim)
            };
            let picked = pass.picked;
            let _deferred =
                state.finish_pass(engine, self, reservation, now, CommitPriority::Deferred);
            if !picked.is_empty() {
                // The queue may have more available records, so wake another receive request.
                self.receivers(wanted.dead).wake(1);
            }
            match on_disk.filter(|_| picked.is_empty()) {
                Some(shard) => {
                    let next = state.records.next(shard.id.index());
                    Look::OnDisk(shard, next)
                }
                None => Look::Picked(picked),
            }
        })
    }
}

impl Pass<'_> {
    fn left(&self) -> usize {
        self.count - self.picked.len()
    }

    fn take_dead(&mut self, state: &mut QueueState) {
        while self.left() > 0 {
            let Some(delivery) = state.records.pick_dead(self.now, self.due) else {
                return;
            };
            self.picked.push(delivery);
        }
    }

    /// Picks visible records first, and then records that were never received. Without a maximum
    /// receive count, each of these two kinds gets half of a receive. Therefore records whose
    /// processing always fails do not delay the records that were never received. If the next
    /// record of a shard must be read from the disk first, picks no record and returns the shard.
    /// Returns None otherwise.
    fn take(&mut self, state: &mut QueueState, claim: Option<Claim<'_>>) -> Option<Arc<Shard>> {
        let visible = match state.attributes.max_receive_count {
            Some(_) => self.count,
            None => (self.count + usize::from(state.visible_first)) / 2,
        };
        if claim.is_none() {
            // Pick the half of the unread records first. If these records must be read from the
            // disk, no record of either kind is picked before the read.
            let on_disk = self.take_unread(state, self.count - visible);
            if on_disk.is_some() {
                return on_disk;
            }
        }
        state.visible_first = !state.visible_first;
        let unread = self.picked.len();
        self.take_visible(state, visible);
        // The records at the end of the list may not fit in the answer. Such records become the
        // first visible records, and the next receive returns them. Therefore put the unread
        // records at the end.
        self.picked.rotate_left(unread);
        let on_disk = match claim {
            Some(claim) => {
                self.take_claim(state, claim);
                None
            }
            None => self.take_unread(state, self.left()),
        };
        self.take_visible(state, self.left());
        on_disk
    }

    fn take_claim(&mut self, state: &mut QueueState, claim: Claim<'_>) {
        let Claim {
            shard,
            mut found,
            mut after,
        } = claim;
        if let Some(first_left) = found.get(self.left()) {
            after = first_left.index;
            found.truncate(self.left());
        }
        let shard = shard.id.index();
        let claimed = state.records.claim(shard, found, after, self.now, self.due);
        self.picked.extend(claimed);
    }

    fn take_visible(&mut self, state: &mut QueueState, count: usize) {
        for _ in 0..count {
            let Some(delivery) = state.records.pick_visible(self.now, self.due) else {
                return;
            };
            self.picked.push(delivery);
        }
    }

    /// Visits the shards one after another, and picks up to `count` records that were never
    /// received. The next receive starts with the next shard. If the next record of a shard is only
    /// on disk and no record was picked before, returns this shard. Returns None otherwise.
    fn take_unread(&mut self, state: &mut QueueState, count: usize) -> Option<Arc<Shard>> {
        let shards = &self.view.shards;
        let start = self.start;
        let most = self.picked.len() + count;
        for step in 0..shards.len() {
            let left = most - self.picked.len();
            if left == 0 {
                break;
            }
            let at = (start + step) % shards.len();
            let shard = &shards[at];
            let id = shard.id.index();
            let (records, exhausted) = (&mut state.records, &mut state.exhausted);
            if exhausted.contains(&id) || !self.view.is_eligible(shard, records, exhausted) {
                continue;
            }
            match self.view.unread(shard, records, left, &mut self.bytes) {
                Unread::OnDisk if self.picked.is_empty() => {
                    state.rotation = (at + 1) % shards.len();
                    return Some(shard.clone());
                }
                Unread::OnDisk => {}
                Unread::Found(found, after) => {
                    let full = found.len() == left;
                    if !found.is_empty() {
                        state.rotation = (start + 1) % shards.len();
                    }
                    let claimed = records.claim(id, found, after, self.now, self.due);
                    self.picked.extend(claimed);
                    if !full {
                        self.view.is_exhausted(shard, records, exhausted);
                    }
                }
            }
        }
        None
    }
}

impl QueueState {
    /// Applies the changes of the stream and the passage of time to the queue's state. Adds and
    /// removes shards, removes expired records, and ends visibility timeouts.
    pub(super) fn refresh(&mut self, view: &StreamView, now: Timestamp) {
        view.introduce(&mut self.records);
        self.records.expire(view.horizon);
        self.records.end_due_timeouts(now);
    }

    /// Returns the number of records that the limit of records in flight still permits to be
    /// picked. Applies to dead-letter records if `dead` is true, and to normal records otherwise.
    fn space(&self, engine: &Engine, dead: bool) -> usize {
        let Some(limit) = engine.limits.queue_in_flight else {
            return usize::MAX;
        };
        usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.in_flight(dead))
    }

    fn in_flight(&self, dead: bool) -> usize {
        let counts = self.records.counts();
        match dead {
            true => counts.dead_in_flight,
            false => counts.in_flight,
        }
    }

    /// Requests a warning in the log if the limit of records in flight is reached. A busy queue at
    /// its limit reaches the limit again with every receive. Therefore the next warning is
    /// requested only after the number of records in flight has fallen to half of the limit or
    /// less. This rule is a choice.
    fn note_limit(&mut self, engine: &Engine, dead: bool) {
        let Some(limit) = engine.limits.queue_in_flight else {
            return;
        };
        let (at, in_flight) = (usize::from(dead), self.in_flight(dead) as u64);
        if in_flight >= limit && !self.warned[at] {
            self.warned[at] = true;
            self.pending_warnings[at] = Some(limit);
        } else if in_flight <= limit / 2 {
            self.warned[at] = false;
        }
    }

    /// Completes a change of the records' states. Writes the changes to the journal, and wakes the
    /// waiting receive requests that may find records now. Returns the ticket of the write. Returns
    /// None if nothing was written, or if the write was deferred.
    pub(super) fn finish_pass(
        &mut self,
        engine: &Engine,
        queue: &Arc<Queue>,
        reservation: Option<WriteReservation>,
        now: Timestamp,
        priority: CommitPriority,
    ) -> Option<Ticket> {
        let kept = self.journal.as_mut().zip(reservation);
        let ticket = kept.and_then(|(journal, reservation)| {
            journal.write(&engine.tasks, &mut self.records, reservation, now, priority)
        });
        self.wake(engine, queue);
        ticket
    }

    /// Completes a change that may affect all records. Writes the whole state to the journal, and
    /// wakes the waiting receive requests that may find records now. Returns the ticket of the
    /// write, or None if nothing was written.
    pub(super) fn save_list(
        &mut self,
        engine: &Engine,
        queue: &Arc<Queue>,
        reservation: Option<WriteReservation>,
        now: Timestamp,
    ) -> Option<Ticket> {
        let kept = self.journal.as_mut().zip(reservation);
        let ticket = kept.map(|(journal, reservation)| {
            journal.write_list(&engine.tasks, &mut self.records, reservation, now)
        });
        self.wake(engine, queue);
        ticket
    }

    /// Wakes the waiting receive requests that may find records now.
    fn wake(&mut self, engine: &Engine, queue: &Arc<Queue>) {
        let counts = self.records.counts();
        let (visible, dead) = self.announced;
        self.announced = (counts.visible, counts.dead_visible);
        queue.receivers.wake(counts.visible.saturating_sub(visible));
        queue
            .dead_receivers
            .wake(counts.dead_visible.saturating_sub(dead));
        for (at, is_dead) in [false, true].into_iter().enumerate() {
            let space = self.space(engine, is_dead);
            if std::mem::replace(&mut self.full[at], space == 0) {
                queue.receivers(is_dead).wake(space);
            }
            self.note_limit(engine, is_dead);
        }
        self.arm(engine, queue);
    }

    /// Registers the next end of a visibility timeout as a deadline. Does nothing if no receive
    /// request is waiting.
    fn arm(&mut self, engine: &Engine, queue: &Arc<Queue>) {
        if queue.receivers.count() + queue.dead_receivers.count() == 0 {
            return;
        }
        let Some(due) = self.records.next_due() else {
            return;
        };
        if self.armed.is_none_or(|armed| due < armed) {
            self.armed = Some(due);
            engine.queues.await_visibility(due, queue);
        }
    }
}

//! The received records of one queue that are not settled, and the transitions between their
//! states.
//!
//! Each shard has an index `next`. Every record before this index was received at least once. No
//! record from this index on was ever received, unless a crash lost its receive. A record before
//! `next` without an entry is settled. In the table, "count" is the number of receives of the
//! record, and "max" is the maximum number of receives.
//!
//! | from | event | to |
//! |---|---|---|
//! | unread | received | in flight, count 1 |
//! | visible, count < max | received | in flight, count + 1 |
//! | visible, count ≥ max (the limit was lowered) | next to be received | dead-letter, visible |
//! | in flight, count < max | timeout ends, or is set to 0 | visible |
//! | in flight, count ≥ max | timeout ends, or is set to 0 | dead-letter, visible |
//! | dead-letter, visible | received as dead-letter | dead-letter, in flight, count + 1 |
//! | dead-letter, in flight | timeout ends, or is set to 0 | dead-letter, visible |
//! | any | acknowledged | settled |
//! | dead-letter | restored | visible, count 0 |
//! | any | expired | gone |

use super::change::QueueChange;
use super::entry::{Entry, NEVER, Standing};
use super::order::{Ready, RecordPlace, Timers};
use super::pages::Pages;
use crate::world::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The state of a queue: its received records, and for each shard the index of the next record to
/// receive.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueRecords {
    pub(super) shards: BTreeMap<u32, ShardRecords>,
    pub(super) ready: Ready,
    pub(super) dead_ready: Ready,
    pub(super) timers: Timers,
    pub(super) counts: QueueCounts,
    pub(super) max_receive_count: Option<u32>,
    pub(super) next_delivery: u64,
    /// The changes that are not saved yet. `None` for a queue whose changes are never saved.
    pub(super) unsaved: Option<Vec<QueueChange>>,
}

/// The received records of one shard, and the index of the next record to receive.
#[derive(Debug, Clone, Default)]
pub(super) struct ShardRecords {
    /// The index before which every record was received at least once.
    pub(super) next: u64,
    /// Every unsettled record before this index has expired.
    pub(super) expired_before: u64,
    pub(super) entries: Pages,
    /// The indexes of settled records that are not before `next`. Such a record exists only after a
    /// crash that lost the receive of the record: a consumer still had the receipt handle, and
    /// acknowledged the record. The queue never delivers these records.
    pub(super) settled_ahead: BTreeSet<u64>,
}

/// The number of received records in each [`Standing`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueueCounts {
    /// Number of normal records in flight.
    pub(crate) in_flight: usize,
    /// Number of normal records that are visible again after a receive.
    pub(crate) visible: usize,
    /// Number of dead-letter records in flight.
    pub(crate) dead_in_flight: usize,
    /// Number of dead-letter records that are visible.
    pub(crate) dead_visible: usize,
}

/// A record that no consumer has received from the queue yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnreadRecord {
    /// The index of the record in its shard.
    pub(crate) index: u64,
    /// The time at which the record arrived in the stream.
    pub(crate) arrival: Timestamp,
}

/// A delivery: the queue gives a record to the sender of a receive request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The place of the record in its stream.
    pub(crate) place: RecordPlace,
    /// The number of this delivery, unique within the queue.
    pub(crate) delivery: u64,
    /// The number of the previous delivery of this record. 0 if this delivery is the first.
    pub(crate) previous: u64,
    /// Number of receives of the record, including this delivery.
    pub(crate) count: u32,
    /// The time of the record's first receive.
    pub(crate) first: Timestamp,
    /// True if the record is delivered as a dead-letter record.
    pub(crate) dead: bool,
}

impl QueueCounts {
    pub(super) fn of(&mut self, standing: Standing) -> &mut usize {
        match standing {
            Standing::InFlight => &mut self.in_flight,
            Standing::Visible => &mut self.visible,
            Standing::DeadInFlight => &mut self.dead_in_flight,
            Standing::DeadVisible => &mut self.dead_visible,
        }
    }
}

impl QueueRecords {
    /// Creates the state of a queue without received records. The first delivery gets the number
    /// `first_delivery` + 1. If `is_saved` is true, the changes of records are collected for
    /// [`Self::take_changes`].
    pub(crate) fn new(max_receive_count: Option<u32>, first_delivery: u64, is_saved: bool) -> Self {
        Self {
            max_receive_count,
            next_delivery: first_delivery,
            unsaved: is_saved.then(Vec::new),
            ..Self::default()
        }
    }

    /// Sets the number of receives after which a record becomes a dead-letter record. `None` if
    /// records never become dead-letter records.
    pub(crate) fn set_max_receive_count(&mut self, max_receive_count: Option<u32>) {
        self.max_receive_count = max_receive_count;
    }

    /// The number of received records in each [`Standing`].
    pub(crate) fn counts(&self) -> QueueCounts {
        self.counts
    }

    /// Number of records that were received and are not settled.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.values().map(|shard| shard.entries.len()).sum()
    }

    /// True if all received records of the queue are settled.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the index of the first record in `shard` that was never received; 0 for an unknown
    /// shard.
    pub(crate) fn next(&self, shard: u32) -> u64 {
        self.shards.get(&shard).map_or(0, |shard| shard.next)
    }

    /// Adds `shard` to the shards of the queue. Does nothing if the queue has the shard already.
    pub(crate) fn know(&mut self, shard: u32) {
        self.shards.entry(shard).or_default();
    }

    /// Marks all records of `shard` before the index `next` as received. Does nothing if all these
    /// records are marked already.
    pub(crate) fn advance(&mut self, shard: u32, next: u64) {
        let known = self.shards.entry(shard).or_default();
        if known.next >= next {
            return;
        }
        known.next = next;
        known.settled_ahead = known.settled_ahead.split_off(&next);
        self.note(QueueChange::Next { shard, next });
    }

    /// Removes `shard` from the shards of the queue, because all records of the shard have expired.
    pub(crate) fn forget_shard(&mut self, shard: u32) {
        if let Some(known) = self.shards.remove(&shard) {
            for (_, entry) in known.entries.iter() {
                *self.counts.of(entry.standing) -= 1;
            }
            self.note(QueueChange::Expired {
                shard,
                before: u64::MAX,
            });
        }
    }

    /// The indexes of all shards of the queue.
    pub(crate) fn known_shards(&self) -> impl Iterator<Item = u32> {
        self.shards.keys().copied()
    }

    /// Removes the received records that arrived in the stream before `horizon`.
    pub(crate) fn expire(&mut self, horizon: Timestamp) {
        let mut expired = Vec::new();
        for (shard, known) in &mut self.shards {
            let before = known.expired_before;
            while let Some((index, entry)) = known.entries.first() {
                if entry.arrival_ms >= horizon.millis() {
                    break;
                }
                let standing = entry.standing;
                *self.counts.of(standing) -= 1;
                known.entries.remove(index);
                known.expired_before = known.expired_before.max(index + 1);
            }
            if known.expired_before > before {
                let (shard, before) = (*shard, known.expired_before);
                expired.push(QueueChange::Expired { shard, before });
            }
        }
        expired.into_iter().for_each(|change| self.note(change));
    }

    /// Marks the records of `shard` before the index `next` as received without delivering them,
    /// because none of these records can be read any more. Also settles each of these records that
    /// has an entry. Such an entry exists only after a crash that lost the receive of its record.
    pub(crate) fn skip(&mut self, shard: u32, next: u64) {
        let from = self.next(shard);
        for index in self.passed_from(shard, from).range(..next) {
            self.settle_unreadable(RecordPlace {
                index: *index,
                shard,
            });
        }
        self.advance(shard, next);
    }

    /// Ends the visibility timeouts that are over at `now`. The records of these timeouts become
    /// visible, as normal or as dead-letter records.
    pub(crate) fn end_due_timeouts(&mut self, now: Timestamp) {
        while let Some((due_ms, place)) = self.timers.pop_due(now.millis()) {
            if self.is_due(due_ms, place) {
                self.end_timeout(place);
            }
        }
        self.clean();
    }

    /// Starts the visibility timeout of a delivered record. Before this call, the record stays in
    /// flight even when its timeout would be over. Thus no other request can pick the record before
    /// the caller has read the payload, or has taken the delivery back.
    pub(crate) fn start_timeout(&mut self, delivery: &Delivery) {
        if let Some(entry) = self.entry(delivery.place) {
            self.timers.push(entry.due_ms, delivery.place);
        }
    }

    /// Returns the time at which the next visibility timeout ends. `None` if no visibility timeout
    /// was started.
    pub(crate) fn next_due(&mut self) -> Option<Timestamp> {
        let shards = &self.shards;
        let next = self
            .timers
            .next(|due_ms, place| is_due(shards, due_ms, place));
        next.map(Timestamp::from_millis)
    }

    /// Delivers the normal record that has been visible for the longest time, and puts it in flight
    /// until `due`. The caller starts the visibility timeout by [`Self::start_timeout`]. `None` if
    /// no normal record is visible.
    pub(crate) fn pick_visible(&mut self, now: Timestamp, due: Timestamp) -> Option<Delivery> {
        loop {
            let shards = &self.shards;
            let good = |place, delivery| is_at(shards, place, delivery, Standing::Visible);
            let place = self.ready.pop(good)?;
            let count = self.entry(place)?.count;
            if self.is_last(count) {
                // The maximum number of receives was lowered after the record became visible.
                self.set_standing(place, Standing::DeadVisible);
                self.note_standing(place);
                continue;
            }
            return self.deliver(place, Standing::InFlight, now, due);
        }
    }

    /// Delivers the dead-letter record that has been visible for the longest time, and puts it in
    /// flight until `due`. The caller starts the visibility timeout by [`Self::start_timeout`].
    /// `None` if no dead-letter record is visible.
    pub(crate) fn pick_dead(&mut self, now: Timestamp, due: Timestamp) -> Option<Delivery> {
        let shards = &self.shards;
        let good = |place, delivery| is_at(shards, place, delivery, Standing::DeadVisible);
        let place = self.dead_ready.pop(good)?;
        self.deliver(place, Standing::DeadInFlight, now, due)
    }

    /// Delivers the unread records `found` of a shard for the first time, in the given order, and
    /// puts them in flight until `due`. The caller starts their visibility timeouts. Also marks all
    /// records of the shard before the index `next` as received. Returns the deliveries.
    pub(crate) fn claim(
        &mut self,
        shard: u32,
        found: impl IntoIterator<Item = UnreadRecord>,
        next: u64,
        now: Timestamp,
        due: Timestamp,
    ) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for UnreadRecord { index, arrival } in found {
            let known = self.shards.entry(shard).or_default();
            if let Some(entry) = known.entries.get_mut(index) {
                if entry.arrival_ms != arrival.millis() {
                    // A crash lost the record's receive, and with the receive the arrival time of
                    // the record.
                    entry.arrival_ms = arrival.millis();
                    self.note_standing(RecordPlace { index, shard });
                }
                continue;
            }
            if index < known.next || known.settled_ahead.contains(&index) {
                continue;
            }
            let entry = Entry {
                delivery: 0,
                due_ms: 0,
                first_ms: NEVER,
                arrival_ms: arrival.millis(),
                count: 0,
                standing: Standing::Visible,
            };
            known.entries.insert(index, entry);
            self.counts.visible += 1;
            let place = RecordPlace { index, shard };
            deliveries.extend(self.deliver(place, Standing::InFlight, now, due));
        }
        self.advance(shard, next);
        deliveries
    }

    /// Undoes a delivery whose visibility timeout was not started. The record becomes visible
    /// again, and the receive does not count. Does nothing if the record is settled or has expired.
    pub(crate) fn take_back(&mut self, delivery: &Delivery) {
        let place = delivery.place;
        let Some(entry) = self.entry_mut(place) else {
            return;
        };
        entry.count -= 1;
        entry.delivery = delivery.previous;
        if entry.count == 0 {
            entry.first_ms = NEVER;
        }
        let standing = entry.standing.visible();
        self.set_standing(place, standing);
        self.note_standing(place);
        if standing == Standing::Visible {
            self.ready.push_first(place, delivery.previous);
        }
    }

    /// Removes and returns the changes of records since the last call of this function. The caller
    /// saves these changes.
    pub(crate) fn take_changes(&mut self) -> Vec<QueueChange> {
        self.unsaved
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    pub(super) fn note(&mut self, change: QueueChange) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.push(change);
        }
    }

    pub(super) fn entry(&self, place: RecordPlace) -> Option<&Entry> {
        self.shards.get(&place.shard)?.entries.get(place.index)
    }

    pub(super) fn entry_mut(&mut self, place: RecordPlace) -> Option<&mut Entry> {
        self.shards
            .get_mut(&place.shard)?
            .entries
            .get_mut(place.index)
    }

    /// True if a record with `count` receives becomes a dead-letter record at the end of its
    /// visibility timeout.
    fn is_last(&self, count: u32) -> bool {
        self.max_receive_count.is_some_and(|most| count >= most)
    }

    fn is_due(&self, due_ms: i64, place: RecordPlace) -> bool {
        is_due(&self.shards, due_ms, place)
    }

    /// Ends the visibility timeout of a record in flight. The record becomes visible, as a
    /// dead-letter record if it has reached the maximum number of receives. Only the change to a
    /// visible dead-letter record is saved. No other change need be saved, because a saved timeout
    /// ends again after a restart.
    pub(super) fn end_timeout(&mut self, place: RecordPlace) {
        let Some(entry) = self.entry(place) else {
            return;
        };
        let (delivery, count) = (entry.delivery, entry.count);
        let dead = entry.standing.is_dead() || self.is_last(count);
        if dead {
            self.set_standing(place, Standing::DeadVisible);
            self.note_standing(place);
        } else {
            self.set_standing(place, Standing::Visible);
            self.ready.push(place, delivery);
        }
    }

    /// Changes the [`Standing`] of a record. A dead-letter record that becomes visible is also
    /// added to the list from which dead-letter records are delivered.
    pub(super) fn set_standing(&mut self, place: RecordPlace, standing: Standing) {
        let Some(entry) = self.entry_mut(place) else {
            return;
        };
        let before = std::mem::replace(&mut entry.standing, standing);
        let delivery = entry.delivery;
        *self.counts.of(before) -= 1;
        *self.counts.of(standing) += 1;
        if standing == Standing::DeadVisible {
            self.dead_ready.push(place, delivery);
        }
    }

    /// Adds the present state of a record to the changes that `Self::take_changes` returns. Does
    /// nothing if the queue's changes are never saved.
    pub(super) fn note_standing(&mut self, place: RecordPlace) {
        if self.unsaved.is_some()
            && let Some(entry) = self.entry(place)
        {
            let entry = *entry;
            self.note(QueueChange::Stands(place, entry));
        }
    }

    fn deliver(
        &mut self,
        place: RecordPlace,
        standing: Standing,
        now: Timestamp,
        due: Timestamp,
    ) -> Option<Delivery> {
        self.next_delivery += 1;
        let delivery = self.next_delivery;
        let entry = self.entry_mut(place)?;
        let previous = std::mem::replace(&mut entry.delivery, delivery);
        entry.due_ms = due.millis();
        entry.count = entry.count.saturating_add(1);
        if entry.first_ms == NEVER {
            entry.first_ms = now.millis();
        }
        let (count, first_ms) = (entry.count, entry.first_ms);
        self.set_standing(place, standing);
        self.note_standing(place);
        Some(Delivery {
            place,
            delivery,
            previous,
            count,
            first: Timestamp::from_millis(first_ms),
            dead: standing.is_dead(),
        })
    }

    /// Removes stale items from the lists of visible records and of records in flight, if a list
    /// has too many stale items. An item is stale if its record is no longer in the state that the
    /// list is for.
    pub(super) fn clean(&mut self) {
        let (shards, counts) = (&self.shards, self.counts);
        let in_flight = counts.in_flight + counts.dead_in_flight;
        self.timers
            .clean(in_flight, |due_ms, place| is_due(shards, due_ms, place));
        self.ready.clean(counts.visible, |place, delivery| {
            is_at(shards, place, delivery, Standing::Visible)
        });
        self.dead_ready
            .clean(counts.dead_visible, |place, delivery| {
                is_at(shards, place, delivery, Standing::DeadVisible)
            });
    }
}

type Shards = BTreeMap<u32, ShardRecords>;

fn is_due(shards: &Shards, due_ms: i64, place: RecordPlace) -> bool {
    let entry = shards
        .get(&place.shard)
        .and_then(|shard| shard.entries.get(place.index));
    entry.is_some_and(|entry| entry.standing.is_in_flight() && entry.due_ms == due_ms)
}

fn is_at(shards: &Shards, place: RecordPlace, delivery: u64, standing: Standing) -> bool {
    let entry = shards
        .get(&place.shard)
        .and_then(|shard| shard.entries.get(place.index));
    entry.is_some_and(|entry| entry.standing == standing && entry.delivery == delivery)
}

//! The records of one queue: which were received and are not settled, and what time does to them.
//!
//! Each shard has an index before which every record was received. Records from there on were never
//! received; records before it that have no entry are settled.
//!
//! | from | event | to |
//! |---|---|---|
//! | unread | received | in flight, count 1 |
//! | visible, count < max | received | in flight, count + 1 |
//! | visible, count ≥ max (the limit was lowered) | its turn to be received | dead-letter, visible |
//! | in flight, count < max | due, or its visibility is set to 0 | visible |
//! | in flight, count ≥ max | the same | dead-letter, visible |
//! | dead-letter, visible | received as dead-letter | dead-letter, in flight, count + 1 |
//! | dead-letter, in flight | due, or its visibility is set to 0 | dead-letter, visible |
//! | any | acknowledged | settled |
//! | dead-letter | restored | visible, count 0 |
//! | any | expired | gone |

use super::change::QueueChange;
use super::entry::{Entry, NEVER, Standing};
use super::order::{Ready, RecordPlace, Timers};
use super::pages::Pages;
use crate::world::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The received records of a queue, and how far it has come in each shard.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueRecords {
    pub(super) shards: BTreeMap<u32, ShardRecords>,
    pub(super) ready: Ready,
    pub(super) dead_ready: Ready,
    pub(super) timers: Timers,
    pub(super) counts: QueueCounts,
    pub(super) max_receive_count: Option<u32>,
    pub(super) next_delivery: u64,
    /// The changes that are not saved yet; none where nothing is saved.
    pub(super) unsaved: Option<Vec<QueueChange>>,
}

/// The received records of one shard.
#[derive(Debug, Clone, Default)]
pub(super) struct ShardRecords {
    /// Every record before this index was received at least once.
    pub(super) next: u64,
    /// Records before this index expired without being settled.
    pub(super) expired_before: u64,
    pub(super) entries: Pages,
    /// Records settled at or after `next`: their receive was lost in a crash, their handles were
    /// not. They are passed over when `next` comes to them.
    pub(super) settled_ahead: BTreeSet<u64>,
}

/// Numbers of received records by standing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueueCounts {
    /// In flight.
    pub(crate) in_flight: usize,
    /// Visible again after a receive.
    pub(crate) visible: usize,
    /// Dead-letter, and in flight.
    pub(crate) dead_in_flight: usize,
    /// Dead-letter, and visible.
    pub(crate) dead_visible: usize,
}

/// A record that is found unread in its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnreadRecord {
    /// The index in the shard.
    pub(crate) index: u64,
    /// The arrival.
    pub(crate) arrival: Timestamp,
}

/// A record that is handed to a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The record.
    pub(crate) place: RecordPlace,
    /// The number of this delivery.
    pub(crate) delivery: u64,
    /// The number of the delivery before.
    pub(crate) previous: u64,
    /// Number of receives of the record, this one included.
    pub(crate) count: u32,
    /// The moment of the first receive.
    pub(crate) first: Timestamp,
    /// True when the record is received as dead-letter.
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
    /// No record received yet. Deliveries are numbered above `first_delivery`; changes are gathered
    /// for [`Self::take_changes`] if they are `kept`.
    pub(crate) fn new(max_receive_count: Option<u32>, first_delivery: u64, kept: bool) -> Self {
        Self {
            max_receive_count,
            next_delivery: first_delivery,
            unsaved: kept.then(Vec::new),
            ..Self::default()
        }
    }

    /// From now on records become dead-letter after so many receives.
    pub(crate) fn set_max_receive_count(&mut self, max_receive_count: Option<u32>) {
        self.max_receive_count = max_receive_count;
    }

    /// Numbers of received records by standing.
    pub(crate) fn counts(&self) -> QueueCounts {
        self.counts
    }

    /// The same once the visibility timeouts that are due have ended.
    pub(crate) fn counts_at(&mut self, now: Timestamp) -> QueueCounts {
        self.turn(now);
        self.counts
    }

    /// Number of records that have an entry.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.values().map(|shard| shard.entries.len()).sum()
    }

    /// True when no record has an entry.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index in `shard` before which every record was received; 0 for an unknown shard.
    pub(crate) fn next(&self, shard: u32) -> u64 {
        self.shards.get(&shard).map_or(0, |shard| shard.next)
    }

    /// Knows of `shard` from now on.
    pub(crate) fn know(&mut self, shard: u32) {
        self.shards.entry(shard).or_default();
    }

    /// Goes on in `shard` at `next`, if that is further than it has come.
    pub(crate) fn advance(&mut self, shard: u32, next: u64) {
        let known = self.shards.entry(shard).or_default();
        if known.next >= next {
            return;
        }
        known.next = next;
        known.settled_ahead = known.settled_ahead.split_off(&next);
        self.note(QueueChange::Next { shard, next });
    }

    /// Forgets a shard whose records have all expired.
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

    /// The shards that the queue knows.
    pub(crate) fn known_shards(&self) -> impl Iterator<Item = u32> {
        self.shards.keys().copied()
    }

    /// Forgets the records that arrived before `horizon`.
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

    /// Ends the visibility timeouts that are due.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        while let Some((due_ms, place)) = self.timers.pop_due(now.millis()) {
            if self.is_due(due_ms, place) {
                self.show(place);
            }
        }
        self.clean();
    }

    /// The moment at which the next visibility timeout ends.
    pub(crate) fn next_due(&mut self) -> Option<Timestamp> {
        let shards = &self.shards;
        let next = self
            .timers
            .next(|due_ms, place| is_due(shards, due_ms, place));
        next.map(Timestamp::from_millis)
    }

    /// Hands out the record that has been visible for longest.
    pub(crate) fn pick_visible(&mut self, now: Timestamp, due: Timestamp) -> Option<Delivery> {
        loop {
            let shards = &self.shards;
            let good = |place, delivery| is_at(shards, place, delivery, Standing::Visible);
            let place = self.ready.pop(good)?;
            let count = self.entry(place)?.count;
            if self.is_last(count) {
                // The limit was lowered since it became visible.
                self.set_standing(place, Standing::DeadVisible);
                self.note_standing(place);
                continue;
            }
            return self.deliver(place, Standing::InFlight, now, due);
        }
    }

    /// Hands out the dead-letter record that has been visible for longest.
    pub(crate) fn pick_dead(&mut self, now: Timestamp, due: Timestamp) -> Option<Delivery> {
        let shards = &self.shards;
        let good = |place, delivery| is_at(shards, place, delivery, Standing::DeadVisible);
        let place = self.dead_ready.pop(good)?;
        self.deliver(place, Standing::DeadInFlight, now, due)
    }

    /// Hands out unread records of a shard, in their order, and goes on at `next` after them.
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
            let passed = index < known.next
                || known.settled_ahead.contains(&index)
                || known.entries.get(index).is_some();
            if passed {
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

    /// Takes a delivery back that its receiver never got: it counts as never made.
    pub(crate) fn take_back(&mut self, delivery: &Delivery) {
        let place = delivery.place;
        let Some(entry) = self.entry_mut(place) else {
            return;
        };
        if entry.delivery != delivery.delivery {
            return;
        }
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

    /// The changes since this was last asked.
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

    /// True when a record that was received `count` times becomes dead-letter.
    fn is_last(&self, count: u32) -> bool {
        self.max_receive_count.is_some_and(|most| count >= most)
    }

    fn is_due(&self, due_ms: i64, place: RecordPlace) -> bool {
        is_due(&self.shards, due_ms, place)
    }

    /// The visibility timeout of a record in flight ends. Only the way to dead-letter is noted: the
    /// other follows from the moment at which the record is due.
    pub(super) fn show(&mut self, place: RecordPlace) {
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

    /// Moves a record to a standing. One that becomes dead-letter enters that order.
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

    /// Notes the standing of a record for the journal.
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
        self.timers.push(due.millis(), place);
        Some(Delivery {
            place,
            delivery,
            previous,
            count,
            first: Timestamp::from_millis(first_ms),
            dead: standing.is_dead(),
        })
    }

    /// Bounds the stale items of the orders.
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

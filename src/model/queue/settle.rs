//! The operations on a receipt handle: acknowledge, change the visibility, and restore. The table
//! shows the result of each operation: done, or the reason why the handle is refused.
//!
//! | the record of the handle | acknowledge | change visibility | restore |
//! |---|---|---|---|
//! | in flight by this delivery | done | done | done |
//! | visible again after this delivery | done | not in flight | done |
//! | received again since | stale | stale | stale |
//! | settled | done | gone | gone |
//! | expired | gone | gone | gone |
//! | dead-letter since, or restored since | gone | gone | gone |
//!
//! A handle may name a newer delivery than the queue knows, because a crash lost the receive that
//! returned the handle. The handle is valid then, and its delivery counts as the newest one.

use super::change::QueueChange;
use super::entry::{Entry, Standing};
use super::handle::ReceiptHandle;
use super::order::RecordPlace;
use super::records::QueueRecords;
use crate::world::Timestamp;

/// The reason why the queue refuses a receipt handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandleFault {
    /// The record was received again after the delivery that the handle names.
    Stale,
    /// The record is visible: its visibility timeout has ended.
    NotInFlight,
    /// The operation needs the handle of a dead-letter receive and got that of a normal receive, or
    /// the reverse.
    WrongKind,
    /// The record is settled or expired, or it became dead-letter or was restored after the
    /// handle's delivery.
    Gone,
}

/// The state of a record before a change, to undo the change if it cannot be saved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordBefore {
    place: RecordPlace,
    entry: Option<Entry>,
}

/// The state of the record that a valid handle names.
enum NamedRecord {
    /// The entry of a record whose newest delivery is the handle's.
    Entry(Entry),
    /// The entry of a record whose receives, as far as the queue knows, are all older than the
    /// handle's delivery.
    Older(Entry),
    Settled,
    /// The queue knows of no receive of this record.
    Unread,
}

impl ReceiptHandle {
    /// The place of the record.
    pub(crate) fn place(&self) -> RecordPlace {
        RecordPlace {
            index: self.index,
            shard: self.shard,
        }
    }

    /// The standing of a record that is in flight by the handle's delivery.
    fn in_flight(&self) -> Standing {
        match self.dead {
            true => Standing::DeadInFlight,
            false => Standing::InFlight,
        }
    }
}

impl QueueRecords {
    /// Acknowledges the record that a handle names, which settles the record. An acknowledgement of
    /// a settled record succeeds, because a client that lost the first answer repeats its request
    /// (a choice). Returns the state before the change; `None` if the record was settled already.
    ///
    /// # Errors
    /// The reason why the handle is refused.
    pub(crate) fn acknowledge(
        &mut self,
        handle: &ReceiptHandle,
        dead: bool,
    ) -> Result<Option<RecordBefore>, HandleFault> {
        let place = handle.place();
        let entry = match self.find(handle, dead)? {
            NamedRecord::Entry(entry) | NamedRecord::Older(entry) => Some(entry),
            NamedRecord::Settled => {
                // The change is saved again, because the first change may not be durable yet.
                self.note(QueueChange::Settled(place));
                return Ok(None);
            }
            NamedRecord::Unread => None,
        };
        self.settle(place);
        self.note(QueueChange::Settled(place));
        self.clean();
        Ok(Some(RecordBefore { place, entry }))
    }

    /// Settles a record that can no longer be read from its log.
    pub(crate) fn settle_unreadable(&mut self, place: RecordPlace) {
        self.settle(place);
        self.note(QueueChange::Settled(place));
    }

    /// Undoes an acknowledgement or a restore that could not be saved. Does nothing if the record
    /// was received again in the meantime.
    pub(crate) fn undo(&mut self, before: &RecordBefore) {
        let RecordBefore { place, entry } = *before;
        let Some((known, entry)) = self.shards.get_mut(&place.shard).zip(entry) else {
            return;
        };
        match known.entries.get(place.index) {
            Some(now) if now.delivery != entry.delivery => return,
            Some(now) => *self.counts.of(now.standing) -= 1,
            None => drop(known.settled_ahead.remove(&place.index)),
        }
        known.entries.insert(place.index, entry);
        *self.counts.of(entry.standing) += 1;
        self.enqueue(place, &entry);
    }

    /// Keeps the record that a handle names invisible until `due`. Makes the record visible if
    /// `due` is not after `now`.
    ///
    /// # Errors
    /// The reason why the handle is refused.
    pub(crate) fn change_visibility(
        &mut self,
        handle: &ReceiptHandle,
        dead: bool,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<(), HandleFault> {
        let place = handle.place();
        match self.find(handle, dead)? {
            // A choice: no recording shows the answer for a record that is already visible again.
            NamedRecord::Entry(entry) if !entry.standing.is_in_flight() => {
                return Err(HandleFault::NotInFlight);
            }
            NamedRecord::Entry(_) => {}
            NamedRecord::Older(_) => self.accept(handle),
            NamedRecord::Settled => return Err(HandleFault::Gone),
            NamedRecord::Unread => self.adopt(handle, now),
        }
        if let Some(entry) = self.entry_mut(place) {
            entry.due_ms = due.millis();
        }
        if due <= now {
            self.end_timeout(place);
        } else {
            self.timers.push(due.millis(), place);
        }
        self.note_standing(place);
        self.clean();
        Ok(())
    }

    /// Makes the dead-letter record that a handle names visible to normal receives, with a count of
    /// 0 receives. The time of its first receive stays.
    ///
    /// # Errors
    /// The reason why the handle is refused.
    pub(crate) fn restore(
        &mut self,
        handle: &ReceiptHandle,
        now: Timestamp,
    ) -> Result<RecordBefore, HandleFault> {
        let place = handle.place();
        let entry = match self.find(handle, true)? {
            NamedRecord::Entry(entry) => Some(entry),
            NamedRecord::Older(_) => {
                self.accept(handle);
                self.entry(place).copied()
            }
            NamedRecord::Settled => return Err(HandleFault::Gone),
            NamedRecord::Unread => {
                self.adopt(handle, now);
                None
            }
        };
        if let Some(entry) = self.entry_mut(place) {
            entry.count = 0;
        }
        self.set_standing(place, Standing::Visible);
        self.ready.push(place, handle.delivery);
        self.note_standing(place);
        self.clean();
        Ok(RecordBefore { place, entry })
    }

    fn find(&self, handle: &ReceiptHandle, dead: bool) -> Result<NamedRecord, HandleFault> {
        if handle.dead != dead {
            return Err(HandleFault::WrongKind);
        }
        let known = self.shards.get(&handle.shard).ok_or(HandleFault::Gone)?;
        let index = handle.index;
        match known.entries.get(index) {
            // A crash lost the newest receives of the record, so the standing in its entry is
            // obsolete.
            Some(entry) if handle.delivery > entry.delivery => Ok(NamedRecord::Older(*entry)),
            Some(entry) if entry.standing.is_dead() != dead => Err(HandleFault::Gone),
            // A choice: no recording shows the answer for the handle of an earlier delivery.
            Some(entry) if handle.delivery < entry.delivery => Err(HandleFault::Stale),
            Some(entry) => Ok(NamedRecord::Entry(*entry)),
            None if index < known.expired_before => Err(HandleFault::Gone),
            None if index < known.next || known.settled_ahead.contains(&index) => {
                Ok(NamedRecord::Settled)
            }
            None => Ok(NamedRecord::Unread),
        }
    }

    /// Sets the newest delivery of a record to the delivery of a handle, whose receive a crash
    /// lost. The record is then in flight by this delivery.
    fn accept(&mut self, handle: &ReceiptHandle) {
        let place = handle.place();
        if let Some(entry) = self.entry_mut(place) {
            entry.delivery = handle.delivery;
            // A crash lost at least one receive. The count grows by one.
            entry.count = entry.count.saturating_add(1);
        }
        self.set_standing(place, handle.in_flight());
    }

    /// Adds an entry for a record of which a crash lost the only receives, but a client still has a
    /// handle. `now` stands for the unknown arrival time until the queue finds the record again.
    fn adopt(&mut self, handle: &ReceiptHandle, now: Timestamp) {
        let standing = handle.in_flight();
        let entry = Entry {
            delivery: handle.delivery,
            due_ms: now.millis(),
            first_ms: now.millis(),
            arrival_ms: now.millis(),
            count: 1,
            standing,
        };
        if let Some(known) = self.shards.get_mut(&handle.shard) {
            known.entries.insert(handle.index, entry);
            *self.counts.of(standing) += 1;
        }
    }

    /// Settles a record: removes its entry, and remembers it as settled if `next` is not past it.
    pub(super) fn settle(&mut self, place: RecordPlace) {
        let Some(known) = self.shards.get_mut(&place.shard) else {
            return;
        };
        if let Some(entry) = known.entries.remove(place.index) {
            *self.counts.of(entry.standing) -= 1;
        }
        if place.index >= known.next {
            known.settled_ahead.insert(place.index);
        }
    }

    /// Adds a record to the order of the records with the same standing.
    pub(super) fn enqueue(&mut self, place: RecordPlace, entry: &Entry) {
        match entry.standing {
            Standing::InFlight | Standing::DeadInFlight => self.timers.push(entry.due_ms, place),
            Standing::Visible => self.ready.push(place, entry.delivery),
            Standing::DeadVisible => self.dead_ready.push(place, entry.delivery),
        }
    }
}

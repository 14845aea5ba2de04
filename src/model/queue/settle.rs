//! The operations on a receipt handle: acknowledge, change the visibility, and restore. The table
//! shows the result of each operation: done, or the reason why the handle is refused.
//!
//! | the record of the handle | acknowledge | change visibility | restore |
//! |---|---|---|---|
//! | in flight by this delivery | done | done | done |
//! | visible again after this delivery | done | not in flight | done |
//! | received again after this delivery | stale | stale | stale |
//! | settled | done | gone | gone |
//! | expired | gone | gone | gone |
//! | made dead-letter, or restored, after this delivery | gone | gone | gone |
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
    /// The record is visible again, because its visibility timeout has ended.
    NotInFlight,
    /// The operation is for dead-letter records, but the handle comes from a receive of normal
    /// records, or the reverse.
    WrongKind,
    /// The record is settled or expired, or became a dead-letter record or was restored after the
    /// delivery that the handle names.
    Gone,
}

/// The state of a record before a change. If the change cannot be saved, the record returns to this
/// state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordBefore {
    place: RecordPlace,
    entry: Option<Entry>,
}

/// The record that a valid receipt handle names, and its state.
enum NamedRecord {
    /// The newest delivery of the record is the delivery that the handle names. Holds the record's
    /// entry.
    Entry(Entry),
    /// The queue knows only older deliveries of the record than the delivery that the handle names.
    /// Holds the record's entry.
    Older(Entry),
    Settled,
    /// The queue knows of no receive of this record.
    Unread,
}

impl ReceiptHandle {
    /// The place of the record that the handle names.
    pub(crate) fn place(&self) -> RecordPlace {
        RecordPlace {
            index: self.index,
            shard: self.shard,
        }
    }

    /// Returns the standing of the record during the delivery that the handle names: in flight, as
    /// a dead-letter record or as a normal record.
    fn in_flight(&self) -> Standing {
        match self.dead {
            true => Standing::DeadInFlight,
            false => Standing::InFlight,
        }
    }
}

impl QueueRecords {
    /// Acknowledges the record that `handle` names, which settles the record. `dead` is true for an
    /// acknowledgement of dead-letter records. Returns the state of the record before the change,
    /// or `None` if the record was settled already.
    ///
    /// An acknowledgement of a settled record succeeds, because a client that lost the first answer
    /// repeats its request. This success is a choice.
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
                // An earlier request settled the record, but the change of that request may not be
                // durable yet. Therefore this request saves the same change again.
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
    /// was received again after the acknowledgement or restore.
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

    /// Changes the visibility timeout of the record that `handle` names, so that the timeout ends
    /// at `due`. Makes the record visible if `due` is not after `now`. `dead` is true if the
    /// request is for dead-letter records.
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
            // The error for a record that is visible again is a choice, because no recording shows
            // the answer of the service.
            NamedRecord::Entry(entry) if !entry.standing.is_in_flight() => {
                return Err(HandleFault::NotInFlight);
            }
            NamedRecord::Entry(_) => {}
            NamedRecord::Older(_) => self.accept(handle),
            NamedRecord::Settled => return Err(HandleFault::Gone),
            NamedRecord::Unread => self.add_entry_from_handle(handle, now),
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

    /// Makes the dead-letter record that `handle` names visible as a normal record, with a count of
    /// 0 receives. The time of its first receive stays unchanged. Returns the state of the record
    /// before the change.
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
                self.add_entry_from_handle(handle, now);
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
            // The error for the handle of an earlier delivery is a choice, because no recording
            // shows the answer of the service.
            Some(entry) if handle.delivery < entry.delivery => Err(HandleFault::Stale),
            Some(entry) => Ok(NamedRecord::Entry(*entry)),
            None if index < known.expired_before => Err(HandleFault::Gone),
            None if index < known.next || known.settled_ahead.contains(&index) => {
                Ok(NamedRecord::Settled)
            }
            None => Ok(NamedRecord::Unread),
        }
    }

    /// Restores a receive that a crash lost: the newest receive of a record, which returned
    /// `handle`. The record is then in flight by the delivery that the handle names.
    fn accept(&mut self, handle: &ReceiptHandle) {
        let place = handle.place();
        if let Some(entry) = self.entry_mut(place) {
            entry.delivery = handle.delivery;
            // The number of receives that a crash lost is unknown, so the count grows by one.
            entry.count = entry.count.saturating_add(1);
        }
        self.set_standing(place, handle.in_flight());
    }

    /// Restores the entry of a record. A crash lost the entry with all receives of the record, but
    /// a client still has `handle` from one of these receives. The arrival time of the record is
    /// unknown, so the entry holds `now` until the record is read again.
    fn add_entry_from_handle(&mut self, handle: &ReceiptHandle, now: Timestamp) {
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

    /// Settles a record by removing its entry. Adds the record to `settled_ahead` if its index is
    /// not before `next`.
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

    /// Adds a record to the list that its standing requires: the list of visible normal records, of
    /// visible dead-letter records, or of records in flight.
    pub(super) fn enqueue(&mut self, place: RecordPlace, entry: &Entry) {
        match entry.standing {
            Standing::InFlight | Standing::DeadInFlight => self.timers.push(entry.due_ms, place),
            Standing::Visible => self.ready.push(place, entry.delivery),
            Standing::DeadVisible => self.dead_ready.push(place, entry.delivery),
        }
    }
}

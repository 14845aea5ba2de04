//! The uses of a receipt handle: acknowledging, changing the visibility, restoring.
//!
//! | the handle's record | acknowledge | visibility | restore |
//! |---|---|---|---|
//! | in flight by this delivery | done | done | done |
//! | visible again after this delivery | done | not in flight | done |
//! | received again since | stale | stale | stale |
//! | settled | done | gone | gone |
//! | expired | gone | gone | gone |
//! | dead-letter since, or restored since | gone | gone | gone |
//!
//! A handle that is newer than the newest known delivery is of a receive that a crash lost: it is
//! taken for the newest.

use super::change::QueueChange;
use super::entry::{Entry, Standing};
use super::handle::ReceiptHandle;
use super::order::RecordPlace;
use super::records::QueueRecords;
use crate::world::Timestamp;

/// The reason for which a handle is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandleFault {
    /// The record was received again since.
    Stale,
    /// The visibility timeout has ended.
    NotInFlight,
    /// A handle of a dead-letter receive is wanted, or is not.
    WrongKind,
    /// The record is settled, expired, or has become or ceased to be dead-letter.
    Gone,
}

/// A record as it was before a change, so that the change can be undone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordBefore {
    place: RecordPlace,
    entry: Option<Entry>,
}

/// The state of a handle's record.
enum Found {
    /// The entry of a record whose newest delivery is not newer than the handle.
    Entry(Entry),
    Settled,
    /// Nothing is known of any receive.
    Unread,
}

impl ReceiptHandle {
    fn place(&self) -> RecordPlace {
        RecordPlace {
            index: self.index,
            shard: self.shard,
        }
    }
}

impl QueueRecords {
    /// Settles the record of a handle. A record that is settled already is settled again, since a
    /// client that lost the first answer asks again (choice 2).
    ///
    /// # Errors
    /// Why it is not settled.
    pub(crate) fn acknowledge(
        &mut self,
        handle: &ReceiptHandle,
        dead: bool,
    ) -> Result<RecordBefore, HandleFault> {
        let place = handle.place();
        let entry = match self.find(handle, dead)? {
            Found::Entry(entry) => Some(entry),
            Found::Settled => {
                // Noted again: the first note may still be on its way to the disk.
                self.note(QueueChange::Settled(place));
                return Ok(RecordBefore { place, entry: None });
            }
            Found::Unread => None,
        };
        self.settle(place);
        self.note(QueueChange::Settled(place));
        self.clean();
        Ok(RecordBefore { place, entry })
    }

    /// Forgets a record that cannot be found in its log any more.
    pub(crate) fn let_go(&mut self, place: RecordPlace) {
        self.settle(place);
        self.note(QueueChange::Settled(place));
    }

    /// Undoes an acknowledgement or a restore that cannot be kept, unless the record was received
    /// again since.
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
        self.await_turn(place, &entry);
    }

    /// Keeps the record of a handle invisible until `due`, or makes it visible when that is now.
    ///
    /// # Errors
    /// Why it is not changed.
    pub(crate) fn change_visibility(
        &mut self,
        handle: &ReceiptHandle,
        dead: bool,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<(), HandleFault> {
        let place = handle.place();
        match self.find(handle, dead)? {
            // Choice 4.
            Found::Entry(entry) if !entry.standing.is_in_flight() => {
                if entry.delivery == handle.delivery {
                    return Err(HandleFault::NotInFlight);
                }
            }
            Found::Entry(_) => {}
            Found::Settled => return Err(HandleFault::Gone),
            Found::Unread => self.adopt(handle, now),
        }
        let standing = match dead {
            true => Standing::DeadInFlight,
            false => Standing::InFlight,
        };
        if let Some(entry) = self.entry_mut(place) {
            entry.delivery = handle.delivery;
            entry.due_ms = due.millis();
        }
        self.set_standing(place, standing);
        if due <= now {
            self.show(place);
        } else {
            self.timers.push(due.millis(), place);
        }
        self.note_standing(place);
        self.clean();
        Ok(())
    }

    /// Makes the dead-letter record of a handle visible to normal receives, as if it had never been
    /// received; the time of its first receive stays.
    ///
    /// # Errors
    /// Why it is not restored.
    pub(crate) fn restore(
        &mut self,
        handle: &ReceiptHandle,
        now: Timestamp,
    ) -> Result<RecordBefore, HandleFault> {
        let place = handle.place();
        let entry = match self.find(handle, true)? {
            Found::Entry(entry) => Some(entry),
            Found::Settled => return Err(HandleFault::Gone),
            Found::Unread => {
                self.adopt(handle, now);
                None
            }
        };
        if let Some(entry) = self.entry_mut(place) {
            entry.delivery = handle.delivery;
            entry.count = 0;
        }
        self.set_standing(place, Standing::Visible);
        self.ready.push(place, handle.delivery);
        self.note_standing(place);
        self.clean();
        Ok(RecordBefore { place, entry })
    }

    fn find(&self, handle: &ReceiptHandle, dead: bool) -> Result<Found, HandleFault> {
        if handle.dead != dead {
            return Err(HandleFault::WrongKind);
        }
        let known = self.shards.get(&handle.shard).ok_or(HandleFault::Gone)?;
        let index = handle.index;
        match known.entries.get(index) {
            Some(entry) if entry.standing.is_dead() != dead => Err(HandleFault::Gone),
            // Choice 3.
            Some(entry) if handle.delivery < entry.delivery => Err(HandleFault::Stale),
            Some(entry) => Ok(Found::Entry(*entry)),
            None if index < known.expired_before => Err(HandleFault::Gone),
            None if index < known.next || known.settled_ahead.contains(&index) => {
                Ok(Found::Settled)
            }
            None => Ok(Found::Unread),
        }
    }

    /// Adds the entry of a record whose receive was lost in a crash while its handle was not.
    fn adopt(&mut self, handle: &ReceiptHandle, now: Timestamp) {
        let standing = match handle.dead {
            true => Standing::DeadInFlight,
            false => Standing::InFlight,
        };
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

    /// Forgets a record as settled.
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

    /// Puts a record into the order that its standing belongs to.
    pub(super) fn await_turn(&mut self, place: RecordPlace, entry: &Entry) {
        match entry.standing {
            Standing::InFlight | Standing::DeadInFlight => self.timers.push(entry.due_ms, place),
            Standing::Visible => self.ready.push(place, entry.delivery),
            Standing::DeadVisible => self.dead_ready.push(place, entry.delivery),
        }
    }
}

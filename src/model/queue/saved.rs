//! Documents in the journal of a queue, which save the records of the queue. A restart restores the
//! queue from these documents.
//!
//! A document consists of a byte of flags and a sequence of changes. Most documents hold the
//! changes of one request. From time to time, a series of documents lists the whole state of the
//! queue. The list takes effect when its last document is saved, so a crash in the middle of the
//! series does no harm. All documents before the list are then obsolete.

use super::change::{ChangeWriter, QueueChange, read_changes};
use super::entry::Entry;
use super::order::RecordPlace;
use super::records::QueueRecords;

const LISTS: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Encodes changes as a document. `None` when there are no changes.
pub(crate) fn changes_document(changes: &[QueueChange]) -> Option<Vec<u8>> {
    if changes.is_empty() {
        return None;
    }
    let mut writer = ChangeWriter::after(vec![0]);
    changes.iter().for_each(|change| writer.add(change));
    Some(writer.finish())
}

impl QueueRecords {
    /// Encodes the whole state of the queue as a series of documents. A document ends as soon as it
    /// has at least `bytes` bytes.
    pub(crate) fn list_documents(&self, bytes: usize) -> Vec<Vec<u8>> {
        let mut documents = Vec::new();
        let mut writer = ChangeWriter::after(vec![LISTS | FIRST]);
        let nexts = self.shards.iter().flat_map(|(&shard, known)| {
            let (next, before) = (known.next, known.expired_before);
            let settled = known.settled_ahead.iter();
            let settled =
                settled.map(move |&index| QueueChange::Settled(RecordPlace { index, shard }));
            let ends = [
                QueueChange::Expired { shard, before },
                QueueChange::Next { shard, next },
            ];
            let stands = known.entries.iter();
            let stands = stands.map(move |(index, entry)| {
                QueueChange::Stands(RecordPlace { index, shard }, *entry)
            });
            ends.into_iter().chain(settled).chain(stands)
        });
        for change in nexts {
            writer.add(&change);
            if writer.len() >= bytes {
                documents.push(std::mem::take(&mut writer).finish());
                writer = ChangeWriter::after(vec![LISTS]);
            }
        }
        documents.push(writer.finish());
        if let Some(last) = documents.last_mut() {
            last[0] |= LAST;
        }
        documents
    }
}

/// Restores a queue from its saved documents. The caller reads the documents in the order in which
/// they were saved.
#[derive(Debug, Default)]
pub(crate) struct QueueReplay {
    pub(super) records: QueueRecords,
    listing: Option<QueueRecords>,
    /// True if the last document of a list was read.
    has_list: bool,
}

impl QueueReplay {
    /// Applies the next document to the state that is being restored. Returns false if the document
    /// is invalid.
    pub(crate) fn read(&mut self, document: &[u8]) -> bool {
        let Some((flags, rest)) = document.split_first() else {
            return false;
        };
        let Some(changes) = read_changes(rest) else {
            return false;
        };
        if flags & LISTS == 0 {
            self.listing = None;
            changes.iter().for_each(|change| self.records.apply(change));
            return true;
        }
        if flags & FIRST != 0 {
            self.listing = Some(QueueRecords::default());
        }
        if let Some(listing) = &mut self.listing {
            changes.iter().for_each(|change| listing.apply(change));
        }
        if flags & LAST != 0
            && let Some(listing) = self.listing.take()
        {
            self.records = listing;
            self.has_list = true;
        }
        true
    }

    /// True if the documents contain a complete list of the queue's records, and no incomplete list
    /// after it.
    pub(super) fn is_whole(&self) -> bool {
        self.has_list && self.listing.is_none()
    }

    /// Returns the restored state of the queue. The next call of [`QueueRecords::end_due_timeouts`]
    /// processes the visibility timeouts that ended while the emulator was stopped.
    pub(crate) fn finish(
        self,
        max_receive_count: Option<u32>,
        first_delivery: u64,
        is_saved: bool,
    ) -> QueueRecords {
        let empty = QueueRecords::new(max_receive_count, first_delivery, is_saved);
        let mut records = QueueRecords {
            shards: self.records.shards,
            counts: self.records.counts,
            ..empty
        };
        let places: Vec<(RecordPlace, Entry)> = records
            .shards
            .iter()
            .flat_map(|(&shard, known)| {
                let entries = known.entries.iter();
                entries.map(move |(index, entry)| (RecordPlace { index, shard }, *entry))
            })
            .collect();
        for (place, entry) in places {
            records.enqueue(place, &entry);
        }
        records
    }
}

impl QueueRecords {
    /// Applies a saved change. Does not update the ordered lists of visible records and of records
    /// in flight: `QueueReplay::finish` builds these lists after the last document.
    fn apply(&mut self, change: &QueueChange) {
        match *change {
            QueueChange::Next { shard, next } => self.advance(shard, next),
            QueueChange::Expired {
                shard,
                before: u64::MAX,
            } => self.forget_shard(shard),
            QueueChange::Expired { shard, before } => self.expire_before(shard, before),
            QueueChange::Settled(place) => {
                self.know(place.shard);
                self.settle(place);
            }
            QueueChange::Stands(place, entry) => {
                self.know(place.shard);
                if let Some(known) = self.shards.get_mut(&place.shard) {
                    if let Some(old) = known.entries.insert(place.index, entry) {
                        *self.counts.of(old.standing) -= 1;
                    }
                    *self.counts.of(entry.standing) += 1;
                }
            }
        }
    }

    fn expire_before(&mut self, shard: u32, before: u64) {
        let known = self.shards.entry(shard).or_default();
        known.expired_before = known.expired_before.max(before);
        while let Some((index, entry)) = known.entries.first() {
            if index >= before {
                break;
            }
            let standing = entry.standing;
            *self.counts.of(standing) -= 1;
            known.entries.remove(index);
        }
    }
}

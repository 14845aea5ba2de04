//! Saves the receive states of a queue's records. The states are written as documents to a separate
//! log. The documents and the records of streams share the group commits.
//!
//! Most documents contain only changes. When the changes have become much longer than the whole
//! state, the journal writes the whole state as a list of documents. When the list is durable, the
//! documents before the list are deleted.

use crate::engine::tasks::Tasks;
use crate::limits;
use crate::model::{QueueRecords, changes_document};
use crate::store::{Log, Record, Ticket, WriteReservation};
use crate::world::Timestamp;
use std::sync::Arc;

/// The journal of one queue.
#[derive(Debug)]
pub(super) struct Journal {
    log: Arc<Log>,
    /// Bytes of the documents with changes that were written after the last list of the whole
    /// state.
    since_list: usize,
    /// Bytes of the last list of the whole state.
    list: usize,
}

/// The priority of the commit that makes a journal document durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitPriority {
    /// A request waits until the document is durable, so the commit must not be delayed.
    Urgent,
    /// No request waits for the document. It becomes durable with the next commit.
    Deferred,
}

impl Journal {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self {
            log,
            since_list: 0,
            list: 0,
        }
    }

    pub(super) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Counts `bytes` bytes of documents that were written after the last list of the whole state.
    pub(super) fn count(&mut self, bytes: usize) {
        self.since_list += bytes;
    }

    /// Writes the new changes of `records` as a document. If the changes since the last list of the
    /// whole state have become much longer than this list, writes a new list instead. Returns the
    /// ticket of the write. Returns None if there are no changes. Also returns None if `priority`
    /// is deferred and no list was written.
    pub(super) fn write(
        &mut self,
        tasks: &Tasks,
        records: &mut QueueRecords,
        reservation: WriteReservation,
        now: Timestamp,
        priority: CommitPriority,
    ) -> Option<Ticket> {
        let document = changes_document(&records.take_changes())?;
        self.since_list += document.len();
        if self.since_list >= limits::QUEUE_LIST_AFTER_BYTES.max(4 * self.list) {
            return Some(self.write_list(tasks, records, reservation, now));
        }
        let first = self.log.next();
        let appended = appends(std::iter::once(&document), first, now);
        match priority {
            CommitPriority::Urgent => Some(self.log.append(reservation, appended)),
            CommitPriority::Deferred => {
                self.log.append_deferred(reservation, appended);
                None
            }
        }
    }

    /// Writes the whole state of `records` as a list of documents. When the list is durable, the
    /// documents before the list are deleted.
    pub(super) fn write_list(
        &mut self,
        tasks: &Tasks,
        records: &mut QueueRecords,
        reservation: WriteReservation,
        now: Timestamp,
    ) -> Ticket {
        let _listed = records.take_changes();
        let list = records.list_documents(limits::QUEUE_DOCUMENT_BYTES);
        self.list = list.iter().map(Vec::len).sum();
        self.since_list = 0;
        let first = self.log.next();
        let appended = appends(list.iter(), first, now);
        let ticket = self.log.append(reservation, appended);
        self.forget_before(tasks, first, ticket.clone());
        ticket
    }

    /// Deletes the documents before the index `index` when the write with the ticket `durable` is
    /// durable.
    fn forget_before(&self, tasks: &Tasks, index: u64, durable: Ticket) {
        let log = self.log.clone();
        tasks.spawn("queue list", async move {
            if durable.durable().await.is_ok() {
                log.trim_before(index);
            }
        });
    }
}

fn appends<'a>(
    documents: impl Iterator<Item = &'a Vec<u8>>,
    first: u64,
    now: Timestamp,
) -> impl Iterator<Item = Record<'a>> {
    let append = move |(index, document): (u64, &'a Vec<u8>)| Record {
        index,
        arrival: now,
        partition_key: None,
        data: document,
        encrypted: false,
    };
    (first..).zip(documents).map(append)
}

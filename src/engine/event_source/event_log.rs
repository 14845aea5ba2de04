//! The event log of a mapping: a ring buffer of the mapping's newest events. The paths under
//! `/_minikin/` show this log.

use crate::limits;
use crate::lock::Lock;
use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// The kind of an entry in the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Records were read, and the filters kept them.
    Read,
    /// Records were read that the mapping does not deliver: the filters dropped them, or the
    /// mapping is already done with them.
    Filtered,
    /// A batch was formed. Its records do not change any more.
    Batch,
    /// An invocation of the function started.
    Invoke,
    /// An invocation of the function ended.
    Outcome,
    /// A retry of a batch was scheduled.
    Retry,
    /// A batch was split in two after a failure.
    Split,
    /// The function reported a failed item (ReportBatchItemFailures). The records before the failed
    /// item are done.
    Partial,
    /// The oldest records of a batch are older than the mapping's maximum record age or the
    /// stream's retention period.
    Expired,
    /// A batch was discarded, because its retries are exhausted or its records are too old.
    Discarded,
    /// The failure record of a discarded batch was delivered.
    Delivered,
    /// The failure record of a discarded batch could not be delivered.
    DeliveryFailed,
    /// The mapping's position in the shard advanced.
    Position,
    /// The last invocation of a tumbling window is due.
    WindowFinal,
    /// The mapping is done with all records of a closed shard.
    ShardFinished,
    /// The mapping was created, changed, reset or deleted.
    State,
}

impl EntryKind {
    /// Returns the name of the kind, as the paths under `/_minikin/` show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Filtered => "filtered",
            Self::Batch => "batch",
            Self::Invoke => "invoke",
            Self::Outcome => "outcome",
            Self::Retry => "retry",
            Self::Split => "split",
            Self::Partial => "partial",
            Self::Expired => "expired",
            Self::Discarded => "discarded",
            Self::Delivered => "delivered",
            Self::DeliveryFailed => "delivery-failed",
            Self::Position => "position",
            Self::WindowFinal => "window-final",
            Self::ShardFinished => "shard-finished",
            Self::State => "state",
        }
    }
}

/// An entry of the event log. A field that does not apply to the entry's kind is None.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Number of the entry in its mapping's log. The first entry has the number 1.
    pub number: u64,
    /// Time of the entry, by the emulator's clock.
    pub time: Timestamp,
    /// The kind of event that the entry reports.
    pub kind: EntryKind,
    /// The shard that the entry concerns. None if the entry concerns the whole mapping.
    pub shard: Option<ShardId>,
    /// Index of the lane within the shard. The first lane has the index 0. None if the entry does
    /// not concern a single lane.
    pub lane: Option<u32>,
    /// The id of the batch, which is also the request id of the invocations with the batch. None if
    /// the entry concerns no batch.
    pub request_id: Option<uuid::Uuid>,
    /// Sequence numbers of the first and the last record that the entry reports. None if the entry
    /// names no records.
    pub range: Option<(SequenceNumber, SequenceNumber)>,
    /// Number of records that the entry reports. None if the entry reports no records.
    pub records: Option<usize>,
    /// Number of the invocation with the batch. The first invocation has the number 1. None if the
    /// entry concerns no batch.
    pub attempt: Option<u32>,
    /// HTTP status of the function's answer. None if there is no answer.
    pub status: Option<u16>,
    /// For the end of an invocation, the duration of the invocation in real time, in milliseconds.
    /// For a retry, the time before the retry, in milliseconds. None for other kinds.
    pub duration_ms: Option<i64>,
    /// Further details as text, such as an error message or the new state of the mapping. None if
    /// there are no further details.
    pub detail: Option<Box<str>>,
    /// For the end of a failed invocation, the beginning of the function's error, or the reason why
    /// the function was not reached. None for every other entry.
    pub error: Option<Arc<str>>,
}

impl Entry {
    /// Returns an entry that has only a kind and a time.
    pub(super) const fn new(kind: EntryKind, time: Timestamp) -> Self {
        Self {
            number: 0,
            time,
            kind,
            shard: None,
            lane: None,
            request_id: None,
            range: None,
            records: None,
            attempt: None,
            status: None,
            duration_ms: None,
            detail: None,
            error: None,
        }
    }
}

/// A ring buffer of the newest `limits::EVENT_SOURCE_LOG_ENTRIES` entries.
#[derive(Debug)]
pub(super) struct EventLog {
    entries: Lock<VecDeque<Entry>>,
    /// Number of the newest entry. 0 before the first entry.
    newest: watch::Sender<u64>,
}

impl EventLog {
    pub(super) fn new() -> Self {
        Self {
            entries: Lock::default(),
            newest: watch::Sender::new(0),
        }
    }

    pub(super) fn push(&self, mut entry: Entry) {
        let mut entries = self.entries.lock();
        let number = *self.newest.borrow() + 1;
        entry.number = number;
        if entries.len() == limits::EVENT_SOURCE_LOG_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
        self.newest.send_replace(number);
    }

    /// Returns the oldest entries whose numbers are greater than `after`: at most `most` entries,
    /// oldest first.
    pub(super) fn after(&self, after: u64, most: usize) -> Vec<Entry> {
        let entries = self.entries.lock();
        let start = entries.partition_point(|entry| entry.number <= after);
        entries.iter().skip(start).take(most).cloned().collect()
    }

    /// Returns a receiver whose value is the number of the newest entry.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

//! The event log of a mapping: the newest entries of a ring, for tests and people.

use crate::limits;
use crate::lock::Lock;
use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;
use std::collections::VecDeque;
use tokio::sync::watch;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Records were read and kept.
    Read,
    /// Filters dropped records.
    Filtered,
    /// A batch was closed.
    Batch,
    /// The function is invoked.
    Invoke,
    /// The invocation ended.
    Outcome,
    /// The batch is to be tried again.
    Retry,
    /// The batch was split.
    Split,
    /// The first part of a batch is done by the function's report.
    Partial,
    /// The oldest records of a batch are too old.
    Expired,
    /// A batch was given up.
    Discarded,
    /// The record about a discarded batch was delivered.
    Delivered,
    /// The record about a discarded batch could not be delivered.
    DeliveryFailed,
    /// The position moved.
    Position,
    /// A tumbling window ended.
    WindowFinal,
    /// All records of a closed shard are done.
    ShardFinished,
    /// The state of the mapping changed.
    State,
}

impl EntryKind {
    /// The word for people and tests.
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

/// An entry of the event log. A member that does not apply is none.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The number, from 1 on.
    pub number: u64,
    /// The clock's time.
    pub time: Timestamp,
    /// The kind of the event.
    pub kind: EntryKind,
    /// The shard.
    pub shard: Option<ShardId>,
    /// The lane in the shard.
    pub lane: Option<u32>,
    /// The id of the batch.
    pub request_id: Option<uuid::Uuid>,
    /// Sequence numbers of the first and the last record.
    pub range: Option<(SequenceNumber, SequenceNumber)>,
    /// Number of records.
    pub records: Option<usize>,
    /// The attempt, from 1 on.
    pub attempt: Option<u32>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// Duration of the invocation in real time, or of the wait that follows, in milliseconds.
    pub duration_ms: Option<i64>,
    /// More, such as an error or a state.
    pub detail: Option<Box<str>>,
}

impl Entry {
    /// An entry that says nothing but its kind yet.
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
        }
    }
}

/// The ring.
#[derive(Debug)]
pub(super) struct EventLog {
    entries: Lock<VecDeque<Entry>>,
    /// The number of the newest entry.
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

    /// At most `most` entries after number `after`, oldest first.
    pub(super) fn after(&self, after: u64, most: usize) -> Vec<Entry> {
        let entries = self.entries.lock();
        let start = entries.partition_point(|entry| entry.number <= after);
        entries.iter().skip(start).take(most).cloned().collect()
    }

    /// The number of the newest entry, as it grows.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

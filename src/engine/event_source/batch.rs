//! Batches of a lane, before and while they are delivered. Records are kept as references: their
//! data is read again for every invocation, so a batch that waits for a day holds no data.

use crate::model::event_source::{Failures, Window, WindowFlags};
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// A record that was read and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordRef {
    /// The index in the shard's log.
    pub(super) index: u64,
    /// The arrival.
    pub(super) arrival: Timestamp,
    /// Bytes in the event, without the comma before it.
    pub(super) bytes: usize,
}

/// Records that are delivered together.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) id: Uuid,
    records: Arc<[RecordRef]>,
    range: Range<usize>,
    pub(super) failures: Failures,
    /// Not before this.
    pub(super) wait_until: Option<Timestamp>,
    /// The tumbling window.
    pub(super) window: Option<(Window, WindowFlags)>,
    /// The last error, for people.
    pub(super) last_error: Option<Arc<str>>,
}

impl Batch {
    /// A new batch of `records`.
    pub(super) fn new(id: Uuid, records: Vec<RecordRef>) -> Self {
        let range = 0..records.len();
        Self::over(id, records.into(), range)
    }

    fn over(id: Uuid, records: Arc<[RecordRef]>, range: Range<usize>) -> Self {
        Self {
            id,
            records,
            range,
            failures: Failures::default(),
            wait_until: None,
            window: None,
            last_error: None,
        }
    }

    /// The records, oldest first.
    pub(super) fn records(&self) -> &[RecordRef] {
        &self.records[self.range.clone()]
    }

    /// The first `at` records, and the rest as new batches with these ids.
    pub(super) fn split(&self, at: usize, ids: [Uuid; 2]) -> [Self; 2] {
        let middle = self.range.start + at;
        let part = |id, range| Self {
            window: self.window,
            ..Self::over(id, self.records.clone(), range)
        };
        let [left, right] = ids;
        [
            part(left, self.range.start..middle),
            part(right, middle..self.range.end),
        ]
    }

    /// The first `at` records of this batch, as it is, and the rest as a new batch; none where
    /// there is no rest.
    pub(super) fn cut(mut self, at: usize, id: Uuid) -> (Self, Option<Self>) {
        let middle = self.range.start + at;
        let rest = (middle < self.range.end).then(|| Self {
            window: self.window,
            ..Self::over(id, self.records.clone(), middle..self.range.end)
        });
        self.range.end = middle;
        (self, rest)
    }

    /// The attempt that the next invocation is, from 1 on.
    pub(super) const fn next_attempt(&self) -> u32 {
        self.failures.attempts + 1
    }
}

/// Work of a lane that a task outside of the runner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// The function has its batch.
    Invoking,
    /// The destination has the record about its batch.
    Delivering,
}

/// A lane: records of some partition keys, delivered in order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Records that are in no batch yet.
    pub(super) queue: VecDeque<RecordRef>,
    /// Bytes of these in an event.
    pub(super) queued_bytes: usize,
    /// Batches to deliver, the next one last.
    pub(super) work: Vec<Batch>,
    pub(super) busy: Option<Busy>,
    /// End of the last invocation.
    pub(super) ended: Option<Timestamp>,
    /// The moment at which the first record of the queue was read.
    pub(super) queued_since: Option<Timestamp>,
}

impl Lane {
    /// Adds a record that was read at `now`.
    pub(super) fn enqueue(&mut self, record: RecordRef, now: Timestamp) {
        self.queued_since.get_or_insert(now);
        self.queued_bytes += record.bytes + 1;
        self.queue.push_back(record);
    }

    /// Takes the first `count` records of the queue.
    pub(super) fn take(&mut self, count: usize) -> Vec<RecordRef> {
        let taken: Vec<_> = self.queue.drain(..count).collect();
        self.queued_bytes -= taken.iter().map(|record| record.bytes + 1).sum::<usize>();
        if self.queue.is_empty() {
            self.queued_since = None;
        }
        taken
    }

    /// True for a lane that holds nothing and waits for nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.busy.is_none() && self.work.is_empty() && self.queue.is_empty()
    }

    /// Forgets records and batches.
    pub(super) fn forget(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.queued_since = None;
        self.work.clear();
    }
}

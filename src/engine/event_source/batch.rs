//! The lanes of a shard, and the batches of records in the lanes. A batch has only references to
//! its records, and the data of the records is read again for every invocation. Therefore a batch
//! that waits a day for its next invocation occupies no memory for the data.

use super::mapping::Plan;
use crate::engine::Stream;
use crate::model::event_source::{Failures, Window, WindowFlags};
use crate::world::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// A reference to a record that the mapping has read and that has passed the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordRef {
    /// Index of the record in the shard's log.
    pub(super) index: u64,
    /// Arrival time of the record.
    pub(super) arrival: Timestamp,
    /// Size of the record in the JSON event, in bytes. The comma between two records does not
    /// count.
    pub(super) bytes: usize,
}

/// The records that one invocation of the function delivers. The two halves of a split batch share
/// one list of records.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) id: Uuid,
    /// The plan with which the batch was formed. An update of the mapping does not change this
    /// plan.
    pub(super) plan: Arc<Plan>,
    records: Arc<[RecordRef]>,
    range: Range<usize>,
    pub(super) failures: Failures,
    /// The earliest time of the next invocation with this batch. None if the invocation may start
    /// immediately.
    pub(super) wait_until: Option<Timestamp>,
    /// The tumbling window of the batch, and the flags of the window in the batch's event. None if
    /// the mapping has no tumbling windows.
    pub(super) window: Option<(Window, WindowFlags)>,
    pub(super) last_error: Option<Arc<str>>,
}

impl Batch {
    pub(super) fn new(id: Uuid, plan: Arc<Plan>, records: Vec<RecordRef>) -> Self {
        let range = 0..records.len();
        Self {
            id,
            plan,
            records: records.into(),
            range,
            failures: Failures::default(),
            wait_until: None,
            window: None,
            last_error: None,
        }
    }

    /// Returns a new batch with the id `id` and with the records at the indexes `range` of the
    /// shared list.
    fn part(&self, id: Uuid, range: Range<usize>) -> Self {
        Self {
            id,
            plan: self.plan.clone(),
            records: self.records.clone(),
            range,
            failures: Failures::default(),
            wait_until: None,
            window: self.window,
            last_error: None,
        }
    }

    /// The records of this batch, oldest first.
    pub(super) fn records(&self) -> &[RecordRef] {
        &self.records[self.range.clone()]
    }

    /// Splits this batch into two new batches with the ids `ids`. The first new batch has the first
    /// `at` records, and the second has the remaining records.
    pub(super) fn split(&self, at: usize, ids: [Uuid; 2]) -> [Self; 2] {
        let middle = self.range.start + at;
        let [left, right] = ids;
        [
            self.part(left, self.range.start..middle),
            self.part(right, middle..self.range.end),
        ]
    }

    /// Shortens this batch to its first `at` records. The remaining records become a new batch with
    /// the id `id`, which is the second value. The second value is None if no records remain.
    pub(super) fn cut(mut self, at: usize, id: Uuid) -> (Self, Option<Self>) {
        let middle = self.range.start + at;
        let rest = (middle < self.range.end).then(|| self.part(id, middle..self.range.end));
        self.range.end = middle;
        (self, rest)
    }

    /// Returns the time at which the first record of the batch becomes too old for delivery. The
    /// age of a batch without records is the time since the start of its window. This rule is a
    /// choice. Returns None if the batch has no records and can never become too old.
    pub(super) fn expires(&self, stream: &Stream) -> Option<Timestamp> {
        if let Some(first) = self.records().first() {
            return Some(self.plan.expires(first.arrival, stream));
        }
        let (window, _) = self.window?;
        let start = Timestamp::from_millis(window.start_s * 1000);
        Some(start.plus_millis(self.plan.max_age_ms()?))
    }

    /// Returns the number of records at the start of the batch that are too old for delivery at
    /// `now`. Returns None if the whole batch can be delivered. Zero means that the batch has no
    /// records and is itself too old.
    pub(super) fn expired(&self, stream: &Stream, now: Timestamp) -> Option<usize> {
        if self.records().is_empty() {
            let expires = self.expires(stream);
            return expires.filter(|expires| now >= *expires).map(|_| 0);
        }
        let horizon = stream.horizon(now);
        let max_age_ms = self.plan.max_age_ms();
        let is_old = |record: &&RecordRef| {
            let age_ms = now.millis_since(record.arrival);
            record.arrival < horizon || max_age_ms.is_some_and(|most| age_ms >= most)
        };
        let count = self.records().iter().take_while(is_old).count();
        Some(count).filter(|count| *count > 0)
    }

    /// Returns the number of the next invocation with this batch. The first invocation has the
    /// number 1. Invocations that did not reach the function do not count.
    pub(super) const fn next_attempt(&self) -> u32 {
        self.failures.attempts + 1
    }
}

/// The work of a lane task. A lane task works for a single lane, and runs beside the task of the
/// shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// The task invokes the function with the lane's batch.
    Invoking,
    /// The task delivers the failure record of the lane's discarded batch.
    Delivering,
}

/// A lane delivers the records of some of the shard's partition keys, in order and one batch at a
/// time. A shard has as many lanes as the mapping's parallelization factor.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The records that were read and are not in a batch yet, oldest first.
    pub(super) queue: VecDeque<RecordRef>,
    /// Bytes that the records in `queue` take in an event.
    pub(super) queued_bytes: usize,
    /// The batches to deliver, as a stack: the last element is the current batch.
    pub(super) work: Vec<Batch>,
    pub(super) busy: Option<Busy>,
    /// Time at which the lane's last invocation ended. None before the first invocation.
    pub(super) ended: Option<Timestamp>,
    /// The time at which the first record of `queue` was read, or the time at which the previous
    /// batch was formed, whichever is later. None if `queue` is empty.
    pub(super) queued_since: Option<Timestamp>,
}

impl Lane {
    /// Appends a record that was read at `now` to `queue`.
    pub(super) fn enqueue(&mut self, record: RecordRef, now: Timestamp) {
        self.queued_since.get_or_insert(now);
        self.queued_bytes += record.bytes + 1;
        self.queue.push_back(record);
    }

    /// Removes the first `count` records from `queue` and returns them.
    pub(super) fn take(&mut self, count: usize) -> Vec<RecordRef> {
        let taken: Vec<_> = self.queue.drain(..count).collect();
        self.queued_bytes -= taken.iter().map(|record| record.bytes + 1).sum::<usize>();
        if self.queue.is_empty() {
            self.queued_since = None;
        }
        taken
    }

    /// True if the lane has no records, no batches and no running task.
    pub(super) fn is_idle(&self) -> bool {
        self.busy.is_none() && self.work.is_empty() && self.queue.is_empty()
    }

    /// Drops all records and batches of the lane.
    pub(super) fn forget(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.queued_since = None;
        self.work.clear();
    }
}

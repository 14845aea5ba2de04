//! A view of a mapping's work on one shard, which our own API shows.

use crate::lock::Lock;
use crate::model::SequenceNumber;
use crate::model::event_source::Window;
use crate::world::{Bell, Timestamp};
use std::sync::Arc;

/// The phase of a lane's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LanePhase {
    /// The lane has no records.
    #[default]
    Idle,
    /// The lane has records that wait for a full batch or for the end of the batching window.
    Gathering,
    /// The batch waits until an address of the function is free.
    Blocked,
    /// The function is being invoked.
    Invoking,
    /// A failed batch waits for its retry.
    BackingOff,
    /// The on-failure record about a discarded batch is being delivered.
    Delivering,
}

impl LanePhase {
    /// The name of the phase in our own API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Gathering => "gathering",
            Self::Blocked => "blocked by URL",
            Self::Invoking => "invoking",
            Self::BackingOff => "backing off",
            Self::Delivering => "delivering",
        }
    }
}

/// The batch that a lane is delivering, as the paths under `/_minikin/` and drains report it.
#[derive(Debug, Clone)]
pub struct BatchView {
    /// Id of the batch, which is the request id of its invocations.
    pub request_id: uuid::Uuid,
    /// Number of records in the batch.
    pub records: usize,
    /// Sequence numbers of the first and the last record.
    pub range: Option<[SequenceNumber; 2]>,
    /// Number of the current or the next attempt; the first is 1.
    pub attempt: u32,
    /// The moment of the next attempt, if the batch waits for a retry.
    pub next_try: Option<Timestamp>,
    /// Beginning of the function's last answer that was a failure.
    pub last_error: Option<Arc<str>>,
}

/// The state of a lane, as the paths under `/_minikin/` and drains report it.
#[derive(Debug, Clone, Default)]
pub struct LaneView {
    /// The phase of the lane's work.
    pub phase: LanePhase,
    /// Number of records that are in no batch yet.
    pub queued: usize,
    /// The batch that the lane delivers or is about to retry.
    pub batch: Option<BatchView>,
}

/// The state of a mapping's work on a shard, as the paths under `/_minikin/` and drains report it.
#[derive(Debug, Clone, Default)]
pub struct ShardView {
    /// The lanes, by index.
    pub lanes: Vec<LaneView>,
    /// Sequence number of the mapping's position: the last record that is done (delivered, filtered
    /// out or discarded) together with every record before it.
    pub position: Option<SequenceNumber>,
    /// Index in the log after the record at `position`.
    pub next_index: u64,
    /// Index in the log after the last record that was read.
    pub read_index: u64,
    /// Arrival timestamp of the record at `position`.
    pub last_arrival: Option<Timestamp>,
    /// Number of records that were read and are not done yet.
    pub undone: usize,
    /// True when the read-ahead limit is reached, so that one lane without progress holds up the
    /// others.
    pub is_full: bool,
    /// The tumbling window that has had an invocation and has not ended.
    pub window: Option<Window>,
    /// The next moment at which the work continues without any further event.
    pub deadline: Option<Timestamp>,
    /// Number of turns that the shard's task has made.
    pub turns: u64,
    /// True when no lane has records, batches or a running task.
    pub is_idle: bool,
}

/// The latest view of a shard's work, and the bell that wakes the shard's task.
#[derive(Debug)]
pub(super) struct ShardStatus {
    view: Lock<ShardView>,
    pub(super) bell: Bell,
}

impl ShardStatus {
    pub(super) fn new(bell: Bell) -> Arc<Self> {
        Arc::new(Self {
            view: Lock::default(),
            bell,
        })
    }

    pub(super) fn view(&self) -> ShardView {
        self.view.lock().clone()
    }

    pub(super) fn set(&self, view: ShardView) {
        *self.view.lock() = view;
    }

    /// Sets the phase of a lane at once, without waiting for the next turn of the shard's task.
    pub(super) fn set_phase(&self, lane: usize, phase: LanePhase) {
        if let Some(lane) = self.view.lock().lanes.get_mut(lane) {
            lane.phase = phase;
        }
    }
}

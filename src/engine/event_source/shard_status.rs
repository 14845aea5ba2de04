//! The view of a mapping's work on one shard, for people and tests.

use crate::lock::Lock;
use crate::model::SequenceNumber;
use crate::model::event_source::Window;
use crate::world::{Bell, Timestamp};
use std::sync::Arc;

/// The phase of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LanePhase {
    /// Nothing is left to deliver.
    #[default]
    Idle,
    /// A batch gathers records.
    Gathering,
    /// Every address of the function is busy.
    Blocked,
    /// The function is invoked.
    Invoking,
    /// A failed batch waits for its next try.
    BackingOff,
    /// The record about a discarded batch is delivered.
    Delivering,
}

impl LanePhase {
    /// The words for people and tests.
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

/// The batch in hand.
#[derive(Debug, Clone)]
pub struct BatchView {
    /// The id.
    pub request_id: uuid::Uuid,
    /// Number of records.
    pub records: usize,
    /// Sequence numbers of the first and the last record.
    pub range: Option<[SequenceNumber; 2]>,
    /// The attempt that is made or comes next, from 1 on.
    pub attempt: u32,
    /// The moment of the next try.
    pub next_try: Option<Timestamp>,
    /// The last error.
    pub last_error: Option<Arc<str>>,
}

/// A lane.
#[derive(Debug, Clone, Default)]
pub struct LaneView {
    /// The phase.
    pub phase: LanePhase,
    /// Records that wait to be in a batch.
    pub queued: usize,
    /// The batch in hand.
    pub batch: Option<BatchView>,
}

/// A shard.
#[derive(Debug, Clone, Default)]
pub struct ShardView {
    /// The lanes.
    pub lanes: Vec<LaneView>,
    /// Sequence number of the last record such that it and all before it are done.
    pub position: Option<SequenceNumber>,
    /// Just past the last record that is done, with all before it.
    pub next_index: u64,
    /// Just past the last record that was read.
    pub read_index: u64,
    /// Arrival of the last record that is done.
    pub last_arrival: Option<Timestamp>,
    /// Records of the shard that were read and are not done.
    pub undone: usize,
    /// The read-ahead is full of the records of a lane that makes no progress.
    pub is_full: bool,
    /// The open tumbling window.
    pub window: Option<Window>,
    /// The moment at which time alone lets this shard go on.
    pub deadline: Option<Timestamp>,
    /// Number of the task's turns.
    pub turns: u64,
    /// Nothing is on its way and nothing waits for a time.
    pub is_idle: bool,
}

/// The view, and the bell of the task.
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

    /// The addresses of the function are busy, or no longer.
    pub(super) fn set_phase(&self, lane: usize, phase: LanePhase) {
        if let Some(lane) = self.view.lock().lanes.get_mut(lane) {
            lane.phase = phase;
        }
    }
}

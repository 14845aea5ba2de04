//! A view of a mapping's work on one shard, for the paths under `/_minikin/`.

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
    /// The lane's batch waits until an address of the function is free.
    Blocked,
    /// The function is being invoked with the lane's batch.
    Invoking,
    /// The lane's batch failed and waits for its retry.
    BackingOff,
    /// The failure record of a discarded batch is being delivered.
    Delivering,
}

impl LanePhase {
    /// Returns the name of the phase, as drains and the paths under `/_minikin/` show it.
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

/// The batch that a lane delivers, as drains and the paths under `/_minikin/` report it.
#[derive(Debug, Clone)]
pub struct BatchView {
    /// Id of the batch, which is the request id of its invocations.
    pub request_id: uuid::Uuid,
    /// Number of records in the batch.
    pub records: usize,
    /// Sequence numbers of the first and the last record in the batch. None if the batch has no
    /// records.
    pub range: Option<[SequenceNumber; 2]>,
    /// Number of the batch's current invocation, or of its next invocation if none runs. The first
    /// invocation has the number 1.
    pub attempt: u32,
    /// Time of the next invocation with the batch. None if the batch does not wait for a retry.
    pub next_try: Option<Timestamp>,
    /// Beginning of the function's answer to the last failed invocation with the batch. None if no
    /// invocation has failed.
    pub last_error: Option<Arc<str>>,
}

/// The state of a lane, as drains and the paths under `/_minikin/` report it.
#[derive(Debug, Clone, Default)]
pub struct LaneView {
    /// The phase of the lane's work.
    pub phase: LanePhase,
    /// Number of records of the lane that are not in a batch yet.
    pub queued: usize,
    /// The batch that the lane delivers or is about to retry. None if the lane has no batch.
    pub batch: Option<BatchView>,
    /// End of the delay that an injected fault causes in the lane's running task. None if no fault
    /// delays the task.
    pub delayed_until: Option<Timestamp>,
}

/// The state of a mapping's work on a shard, as drains and the paths under `/_minikin/` report it.
#[derive(Debug, Clone, Default)]
pub struct ShardView {
    /// The lanes of the shard, by index.
    pub lanes: Vec<LaneView>,
    /// Sequence number of the last record before the mapping's position. The mapping is done with
    /// this record and with all earlier records. None if there is no such record yet.
    pub position: Option<SequenceNumber>,
    /// Index, in the shard's log, of the record after the record at `position`.
    pub next_index: u64,
    /// Index, in the shard's log, of the record after the last record that the mapping has read.
    pub read_index: u64,
    /// Arrival time of the record at `position`. None if `position` is None.
    pub last_arrival: Option<Timestamp>,
    /// Arrival time of the oldest record that the mapping has read and is not done with. None if
    /// there is no such record.
    pub oldest_undone: Option<Timestamp>,
    /// Number of records that the mapping has read and is not done with.
    pub undone: usize,
    /// True if the mapping has read ahead the maximum number of records. In this case a lane
    /// without progress delays the other lanes.
    pub is_full: bool,
    /// The tumbling window that has had an invocation and has not ended yet. None if no window is
    /// open.
    pub window: Option<Window>,
    /// Next time at which the shard's task continues its work by itself. None if the task waits for
    /// another event.
    pub deadline: Option<Timestamp>,
    /// Number of turns of the shard's task so far. In a turn, the task does all work that needs no
    /// wait.
    pub turns: u64,
    /// True if no lane has records, batches or a running task.
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

    /// Replaces the view, but keeps the delays of running tasks.
    pub(super) fn set(&self, mut view: ShardView) {
        let mut old = self.view.lock();
        for (lane, old) in view.lanes.iter_mut().zip(&old.lanes) {
            lane.delayed_until = old.delayed_until;
        }
        *old = view;
    }

    /// Sets the end of the delay that an injected fault causes in the task of a lane. At the end of
    /// the delay, the caller sets the value to None.
    pub(super) fn set_delay(&self, lane: usize, until: Option<Timestamp>) {
        if let Some(lane) = self.view.lock().lanes.get_mut(lane) {
            lane.delayed_until = until;
        }
    }

    /// Sets the phase of a lane immediately, before the next turn of the shard's task.
    pub(super) fn set_phase(&self, lane: usize, phase: LanePhase) {
        if let Some(lane) = self.view.lock().lanes.get_mut(lane) {
            lane.phase = phase;
        }
    }
}

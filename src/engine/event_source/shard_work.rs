//! The work of a mapping on one shard: the lanes, the open tumbling window and the position.

use super::batch::{Batch, Lane, RecordRef};
use super::context::Context;
use super::event_log::{Entry, EntryKind};
use super::lane_task::Inbox;
use super::mapping::{Mapping, Plan};
use super::saved;
use super::shard_status::{BatchView, LanePhase, LaneView, ShardStatus, ShardView};
use crate::engine::{Shard, Stream};
use crate::limits;
use crate::model::SequenceNumber;
use crate::model::event_source::{EventHead, Progress, ShardPosition, Window};
use crate::store::BellRegistration;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The state of the task that works on one shard of a mapping.
#[derive(Debug)]
pub(super) struct ShardWork {
    pub(super) context: Arc<Context>,
    pub(super) mapping: Arc<Mapping>,
    pub(super) stream: Arc<Stream>,
    pub(super) shard: Arc<Shard>,
    /// The value of `MappingState::restarts` when this task started. The task ends when the
    /// mapping's value differs from this value.
    pub(super) restarts: u64,
    pub(super) alarm: Alarm,
    pub(super) status: Arc<ShardStatus>,
    pub(super) inbox: Arc<Inbox>,
    /// Permits for a few events of the shard that need not wait for the in-flight budget.
    pub(super) own_events: Arc<Semaphore>,
    /// Rings the bell of the shard's task when records become visible. None before the first turn
    /// of the task, and while the mapping is paused.
    pub(super) follower: Option<BellRegistration>,
    pub(super) plan: Arc<Plan>,
    pub(super) head: Arc<EventHead>,
    pub(super) progress: Progress,
    /// Index, in the shard's log, of the record after the last record that was read.
    pub(super) read_index: u64,
    pub(super) lanes: Vec<Lane>,
    /// For each lane, an index before which the mapping is done with all records of this lane. The
    /// index may be greater than the position in the shard, which is common to all lanes.
    pub(super) lane_done: Vec<u64>,
    /// The open tumbling window, and the state that the last invocation returned for this window.
    /// None if no window is open.
    pub(super) window: Option<(Window, String)>,
    /// Earliest time of the next read of the shard (`event-source-poll-ms`). None if the task may
    /// read immediately.
    pub(super) next_read: Option<Timestamp>,
    /// Next time at which the task continues its work by itself. Every turn of the task sets this
    /// time anew. None if the task waits for another event.
    pub(super) deadline: Option<Timestamp>,
    turns: u64,
    saved: ShardPosition,
}

/// The parameters of [`ShardWork::begin`].
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) context: Arc<Context>,
    pub(super) mapping: Arc<Mapping>,
    pub(super) stream: Arc<Stream>,
    pub(super) shard: Arc<Shard>,
    pub(super) restarts: u64,
    pub(super) plan: Arc<Plan>,
    pub(super) position: ShardPosition,
}

impl ShardWork {
    pub(super) fn begin(beginning: Beginning) -> Self {
        let Beginning {
            context,
            mapping,
            stream,
            shard,
            restarts,
            plan,
            position,
        } = beginning;
        let alarm = context.world.clock.alarm();
        let status = ShardStatus::new(alarm.bell());
        let inbox = Arc::new(Inbox::new(alarm.bell()));
        let mut work = Self {
            head: Arc::new(head(&context, &mapping, &plan, &shard)),
            progress: Progress::starting_at(position.next, position.last),
            read_index: position.next,
            lanes: Vec::new(),
            lane_done: position.lanes.clone(),
            window: position.window.clone(),
            next_read: None,
            deadline: None,
            turns: 0,
            saved: position,
            follower: None,
            context,
            mapping,
            stream,
            shard,
            restarts,
            alarm,
            status,
            inbox,
            own_events: Arc::new(Semaphore::new(limits::EVENT_SOURCE_OWN_EVENTS)),
            plan,
        };
        work.divide();
        work
    }

    /// Creates as many lanes as the mapping's parallelization factor demands. A change of the
    /// factor drops the progress of the old lanes, so that some records may be delivered again.
    fn divide(&mut self) {
        let factor = self.plan.settings.factor as usize;
        self.lanes.resize_with(factor, Lane::default);
        if self.lane_done.len() != factor {
            self.lane_done = vec![0; factor];
        }
    }

    /// Applies `plan`, the new settings of the mapping, to the next batches, and returns true. If
    /// the number of lanes changes, the plan can be applied only when no lane task runs, and the
    /// waiting batches are then dropped. If the filters change, the plan can be applied only when
    /// all batches have ended. Until then, this function applies nothing and returns false, and the
    /// caller calls it again in the next turn.
    pub(super) fn apply_plan(&mut self, plan: Arc<Plan>, now: Timestamp) -> bool {
        if Arc::ptr_eq(&self.plan, &plan) {
            return true;
        }
        let (old, new) = (&self.plan.settings, &plan.settings);
        let is_divided_anew = new.factor != old.factor;
        let is_chosen_anew = new.filters != old.filters;
        if is_divided_anew && self.is_busy() {
            return false;
        }
        if is_chosen_anew && !is_divided_anew && self.end_batches(now) {
            return false;
        }
        if is_divided_anew || is_chosen_anew {
            self.drop_waiting();
        }
        if is_divided_anew {
            self.lanes.clear();
        }
        self.head = Arc::new(head(&self.context, &self.mapping, &plan, &self.shard));
        self.plan = plan;
        self.divide();
        true
    }

    /// Continues the batches that the lanes have, but forms no new batches. Returns true if a lane
    /// still has a batch.
    fn end_batches(&mut self, now: Timestamp) -> bool {
        let has_batch = |lane: &Lane| !lane.work.is_empty();
        for lane in 0..self.lanes.len() {
            if has_batch(&self.lanes[lane]) {
                self.advance(lane, now);
            }
        }
        self.lanes.iter().any(has_batch)
    }

    /// Drops the records and batches of all lanes. The mapping will read these records again, from
    /// its position in the shard on. Does nothing while a lane task runs.
    pub(super) fn drop_waiting(&mut self) {
        if self.is_busy() {
            return;
        }
        let undone: Vec<u64> = self
            .lanes
            .iter()
            .map(|lane| self.first_undone(lane))
            .collect();
        for (done, undone) in self.lane_done.iter_mut().zip(undone) {
            *done = (*done).max(undone);
        }
        self.lanes.iter_mut().for_each(Lane::forget);
        self.progress.forget();
        self.read_index = self.progress.next();
    }

    /// Returns the index before which the mapping is done with all records of `lane`.
    fn first_undone(&self, lane: &Lane) -> u64 {
        first_undone(lane).map_or(self.read_index, |record| record.index)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.lanes.iter().any(|lane| lane.busy.is_some())
    }

    /// True if the shard is closed and the mapping is done with all records of the shard.
    pub(super) fn is_finished(&self, now: Timestamp) -> bool {
        self.window.is_none()
            && self.lanes.iter().all(Lane::is_idle)
            && self
                .shard
                .is_exhausted(self.shard.position(self.read_index, now))
    }

    pub(super) fn number(&self, record: &RecordRef) -> SequenceNumber {
        self.shard.number(record.index, record.arrival)
    }

    /// Returns a new batch of `records`, with the present plan of the mapping.
    pub(super) fn new_batch(&self, records: Vec<RecordRef>) -> Batch {
        Batch::new(self.context.uuid(), self.plan.clone(), records)
    }

    /// Sets the deadline of the task to `moment`, unless the task already has an earlier deadline.
    pub(super) fn await_time(&mut self, moment: Timestamp) {
        self.deadline = Some(self.deadline.map_or(moment, |known| known.min(moment)));
    }

    /// Returns a new entry for the event log, which reports `batch`.
    pub(super) fn note(
        &self,
        kind: EntryKind,
        lane: usize,
        batch: &Batch,
        now: Timestamp,
    ) -> Entry {
        let (first, last) = (batch.records().first(), batch.records().last());
        let range = first.zip(last);
        Entry {
            shard: Some(self.shard.id),
            lane: u32::try_from(lane).ok(),
            request_id: Some(batch.id),
            range: range.map(|(first, last)| (self.number(first), self.number(last))),
            records: Some(batch.records().len()),
            attempt: Some(batch.next_attempt()),
            ..Entry::new(kind, now)
        }
    }

    /// Saves the mapping's position in the shard if the position has changed. Does not wait until
    /// the position is durable.
    pub(super) fn save_position(&mut self, now: Timestamp) {
        let lanes = if self.lanes.len() > 1 {
            let undone = self.lanes.iter().map(|lane| self.first_undone(lane));
            undone.collect()
        } else {
            Vec::new()
        };
        let position = ShardPosition {
            next: self.progress.next(),
            last: self.progress.last(),
            finished: self.saved.finished,
            lanes,
            window: self.window.clone(),
        };
        if position == self.saved {
            return;
        }
        if position.next != self.saved.next {
            let last = position.last;
            let number =
                last.map(|(index, ms)| self.shard.number(index, Timestamp::from_millis(ms)));
            self.mapping.note(Entry {
                shard: Some(self.shard.id),
                range: number.map(|number| (number, number)),
                ..Entry::new(EntryKind::Position, now)
            });
        }
        self.save(position, now);
    }

    /// Saves in the mapping's position that the mapping is done with the whole shard.
    pub(super) fn save_end(&mut self, now: Timestamp) {
        self.mapping.note(Entry {
            shard: Some(self.shard.id),
            ..Entry::new(EntryKind::ShardFinished, now)
        });
        let position = ShardPosition {
            next: self.read_index.max(self.progress.next()),
            last: self.progress.last(),
            finished: true,
            ..ShardPosition::default()
        };
        self.save(position, now);
    }

    fn save(&mut self, position: ShardPosition, now: Timestamp) {
        self.saved = position.clone();
        let mut state = self.mapping.state.lock();
        let is_ours =
            state.restarts == self.restarts && state.incarnation == Some(self.stream.incarnation);
        // The deletion of a stream removes the positions in the stream. The later end of a batch
        // must not save a removed position again.
        if !is_ours || state.is_removed || state.stream.is_none() {
            return;
        }
        let mut changes = vec![saved::position(
            &self.mapping,
            (self.stream.incarnation, self.shard.id),
            &position,
        )];
        state.positions.insert(self.shard.id, position);
        if state.is_unsaved {
            changes.extend(saved::mapping(&self.mapping, &mut state, now));
        }
        let _kept = self.context.store.save(changes);
    }

    /// Publishes a view of this work for the paths under `/_minikin/`.
    pub(super) fn publish(&mut self) {
        self.turns += 1;
        let lanes: Vec<LaneView> = self.lanes.iter().map(|lane| self.lane_view(lane)).collect();
        let last = self.progress.last();
        let arrival = last.map(|(_, ms)| Timestamp::from_millis(ms));
        self.status.set(ShardView {
            is_idle: self.lanes.iter().all(Lane::is_idle),
            lanes,
            position: last
                .zip(arrival)
                .map(|((index, _), arrival)| self.shard.number(index, arrival)),
            next_index: self.progress.next(),
            read_index: self.read_index,
            last_arrival: arrival,
            oldest_undone: self
                .lanes
                .iter()
                .filter_map(first_undone)
                .map(|record| record.arrival)
                .min(),
            undone: self.progress.undone(),
            is_full: self.is_full(),
            window: self.window.as_ref().map(|(window, _)| *window),
            deadline: self.deadline,
            turns: self.turns,
        });
        self.context.note_activity();
    }

    fn lane_view(&self, lane: &Lane) -> LaneView {
        let batch = lane.work.last();
        LaneView {
            phase: lane.phase(),
            queued: lane.queue.len(),
            batch: batch.map(|batch| BatchView {
                request_id: batch.id,
                records: batch.records().len(),
                range: batch
                    .records()
                    .first()
                    .zip(batch.records().last())
                    .map(|(first, last)| [self.number(first), self.number(last)]),
                attempt: batch.next_attempt(),
                next_try: batch
                    .wait_until
                    .filter(|_| lane.phase() == LanePhase::BackingOff),
                last_error: batch.last_error.clone(),
            }),
            delayed_until: None,
        }
    }
}

/// Returns the oldest record of the lane that the mapping is not done with. None if the lane has no
/// such record.
fn first_undone(lane: &Lane) -> Option<&RecordRef> {
    let working = lane.work.last().and_then(|batch| batch.records().first());
    working.or_else(|| lane.queue.front())
}

/// Returns the members of an event entry that are the same for all records of the shard.
pub(super) fn head(context: &Context, mapping: &Mapping, plan: &Plan, shard: &Shard) -> EventHead {
    let functions = &context.outbound.functions;
    let function = functions.find(&plan.function.name, plan.function.qualifier.as_deref());
    let account = plan.function.scope.account;
    let configured = function.as_ref().and_then(|function| function.role());
    let role = configured.map_or_else(
        || format!("arn:aws:iam::{account}:role/minikin"),
        str::to_owned,
    );
    let region = mapping.source.stream().scope.region.as_str();
    EventHead::new(shard.id, &mapping.source.to_string(), region, &role)
}

//! Drains. A drain is a request that waits until mappings are done with all records.

use super::mapping::Mapping;
use super::registry::EventSources;
use super::shard_status::{LanePhase, LaneView, ShardView};
use crate::engine::{Stream, StreamState};
use crate::model::{ShardId, StreamStatus};
use crate::world::{Clock, RealDeadline, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The parameters of a drain: its time limits, and the permission to advance a virtual clock.
#[derive(Debug, Clone, Copy)]
pub struct DrainRequest {
    /// The longest time that the drain waits, in real time. Default: 30 seconds.
    pub timeout: Duration,
    /// True if the drain may advance a virtual clock. The drain advances the clock to the next
    /// deadline of a mapping whenever the mappings have no work to do before this deadline.
    /// Default: false.
    pub advance: bool,
    /// The longest time by which the drain advances a virtual clock in total, in milliseconds.
    /// Default: one day.
    pub most_advance_ms: i64,
    /// True if an open tumbling window counts as remaining work. False if the drain ignores open
    /// tumbling windows. Default: false.
    pub windows: bool,
}

impl Default for DrainRequest {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            advance: false,
            most_advance_ms: 86_400_000,
            windows: false,
        }
    }
}

/// Work in a shard that a mapping has still to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingWork {
    /// UUID of the mapping that has the work.
    pub mapping: String,
    /// The shard that contains the work.
    pub shard: ShardId,
    /// A description of the work, in words for a person, such as `records to read`.
    pub description: String,
    /// Time at which the mapping continues the work by itself. None if the work waits for another
    /// event, such as the end of an invocation.
    pub deadline: Option<Timestamp>,
}

/// Reason why a drain ended before the mappings were done with all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrainError {
    /// The time limit of the drain passed. Holds the remaining work.
    TimedOut(Vec<RemainingWork>),
    /// The remaining work waits for a deadline of the virtual clock, but the drain may not advance
    /// the clock to this deadline. Holds the remaining work.
    NeedsTime(Vec<RemainingWork>),
}

impl EventSources {
    /// Waits until `mapping` is done with all records. If `mapping` is None, waits for all
    /// mappings.
    ///
    /// # Errors
    /// Returns an error if the time limit passed, or if a virtual clock would have to advance
    /// further than the request permits. Both errors contain the remaining work.
    pub async fn drain(
        &self,
        mapping: Option<&Arc<Mapping>>,
        request: DrainRequest,
    ) -> Result<(), DrainError> {
        let deadline = RealDeadline::lasting(request.timeout);
        let draining = self.drained(mapping, request);
        match deadline.with(draining).await {
            Some(result) => result,
            None => Err(DrainError::TimedOut(self.remaining_work(mapping, request))),
        }
    }

    async fn drained(
        &self,
        mapping: Option<&Arc<Mapping>>,
        request: DrainRequest,
    ) -> Result<(), DrainError> {
        let clock = self.context().world.clock.clone();
        let began = clock.now();
        let last = began.plus_millis(request.most_advance_ms);
        let mut activity = self.context().activity.subscribe();
        loop {
            activity.mark_unchanged();
            if let Clock::Virtual(clock) = &clock {
                // `settle_now` returns when every task waits. Therefore the list of remaining work
                // below is exact.
                clock.settle_now().await;
            }
            let remaining = self.remaining_work(mapping, request);
            if remaining.is_empty() {
                return Ok(());
            }
            let next = remaining.iter().filter_map(|work| work.deadline).min();
            match (&clock, next) {
                (Clock::Virtual(clock), Some(next)) if request.advance && next <= last => {
                    clock.advance_to(next).await;
                }
                (Clock::Virtual(_), Some(_)) => return Err(DrainError::NeedsTime(remaining)),
                _ => {
                    let _moved = activity.changed().await;
                }
            }
        }
    }

    /// Returns the remaining work of `mapping`, or of all mappings if `mapping` is None. `request`
    /// says whether open tumbling windows count.
    pub fn remaining_work(
        &self,
        mapping: Option<&Arc<Mapping>>,
        request: DrainRequest,
    ) -> Vec<RemainingWork> {
        let now = self.context().world.clock.now();
        let mappings = match mapping {
            Some(mapping) => vec![mapping.clone()],
            None => self.all(),
        };
        let remaining = mappings
            .iter()
            .flat_map(|mapping| remaining_work_of(mapping, request, now));
        remaining.collect()
    }
}

fn remaining_work_of(
    mapping: &Mapping,
    request: DrainRequest,
    now: Timestamp,
) -> Vec<RemainingWork> {
    let views = mapping.shards();
    let is_active = mapping.is_active(now);
    let mut remaining = Vec::new();
    let mut note = |shard: &ShardId, description: String, deadline| {
        remaining.push(RemainingWork {
            mapping: mapping.uuid.to_string(),
            shard: *shard,
            description,
            deadline,
        });
    };
    for (shard, view) in &views {
        let is_under_way = view.lanes.iter().any(is_under_way);
        let delayed_until = view.lanes.iter().filter_map(|lane| lane.delayed_until);
        let is_at_rest = view.is_idle && (view.window.is_none() || !request.windows);
        if !is_at_rest && (is_active || is_under_way) {
            let deadline = view.deadline.filter(|_| !is_under_way);
            note(shard, in_hand(view), deadline.or(delayed_until.min()));
        }
    }
    let begins = mapping.begins(now);
    let stream = mapping.stream();
    let stream = stream.filter(|_| is_active || begins.is_some());
    // A stream in CREATING has no readable shards yet. The mapping can start its work when this
    // status ends.
    let created = stream.as_ref().and_then(|stream| {
        let creation = |state: &StreamState| (state.status, state.due);
        let (status, due) = stream.look(creation);
        due.filter(|_| status == StreamStatus::Creating)
    });
    for (shard, description, deadline) in stream
        .iter()
        .flat_map(|stream| work_outside_lanes(mapping, stream, &views, now))
    {
        note(
            &shard,
            description.to_owned(),
            deadline.or(begins).or(created),
        );
    }
    remaining
}

fn is_under_way(lane: &LaneView) -> bool {
    matches!(
        lane.phase,
        LanePhase::Invoking | LanePhase::Delivering | LanePhase::Blocked
    )
}

/// Returns a description of the work in the lanes of a shard, in words for a person.
fn in_hand(view: &ShardView) -> String {
    let lanes = view
        .lanes
        .iter()
        .filter(|lane| lane.phase != LanePhase::Idle);
    let words: Vec<String> = lanes
        .map(|lane| match &lane.batch {
            Some(batch) => format!(
                "{}: batch {} of {} records, attempt {}",
                lane.phase.as_str(),
                batch.request_id,
                batch.records,
                batch.attempt
            ),
            None => format!("{}: {} records", lane.phase.as_str(), lane.queued),
        })
        .collect();
    if words.is_empty() {
        return "an open tumbling window".to_owned();
    }
    words.join("; ")
}

/// Returns the work of `mapping` that is in no lane. The work is in the shards with records that
/// the mapping has still to read, and in the shards whose task has still to begin or to finish. For
/// each shard, the result contains a description and a deadline of the work. The deadline is None
/// if the work waits for another event.
fn work_outside_lanes(
    mapping: &Mapping,
    stream: &Stream,
    views: &BTreeMap<ShardId, ShardView>,
    now: Timestamp,
) -> Vec<(ShardId, &'static str, Option<Timestamp>)> {
    let positions = mapping.positions();
    let mut work = Vec::new();
    for shard in stream.listed_shards(now) {
        let is_finished = positions
            .get(&shard.id)
            .is_some_and(|position| position.finished);
        let Some(working) = stream
            .readable_shard(shard.id, now)
            .filter(|_| !is_finished)
        else {
            continue;
        };
        let mut parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
        match views.get(&shard.id) {
            None if parents.any(|parent| views.contains_key(&parent)) => {
                work.push((shard.id, "waiting for parent", None));
            }
            None => work.push((shard.id, "about to begin", None)),
            Some(view) if !shard.is_open() && view.is_idle => {
                work.push((shard.id, "about to finish", view.deadline));
            }
            Some(view) if view.is_idle && view.read_index < working.end() => {
                work.push((shard.id, "records to read", view.deadline));
            }
            Some(_) => {}
        }
    }
    work
}

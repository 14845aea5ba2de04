//! Waiting until mappings have nothing left to do.

use super::mapping::Mapping;
use super::registry::EventSources;
use super::shard_status::{LanePhase, LaneView, ShardView};
use crate::engine::Stream;
use crate::model::ShardId;
use crate::world::{Clock, RealDeadline, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The conditions and the limits of a drain.
#[derive(Debug, Clone, Copy)]
pub struct DrainRequest {
    /// For how long, in real time.
    pub timeout: Duration,
    /// Moves a virtual clock to the next deadline of a mapping, again and again.
    pub advance: bool,
    /// By how much the clock is moved at most, in milliseconds.
    pub most_advance_ms: i64,
    /// Open tumbling windows count, too.
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

/// Work that is left in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The UUID of the mapping.
    pub mapping: String,
    /// The shard.
    pub shard: ShardId,
    /// In words.
    pub what: String,
    /// The moment at which time alone lets the work go on.
    pub deadline: Option<Timestamp>,
}

/// The reason for which mappings are not drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrainError {
    /// The time is over.
    TimedOut(Vec<Left>),
    /// Only the clock's time is missing, which stands.
    NeedsTime(Vec<Left>),
}

impl EventSources {
    /// Returns when nothing is left to do for `mapping`, or for any mapping.
    ///
    /// # Errors
    /// What is left to do.
    pub async fn drain(
        &self,
        mapping: Option<&Arc<Mapping>>,
        request: DrainRequest,
    ) -> Result<(), DrainError> {
        let deadline = RealDeadline::lasting(request.timeout);
        let draining = self.drained(mapping, request);
        match deadline.with(draining).await {
            Some(result) => result,
            None => Err(DrainError::TimedOut(self.left(mapping, request))),
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
                // Returns when every task waits: for records, for a time, or for nothing.
                clock.settle_now().await;
            }
            let left = self.left(mapping, request);
            if left.is_empty() {
                return Ok(());
            }
            let next = left.iter().filter_map(|left| left.deadline).min();
            match (&clock, next) {
                (Clock::Virtual(clock), Some(next)) if request.advance && next <= last => {
                    clock.advance_to(next).await;
                }
                (Clock::Virtual(_), Some(_)) => return Err(DrainError::NeedsTime(left)),
                _ => {
                    let _moved = activity.changed().await;
                }
            }
        }
    }

    /// Lists the work that is left.
    pub fn left(&self, mapping: Option<&Arc<Mapping>>, request: DrainRequest) -> Vec<Left> {
        let now = self.context().world.clock.now();
        let mappings = match mapping {
            Some(mapping) => vec![mapping.clone()],
            None => self.all(),
        };
        let left = mappings
            .iter()
            .flat_map(|mapping| left_of(mapping, request, now));
        left.collect()
    }
}

fn left_of(mapping: &Mapping, request: DrainRequest, now: Timestamp) -> Vec<Left> {
    let views = mapping.shards();
    let is_active = mapping.is_active(now);
    let mut left = Vec::new();
    let mut note = |shard: &ShardId, what: String, deadline| {
        left.push(Left {
            mapping: mapping.uuid.to_string(),
            shard: *shard,
            what,
            deadline,
        });
    };
    for (shard, view) in &views {
        let is_under_way = view.lanes.iter().any(is_under_way);
        let is_at_rest = view.is_idle && (view.window.is_none() || !request.windows);
        if !is_at_rest && (is_active || is_under_way) {
            note(
                shard,
                in_hand(view),
                view.deadline.filter(|_| !is_under_way),
            );
        }
    }
    let stream = mapping.stream().filter(|_| is_active);
    for (shard, what, deadline) in stream
        .iter()
        .flat_map(|stream| unread(mapping, stream, &views, now))
    {
        note(&shard, what.to_owned(), deadline);
    }
    left
}

fn is_under_way(lane: &LaneView) -> bool {
    matches!(
        lane.phase,
        LanePhase::Invoking | LanePhase::Delivering | LanePhase::Blocked
    )
}

/// The work in the lanes of a shard, in words.
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

/// Shards whose records are not all read.
fn unread(
    mapping: &Mapping,
    stream: &Stream,
    views: &BTreeMap<ShardId, ShardView>,
    now: Timestamp,
) -> Vec<(ShardId, &'static str, Option<Timestamp>)> {
    let positions = mapping.positions();
    let mut unread = Vec::new();
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
                unread.push((shard.id, "waiting for parent", None));
            }
            None => unread.push((shard.id, "about to begin", None)),
            Some(view) if !shard.is_open() && view.is_idle => {
                unread.push((shard.id, "about to finish", view.deadline));
            }
            Some(view) if view.is_idle && view.read_index < working.end() => {
                unread.push((shard.id, "records to read", view.deadline));
            }
            Some(_) => {}
        }
    }
    unread
}

//! The task of a mapping. The task sets the starting positions, and removes the mapping after its
//! deletion. For each shard, it starts another task after the parents of the shard are finished.

use super::context::Context;
use super::mapping::{Mapping, ProcessingResult};
use super::mapping_list::Mappings;
use super::runner;
use super::saved;
use super::shard_work::{Beginning, ShardWork};
use crate::engine::Stream;
use crate::model::event_source::{ShardPosition, Source, StartingPosition};
use crate::model::{Shard, ShardId, StreamStatus};
use crate::store::StoreError;
use crate::world::{Alarm, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs the task of a mapping until the mapping is removed or the engine stops.
pub(super) async fn run(
    context: Arc<Context>,
    mappings: Arc<Mappings>,
    mapping: Arc<Mapping>,
    mut alarm: Alarm,
) {
    let mut stop = context.stop.clone();
    loop {
        let now = context.world.clock.now();
        if end_if_due(&context, &mappings, &mapping, now) {
            return;
        }
        let deadline = work(&context, &mapping, now).await;
        context.note_activity();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = alarm.wait(deadline) => {}
        }
    }
    let mut state = mapping.state.lock();
    if state.is_unsaved {
        let changes = saved::mapping(&mapping, &mut state, context.world.clock.now());
        let _kept = context.store.save(changes);
    }
}

/// Removes a deleted mapping from the list of mappings after the mapping's state `Deleting` has
/// ended. Returns true if the mapping was removed and no task of its shards runs any more.
fn end_if_due(
    context: &Context,
    mappings: &Mappings,
    mapping: &Arc<Mapping>,
    now: Timestamp,
) -> bool {
    let mut state = mapping.state.lock();
    if !state.is_deleting() || state.passing(now).is_some() {
        return false;
    }
    if !state.is_removed {
        state.is_removed = true;
        let _kept = context.store.save(saved::removed(mapping, &state));
        state.positions.clear();
    }
    let is_over = state.runners.is_empty();
    drop(state);
    mappings.forget(mapping);
    is_over
}

/// Does the work of the mapping that is due at `now`. Returns the time at which the mapping has
/// more work. This time is the end of the mapping's temporary state, or the next attempt after an
/// error of the store. Returns None if no such time is known.
async fn work(context: &Arc<Context>, mapping: &Arc<Mapping>, now: Timestamp) -> Option<Timestamp> {
    let (is_active, until, stream) = {
        let state = mapping.state.lock();
        let until = state.passing.map(|(_, until)| until);
        let until = until.filter(|until| now < *until);
        (state.is_active(now), until, state.stream.clone())
    };
    if !is_active {
        return until;
    }
    let Some(stream) = stream else {
        mapping.set_result(gone(&mapping.source), now);
        return until;
    };
    let status = stream.look(|state| state.status);
    if !matches!(status, StreamStatus::Active | StreamStatus::Updating) {
        return until;
    }
    if let Err(error) = fix_start(context, mapping, &stream, now).await {
        tracing::error!(%error, mapping = %mapping.uuid, "a mapping cannot begin to read");
        return Some(now.plus_millis(context.back_off().most_ms));
    }
    start_ready(context, mapping, &stream);
    until
}

/// Returns the processing result of a mapping whose stream or consumer does not exist.
pub(super) const fn gone(source: &Source) -> ProcessingResult {
    match source {
        Source::Stream(_) => ProcessingResult::StreamGone,
        Source::Consumer(_) => ProcessingResult::ConsumerGone,
    }
}

/// True if the consumer that `source` names is ACTIVE. Always true if `source` is a stream.
pub(super) fn has_consumer(source: &Source, stream: &Stream) -> bool {
    let Source::Consumer(arn) = source else {
        return true;
    };
    stream.look(|state| {
        let consumer = state.consumers.get(arn.name.as_ref());
        consumer.is_some_and(|consumer| {
            let created_s = Timestamp::from_millis(consumer.created_ms).seconds();
            u64::try_from(created_s).ok() == Some(arn.created_s)
                // A consumer with a pending transition is in CREATING or DELETING.
                && consumer.due_ms.is_none()
                && !consumer.deleting
        })
    })
}

/// Sets the starting positions of the mapping in all shards, unless they are already set. For the
/// starting position LATEST, this function reads nothing and waits for nothing. Therefore a mapping
/// with LATEST delivers every record that a client puts after the answer to
/// CreateEventSourceMapping.
///
/// # Errors
/// Returns an error if the store cannot read the shards.
async fn fix_start(
    context: &Context,
    mapping: &Mapping,
    stream: &Stream,
    now: Timestamp,
) -> Result<(), StoreError> {
    fix_latest(context, mapping, stream, now);
    let (position, restarts) = {
        let state = mapping.state.lock();
        if state.is_started {
            return Ok(());
        }
        (state.position, state.restarts)
    };
    let mut from = stream.horizon(now);
    if let StartingPosition::AtTimestamp(seconds) = position {
        from = from.max(Timestamp::from_millis(seconds.saturating_mul(1000)));
    }
    let mut positions = BTreeMap::new();
    for shard in stream.held_shards().iter() {
        let position = ShardPosition {
            next: shard.index_at_time(from).await?,
            // All records of a shard that is not readable expired before the mapping began.
            finished: stream.readable_shard(shard.id, now).is_none(),
            ..ShardPosition::default()
        };
        positions.insert(shard.id, position);
    }
    begin(context, mapping, stream, (restarts, positions), now);
    Ok(())
}

/// Sets the starting positions of a mapping in all shards of its stream, if the mapping's starting
/// position is LATEST. Reads the ends of all shards under one lock. Does nothing if the positions
/// are set already.
pub(super) fn fix_latest(context: &Context, mapping: &Mapping, stream: &Stream, now: Timestamp) {
    let restarts = {
        let state = mapping.state.lock();
        if state.position != StartingPosition::Latest || state.is_started {
            return;
        }
        state.restarts
    };
    let positions = stream.look(|state| {
        let position = |shard: &Arc<crate::engine::Shard>| ShardPosition {
            next: shard.end(),
            finished: !shard.description().is_open(),
            ..ShardPosition::default()
        };
        let shards = state.shards.iter();
        shards.map(|(id, shard)| (*id, position(shard))).collect()
    });
    begin(context, mapping, stream, (restarts, positions), now);
}

/// Sets the starting positions of a mapping, and saves them. `restarts` is the value of
/// `MappingState::restarts` at the time when the caller found the positions. If the value has
/// changed since then, the mapping was reset, and this function does nothing.
fn begin(
    context: &Context,
    mapping: &Mapping,
    stream: &Stream,
    (restarts, positions): (u64, BTreeMap<ShardId, ShardPosition>),
    now: Timestamp,
) {
    let mut state = mapping.state.lock();
    if state.is_started || state.is_removed || state.restarts != restarts {
        return;
    }
    state.is_started = true;
    state.incarnation = Some(stream.incarnation);
    let mut changes: Vec<_> = positions
        .iter()
        .map(|(shard, position)| saved::position(mapping, (stream.incarnation, *shard), position))
        .collect();
    state.positions = positions;
    changes.extend(saved::mapping(mapping, &mut state, now));
    let _kept = context.store.save(changes);
}

/// Starts the tasks of the shards whose parents are finished or removed. Child shards wait for
/// their parents, so that the records of a partition key are delivered in order. A shard also gets
/// a task if all its records have expired: the task discards these records.
fn start_ready(context: &Arc<Context>, mapping: &Arc<Mapping>, stream: &Arc<Stream>) {
    let held = stream.held_shards();
    let described: Vec<Shard> = held.iter().map(|shard| shard.description()).collect();
    for (working, shard) in held.iter().zip(&described) {
        let mut state = mapping.state.lock();
        let is_stale = state.incarnation != Some(stream.incarnation) || state.is_deleting();
        if is_stale || !is_ready(shard, &described, &state.positions) {
            continue;
        }
        let position = state.positions.get(&shard.id).cloned().unwrap_or_default();
        if position.finished || state.runners.contains_key(&shard.id) {
            continue;
        }
        let (restarts, plan) = (state.restarts, state.plan.clone());
        // The task is inserted into `runners` before the lock is released, so that no second task
        // starts for the shard.
        let work = ShardWork::begin(Beginning {
            context: context.clone(),
            mapping: mapping.clone(),
            stream: stream.clone(),
            shard: working.clone(),
            restarts,
            plan,
            position,
        });
        state.runners.insert(shard.id, work.status.clone());
        drop(state);
        context.tasks.spawn("mapped shard", runner::run(work));
    }
}

fn is_ready(shard: &Shard, held: &[Shard], positions: &BTreeMap<ShardId, ShardPosition>) -> bool {
    let is_done = |parent: ShardId| {
        let is_finished = positions
            .get(&parent)
            .is_some_and(|position| position.finished);
        is_finished || held.iter().all(|shard| shard.id != parent)
    };
    let mut parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
    parents.all(is_done)
}

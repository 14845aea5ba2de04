//! Writes event source mappings as JSON objects.

use crate::engine::event_source::{
    BatchView, Entry, EventSources, Failure, LanePhase, LaneView, Mapping, Redelivered,
    RemainingWork, ShardView,
};
use crate::limits;
use crate::model::event_source::ShardPosition;
use crate::model::{Shard, ShardId};
use crate::world::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The JSON object of an event source mapping in the list of mappings.
pub(super) fn summary(sources: &EventSources, mapping: &Mapping, now: Timestamp) -> Value {
    let view = mapping.view(now);
    json!({
        "UUID": mapping.uuid.to_string(),
        "EventSourceArn": mapping.source.to_string(),
        "FunctionArn": view.function.to_string(),
        "URLs": sources.addresses(&view.function),
        "State": view.state,
        "Status": if view.has_stream { "reading" } else { "waiting for stream" },
        "LastProcessingResult": view.result,
        "Shards": mapping.shards().len(),
        "Failures": mapping.failures().len(),
    })
}

/// The JSON object of a single mapping: the members that it has in the list of mappings, and the
/// state of each of its shards.
pub(in crate::http) fn details(sources: &EventSources, mapping: &Mapping, now: Timestamp) -> Value {
    let mut shown = summary(sources, mapping, now);
    let (views, positions) = (mapping.shards(), mapping.positions());
    let behind = mapping.records_behind(now);
    let stream = mapping.stream();
    let listed = stream
        .as_ref()
        .map(|stream| stream.listed_shards(now))
        .unwrap_or_default();
    let shards: Vec<Value> = listed
        .iter()
        .map(|shard| {
            let parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
            let view = views.get(&shard.id);
            let status = match view {
                _ if is_finished(&positions, shard.id) => "finished",
                Some(view) => status(view),
                None if awaits(parents, &listed, &positions) => "waiting for parent",
                None => LanePhase::Idle.as_str(),
            };
            let working = stream
                .as_ref()
                .and_then(|stream| stream.readable_shard(shard.id, now));
            let newest = working.as_ref().and_then(|working| working.newest_number());
            let mut shown = json!({
                "NewestSequenceNumber": newest.map(|number| number.to_string()),
                "ShardId": shard.id.to_string(),
                "Status": status,
                "RecordsBehind": behind.get(&shard.id).copied().unwrap_or(0),
            });
            if let Some(view) = view {
                let is_behind = working.is_some_and(|working| view.next_index < working.end());
                add_work(&mut shown, view, is_behind, now);
            }
            shown
        })
        .collect();
    shown["Shards"] = shards.into();
    shown
}

/// True if the mapping is done with all records of a shard.
fn is_finished(positions: &BTreeMap<ShardId, ShardPosition>, shard: ShardId) -> bool {
    let position = positions.get(&shard);
    position.is_some_and(|position| position.finished)
}

/// True if the mapping has not finished one of the shards `parents`, and the stream still lists
/// this shard.
fn awaits(
    mut parents: impl Iterator<Item = ShardId>,
    listed: &[Shard],
    positions: &BTreeMap<ShardId, ShardPosition>,
) -> bool {
    let is_listed = |parent| listed.iter().any(|shard| shard.id == parent);
    parents.any(|parent| is_listed(parent) && !is_finished(positions, parent))
}

/// Adds members to `shown`, the JSON object of a shard. They describe the progress of the task that
/// reads the shard.
fn add_work(shown: &mut Value, view: &ShardView, is_behind: bool, now: Timestamp) {
    let oldest = view.oldest_undone.or(view.last_arrival);
    let behind_ms = oldest
        .filter(|_| is_behind)
        .map(|oldest| now.millis_since(oldest));
    shown["Position"] = view.position.map(|number| number.to_string()).into();
    shown["MillisBehind"] = behind_ms.unwrap_or(0).into();
    shown["Undone"] = view.undone.into();
    shown["ReadAheadFull"] = view.is_full.into();
    shown["Lanes"] = view.lanes.iter().map(lane).collect();
    shown["NextDeadlineMs"] = view.deadline.map(Timestamp::millis).into();
    if let Some(window) = &view.window {
        let [start, end] = window.bounds();
        shown["Window"] = json!({ "start": start, "end": end });
    }
}

/// The phase of a mapping in one shard. If the lanes of the shard are in different phases, the
/// phase with the highest priority counts. `BackingOff` has the highest priority, and `Idle` has
/// the lowest.
fn status(view: &ShardView) -> &'static str {
    let order = [
        LanePhase::BackingOff,
        LanePhase::Blocked,
        LanePhase::Delivering,
        LanePhase::Invoking,
        LanePhase::Gathering,
    ];
    let has = |phase: &&LanePhase| view.lanes.iter().any(|lane| lane.phase == **phase);
    order.iter().find(has).unwrap_or(&LanePhase::Idle).as_str()
}

fn lane(lane: &LaneView) -> Value {
    json!({
        "Status": lane.phase.as_str(),
        "Queued": lane.queued,
        "Batch": lane.batch.as_ref().map(batch),
    })
}

fn batch(batch: &BatchView) -> Value {
    let range = batch
        .range
        .map(|range| range.map(|number| number.to_string()));
    json!({
        "RequestId": batch.request_id.to_string(),
        "Records": batch.records,
        "Range": range,
        "Attempt": batch.attempt,
        "NextTryMs": batch.next_try.map(Timestamp::millis),
        "LastError": batch.last_error.as_deref(),
    })
}

/// The JSON object of an entry in the event log of a mapping. Members without a value are omitted.
pub(in crate::http) fn entry(entry: &Entry) -> Value {
    let mut shown = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    add("Number", Some(entry.number.into()));
    add("TimeMs", Some(entry.time.millis().into()));
    add("Event", Some(entry.kind.as_str().into()));
    add("ShardId", entry.shard.map(|shard| shard.to_string().into()));
    add("Lane", entry.lane.map(Value::from));
    add(
        "RequestId",
        entry.request_id.map(|id| id.to_string().into()),
    );
    if let Some((first, last)) = entry.range {
        add("First", Some(first.to_string().into()));
        add("Last", Some(last.to_string().into()));
    }
    add("Records", entry.records.map(Value::from));
    add("Attempt", entry.attempt.map(Value::from));
    add("Status", entry.status.map(Value::from));
    add("DurationMs", entry.duration_ms.map(Value::from));
    add("Detail", entry.detail.as_deref().map(Value::from));
    add("Error", entry.error.as_deref().map(Value::from));
    Value::Object(shown)
}

/// The JSON object of a batch that a mapping has discarded.
pub(super) fn failure(failure: &Failure) -> Value {
    json!({
        "Number": failure.number,
        "Record": failure.record,
        "Payload": failure.payload.as_deref(),
    })
}

/// The JSON object about the redelivery of a discarded batch. In a redelivery, the mapping invokes
/// its function with the batch again.
pub(super) fn redelivery(redelivered: &Redelivered) -> Value {
    let body = redelivered.answer.text();
    let shown = &body[..body.len().min(limits::EVENT_SOURCE_ERROR_BYTES)];
    json!({
        "Outcome": redelivered.outcome,
        "Status": redelivered.answer.status(),
        "DurationMs": u64::try_from(redelivered.took.as_millis()).ok(),
        "Body": String::from_utf8_lossy(shown),
    })
}

/// The JSON object of work that a mapping has not finished. A drain waits until no such work
/// remains.
pub(super) fn remaining_work(work: &RemainingWork) -> Value {
    json!({
        "UUID": work.mapping,
        "ShardId": work.shard.to_string(),
        "What": work.description,
        "DeadlineMs": work.deadline.map(Timestamp::millis),
    })
}

//! An event source mapping: its definition, its state in Lambda's API, its positions and its
//! counters.

use super::event_log::{Entry, EntryKind, EventLog};
use super::shard_status::{ShardStatus, ShardView};
use crate::engine::{Shard, Stream, StreamState};
use crate::limits;
use crate::lock::Lock;
use crate::model::event_source::{
    Destination, Filters, FunctionArn, Refusal, Settings, ShardPosition, Source, StartingPosition,
};
use crate::model::{AccountRegion, ShardId};
use crate::world::{Bell, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use tokio::sync::watch;
use uuid::Uuid;

/// The origin of a mapping's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A request to Lambda's API created the mapping.
    Api,
    /// An option, the configuration file or a setup file defines the mapping.
    Options,
}

/// A temporary state of a mapping, which ends after a fixed time (`Context::transition_ms`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassingState {
    /// The mapping was just created, and does not deliver records yet.
    Creating,
    /// The mapping was just enabled, and does not deliver records yet.
    Enabling,
    /// The mapping was just disabled, and does not deliver records any more.
    Disabling,
    /// The settings of the mapping were just changed.
    Updating,
    /// The mapping was deleted. It disappears when this state ends.
    Deleting,
}

impl PassingState {
    /// Returns the name of the state, as the member `State` of Lambda's API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabling => "Enabling",
            Self::Disabling => "Disabling",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
        }
    }
}

/// The result of the last work of a mapping. Lambda's API shows the result as
/// `LastProcessingResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcessingResult {
    None,
    Ok,
    CallFailed,
    StreamGone,
    ConsumerGone,
}

impl ProcessingResult {
    const ALL: [Self; 5] = [
        Self::None,
        Self::Ok,
        Self::CallFailed,
        Self::StreamGone,
        Self::ConsumerGone,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "No records processed",
            Self::Ok => "OK",
            Self::CallFailed => "PROBLEM: Function call failed",
            Self::StreamGone => "PROBLEM: Stream not found",
            Self::ConsumerGone => "PROBLEM: Consumer not found",
        }
    }

    pub(super) fn read(text: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|result| result.as_str() == text)
            .unwrap_or(Self::None)
    }
}

/// The settings by which a mapping forms and delivers batches, with parsed filters. An update of
/// the mapping replaces the plan. The new plan applies from the next batch on, because a batch
/// keeps the plan with which it was formed.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) filters: Filters,
    pub(super) function: FunctionArn,
    pub(super) destination: Option<Destination>,
}

impl Plan {
    /// Creates the plan of `settings` and `function`. Parses the filters and the on-failure
    /// destination.
    ///
    /// # Errors
    /// Returns a refusal if a filter pattern of the settings is invalid.
    pub(super) fn new(settings: Settings, function: FunctionArn) -> Result<Arc<Self>, Refusal> {
        Ok(Arc::new(Self {
            filters: Filters::read(&settings.filters)?,
            destination: settings.on_failure.as_deref().and_then(Destination::parse),
            settings,
            function,
        }))
    }

    /// The maximum record age in milliseconds. None if the age is not limited.
    pub(super) fn max_age_ms(&self) -> Option<i64> {
        let seconds = self.settings.max_age_s?;
        Some(i64::from(seconds) * 1000)
    }

    /// Returns the time at which a record of `stream` with the arrival time `arrival` becomes too
    /// old for delivery. The age limit is the maximum record age or the stream's retention period,
    /// whichever is shorter.
    pub(super) fn expires(&self, arrival: Timestamp, stream: &Stream) -> Timestamp {
        let retention_ms = stream.look(StreamState::retention_ms);
        let age_ms = self.max_age_ms().unwrap_or(i64::MAX);
        arrival.plus_millis(age_ms.min(retention_ms))
    }
}

/// Counts of a mapping's invocations and records since the start of the emulator.
#[derive(Debug, Default)]
pub struct Counters {
    /// Number of invocations with each outcome. The outcomes are, in this order: success, partial
    /// success, error, not reached.
    pub invocations: [AtomicU64; 4],
    /// Number of records that the mapping read from the shards.
    pub polled: AtomicU64,
    /// Number of read records that the mapping does not deliver, because the filters dropped them
    /// or because the mapping is already done with them.
    pub filtered: AtomicU64,
    /// Number of records that the mapping passed to the function. A record counts again in every
    /// retry.
    pub invoked: AtomicU64,
    /// Number of records that the mapping passed to the function in failed invocations.
    pub failed_invoke: AtomicU64,
    /// Number of records in discarded batches without a delivered failure record.
    pub dropped: AtomicU64,
    /// Number of records in discarded batches whose failure record was delivered.
    pub on_failure_delivered: AtomicU64,
    /// Number of failure records that could not be delivered to the configured destination.
    pub destination_failures: AtomicU64,
    /// The iterator age, in milliseconds. This is the age of the last record in the last successful
    /// batch, measured at the end of the batch's invocation.
    pub iterator_age_ms: AtomicI64,
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}

/// A discarded batch. The paths under `/_minikin/` list the discarded batches of a mapping, and can
/// invoke the function again with a discarded batch.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Number of the failure within its mapping. The first failure has the number 1.
    pub number: u64,
    /// The failure record as JSON, without the event of the batch.
    pub record: Value,
    /// The event of the batch. None if the event was dropped, because the mapping bounds the total
    /// size of the events of its discarded batches.
    pub payload: Option<Arc<str>>,
}

/// An event source mapping, which delivers the records of a stream to a function.
#[derive(Debug)]
pub struct Mapping {
    /// UUID of the mapping.
    pub uuid: Uuid,
    /// Account and region of the mapping.
    pub scope: AccountRegion,
    /// The stream or consumer that the mapping reads.
    pub source: Source,
    /// The origin of the mapping's definition. A reset of the emulator removes the mappings that
    /// were created through the API.
    pub origin: Origin,
    /// Number of the mapping in the order in which mappings were created. The first mapping has the
    /// number 0.
    pub number: u64,
    /// Counts of the mapping's invocations and records since the start of the emulator.
    pub counters: Counters,
    pub(super) log: EventLog,
    pub(super) bell: Bell,
    pub(super) state: Lock<MappingState>,
}

/// The mutable state of a mapping.
#[derive(Debug)]
pub(super) struct MappingState {
    pub(super) plan: Arc<Plan>,
    /// The starting position of the mapping. A reset of the mapping can change this position.
    pub(super) position: StartingPosition,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) enabled: bool,
    /// The last temporary state of the mapping, and the time at which the state ends or has ended.
    /// None if the mapping has had no temporary state since the start of the emulator.
    pub(super) passing: Option<(PassingState, Timestamp)>,
    pub(super) modified: Timestamp,
    pub(super) result: ProcessingResult,
    /// True if this state has changes that are not saved in the catalog yet.
    pub(super) is_unsaved: bool,
    /// Time of the last warning that the function was not reached. None if there was no such
    /// warning since the start of the emulator.
    pub(super) warned: Option<Timestamp>,
    pub(super) saved_at: Timestamp,
    /// The stream that the mapping reads. None while the stream does not exist or, for a mapping of
    /// a consumer, while the consumer is not registered.
    pub(super) stream: Option<Arc<Stream>>,
    /// True after the starting positions were set. From then on, the mapping reads a shard without
    /// a position from the shard's first record.
    pub(super) is_started: bool,
    /// Incarnation number of the stream whose positions `positions` contains. None if the mapping
    /// has had no stream yet. A stream that is deleted and created again gets another incarnation
    /// number.
    pub(super) incarnation: Option<u64>,
    pub(super) positions: BTreeMap<ShardId, ShardPosition>,
    pub(super) runners: BTreeMap<ShardId, Arc<ShardStatus>>,
    /// Number of resets of the mapping, plus the number of times that another stream replaced the
    /// mapping's stream. The task of a shard ends if this number has grown since the task started.
    pub(super) restarts: u64,
    pub(super) failures: VecDeque<Failure>,
    pub(super) failure_bytes: usize,
    pub(super) failure_count: u64,
    /// True after the mapping was removed from the list of mappings.
    pub(super) is_removed: bool,
}

/// The instruction that a mapping gives to the task of one of its shards.
#[derive(Debug)]
pub(super) enum Directive {
    Run(Arc<Plan>),
    Pause,
    End,
}

/// The members that describe a mapping in the answers of Lambda's API.
#[derive(Debug, Clone)]
pub struct MappingView {
    /// The member `State`.
    pub state: &'static str,
    /// The member `LastProcessingResult`.
    pub result: &'static str,
    /// The members `StartingPosition` and `StartingPositionTimestamp`.
    pub position: StartingPosition,
    /// The member `LastModified`.
    pub modified: Timestamp,
    /// The settings that requests to Lambda's API can change.
    pub settings: Settings,
    /// The function that the mapping invokes.
    pub function: FunctionArn,
    /// The tags of the mapping, by key.
    pub tags: BTreeMap<String, String>,
    /// True if the stream exists and, for a mapping of a consumer, if the consumer is registered.
    pub has_stream: bool,
}

impl MappingState {
    /// Returns the temporary state of the mapping at `now`. None if the mapping is in no temporary
    /// state.
    pub(super) fn passing(&self, now: Timestamp) -> Option<PassingState> {
        let (state, until) = self.passing?;
        (now < until).then_some(state)
    }

    /// Returns the time at which a mapping that is being created or enabled begins to deliver
    /// records. None for a mapping that already delivers records or is disabled.
    pub(super) fn begins(&self, now: Timestamp) -> Option<Timestamp> {
        let (state, until) = self.passing.filter(|(_, until)| now < *until)?;
        let is_beginning = matches!(state, PassingState::Creating | PassingState::Enabling);
        (self.enabled && is_beginning).then_some(until)
    }

    /// True if the mapping delivers records at `now`.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.enabled && !self.is_deleting() && self.begins(now).is_none()
    }

    pub(super) fn is_deleting(&self) -> bool {
        self.is_removed || matches!(self.passing, Some((PassingState::Deleting, _)))
    }
}

impl Mapping {
    /// Returns the members that describe the mapping in the answers of Lambda's API, at `now`.
    pub fn view(&self, now: Timestamp) -> MappingView {
        let state = self.state.lock();
        let settled = if state.enabled { "Enabled" } else { "Disabled" };
        MappingView {
            state: state.passing(now).map_or(settled, PassingState::as_str),
            result: state.result.as_str(),
            position: state.position,
            modified: state.modified,
            settings: state.plan.settings.clone(),
            function: state.plan.function.clone(),
            tags: state.tags.clone(),
            has_stream: state.stream.is_some(),
        }
    }

    /// ARN of the mapping.
    pub fn arn(&self) -> String {
        let AccountRegion { account, region } = &self.scope;
        let (partition, uuid) = (region.partition(), self.uuid);
        format!("arn:{partition}:lambda:{region}:{account}:event-source-mapping:{uuid}")
    }

    /// Returns the shards that have a running task, each with a view of the work of its task.
    pub fn shards(&self) -> BTreeMap<ShardId, ShardView> {
        let runners = self.state.lock().runners.clone();
        let views = runners.iter().map(|(id, status)| (*id, status.view()));
        views.collect()
    }

    /// Positions of the mapping in the shards of its stream.
    pub fn positions(&self) -> BTreeMap<ShardId, ShardPosition> {
        self.state.lock().positions.clone()
    }

    /// The stream that the mapping reads. None while the stream does not exist or, for a mapping of
    /// a consumer, while the consumer is not registered.
    pub fn stream(&self) -> Option<Arc<Stream>> {
        self.state.lock().stream.clone()
    }

    /// True if the mapping's stream has never existed since the mapping was defined. Lambda's API
    /// does not list such a mapping.
    pub fn awaits_first_stream(&self) -> bool {
        self.state.lock().incarnation.is_none()
    }

    /// Returns, for each shard of the mapping's stream, the number of readable records that the
    /// mapping is not done with.
    pub fn records_behind(&self, now: Timestamp) -> BTreeMap<ShardId, u64> {
        let Some(stream) = self.stream() else {
            return BTreeMap::new();
        };
        let (positions, horizon) = (self.positions(), stream.horizon(now));
        let behind = |shard: &Arc<Shard>| {
            let next = positions.get(&shard.id).map_or(0, |position| position.next);
            (shard.id, shard.records_from(next, horizon))
        };
        stream.held_shards().iter().map(behind).collect()
    }

    /// Returns true if the mapping may now log a warning that its function was not reached, and
    /// counts this warning. The mapping logs at most one such warning in
    /// `limits::EVENT_SOURCE_WARNING_MS`.
    pub(super) fn may_warn(&self, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        let is_due = state
            .warned
            .is_none_or(|last| now.millis_since(last) >= limits::EVENT_SOURCE_WARNING_MS);
        if is_due {
            state.warned = Some(now);
        }
        is_due
    }

    /// Returns up to `most` entries of the event log whose numbers are greater than `after`, oldest
    /// first.
    pub fn events(&self, after: u64, most: usize) -> Vec<Entry> {
        self.log.after(after, most)
    }

    /// Returns a receiver whose value is the number of the newest entry in the event log.
    pub fn follow_events(&self) -> watch::Receiver<u64> {
        self.log.follow()
    }

    /// The newest discarded batches, oldest first.
    pub fn failures(&self) -> Vec<Failure> {
        self.state.lock().failures.iter().cloned().collect()
    }

    /// True if the mapping delivers records at `now`.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.state.lock().is_active(now)
    }

    /// Returns the time at which a mapping that is being created or enabled begins to deliver
    /// records. None for a mapping that already delivers records or is disabled.
    pub(super) fn begins(&self, now: Timestamp) -> Option<Timestamp> {
        self.state.lock().begins(now)
    }

    /// Returns the instruction to the task of a shard. `incarnation` is the incarnation number of
    /// the task's stream, and `restarts` is the value of `MappingState::restarts` when the task
    /// started.
    pub(super) fn directive(&self, incarnation: u64, restarts: u64, now: Timestamp) -> Directive {
        let state = self.state.lock();
        let stream = state.stream.as_ref().map(|stream| stream.incarnation);
        if state.is_deleting() || stream != Some(incarnation) || state.restarts != restarts {
            return Directive::End;
        }
        if state.is_active(now) {
            Directive::Run(state.plan.clone())
        } else {
            Directive::Pause
        }
    }

    /// Wakes the task of the mapping and the tasks of its shards.
    pub(super) fn wake(&self) {
        self.bell.ring();
        let runners: Vec<_> = self.state.lock().runners.values().cloned().collect();
        for runner in runners {
            runner.bell.ring();
        }
    }

    /// Sets the result of the mapping's last work. Returns true if the caller must save the new
    /// result in the catalog immediately.
    pub(super) fn set_result(&self, result: ProcessingResult, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if state.result == result {
            return false;
        }
        state.result = result;
        state.is_unsaved = true;
        now.millis_since(state.saved_at) >= limits::EVENT_SOURCE_RESULT_SAVE_MS
    }

    /// Adds a discarded batch to the list of failures. If the list has too many failures, removes
    /// the oldest one. If the events of the failures are too large in total, drops the events of
    /// the oldest failures.
    pub(super) fn add_failure(&self, record: Value, payload: &str) {
        let mut state = self.state.lock();
        state.failure_count += 1;
        let number = state.failure_count;
        state.failure_bytes += payload.len();
        state.failures.push_back(Failure {
            number,
            record,
            payload: Some(payload.into()),
        });
        if state.failures.len() > limits::EVENT_SOURCE_FAILURES {
            let oldest = state.failures.pop_front();
            let bytes = oldest
                .and_then(|oldest| oldest.payload)
                .map_or(0, |text| text.len());
            state.failure_bytes -= bytes;
        }
        let mut at = 0;
        while state.failure_bytes > limits::EVENT_SOURCE_FAILURE_BYTES
            && at + 1 < state.failures.len()
        {
            let payload = state.failures[at].payload.take();
            state.failure_bytes -= payload.map_or(0, |text| text.len());
            at += 1;
        }
    }

    pub(super) fn note(&self, entry: Entry) {
        self.log.push(entry);
    }

    /// Logs the new state of the mapping, in the program's log and in the event log.
    pub(super) fn note_state(&self, now: Timestamp, state: &str) {
        tracing::info!(mapping = %self.uuid, source = %self.source, state, "event source mapping");
        self.note(Entry {
            detail: Some(state.into()),
            ..Entry::new(EntryKind::State, now)
        });
    }
}

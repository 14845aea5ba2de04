//! One mapping: its definition, its state in the API, its positions, and its counters.

use super::event_log::{Entry, EntryKind, EventLog};
use super::shard_status::{ShardStatus, ShardView};
use crate::engine::Stream;
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

/// The origin of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Lambda's API.
    Api,
    /// An option, or a file that an option names.
    Options,
}

/// A state that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassingState {
    /// Just created.
    Creating,
    /// Just enabled.
    Enabling,
    /// Just disabled.
    Disabling,
    /// Just changed.
    Updating,
    /// About to be gone.
    Deleting,
}

impl PassingState {
    /// The word in the API.
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

/// The result of a mapping's last work, in the words of the API.
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

/// The settings that batches are made by. An update makes a new plan, which the next batch uses.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) filters: Filters,
    pub(super) function: FunctionArn,
    pub(super) destination: Option<Destination>,
}

impl Plan {
    /// # Errors
    /// When a filter is none.
    pub(super) fn new(settings: Settings, function: FunctionArn) -> Result<Arc<Self>, Refusal> {
        Ok(Arc::new(Self {
            filters: Filters::read(&settings.filters)?,
            destination: settings.on_failure.as_deref().and_then(Destination::parse),
            settings,
            function,
        }))
    }
}

/// The counters of a mapping since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Invocations by outcome: success, partial success, error, not reached.
    pub invocations: [AtomicU64; 4],
    /// Records that were read.
    pub polled: AtomicU64,
    /// Records that filters dropped.
    pub filtered: AtomicU64,
    /// Records in invocations.
    pub invoked: AtomicU64,
    /// Records in invocations that failed.
    pub failed_invoke: AtomicU64,
    /// Records that were discarded and reached no destination.
    pub dropped: AtomicU64,
    /// Records whose discard reached the destination.
    pub on_failure_delivered: AtomicU64,
    /// Records about discards that reached no destination though there is one.
    pub destination_failures: AtomicU64,
    /// Age of the last record of the last successful batch at its end, in milliseconds.
    pub iterator_age_ms: AtomicI64,
}

/// Adds to a counter.
pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}

/// A discarded batch.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The number, from 1 on.
    pub number: u64,
    /// The record for the destination, without the payload.
    pub record: Value,
    /// The event; none where it was too long ago to be kept.
    pub payload: Option<Arc<str>>,
}

/// A mapping.
#[derive(Debug)]
pub struct Mapping {
    /// The UUID.
    pub uuid: Uuid,
    /// Account and region.
    pub scope: AccountRegion,
    /// The stream or consumer that it reads.
    pub source: Source,
    /// The starting position.
    pub position: StartingPosition,
    /// The origin.
    pub origin: Origin,
    /// Mappings are listed in the order of their creation.
    pub number: u64,
    /// The counters.
    pub counters: Counters,
    pub(super) log: EventLog,
    pub(super) bell: Bell,
    pub(super) state: Lock<MappingState>,
}

/// The state of a mapping that can change.
#[derive(Debug)]
pub(super) struct MappingState {
    pub(super) plan: Arc<Plan>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) enabled: bool,
    /// A state that ends at a moment.
    pub(super) passing: Option<(PassingState, Timestamp)>,
    pub(super) modified: Timestamp,
    pub(super) result: ProcessingResult,
    /// The result was not saved yet.
    pub(super) is_unsaved: bool,
    pub(super) saved_at: Timestamp,
    /// The stream, while it is there.
    pub(super) stream: Option<Arc<Stream>>,
    /// The starting points are fixed: shards without a position are read from their beginning.
    pub(super) is_started: bool,
    /// The incarnation of the stream that the positions are of.
    pub(super) incarnation: Option<u64>,
    pub(super) positions: BTreeMap<ShardId, ShardPosition>,
    pub(super) runners: BTreeMap<ShardId, Arc<ShardStatus>>,
    /// Counts the resets: tasks of an earlier one end.
    pub(super) era: u64,
    pub(super) failures: VecDeque<Failure>,
    pub(super) failure_bytes: usize,
    pub(super) failure_count: u64,
    /// True once the mapping is gone from the list.
    pub(super) is_removed: bool,
}

/// The next work of a shard's task.
#[derive(Debug)]
pub(super) enum Directive {
    Run(Arc<Plan>),
    Pause,
    End,
}

/// A mapping as the API shows it.
#[derive(Debug, Clone)]
pub struct MappingView {
    /// `State`.
    pub state: &'static str,
    /// `LastProcessingResult`.
    pub result: &'static str,
    /// `LastModified`.
    pub modified: Timestamp,
    /// The settings.
    pub settings: Settings,
    /// The function.
    pub function: FunctionArn,
    /// `Tags`.
    pub tags: BTreeMap<String, String>,
    /// True while the stream is there.
    pub has_stream: bool,
}

impl MappingState {
    /// The state that is passing at `now`.
    pub(super) fn passing(&self, now: Timestamp) -> Option<PassingState> {
        let (state, until) = self.passing?;
        (now < until).then_some(state)
    }

    /// True when records are delivered at `now`.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        let starting = matches!(
            self.passing(now),
            Some(PassingState::Creating | PassingState::Enabling)
        );
        self.enabled && !self.is_deleting() && !starting
    }

    pub(super) fn is_deleting(&self) -> bool {
        self.is_removed || matches!(self.passing, Some((PassingState::Deleting, _)))
    }
}

impl Mapping {
    /// The mapping as the API shows it at `now`.
    pub fn view(&self, now: Timestamp) -> MappingView {
        let state = self.state.lock();
        let settled = if state.enabled { "Enabled" } else { "Disabled" };
        MappingView {
            state: state.passing(now).map_or(settled, PassingState::as_str),
            result: state.result.as_str(),
            modified: state.modified,
            settings: state.plan.settings.clone(),
            function: state.plan.function.clone(),
            tags: state.tags.clone(),
            has_stream: state.stream.is_some(),
        }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        let AccountRegion { account, region } = &self.scope;
        let (partition, uuid) = (region.partition(), self.uuid);
        format!("arn:{partition}:lambda:{region}:{account}:event-source-mapping:{uuid}")
    }

    /// The shards at work.
    pub fn shards(&self) -> BTreeMap<ShardId, ShardView> {
        let runners = self.state.lock().runners.clone();
        let views = runners.iter().map(|(id, status)| (*id, status.view()));
        views.collect()
    }

    /// Positions of the shards.
    pub fn positions(&self) -> BTreeMap<ShardId, ShardPosition> {
        self.state.lock().positions.clone()
    }

    /// The stream, while it is there.
    pub fn stream(&self) -> Option<Arc<Stream>> {
        self.state.lock().stream.clone()
    }

    /// At most `most` entries of the event log after number `after`.
    pub fn events(&self, after: u64, most: usize) -> Vec<Entry> {
        self.log.after(after, most)
    }

    /// The number of the newest entry of the event log, as it grows.
    pub fn follow_events(&self) -> watch::Receiver<u64> {
        self.log.follow()
    }

    /// The last discarded batches, oldest first.
    pub fn failures(&self) -> Vec<Failure> {
        self.state.lock().failures.iter().cloned().collect()
    }

    /// True when records are delivered.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.state.lock().is_active(now)
    }

    /// The next work of a task that began in `era` on a shard of stream `incarnation`.
    pub(super) fn directive(&self, incarnation: u64, era: u64, now: Timestamp) -> Directive {
        let state = self.state.lock();
        let stream = state.stream.as_ref().map(|stream| stream.incarnation);
        if state.is_deleting() || stream != Some(incarnation) || state.era != era {
            return Directive::End;
        }
        if state.is_active(now) {
            Directive::Run(state.plan.clone())
        } else {
            Directive::Pause
        }
    }

    /// Wakes every task of the mapping.
    pub(super) fn wake(&self) {
        self.bell.ring();
        let runners: Vec<_> = self.state.lock().runners.values().cloned().collect();
        for runner in runners {
            runner.bell.ring();
        }
    }

    /// Notes how work ended. True when this is to be saved now.
    pub(super) fn set_result(&self, result: ProcessingResult, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if state.result == result {
            return false;
        }
        state.result = result;
        state.is_unsaved = true;
        now.millis_since(state.saved_at) >= limits::EVENT_SOURCE_RESULT_SAVE_MS
    }

    /// Keeps a discarded batch for people: as many as fit, the newest first.
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

    /// Notes a change of the mapping's own state.
    pub(super) fn note_state(&self, now: Timestamp, state: &str) {
        tracing::info!(mapping = %self.uuid, source = %self.source, state, "event source mapping");
        self.note(Entry {
            detail: Some(state.into()),
            ..Entry::new(EntryKind::State, now)
        });
    }
}

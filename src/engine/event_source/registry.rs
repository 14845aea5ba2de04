//! The mappings of an emulator. Creates, updates, deletes and restores mappings, and informs
//! mappings of changes of their streams.

use super::context::Context;
use super::event_log::EventLog;
use super::mapping::{
    Counters, Mapping, MappingState, Origin, PassingState, Plan, ProcessingResult,
};
use super::mapping_list::{Mappings, others, refuse_twin};
use super::saved;
use super::supervisor::{self, fix_latest, has_consumer};
use crate::engine::Stream;
use crate::lock::Lock;
use crate::model::event_source::{
    Changes, FunctionArn, Refusal, Settings, ShardPosition, Source, StartingPosition,
};
use crate::model::{AccountId, AccountRegion, Region, ShardId, StreamArn};
use crate::store::{Change, MappingValue, Ticket};
use crate::world::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// All event source mappings of an emulator.
#[derive(Debug)]
pub struct EventSources {
    context: Arc<Context>,
    mappings: Arc<Mappings>,
    /// Number of resets and of loads of snapshots since the start.
    replacements: AtomicU64,
}

/// The definition of a mapping that is to be created.
#[derive(Debug, Clone)]
pub struct NewMapping {
    /// Account and region of the mapping.
    pub scope: AccountRegion,
    /// The stream or consumer to read.
    pub source: Source,
    /// The starting position of the mapping.
    pub position: StartingPosition,
    /// The function to invoke.
    pub function: FunctionArn,
    /// The settings of the mapping. Their values were already checked, except for the filter
    /// patterns.
    pub settings: Settings,
    /// True if the mapping is enabled when it is created.
    pub enabled: bool,
    /// The tags of the new mapping, by key.
    pub tags: BTreeMap<String, String>,
    /// The origin of the mapping's definition: a request to the API, or an option.
    pub origin: Origin,
    /// UUID that the mapping gets. None if the mapping gets a random UUID.
    pub uuid: Option<Uuid>,
}

/// The result of a request that created, updated or deleted a mapping.
#[derive(Debug)]
pub struct ChangedMapping {
    /// The mapping that the request created, updated or deleted.
    pub mapping: Arc<Mapping>,
    /// Temporary state of the mapping, as the answer to the request shows it.
    pub passing: PassingState,
    /// The ticket with which the caller waits until the change is as durable as the `durability`
    /// option promises.
    pub ticket: Ticket,
}

impl EventSources {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context: Arc::new(context),
            mappings: Arc::default(),
            replacements: AtomicU64::new(0),
        }
    }

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(super) fn mappings(&self) -> &Mappings {
        &self.mappings
    }

    /// All mappings, in the order of their creation.
    pub fn all(&self) -> Vec<Arc<Mapping>> {
        self.mappings.all()
    }

    /// Returns the positions of every mapping that is active at `now` and has a stream. The result
    /// is grouped by stream: the key of the map is the incarnation number of the stream.
    pub(in crate::engine) fn positions_by_stream(
        &self,
        now: Timestamp,
    ) -> BTreeMap<u64, Vec<BTreeMap<ShardId, ShardPosition>>> {
        let mut positions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mapping in self.mappings.all() {
            let state = mapping.state.lock();
            let reads = state.is_started && state.is_active(now);
            if let Some(stream) = state.stream.as_ref().filter(|_| reads) {
                let of_stream = positions.entry(stream.incarnation).or_default();
                of_stream.push(state.positions.clone());
            }
        }
        positions
    }

    /// Finds the mapping with this UUID, in any account and region.
    pub fn find(&self, uuid: &Uuid) -> Option<Arc<Mapping>> {
        self.mappings.find(uuid)
    }

    /// True if a function with this name and qualifier is configured.
    pub fn has_function(&self, function: &FunctionArn) -> bool {
        let qualifier = function.qualifier.as_deref();
        self.context
            .outbound
            .functions
            .find(&function.name, qualifier)
            .is_some()
    }

    /// The addresses of a function. The paths under `/_minikin/` show them.
    pub fn addresses(&self, function: &FunctionArn) -> Vec<String> {
        let qualifier = function.qualifier.as_deref();
        let found = self
            .context
            .outbound
            .functions
            .find(&function.name, qualifier);
        found
            .map(|function| function.addresses())
            .unwrap_or_default()
    }

    /// The number of resets and of loads of snapshots since the start. A caller of
    /// [`Self::create`] reads the number before it looks the stream up.
    pub fn replacements(&self) -> u64 {
        self.replacements.load(Ordering::SeqCst)
    }

    /// Creates a mapping from checked settings. The stream may change during the call. Therefore
    /// the caller must look the stream up again afterwards, and must call `stream_changed` or
    /// `stream_gone` with the result. Returns `None` and creates nothing if the number of
    /// replacements is no longer `replacements`, because then `stream` may be a stream that a reset
    /// has removed.
    ///
    /// # Errors
    /// Returns a refusal if a mapping with the same source and function exists, or if a filter
    /// pattern is invalid.
    pub fn create(
        &self,
        new: NewMapping,
        stream: Option<Arc<Stream>>,
        replacements: u64,
    ) -> Result<Option<ChangedMapping>, Refusal> {
        let plan = Plan::new(new.settings, new.function)?;
        let now = self.context.world.clock.now();
        let alarm = self.context.world.clock.alarm();
        let mut mappings = self.mappings.0.lock();
        if self.replacements() != replacements {
            return Ok(None);
        }
        let mut same_source = mappings
            .values()
            .filter(|mapping| mapping.source == new.source && mapping.scope == new.scope);
        refuse_twin(&mut same_source, &plan.function)?;
        let number = mappings
            .last_key_value()
            .map_or(0, |(number, _)| number + 1);
        let incarnation = stream.as_ref().map(|stream| stream.incarnation);
        let mapping = Arc::new(Mapping {
            uuid: new.uuid.unwrap_or_else(|| self.context.uuid()),
            scope: new.scope,
            // A new stream has no records that LATEST would have to skip. Therefore a mapping
            // without a stream needs no starting positions: it reads the shards of a later stream
            // from their first records.
            state: Lock::new(MappingState {
                position: new.position,
                enabled: new.enabled,
                tags: new.tags,
                is_started: stream.is_none(),
                incarnation,
                passing: Some((PassingState::Creating, self.passes_at(now))),
                ..fresh(plan, now)
            }),
            source: new.source,
            origin: new.origin,
            number,
            counters: Counters::default(),
            log: EventLog::new(),
            bell: alarm.bell(),
        });
        mappings.insert(number, mapping.clone());
        drop(mappings);
        self.set_stream(&mapping, stream.as_ref(), now);
        let ticket = self.save(&mapping, now);
        mapping.note_state(now, if new.enabled { "Enabled" } else { "Disabled" });
        self.supervise(&mapping, alarm);
        Ok(Some(ChangedMapping {
            mapping,
            passing: PassingState::Creating,
            ticket,
        }))
    }

    fn supervise(&self, mapping: &Arc<Mapping>, alarm: crate::world::Alarm) {
        let (context, mappings) = (self.context.clone(), self.mappings.clone());
        let working = supervisor::run(context, mappings, mapping.clone(), alarm);
        self.context.tasks.spawn("mapping", working);
    }

    fn passes_at(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(i64::try_from(self.context.transition_ms).unwrap_or(i64::MAX))
    }

    fn save(&self, mapping: &Mapping, now: Timestamp) -> Ticket {
        let mut state = mapping.state.lock();
        let changes = saved::mapping(mapping, &mut state, now);
        self.context.store.save(changes)
    }

    /// Applies the changes of a request to a mapping. `function` is the function that the request
    /// names, or None if the request names no function. If the named function is invalid,
    /// `function` is the refusal. `check` checks the new settings.
    ///
    /// # Errors
    /// Returns a refusal if the mapping is in a temporary state such as `Creating`, if the function
    /// does not exist, or if `check` refuses the change. Also returns a refusal if the new settings
    /// contradict one another, or if another mapping of the same source already invokes the new
    /// function.
    pub fn update(
        &self,
        mapping: &Arc<Mapping>,
        changes: &Changes,
        function: Result<Option<FunctionArn>, Refusal>,
        check: impl FnOnce(&Settings) -> Result<(), Refusal>,
    ) -> Result<ChangedMapping, Refusal> {
        let now = self.context.world.clock.now();
        let (passing, ticket) = {
            // The list stays locked, so that no other request creates a mapping with the new
            // function before this change.
            let mappings = self.mappings.0.lock();
            let twin = match &function {
                Ok(Some(function)) => refuse_twin(&mut others(&mappings, mapping), function),
                _ => Ok(()),
            };
            let mut state = mapping.state.lock();
            if state.is_removed {
                return Err(Refusal::not_found());
            }
            if state.passing(now).is_some() {
                return Err(Refusal::in_use("update"));
            }
            let settings = changes.applied_to(&state.plan.settings)?;
            let function = function?.unwrap_or_else(|| state.plan.function.clone());
            check(&settings)?;
            if settings != state.plan.settings || function != state.plan.function {
                let plan = Plan::new(settings, function)?;
                twin?;
                state.plan = plan;
            }
            let enabled = changes.enabled.unwrap_or(state.enabled);
            let passing = match (state.enabled, enabled) {
                (false, true) => PassingState::Enabling,
                (true, false) => PassingState::Disabling,
                _ => PassingState::Updating,
            };
            state.enabled = enabled;
            state.modified = now;
            state.passing = Some((passing, self.passes_at(now)));
            let changes = saved::mapping(mapping, &mut state, now);
            (passing, self.context.store.save(changes))
        };
        mapping.note_state(now, passing.as_str());
        self.fix_if_latest(mapping, now);
        mapping.wake();
        Ok(ChangedMapping {
            mapping: mapping.clone(),
            passing,
            ticket,
        })
    }

    /// Deletes a mapping. Invocations in progress are not aborted, but their outcomes have no
    /// effect.
    ///
    /// # Errors
    /// Returns a refusal if the mapping is in a temporary state such as `Creating`.
    pub fn delete(&self, mapping: &Arc<Mapping>) -> Result<ChangedMapping, Refusal> {
        let now = self.context.world.clock.now();
        let ticket = {
            let mut state = mapping.state.lock();
            if state.is_removed {
                return Err(Refusal::not_found());
            }
            if state.passing(now).is_some() {
                return Err(Refusal::in_use("delete"));
            }
            state.modified = now;
            state.passing = Some((PassingState::Deleting, self.passes_at(now)));
            if self.context.transition_ms == 0 {
                state.is_removed = true;
                let removed = saved::removed(mapping, &state);
                state.positions.clear();
                self.context.store.save(removed)
            } else {
                let changes = saved::mapping(mapping, &mut state, now);
                self.context.store.save(changes)
            }
        };
        if self.context.transition_ms == 0 {
            self.mappings.forget(mapping);
        }
        mapping.note_state(now, "Deleting");
        mapping.wake();
        Ok(ChangedMapping {
            mapping: mapping.clone(),
            passing: PassingState::Deleting,
            ticket,
        })
    }

    /// Removes the mappings that were created through the API, in any state. Returns the catalog
    /// changes that remove these mappings. Invocations in progress are not aborted, but their
    /// outcomes have no effect. The caller holds the lock of the accounts until their streams are
    /// removed, so that a creation in progress finds either no stream or a new one.
    pub(crate) fn remove_made_by_api(&self) -> Vec<Change> {
        self.replacements.fetch_add(1, Ordering::SeqCst);
        let all = self.all();
        let made = all.iter().filter(|mapping| mapping.origin == Origin::Api);
        made.flat_map(|mapping| self.remove(mapping)).collect()
    }

    /// Removes every mapping, including the mappings that options define. Returns the catalog
    /// changes that remove the mappings. Invocations in progress are not aborted, but their
    /// outcomes have no effect. The caller holds the lock of the accounts until their streams are
    /// replaced.
    pub(crate) fn remove_every(&self) -> Vec<Change> {
        self.replacements.fetch_add(1, Ordering::SeqCst);
        let all = self.all();
        all.iter()
            .flat_map(|mapping| self.remove(mapping))
            .collect()
    }

    /// Returns the catalog entries of all mappings and of their positions, for a snapshot. Omits
    /// the mappings that are being deleted.
    pub(crate) fn snapshot(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for mapping in self.all() {
            let state = mapping.state.lock();
            if !state.is_removed && !state.is_deleting() {
                changes.extend(saved::whole(&mapping, &state));
            }
        }
        changes
    }

    /// True if every field of `value` is valid, so that a mapping can be restored from the value.
    pub(crate) fn can_restore(value: &MappingValue) -> bool {
        saved::is_sound(value)
    }

    /// Removes the given mappings, even if they are in a temporary state.
    pub(super) fn remove_all(&self, mappings: &[Arc<Mapping>]) {
        let changes = mappings.iter().flat_map(|mapping| self.remove(mapping));
        let _kept = self.context.store.save(changes.collect());
    }

    fn remove(&self, mapping: &Arc<Mapping>) -> Vec<Change> {
        let now = self.context.world.clock.now();
        let changes = {
            let mut state = mapping.state.lock();
            let changes = saved::removed(mapping, &state);
            state.is_removed = true;
            state.passing = Some((PassingState::Deleting, now));
            state.positions.clear();
            changes
        };
        self.mappings.forget(mapping);
        mapping.note_state(now, "Deleting");
        mapping.wake();
        changes
    }

    /// Changes the tags of a mapping. First removes the tags with the keys in `remove`, and then
    /// adds the tags in `add`. The ticket resolves when the change is as durable as the
    /// `durability` option promises.
    pub fn tag(
        &self,
        mapping: &Mapping,
        add: BTreeMap<String, String>,
        remove: &[String],
    ) -> Ticket {
        let now = self.context.world.clock.now();
        let mut state = mapping.state.lock();
        state.tags.retain(|key, _| !remove.contains(key));
        state.tags.extend(add);
        let changes = saved::mapping(mapping, &mut state, now);
        self.context.store.save(changes)
    }

    /// Drops the positions of a mapping, so that the mapping starts again from `position`. If
    /// `position` is None, the mapping starts again from its present starting position.
    pub fn reset(&self, mapping: &Arc<Mapping>, position: Option<StartingPosition>) {
        let now = self.context.world.clock.now();
        {
            let mut state = mapping.state.lock();
            state.position = position.unwrap_or(state.position);
            let mut changes = saved::removed_positions(mapping, &state);
            state.positions.clear();
            state.runners.values().for_each(|runner| runner.bell.ring());
            state.runners.clear();
            state.restarts += 1;
            state.is_started = false;
            changes.extend(saved::mapping(mapping, &mut state, now));
            let _kept = self.context.store.save(changes);
        }
        mapping.note_state(now, "reset");
        self.fix_if_latest(mapping, now);
        mapping.wake();
    }

    fn fix_if_latest(&self, mapping: &Mapping, now: Timestamp) {
        let stream = mapping.stream();
        if let Some(stream) = stream.filter(|_| mapping.is_active(now)) {
            fix_latest(&self.context, mapping, &stream, now);
        }
    }

    /// Informs the mappings of a stream that the stream was created or changed, or that its shards
    /// or consumers changed.
    pub(crate) fn stream_changed(&self, stream: &Arc<Stream>) {
        for mapping in self.mappings_of(&stream.arn) {
            self.set_stream(&mapping, Some(stream), self.context.world.clock.now());
            mapping.wake();
        }
    }

    /// Wakes the mappings of a stream. Unlike [`Self::stream_changed`], this function can be called
    /// while the stream's state is locked.
    pub(crate) fn wake_mappings_of(&self, arn: &StreamArn) {
        for mapping in self.mappings_of(arn) {
            mapping.wake();
        }
    }

    /// Informs the mappings of a stream that the stream was deleted.
    pub(crate) fn stream_gone(&self, stream: &Arc<Stream>) {
        for mapping in self.mappings_of(&stream.arn) {
            let is_it = |known: Arc<Stream>| known.incarnation == stream.incarnation;
            if mapping.stream().is_some_and(is_it) {
                self.set_stream(&mapping, None, self.context.world.clock.now());
                self.forget_positions(&mapping);
                mapping.wake();
            }
        }
    }

    fn forget_positions(&self, mapping: &Mapping) {
        let mut state = mapping.state.lock();
        let removed = saved::removed_positions(mapping, &state);
        let _kept = self.context.store.save(removed);
        state.positions.clear();
    }

    fn mappings_of(&self, arn: &StreamArn) -> Vec<Arc<Mapping>> {
        let mappings = self.mappings.0.lock();
        let of_stream = |mapping: &&Arc<Mapping>| mapping.source.stream() == arn;
        mappings.values().filter(of_stream).cloned().collect()
    }

    /// Sets the stream of a mapping. The mapping has no stream if `stream` is None, or if the
    /// mapping's consumer is not ACTIVE. If the incarnation number of the stream differs from the
    /// number of the mapping's previous stream, drops the positions in the previous stream.
    fn set_stream(&self, mapping: &Arc<Mapping>, stream: Option<&Arc<Stream>>, now: Timestamp) {
        let stream = stream.filter(|stream| has_consumer(&mapping.source, stream));
        let incarnation = stream.map(|stream| stream.incarnation);
        {
            let mut state = mapping.state.lock();
            if let Some(incarnation) = incarnation.filter(|_| state.incarnation != incarnation) {
                let removed = saved::removed_positions(mapping, &state);
                if !removed.is_empty() {
                    let _kept = self.context.store.save(removed);
                }
                state.positions.clear();
                state.runners.clear();
                state.restarts += 1;
                state.incarnation = Some(incarnation);
                state.is_unsaved = true;
            }
            if stream.is_none() && state.stream.is_some() {
                state.result = supervisor::gone(&mapping.source);
                state.is_unsaved = true;
            }
            state.stream = stream.cloned();
        }
        self.fix_if_latest(mapping, now);
    }

    /// Restores the mappings from the catalog. A mapping begins to read only when it has its
    /// stream. Therefore the caller must next call [`Self::stream_changed`] for each stream.
    pub(crate) fn restore(&self, values: Vec<(Uuid, MappingValue)>, positions: Positions) {
        let mut positions = positions;
        for (uuid, value) in values {
            let of_mapping = positions.remove(&uuid).unwrap_or_default();
            if self.restore_one(uuid, value, of_mapping).is_none() {
                tracing::error!(mapping = %uuid, "a mapping in the data directory cannot be read");
            }
        }
    }

    fn restore_one(
        &self,
        uuid: Uuid,
        value: MappingValue,
        positions: BTreeMap<(u64, ShardId), ShardPosition>,
    ) -> Option<()> {
        let now = self.context.world.clock.now();
        let alarm = self.context.world.clock.alarm();
        let plan = Plan::new(value.settings, FunctionArn::parse(&value.function)?).ok()?;
        let incarnation = value.incarnation;
        let current = positions.into_iter().filter_map(|((of, shard), position)| {
            (Some(of) == incarnation).then_some((shard, position))
        });
        let origin = if value.is_from_options {
            Origin::Options
        } else {
            Origin::Api
        };
        let mapping = Arc::new(Mapping {
            uuid,
            scope: AccountRegion {
                account: AccountId::parse(&value.account)?,
                region: Region::new(&value.region),
            },
            source: Source::parse(&value.source)?,
            origin,
            number: value.number,
            counters: Counters::default(),
            log: EventLog::new(),
            bell: alarm.bell(),
            state: Lock::new(MappingState {
                position: value.position,
                tags: value.tags,
                enabled: value.enabled,
                passing: value.is_deleting.then_some((PassingState::Deleting, now)),
                modified: Timestamp::from_millis(value.modified_ms),
                result: ProcessingResult::read(&value.result),
                is_started: value.is_started,
                incarnation,
                positions: current.collect(),
                ..fresh(plan, now)
            }),
        });
        self.mappings.0.lock().insert(value.number, mapping.clone());
        self.supervise(&mapping, alarm);
        Some(())
    }
}

/// The positions of mappings in shards. The first key is the UUID of a mapping. The second key is
/// the incarnation number of a stream, and a shard of the stream.
pub(crate) type Positions = BTreeMap<Uuid, BTreeMap<(u64, ShardId), ShardPosition>>;

/// Returns the initial state of a mapping. The caller then replaces the values that the definition
/// or the saved state of the mapping determines.
fn fresh(plan: Arc<Plan>, now: Timestamp) -> MappingState {
    MappingState {
        plan,
        position: StartingPosition::TrimHorizon,
        tags: BTreeMap::new(),
        enabled: true,
        passing: None,
        modified: now,
        result: ProcessingResult::None,
        is_unsaved: false,
        warned: None,
        saved_at: Timestamp::from_millis(0),
        stream: None,
        is_started: false,
        incarnation: None,
        positions: BTreeMap::new(),
        runners: BTreeMap::new(),
        restarts: 0,
        failures: VecDeque::new(),
        failure_bytes: 0,
        failure_count: 0,
        is_removed: false,
    }
}

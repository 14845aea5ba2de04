//! Starts an engine: restores its streams, queues, channels and mappings from the catalog, and
//! spawns its tasks.

mod plausible;

use super::accounts::Accounts;
use super::active_subscriptions::ActiveSubscriptions;
use super::call_rates::CallRates;
use super::channel::{self, Channels};
use super::core::{Behaviour, Engine};
use super::deadlines::{Deadlines, Due};
use super::event_source::{self, EventSources};
use super::queue;
use super::queue::Queues;
use super::slots::Slots;
use super::stream::{Stream, StreamNumbers};
use super::stream_state::{ShardOpener, StreamState};
use super::tasks::Tasks;
use super::traffic::Traffic;
use super::{lock_order, retention, saved, scaling, transitions};
use crate::admission::Admission;
use crate::limits::{self, Limits};
use crate::lock::Lock;
use crate::model::{self, AccountId, AccountRegion, Region, ShardId, StreamArn, StreamStatus};
use crate::store::{AccountValue, Catalog, Recovered, Store, StreamValue};
use crate::world::{Alarm, Timestamp, World};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::watch;
use uuid::Uuid;

/// Reason why an engine cannot start from its data directory.
#[derive(Debug)]
pub struct RestoreError(Fault);

#[derive(Debug)]
enum Fault {
    /// A part of the data directory is damaged. Holds the name of the part.
    Unreadable(String),
    /// The data directory was opened so often that no unused sequence indexes remain.
    OpenedTooOften,
}

impl RestoreError {
    /// Returns the name of the damaged part of the data directory.
    pub(super) fn part(&self) -> &str {
        match &self.0 {
            Fault::Unreadable(part) => part,
            Fault::OpenedTooOften => "its number of starts",
        }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::Unreadable(part) => write!(
                f,
                "{part} in the data directory cannot be read: it was written by another version, \
                 or it is damaged"
            ),
            Fault::OpenedTooOften => {
                f.write_str("this data directory was opened too many times: use a new one")
            }
        }
    }
}

impl std::error::Error for RestoreError {}

/// Returns the saved time of a virtual clock. None if no time was saved, or if the saved time is
/// outside the range of a clock.
pub(crate) fn saved_time(recovered: &Recovered) -> Option<Timestamp> {
    let ms = recovered.catalog.clock_ms?;
    (0..=limits::LAST_MOMENT_MS)
        .contains(&ms)
        .then_some(Timestamp::from_millis(ms))
}

impl Engine {
    /// Starts an engine with the streams that the store recovered. Subscriptions end when
    /// `stopping` becomes true or its sender is dropped.
    ///
    /// # Errors
    /// Returns an error if a recovered stream is damaged, or if the data directory was opened too
    /// often.
    pub fn start(
        world: World,
        limits: Limits,
        behaviour: Behaviour,
        store: Store,
        recovered: &Recovered,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, RestoreError> {
        let alarms = std::array::from_fn(|_| world.clock.alarm());
        let [
            transition_alarm,
            retention_alarm,
            _,
            queue_alarm,
            channel_alarm,
        ] = &alarms;
        let stop = watch::Sender::new(false);
        let tasks = Tasks::new();
        let admission = Admission::new(&limits);
        let event_sources = EventSources::new(event_source::Context {
            world: world.clone(),
            limits: limits.clone(),
            admission: admission.clone(),
            store: store.clone(),
            tasks: tasks.clone(),
            outbound: behaviour.outbound.clone(),
            own_stream_destinations: behaviour.own_stream_destinations,
            stop: stop.subscribe(),
            transition_ms: behaviour.transition_ms,
            activity: watch::Sender::new(0),
        });
        let engine = Self {
            deadlines: Deadlines::new(transition_alarm.bell()),
            queues: Queues::new(queue_alarm.bell()),
            channels: Channels::new(channel_alarm.bell()),
            retention_bell: retention_alarm.bell(),
            admission,
            event_sources: Arc::new(event_sources),
            traffic: Traffic::default(),
            shard_opener: ShardOpener {
                store: store.clone(),
                limits: limits.clone(),
                first_index: first_index(recovered.run)?.into(),
                latest_number_s: 0.into(),
            },
            world,
            limits,
            store,
            behaviour,
            accounts: Lock::ranked(lock_order::ACCOUNTS, Accounts::default()),
            // No two runs use the same incarnation numbers, because the disk may still contain
            // records of a stream of an earlier run.
            next_incarnation: (recovered.run << 32).into(),
            call_rates: CallRates::new(),
            tasks,
            active_subscriptions: ActiveSubscriptions::new(),
            tails: Slots::default(),
            // The end of a save frees the records that only the save needed.
            saves: Slots::ringing(retention_alarm.bell()),
            replacements: AtomicU64::new(0),
            loads: Slots::default(),
            stopping,
            stop,
        };
        engine.restore(recovered)?;
        engine.restore_mappings(recovered);
        let engine = Arc::new(engine);
        engine.spawn_tasks(alarms);
        Ok(engine)
    }

    fn spawn_tasks(self: &Arc<Self>, alarms: [Alarm; 5]) {
        let [
            transition_alarm,
            retention_alarm,
            scaling_alarm,
            queue_alarm,
            channel_alarm,
        ] = alarms;
        self.begin_channels();
        let channels = channel::run(self.clone(), channel_alarm);
        self.tasks.spawn("channels", channels);
        let queues = queue::run(self.clone(), queue_alarm);
        self.tasks.spawn("queues", queues);
        let transitions = transitions::run(self.clone(), transition_alarm);
        self.tasks.spawn("transitions", transitions);
        let retention = retention::run(self.clone(), retention_alarm);
        self.tasks.spawn("retention", retention);
        if self.behaviour.on_demand_scaling {
            let scaling = scaling::run(self.clone(), scaling_alarm);
            self.tasks.spawn("scaling", scaling);
        }
    }

    fn restore(&self, recovered: &Recovered) -> Result<(), RestoreError> {
        let now = self.world.clock.now();
        let mut accounts = self.accounts.lock();
        let mut shards = saved_shards(&recovered.catalog)?;
        for (incarnation, value) in &recovered.catalog.streams {
            let described = shards.remove(incarnation).unwrap_or_default();
            let stream = self.restored(
                &self.shard_opener,
                *incarnation,
                value.clone(),
                described,
                now,
            )?;
            if let Some(older) = accounts.insert(&stream) {
                // A newer stream has the same name. A crash interrupted the deletion of the older
                // stream, so the catalog still has an entry for it.
                self.remove_leftover(&older);
            }
            self.await_transitions(&stream);
        }
        for (account_region, settings) in saved_accounts(&recovered.catalog) {
            accounts.set_settings(account_region, settings);
        }
        let streams = accounts.streams().into_iter();
        let streams = streams.map(|stream| (stream.incarnation, stream)).collect();
        self.restore_queues(recovered, &streams)?;
        self.restore_channels(&recovered.catalog, &streams)?;
        self.store.forget_unclaimed();
        Ok(())
    }

    /// Restores the event source mappings and their saved positions.
    fn restore_mappings(&self, recovered: &Recovered) {
        let catalog = &recovered.catalog;
        let mut positions = event_source::Positions::new();
        for ((uuid, incarnation, shard), position) in &catalog.positions {
            let of_mapping = positions.entry(Uuid::from_bytes(*uuid)).or_default();
            // Skip a position whose shard index is too great for a shard id, because no shard can
            // have this index.
            if let Some(shard) = ShardId::checked(*shard) {
                of_mapping.insert((*incarnation, shard), position.clone());
            }
        }
        let values = catalog.mappings.iter();
        let values = values.map(|(uuid, value)| (Uuid::from_bytes(*uuid), value.clone()));
        self.event_sources.restore(values.collect(), positions);
        for stream in self.streams() {
            self.event_sources.stream_changed(&stream);
        }
    }

    /// Deletes a stream whose deletion was interrupted by a crash.
    fn remove_leftover(&self, stream: &Stream) {
        stream.with_state(|state| {
            let _ticket = self.store.save(saved::removed(stream, state));
            state.delete_logs(&self.store);
        });
    }

    /// Registers the times at which the status of the stream and the statuses of its consumers end.
    /// Omits the statuses that do not end by themselves.
    pub(super) fn await_transitions(&self, stream: &Arc<Stream>) {
        let (due, consumers) = stream.look(|state| (state.due, state.consumers.clone()));
        if let Some(due) = due {
            self.deadlines.add(due, stream.clone(), Due::Stream);
        }
        for (name, consumer) in &consumers {
            self.await_transition(stream, name, consumer);
        }
    }

    /// Restores a stream from its catalog entry and from the descriptions of its shards. `opener`
    /// opens the shards. `now` is the current time. The record count begins with the number of
    /// readable records.
    pub(super) fn restored(
        &self,
        opener: &ShardOpener,
        incarnation: u64,
        value: StreamValue,
        described: Vec<model::Shard>,
        now: Timestamp,
    ) -> Result<Arc<Stream>, RestoreError> {
        let account = AccountId::parse(&value.account);
        let account = account.ok_or_else(|| unreadable("the account of a stream"))?;
        let region = Region::new(&value.region);
        if !plausible::is_stream(&value) {
            return Err(unreadable("a stream"));
        }
        let arn = StreamArn::new(AccountRegion { account, region }, &value.name);
        let created = Timestamp::from_millis(value.created_ms);
        let numbers = StreamNumbers {
            incarnation,
            identity: value.identity.unwrap_or(incarnation),
            // Older versions of the emulator saved no `tail_mark`. They put the creation time of
            // the stream into the event ids of tails instead.
            tail_mark: value.tail_mark.unwrap_or(value.created_ms.unsigned_abs()),
        };
        let mut state = self.restored_state(value, now)?;
        state.open_shards(described, opener, incarnation, now);
        // A stream in DELETING has no open shards and is never resharded again. Therefore it need
        // not pass the checks of the open shards and of the pending resharding.
        let is_deleting = state.status == StreamStatus::Deleting;
        let is_sound = plausible::is_covered(&state) && plausible::can_reshard(&state);
        if !is_deleting && !is_sound {
            return Err(unreadable("the shards of a stream"));
        }
        let stream = Stream::new(arn, numbers, created, state);
        stream.records.set(stream.amount(now).0);
        Ok(stream)
    }

    fn restored_state(
        &self,
        value: StreamValue,
        now: Timestamp,
    ) -> Result<StreamState, RestoreError> {
        // A restored transition ends no later than a transition that begins now, even if the
        // machine's clock was set back since the last run.
        let latest_end = self.transition_end(now).unwrap_or(now);
        let mut state = StreamState::creating(value.settings, value.tags.into_iter().collect());
        state.status = status_of(&value.status)?;
        let due = value.due_ms.map(Timestamp::from_millis);
        state.due = due.map(|due| due.min(latest_end));
        if state.status == StreamStatus::Deleting {
            state.due = state.due.or(Some(now));
        }
        state.was_active = value.was_active;
        state.expired_before = Timestamp::from_millis(value.expired_before_ms);
        state.pending = value.pending;
        state.policy = value.policy;
        state.consumers = value.consumers;
        for consumer in state.consumers.values_mut() {
            let due_ms = consumer.due_ms;
            consumer.due_ms = due_ms.map(|due_ms| due_ms.min(latest_end.millis()));
        }
        state.history = value.history;
        Ok(state)
    }
}

/// The first sequence index of the run `run`. Every run has a separate range of indexes, so that
/// a sequence number whose record was lost in a crash is never issued again.
pub(super) fn first_index(run: u64) -> Result<u64, RestoreError> {
    let first = run.checked_shl(limits::SEQUENCE_INDEX_BITS_A_RUN);
    let first = first.filter(|_| run < limits::RUNS_OF_ONE_DIRECTORY);
    let first = first.map(|first| first + 1);
    first.ok_or(RestoreError(Fault::OpenedTooOften))
}

pub(super) fn saved_accounts(catalog: &Catalog) -> Vec<(AccountRegion, AccountValue)> {
    let accounts = catalog.accounts.iter();
    let accounts = accounts.filter_map(|((account, region), value)| {
        let account_region = AccountRegion {
            account: AccountId::parse(account)?,
            region: Region::new(region),
        };
        Some((account_region, value.clone()))
    });
    accounts.collect()
}

pub(super) fn saved_shards(
    catalog: &Catalog,
) -> Result<BTreeMap<u64, Vec<model::Shard>>, RestoreError> {
    let mut shards: BTreeMap<u64, Vec<model::Shard>> = BTreeMap::new();
    for ((incarnation, index), value) in &catalog.shards {
        let shard = plausible::shard(*index, value).ok_or_else(|| unreadable("a shard"))?;
        shards.entry(*incarnation).or_default().push(shard);
    }
    Ok(shards)
}

pub(super) fn status_of(text: &str) -> Result<StreamStatus, RestoreError> {
    let all = [
        StreamStatus::Creating,
        StreamStatus::Active,
        StreamStatus::Updating,
        StreamStatus::Deleting,
    ];
    let status = all.into_iter().find(|status| status.as_str() == text);
    status.ok_or_else(|| unreadable("the state of a stream"))
}

pub(super) fn unreadable(what: &str) -> RestoreError {
    RestoreError(Fault::Unreadable(what.to_owned()))
}

//! The start of an engine: its streams are read from the catalog and its tasks begin.

mod plausible;

use super::lifecycle::{self, Deadlines, Due};
use super::retention;
use super::saved::removed;
use super::state::State;
use super::stream::Stream;
use super::tasks::Tasks;
use super::{AccountStreams, Behaviour, Engine, scaling};
use crate::limits::{self, Limits};
use crate::lock::Lock;
use crate::model::{self, AccountId, AccountRegion, Region, StreamArn, StreamStatus};
use crate::store::{AccountValue, Recovered, ShardValue, Store, StreamValue, catalog};
use crate::world::{Timestamp, World};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// Why an engine cannot begin.
#[derive(Debug)]
pub struct RestoreError(String);

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RestoreError {}

/// The time at which a virtual clock last stood, if it can have stood there.
pub(crate) fn kept_time(recovered: &Recovered) -> Option<Timestamp> {
    let mut values = recovered
        .metadata
        .iter()
        .filter(|(key, _)| *key == catalog::clock());
    let ms = i64::from_be_bytes(values.next()?.1.as_slice().try_into().ok()?);
    (0..=limits::LAST_MOMENT_MS)
        .contains(&ms)
        .then_some(Timestamp::from_millis(ms))
}

impl Engine {
    /// An engine that begins with what the store recovered.
    ///
    /// # Errors
    /// When the kept streams cannot be read.
    ///
    /// `stopping` becomes true, or loses its sender, when subscriptions are to end.
    pub fn start(
        world: World,
        limits: Limits,
        behaviour: Behaviour,
        store: Store,
        recovered: &Recovered,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, RestoreError> {
        let first_index = first_index(recovered.epoch)?;
        let [lifecycle_alarm, retention_alarm, scaling_alarm] =
            std::array::from_fn(|_| world.clock.alarm());
        let mut engine = Self {
            deadlines: Deadlines::new(lifecycle_alarm.bell()),
            world,
            admission: crate::admission::Admission::new(&limits),
            traffic: super::Traffic::default(),
            limits,
            store,
            behaviour,
            accounts: Lock::default(),
            // Streams of other runs may have left records on disk: their numbers stay used.
            next_incarnation: (recovered.epoch << 32).into(),
            first_index,
            callers: super::quota::Callers::default(),
            tasks: Tasks::new(),
            seats: super::subscription::Seats::default(),
            stopping,
            stop: watch::Sender::new(false),
        };
        if let Some(committing) = engine.store.committing() {
            // Ends with the store.
            Tasks::spawn_part("committer", committing);
        }
        engine.restore(recovered)?;
        let engine = Arc::new(engine);
        engine
            .tasks
            .spawn("lifecycle", lifecycle::run(engine.clone(), lifecycle_alarm));
        engine
            .tasks
            .spawn("retention", retention::run(engine.clone(), retention_alarm));
        if engine.behaviour.on_demand_scaling {
            engine
                .tasks
                .spawn("scaling", scaling::run(engine.clone(), scaling_alarm));
        }
        Ok(engine)
    }

    fn restore(&mut self, recovered: &Recovered) -> Result<(), RestoreError> {
        let mut accounts: HashMap<AccountRegion, AccountStreams> = HashMap::new();
        let mut shards = kept_shards(recovered)?;
        for (incarnation, value) in kept_streams(recovered)? {
            let described = shards.remove(&incarnation).unwrap_or_default();
            let stream = self.restored(incarnation, value, described)?;
            let account_streams = accounts.entry(stream.arn.scope.clone()).or_default();
            account_streams.count(&stream, true);
            let name = stream.arn.name.clone();
            if let Some(older) = account_streams.streams.insert(name, stream.clone()) {
                // The name was created anew, so the older stream was deleted.
                account_streams.count(&older, false);
                let removed = older.with_state(|state| removed(&older, state));
                let _kept = self.store.save(removed);
                older.with_state(|state| {
                    state.shards.values().for_each(|shard| shard.log().delete());
                });
            }
            self.await_ends(&stream);
        }
        for (scope, account) in kept_accounts(recovered)? {
            accounts.entry(scope).or_default().account = account;
        }
        self.store.forget_unclaimed();
        self.accounts = Lock::new(accounts);
        Ok(())
    }

    /// Lets the states end that were to end by themselves.
    fn await_ends(&self, stream: &Arc<Stream>) {
        let (due, consumers) = stream.look(|state| (state.due, state.consumers.clone()));
        if let Some(due) = due {
            self.deadlines.add(due, stream.clone(), Due::Stream);
        }
        for (name, consumer) in &consumers {
            self.await_end(stream, name, consumer);
        }
    }

    fn restored(
        &self,
        incarnation: u64,
        value: StreamValue,
        described: Vec<model::Shard>,
    ) -> Result<Arc<Stream>, RestoreError> {
        let account = AccountId::parse(&value.account);
        let account = account.ok_or_else(|| unreadable("the account of a stream"))?;
        let scope = AccountRegion {
            account,
            region: Region::new(&value.region),
        };
        if !plausible::is_stream(&value) {
            return Err(unreadable("a stream"));
        }
        let arn = StreamArn::new(scope, &value.name);
        let mut state = State::creating(value.settings, value.tags.into_iter().collect());
        state.status = status_of(&value.status)?;
        state.due = value.due_ms.map(Timestamp::from_millis);
        if state.status == StreamStatus::Deleting {
            // Whatever was meant to end it: it ends now.
            state.due = state.due.or(Some(self.world.clock.now()));
        }
        state.was_active = value.was_active;
        state.expired_before = Timestamp::from_millis(value.expired_before_ms);
        state.pending = value.pending;
        state.policy = value.policy;
        state.consumers = value.consumers;
        state.history = value.history;
        state.open_shards(described, self, incarnation, self.world.clock.now());
        // One that is on its way out has no open shards, and nothing is done to it any more.
        let leaving = state.status == StreamStatus::Deleting;
        let sound = leaving || (plausible::is_covered(&state) && plausible::can_reshard(&state));
        if !sound {
            return Err(unreadable("the shards of a stream"));
        }
        let created = Timestamp::from_millis(value.created_ms);
        Ok(Stream::new(arn, incarnation, created, state))
    }
}

/// Every run has a range of sequence indexes to itself, so a number that a crash took with its
/// record is never given out again.
fn first_index(epoch: u64) -> Result<u64, RestoreError> {
    let first = epoch.checked_shl(limits::SEQUENCE_INDEX_BITS_A_RUN);
    let first = first.filter(|_| epoch < limits::RUNS_OF_ONE_DIRECTORY);
    first.map(|first| first + 1).ok_or_else(|| {
        RestoreError("this data directory was opened too often: begin a new one".to_owned())
    })
}

fn kept_streams(recovered: &Recovered) -> Result<Vec<(u64, StreamValue)>, RestoreError> {
    let streams = recovered.metadata.iter().filter_map(|(key, value)| {
        let incarnation = catalog::parse_stream(key)?;
        let value = StreamValue::from_bytes(value);
        Some(
            value
                .map(|value| (incarnation, value))
                .ok_or_else(|| unreadable("a stream")),
        )
    });
    streams.collect()
}

fn kept_accounts(
    recovered: &Recovered,
) -> Result<Vec<(AccountRegion, AccountValue)>, RestoreError> {
    let accounts = recovered.metadata.iter().filter_map(|(key, value)| {
        let (account, region) = catalog::parse_account(key)?;
        let scope = AccountRegion {
            account: AccountId::parse(account)?,
            region: Region::new(region),
        };
        let value = AccountValue::from_bytes(value);
        Some(
            value
                .map(|value| (scope, value))
                .ok_or_else(|| unreadable("an account")),
        )
    });
    accounts.collect()
}

fn kept_shards(recovered: &Recovered) -> Result<BTreeMap<u64, Vec<model::Shard>>, RestoreError> {
    let mut shards: BTreeMap<u64, Vec<model::Shard>> = BTreeMap::new();
    for (key, value) in &recovered.metadata {
        let Some((incarnation, index)) = catalog::parse_shard(key) else {
            continue;
        };
        let value = ShardValue::from_bytes(value);
        let shard = value.and_then(|value| plausible::shard(index, &value));
        let shard = shard.ok_or_else(|| unreadable("a shard"))?;
        shards.entry(incarnation).or_default().push(shard);
    }
    Ok(shards)
}

fn status_of(text: &str) -> Result<StreamStatus, RestoreError> {
    let all = [
        StreamStatus::Creating,
        StreamStatus::Active,
        StreamStatus::Updating,
        StreamStatus::Deleting,
    ];
    let status = all.into_iter().find(|status| status.as_str() == text);
    status.ok_or_else(|| unreadable("the state of a stream"))
}

fn unreadable(what: &str) -> RestoreError {
    RestoreError(format!(
        "{what} in the data directory cannot be read: it was written by another version, or it \
         is damaged"
    ))
}

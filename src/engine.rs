//! All streams of all accounts, and what happens to them as time passes.

mod account;
mod change;
mod consumer;
mod lifecycle;
mod put;
mod quota;
mod retention;
mod saved;
mod scaling;
mod shard;
mod start;
mod state;
mod stream;
mod subscription;
pub mod tasks;
mod traffic;

pub use crate::store::{Consumer, PendingChange, ReshardingOrder, StoreError, StreamSettings};
pub use account::Commitment;
pub use change::Counts;
pub use consumer::{ConsumerStatus, consumer_status};
pub use put::{Placed, PutFailure};
pub use shard::{Batch, Read, RecordView, Shard};
pub use start::RestoreError;
pub(crate) use start::kept_time;
pub use state::{State, consumer_arn, mode, new_settings};
pub use stream::{PutSettings, Stream, StreamSnapshot};
pub use subscription::{Event, Leave, SeatTaken, Subscription};
pub use traffic::{Traffic, TrafficFigures};

use crate::admission::Admission;
use crate::limits::{self, Limits};
use crate::lock::Lock;
use crate::model::{
    self, AccountRegion, Keys, StreamArn, StreamMode, StreamStatus, TagFault, Tags,
};
use crate::store::{AccountValue, Figures, Health, LogId, Store, Ticket};
use crate::world::{Clock, Timestamp, World};
use lifecycle::{Deadlines, Due};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tasks::Tasks;
use tokio::sync::{oneshot, watch};

/// The state of one emulator.
#[derive(Debug)]
pub struct Engine {
    /// Time and chance.
    pub world: World,
    /// The limits in force.
    pub limits: Limits,
    /// How much of requests and answers is in memory.
    pub admission: Arc<Admission>,
    /// How many records went through.
    pub traffic: Traffic,
    store: Store,
    behaviour: Behaviour,
    accounts: Lock<HashMap<AccountRegion, AccountStreams>>,
    /// Counts the creations of streams; starts above all earlier ones.
    next_incarnation: AtomicU64,
    /// Where the sequence counters of this run start: above every number of earlier runs, also of
    /// those whose records a crash took.
    first_index: u64,
    deadlines: Deadlines,
    callers: quota::Callers,
    tasks: Tasks,
    seats: subscription::Seats,
    /// Becomes true when subscriptions are to end.
    stopping: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
}

/// How an engine behaves where that is a matter of taste.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Time that a stream spends in a state that ends by itself, in milliseconds.
    pub transition_ms: u64,
    /// Whether on-demand streams split their busy shards.
    pub on_demand_scaling: bool,
    /// Keys that cannot be used.
    pub keys: Keys,
}

/// The streams of one account in one region.
#[derive(Debug, Default)]
struct AccountStreams {
    streams: BTreeMap<Arc<str>, Arc<Stream>>,
    /// Open shards of its provisioned streams.
    open_shards: u64,
    on_demand: u64,
    /// Streams in CREATING or DELETING.
    in_transition: u64,
    account: AccountValue,
}

/// A stream to be created.
#[derive(Debug)]
pub struct NewStream {
    /// What is set about it.
    pub settings: StreamSettings,
    /// How many shards it begins with.
    pub shards: u32,
    /// Its first tags, unchecked.
    pub tags: Vec<(String, String)>,
}

/// How much of its quotas an account uses in a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Open shards of all its streams (whether those of on-demand streams count is a choice).
    pub open_shards: u64,
    /// Its on-demand streams.
    pub on_demand_streams: u64,
}

/// Why a stream is not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateError {
    /// The name is taken.
    Exists,
    /// Too many streams are being created or deleted.
    TooManyInTransition(u64),
    /// Too many on-demand streams.
    TooManyOnDemand(u64),
    /// Too many open shards.
    TooManyShards {
        /// How many there are.
        open: u64,
        /// How many there may be.
        limit: u64,
    },
    /// Its tags are refused.
    Tags(TagFault),
    /// The store refuses to write.
    Store,
}

/// Why a stream is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteError {
    /// Its state does not allow it.
    NotActive(StreamStatus),
    /// Consumers are registered, and were not to be deleted with it.
    HasConsumers,
    /// Too many streams are being created or deleted.
    TooManyInTransition(u64),
    /// The store refuses to write.
    Store,
}

impl Engine {
    /// The stream `name`, in any state.
    pub fn find(&self, scope: &AccountRegion, name: &str) -> Option<Arc<Stream>> {
        self.accounts.lock().get(scope)?.streams.get(name).cloned()
    }

    /// A page of streams with names greater than `after`, and whether there are more.
    pub fn list(
        &self,
        scope: &AccountRegion,
        after: Option<&str>,
        page: usize,
    ) -> (Vec<Arc<Stream>>, bool) {
        let accounts = self.accounts.lock();
        let Some(account_streams) = accounts.get(scope) else {
            return (Vec::new(), false);
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut streams = account_streams
            .streams
            .range::<str, _>((start, Bound::Unbounded));
        let shown = streams
            .by_ref()
            .take(page)
            .map(|(_, stream)| stream.clone())
            .collect();
        (shown, streams.next().is_some())
    }

    /// Creates a stream; returns once that is as durable as was promised.
    ///
    /// # Errors
    /// Why it is not created; then nothing is left of it.
    pub async fn create(
        self: &Arc<Self>,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<(), CreateError> {
        let (stream, ticket) = self.begin(arn, new)?;
        let engine = self.clone();
        // Goes on when the caller leaves, so that nothing stays half done.
        self.finish(async move {
            if ticket.durable().await.is_err() {
                engine.forget(&stream);
                return Err(CreateError::Store);
            }
            engine.created(&stream);
            Ok(())
        })
        .await
        .unwrap_or(Err(CreateError::Store))
    }

    fn begin(&self, arn: StreamArn, new: NewStream) -> Result<(Arc<Stream>, Ticket), CreateError> {
        let now = self.world.clock.now();
        let mut accounts = self.accounts.lock();
        let account_streams = accounts.get(&arn.scope);
        let tags = self.check_new(account_streams, &arn, &new)?;
        let incarnation = self.next_incarnation.fetch_add(1, Ordering::Relaxed);
        let created_s = u64::try_from(now.seconds()).unwrap_or_default();
        let shards_created_s = created_s.saturating_sub(limits::SHARD_CREATED_BEFORE_S);
        let mut state = State::creating(new.settings, tags);
        let described = model::Shard::initial(new.shards, shards_created_s);
        state.open_shards(described, self, incarnation, now);
        state.due = self.due(now);
        let stream = Stream::new(arn.clone(), incarnation, now, state);
        let ticket = stream.with_state(|state| {
            // Without a delay what is kept is the stream as it will be, not a moment of it.
            let kept = if state.due.is_none() {
                StreamStatus::Active
            } else {
                state.status
            };
            let shards: Vec<_> = state.shards.keys().copied().collect();
            self.store.save(saved::saved(&stream, state, kept, &shards))
        });
        let account_streams = accounts.entry(arn.scope.clone()).or_default();
        account_streams.streams.insert(arn.name, stream.clone());
        account_streams.count(&stream, true);
        Ok((stream, ticket))
    }

    /// The checks of a creation, in the service's order.
    fn check_new(
        &self,
        account_streams: Option<&AccountStreams>,
        arn: &StreamArn,
        new: &NewStream,
    ) -> Result<Tags, CreateError> {
        if account_streams
            .is_some_and(|account_streams| account_streams.streams.contains_key(&arn.name))
        {
            return Err(CreateError::Exists);
        }
        let of = |count: fn(&AccountStreams) -> u64| account_streams.map_or(0, count);
        if let Some(limit) = reached(
            self.limits.streams_in_transition,
            of(|r| r.in_transition),
            1,
        ) {
            return Err(CreateError::TooManyInTransition(limit));
        }
        if new.settings.on_demand {
            if let Some(limit) = reached(self.limits.on_demand_streams, of(|r| r.on_demand), 1) {
                return Err(CreateError::TooManyOnDemand(limit));
            }
        } else {
            let (open, more) = (of(|r| r.open_shards), u64::from(new.shards));
            if let Some(limit) = reached(self.limits.shards_per_account, open, more) {
                return Err(CreateError::TooManyShards { open, limit });
            }
        }
        let mut tags = Tags::default();
        let given = new
            .tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        tags.add(given, self.most_tags())
            .map_err(CreateError::Tags)?;
        Ok(tags)
    }

    /// Deletes a stream; returns once that is as durable as was promised.
    ///
    /// # Errors
    /// Why it is not deleted.
    pub async fn delete(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        with_consumers: bool,
    ) -> Result<(), DeleteError> {
        let ticket = self.begin_delete(stream, with_consumers)?;
        let (engine, stream) = (self.clone(), stream.clone());
        self.finish(async move {
            ticket.durable().await.map_err(|_| DeleteError::Store)?;
            match stream.with_state(|state| state.due) {
                Some(due) => engine.deadlines.add(due, stream, Due::Stream),
                None => engine.forget(&stream),
            }
            Ok(())
        })
        .await
        .unwrap_or(Err(DeleteError::Store))
    }

    fn begin_delete(
        &self,
        stream: &Arc<Stream>,
        with_consumers: bool,
    ) -> Result<Ticket, DeleteError> {
        let now = self.world.clock.now();
        let mut accounts = self.accounts.lock();
        let account_streams = accounts.entry(stream.arn.scope.clone()).or_default();
        stream.with_state(|state| {
            let was_creating = match state.status {
                status @ (StreamStatus::Updating | StreamStatus::Deleting) => {
                    return Err(DeleteError::NotActive(status));
                }
                StreamStatus::Creating => true,
                StreamStatus::Active => false,
            };
            if !with_consumers && !state.consumers.is_empty() {
                return Err(DeleteError::HasConsumers);
            }
            if !was_creating {
                let limit = self.limits.streams_in_transition;
                if let Some(limit) = reached(limit, account_streams.in_transition, 1) {
                    return Err(DeleteError::TooManyInTransition(limit));
                }
                account_streams.in_transition += 1;
            }
            state.status = StreamStatus::Deleting;
            state.due = self.due(now);
            let changes = match state.due {
                Some(_) => saved::saved(stream, state, state.status, &[]),
                None => saved::removed(stream, state),
            };
            Ok(self.store.save(changes))
        })
    }

    /// A new stream is durable: it becomes active, now or when it is due.
    fn created(&self, stream: &Arc<Stream>) {
        match stream.with_state(|state| state.due) {
            Some(due) => self.deadlines.add(due, stream.clone(), Due::Stream),
            None => self.activate(stream),
        }
    }

    /// CREATING ends. Nothing happens to a stream that is being deleted.
    fn activate(&self, stream: &Arc<Stream>) {
        let mut accounts = self.accounts.lock();
        let was_creating = stream.with_state(|state| {
            let was_creating = state.status == StreamStatus::Creating;
            if was_creating {
                state.status = StreamStatus::Active;
                state.was_active = true;
                state.due = None;
            }
            was_creating
        });
        if let Some(account_streams) = accounts.get_mut(&stream.arn.scope).filter(|_| was_creating)
        {
            account_streams.in_transition -= 1;
        }
    }

    /// Takes a stream out of its account_streams, and its records out of the store.
    fn forget(&self, stream: &Arc<Stream>) {
        let mut accounts = self.accounts.lock();
        if let Some(account_streams) = accounts.get_mut(&stream.arn.scope) {
            let same = |found: &Arc<Stream>| found.incarnation == stream.incarnation;
            if account_streams
                .streams
                .get(&stream.arn.name)
                .is_some_and(same)
            {
                account_streams.streams.remove(&stream.arn.name);
                account_streams.count(stream, false);
            }
        }
        drop(accounts);
        self.end_subscriptions(stream);
        stream.with_state(|state| state.shards.values().for_each(|shard| shard.log().delete()));
    }

    /// When a transition that begins now ends; none, if at once.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let delay = i64::try_from(self.behaviour.transition_ms).unwrap_or(i64::MAX);
        (delay > 0).then(|| now.plus_millis(delay))
    }

    /// Runs a part of a request to its end, whether the caller waits for it or not.
    async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        self.tasks.spawn("request", async move {
            let _ = done.send(work.await);
        });
        result.await.ok()
    }

    /// The keys that cannot be used.
    pub fn keys(&self) -> &Keys {
        &self.behaviour.keys
    }

    /// How much of its quotas an account uses in a region.
    pub fn usage(&self, scope: &AccountRegion) -> Usage {
        let accounts = self.accounts.lock();
        let Some(account_streams) = accounts.get(scope) else {
            return Usage::default();
        };
        let shards = |stream: &Arc<Stream>| stream.look(State::open_shards_count);
        Usage {
            open_shards: account_streams.streams.values().map(shards).sum(),
            on_demand_streams: account_streams.on_demand,
        }
    }

    /// How many tags a resource may have.
    pub fn most_tags(&self) -> usize {
        self.limits
            .tags
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(usize::MAX)
    }

    /// Whether the store writes; a change is refused before it is made.
    fn check_store(&self) -> Result<(), StoreError> {
        match self.store.health() {
            Health::Serving => Ok(()),
            Health::ReadOnly { reason } => Err(StoreError::ReadOnly(reason)),
        }
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        let accounts = self.accounts.lock();
        accounts
            .values()
            .flat_map(|account_streams| account_streams.streams.values().cloned())
            .collect()
    }

    /// Keeps the time of a virtual clock.
    ///
    /// # Errors
    /// When the store refuses to write.
    pub async fn keep_time(&self) -> Result<(), StoreError> {
        self.store
            .save(vec![saved::clock(self.world.clock.now())])
            .durable()
            .await
    }

    /// Numbers about the store.
    pub fn store_figures(&self) -> Figures {
        self.store.figures()
    }

    /// Whether writes are taken; if not, why.
    pub fn health(&self) -> Health {
        self.store.health()
    }

    /// Ends the tasks and closes the store.
    ///
    /// # Errors
    /// When what was not yet on disk could not be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        self.tasks.close_and_join(limits::CLOSE_LIMIT).await;
        if matches!(self.world.clock, Clock::Virtual(_)) && self.keep_time().await.is_err() {
            tracing::warn!("the time of the virtual clock is not kept");
        }
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        // A runtime that is being shut down runs no more blocking work.
        closed.unwrap_or(Err(StoreError::Closed))
    }
}

impl AccountStreams {
    /// Counts a stream in, or out.
    fn count(&mut self, stream: &Stream, enters: bool) {
        let (mode, shards, in_transition) = stream.with_state(|state| {
            let moving = matches!(
                state.status,
                StreamStatus::Creating | StreamStatus::Deleting
            );
            (state.mode(), state.open_shards_count(), u64::from(moving))
        });
        let (on_demand, open) = match mode {
            StreamMode::OnDemand => (1, 0),
            StreamMode::Provisioned => (0, shards),
        };
        let change = |count: &mut u64, by: u64| {
            *count = if enters { *count + by } else { *count - by };
        };
        change(&mut self.on_demand, on_demand);
        change(&mut self.open_shards, open);
        change(&mut self.in_transition, in_transition);
    }
}

/// The limit, when `more` beside `count` would be too many.
fn reached(limit: limits::Limit, count: u64, more: u64) -> Option<u64> {
    limit.filter(|limit| count.saturating_add(more) > *limit)
}

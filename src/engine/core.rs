//! The engine's parts, and what every change of a stream needs.

use super::accounts::Accounts;
use super::active_subscriptions::ActiveSubscriptions;
use super::call_rates::CallRates;
use super::capacity::Capacity;
use super::commitment::{self, Commitment};
use super::deadlines::{Deadlines, Due};
use super::event_source::{EventSources, Outbound};
use super::queue::Queues;
use super::saved;
use super::slots::Slots;
use super::stream::Stream;
use super::stream_state::{ShardOpener, StreamState};
use super::tasks::Tasks;
use super::traffic::Traffic;
use crate::admission::Admission;
use crate::limits::{self, CallRate, Limits};
use crate::lock::Lock;
use crate::model::{AccountRegion, Keys, ShardId, StreamStatus};
use crate::store::{Figures, Health, Store, StoreError, Ticket};
use crate::world::{Clock, Timestamp, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{oneshot, watch};

/// The streams of all accounts, and everything that acts on them.
#[derive(Debug)]
pub struct Engine {
    /// Time, chance and faults.
    pub world: World,
    /// The limits in force.
    pub limits: Limits,
    /// The budget of requests and answers in memory.
    pub admission: Arc<Admission>,
    /// The counts of records.
    pub traffic: Traffic,
    pub(super) store: Store,
    pub(super) behaviour: Behaviour,
    pub(super) accounts: Lock<Accounts>,
    /// The incarnation of the next stream; starts above those of earlier runs.
    pub(super) next_incarnation: AtomicU64,
    pub(super) shard_opener: ShardOpener,
    pub(super) deadlines: Deadlines<Stream, Due>,
    pub(super) queues: Queues,
    pub(super) call_rates: CallRates,
    pub(super) tasks: Tasks,
    /// The event source mappings.
    pub event_sources: Arc<EventSources>,
    pub(super) active_subscriptions: Arc<ActiveSubscriptions>,
    pub(super) tails: Slots,
    /// Becomes true when subscriptions are to end.
    pub(super) stopping: watch::Receiver<bool>,
    /// Becomes true when the tasks are to end.
    pub(super) stop: watch::Sender<bool>,
}

/// The behaviour of an engine where the service leaves a choice.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Time that a stream spends in a status that ends by itself, in milliseconds.
    pub transition_ms: u64,
    /// On-demand streams split their busy shards.
    pub on_demand_scaling: bool,
    /// Keys that cannot be used.
    pub keys: Keys,
    /// The functions and destinations that event source mappings reach.
    pub outbound: Outbound,
    /// A mapping may send its failures to a stream of this emulator; the service cannot.
    pub own_stream_destinations: bool,
}

impl Engine {
    /// The stream `name`, in any state.
    pub fn find(&self, account_region: &AccountRegion, name: &str) -> Option<Arc<Stream>> {
        self.accounts.lock().find(account_region, name)
    }

    /// Up to `page` streams with names greater than `after`, and whether more follow.
    pub fn list(
        &self,
        account_region: &AccountRegion,
        after: Option<&str>,
        page: usize,
    ) -> (Vec<Arc<Stream>>, bool) {
        self.accounts.lock().list(account_region, after, page)
    }

    /// Every stream of every account.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        self.accounts.lock().streams()
    }

    /// The part of its quotas that an account uses in a region.
    pub fn capacity(&self, account_region: &AccountRegion) -> Capacity {
        self.accounts.lock().capacity(account_region)
    }

    /// The commitment of an account in a region to a minimum of throughput.
    pub fn commitment(&self, account_region: &AccountRegion) -> Commitment {
        let now = self.world.clock.now();
        Commitment::at(now, &self.accounts.lock().settings(account_region))
    }

    /// Enables or disables the commitment, and returns its state once it is durable.
    ///
    /// # Errors
    /// When the store does not write.
    pub async fn set_commitment(
        &self,
        account_region: &AccountRegion,
        enable: bool,
    ) -> Result<Commitment, StoreError> {
        self.check_store()?;
        let now = self.world.clock.now();
        let (commitment, ticket) = {
            let mut accounts = self.accounts.lock();
            let before = accounts.settings(account_region);
            let settings = commitment::changed(&before, enable, now);
            accounts.set_settings(account_region.clone(), settings.clone());
            let change = saved::account(account_region, &settings);
            let ticket = self.store.save(vec![change]);
            (Commitment::at(now, &settings), ticket)
        };
        ticket.durable().await?;
        Ok(commitment)
    }

    /// Counts a call if it is within the rate of its operation; false if it is not. `stream` is the
    /// name in the request, for rates that are counted by stream.
    pub fn admits_call(
        &self,
        account_region: &AccountRegion,
        rate: CallRate,
        stream: Option<&str>,
    ) -> bool {
        let now = self.world.clock.now();
        self.call_rates.admits(account_region, rate, stream, now)
    }

    /// The keys that cannot be used.
    pub fn keys(&self) -> &Keys {
        &self.behaviour.keys
    }

    /// The largest number of tags of one resource.
    pub fn most_tags(&self) -> usize {
        let limit = self.limits.tags;
        limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX)
    }

    /// The greatest sequence time, in seconds since the epoch, of a number that any stream of this
    /// emulator has given out: the present second, or a later one where a shard was created ahead
    /// of the clock.
    pub fn latest_number_s(&self) -> u64 {
        let now_s = u64::try_from(self.world.clock.now().seconds()).unwrap_or_default();
        let latest_s = &self.shard_opener.latest_number_s;
        now_s.max(latest_s.load(Ordering::Relaxed))
    }

    /// Number of subscriptions in progress.
    pub fn subscriptions(&self) -> usize {
        self.active_subscriptions.count()
    }

    /// The figures of the store.
    pub fn store_figures(&self) -> Figures {
        self.store.figures()
    }

    /// The health of the store: it takes writes, or the reason for which it does not.
    pub fn health(&self) -> Health {
        self.store.health()
    }

    /// Refuses a change before it is made, when the store does not write.
    pub(super) fn check_store(&self) -> Result<(), StoreError> {
        match self.store.health() {
            Health::Serving => Ok(()),
            Health::ReadOnly { reason } => Err(StoreError::ReadOnly(reason)),
        }
    }

    /// Hands a stream, and the shards in `shards`, to the store. The caller holds the lock of the
    /// stream, so that the order of the changes in the catalog is the order in which they were made.
    pub(super) fn save(
        &self,
        stream: &Stream,
        state: &mut StreamState,
        status: StreamStatus,
        shards: &[ShardId],
    ) -> Ticket {
        self.store
            .save(saved::stream(stream, state, status, shards))
    }

    /// The end of a transition that begins now; none when there is no delay.
    pub(super) fn transition_end(&self, now: Timestamp) -> Option<Timestamp> {
        let delay = i64::try_from(self.behaviour.transition_ms).unwrap_or(i64::MAX);
        (delay > 0).then(|| now.plus_millis(delay))
    }

    /// Runs the rest of a request to its end, also when the caller stops waiting for it, so that
    /// no change stays half made.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        self.tasks.spawn("request", async move {
            let _ = done.send(work.await);
        });
        result.await.ok()
    }

    /// Waits until a change is durable and calls `then`, also when the caller stops waiting.
    ///
    /// # Errors
    /// When the store does not write. Then `then` is not called.
    pub(super) async fn once_durable(
        self: &Arc<Self>,
        ticket: Ticket,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let engine = self.clone();
        let finished = self.finish(async move {
            ticket.durable().await?;
            then(&engine);
            Ok(())
        });
        finished.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Saves the time of a virtual clock.
    ///
    /// # Errors
    /// When the store does not write.
    pub async fn save_time(&self) -> Result<(), StoreError> {
        let change = saved::clock(self.world.clock.now());
        self.store.save(vec![change]).durable().await
    }

    /// Ends the tasks and closes the store.
    ///
    /// # Errors
    /// When records or changes that were not yet on disk could not be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        self.tasks.close_and_join(limits::CLOSE_LIMIT).await;
        if matches!(self.world.clock, Clock::Virtual(_)) && self.save_time().await.is_err() {
            tracing::warn!("the time of the virtual clock is not saved");
        }
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        // A runtime that is being shut down runs no more blocking work.
        closed.unwrap_or(Err(StoreError::Closed))
    }
}

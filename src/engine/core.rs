//! The type [`Engine`], and the functions that requests of several kinds use.

use super::accounts::Accounts;
use super::active_subscriptions::ActiveSubscriptions;
use super::call_rates::CallRates;
use super::channel::{ChannelBehaviour, Channels};
use super::commitment::{self, Commitment};
use super::deadlines::{Deadlines, Due};
use super::event_source::{EventSources, Outbound};
use super::queue::Queues;
use super::quotas::QuotaUse;
use super::saved;
use super::slots::Slots;
use super::stream::Stream;
use super::stream_state::{ShardOpener, StreamState};
use super::tasks::Tasks;
use super::traffic::Traffic;
use crate::admission::Admission;
use crate::limits::{self, CallRate, Limit, Limits};
use crate::lock::Lock;
use crate::model::{AccountRegion, HashKey, Keys, ParsedNumber, ShardId, StreamStatus};
use crate::store::{AccountValue, Figures, Store, StoreError, Ticket, run_of};
use crate::world::{Alarm, Bell, Clock, Timestamp, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{oneshot, watch};

/// Holds the streams of all accounts, and runs the operations on them.
#[derive(Debug)]
pub struct Engine {
    /// The clock, the random numbers and the fault injection of the emulator.
    pub world: World,
    /// The values of all limits of the emulator.
    pub limits: Limits,
    /// The in-flight budget, which bounds the memory of requests, answers and events.
    pub admission: Arc<Admission>,
    /// Counts the written and the read records, for metrics.
    pub traffic: Traffic,
    pub(super) store: Store,
    pub(super) behaviour: Behaviour,
    pub(super) accounts: Lock<Accounts>,
    /// Incarnation number of the next stream, queue or channel. Greater than all incarnation
    /// numbers of earlier runs.
    pub(super) next_incarnation: AtomicU64,
    pub(super) shard_opener: ShardOpener,
    pub(super) deadlines: Deadlines<Stream, Due>,
    pub(super) queues: Queues,
    pub(super) channels: Channels,
    pub(super) call_rates: CallRates,
    pub(super) tasks: Tasks,
    /// The event source mappings of all accounts.
    pub event_sources: Arc<EventSources>,
    pub(super) active_subscriptions: Arc<ActiveSubscriptions>,
    pub(super) tails: Slots,
    /// The slots of the snapshots that are being saved.
    pub(super) saves: Slots,
    /// Number of resets and of loads of snapshots since the start. An unfinished save of a snapshot
    /// fails when this number changes.
    pub(super) replacements: AtomicU64,
    /// Wakes the task that removes expired records.
    pub(super) retention_bell: Bell,
    /// The slots of the snapshots that are being loaded.
    pub(super) loads: Slots,
    /// Becomes true when the subscriptions and the tails must end, before the stop of the engine.
    pub(super) stopping: watch::Receiver<bool>,
    /// Becomes true when the engine's tasks must end, at the stop of the engine.
    pub(super) stop: watch::Sender<bool>,
}

/// The settings of an engine, without the limits. The options of the emulator determine these
/// settings.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Duration of a status that ends by itself, such as CREATING, in milliseconds.
    pub transition_ms: u64,
    /// True if the engine splits busy shards of on-demand streams.
    pub on_demand_scaling: bool,
    /// States of the KMS keys that cannot be used.
    pub keys: Keys,
    /// The functions that event source mappings invoke, and the client that delivers their failure
    /// records.
    pub outbound: Outbound,
    /// True if a mapping may send its failure records to a stream of this emulator. The service
    /// does not permit such a destination.
    pub own_stream_destinations: bool,
    /// The destinations of channels, and the sizes of their objects.
    pub channels: ChannelBehaviour,
}

impl Engine {
    /// Finds the stream `name` of an account, in any status.
    pub fn find(&self, account_region: &AccountRegion, name: &str) -> Option<Arc<Stream>> {
        self.accounts.lock().find(account_region, name)
    }

    /// True if any account has a stream.
    pub fn has_streams(&self) -> bool {
        !self.accounts.lock().streams().is_empty()
    }

    /// Returns up to `page` streams of an account, in the order of their names. If `after` is
    /// given, returns only streams with a name greater than `after`. The second value is true if
    /// the account has more streams after the returned ones.
    pub fn list(
        &self,
        account_region: &AccountRegion,
        after: Option<&str>,
        page: usize,
    ) -> (Vec<Arc<Stream>>, bool) {
        self.accounts.lock().list(account_region, after, page)
    }

    /// Returns the accounts and regions that have streams, each with the number of its streams. The
    /// result is sorted by account and region as text.
    pub fn scopes(&self) -> Vec<(AccountRegion, usize)> {
        self.accounts.lock().scopes()
    }

    /// The streams of all accounts, in any status.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        self.accounts.lock().streams()
    }

    /// The quota use of an account in a region.
    pub fn quota_use(&self, account_region: &AccountRegion) -> QuotaUse {
        self.accounts.lock().quota_use(account_region)
    }

    /// Returns the state of the account's minimum throughput billing commitment at the present
    /// time.
    pub fn commitment(&self, account_region: &AccountRegion) -> Commitment {
        let now = self.world.clock.now();
        Commitment::at(now, &self.accounts.lock().settings(account_region))
    }

    /// Enables or disables the account's minimum throughput billing commitment. Returns the new
    /// state of the commitment when the change is durable.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
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

    /// Returns true and counts an API call if the rate of its operation permits the call. Returns
    /// false otherwise. `stream` is the stream's name in the request, for operations whose rate
    /// applies to each stream separately.
    pub fn admits_call(
        &self,
        account_region: &AccountRegion,
        rate: CallRate,
        stream: Option<&str>,
    ) -> bool {
        let now = self.world.clock.now();
        self.call_rates.admits(account_region, rate, stream, now)
    }

    /// States of the KMS keys that cannot be used.
    pub fn keys(&self) -> &Keys {
        &self.behaviour.keys
    }

    /// Maximum number of tags on one resource.
    pub fn most_tags(&self) -> usize {
        let limit = self.limits.tags;
        limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX)
    }

    /// True if a writer may demand that a record with the hash key `key` gets a sequence number
    /// greater than `number`. The time in `number` must not be in the future. If `number` is a
    /// number of the shard that gets the record, the shard must already have given out the number.
    /// Every other number is accepted.
    ///
    /// A sequence number does not identify its stream: streams whose shards were created in the
    /// same second have equal numbers. Therefore another stream may have given out the number.
    pub fn can_order_after(
        &self,
        stream: &Stream,
        key: Option<HashKey>,
        number: &ParsedNumber,
    ) -> bool {
        let latest_s = self.latest_number_s();
        if number.time_s.is_some_and(|time_s| time_s > latest_s) {
            return false;
        }
        let Some(number) = number.position_at() else {
            return true;
        };
        let (shard, _) = stream.route(key, 0);
        !shard.has_number(number)
            || shard.has_given_out(number)
            || self
                .streams()
                .iter()
                .any(|stream| stream.has_given_out(number))
    }

    /// Returns the latest timestamp that a sequence number of the emulator can contain so far, in
    /// seconds since the epoch. The value is usually the current second. The value is later if a
    /// shard was created or cleared ahead of the clock, because this shard may have given out later
    /// numbers.
    fn latest_number_s(&self) -> u64 {
        let now_s = u64::try_from(self.world.clock.now().seconds()).unwrap_or_default();
        let latest_s = &self.shard_opener.latest_number_s;
        now_s.max(latest_s.load(Ordering::Relaxed))
    }

    /// Number of this run, which is the upper part of the sequence indexes that the run issues.
    pub(super) fn run(&self) -> u64 {
        run_of(self.shard_opener.first_index())
    }

    /// The settings of all accounts whose settings differ from the default.
    pub(super) fn account_settings(&self) -> Vec<(AccountRegion, AccountValue)> {
        let accounts = self.accounts.lock();
        let with_settings = accounts.with_settings().into_iter();
        let settings = |of| (accounts.settings(&of), of);
        with_settings
            .map(settings)
            .map(|(settings, of)| (of, settings))
            .collect()
    }

    /// Number of subscriptions in progress, in all streams.
    pub fn subscriptions(&self) -> usize {
        self.active_subscriptions.count()
    }

    /// The figures of the store, for metrics.
    pub fn store_figures(&self) -> Figures {
        self.store.figures()
    }

    /// Checks that the store can write. Callers call this function before they make a change.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub fn check_store(&self) -> Result<(), StoreError> {
        self.store.check()
    }

    /// Hands the catalog entries of a stream and of its shards `shards` to the store. The caller
    /// must hold the lock of the stream. The lock ensures that changes reach the catalog in the
    /// order in which they were made.
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

    /// Returns the time at which a status such as CREATING ends if the status begins at `now`. None
    /// if the status ends immediately.
    pub(super) fn transition_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.transition_end_by(None, now)
    }

    /// Returns the time at which a status such as CREATING ends if the status begins at `now`. The
    /// status lasts for `delay_ms` milliseconds, or for `Behaviour::transition_ms` if `delay_ms` is
    /// None. Returns None if this duration is zero.
    pub(super) fn transition_end_by(&self, delay_ms: Limit, now: Timestamp) -> Option<Timestamp> {
        let delay_ms = delay_ms.unwrap_or(self.behaviour.transition_ms);
        let delay_ms = i64::try_from(delay_ms).unwrap_or(i64::MAX);
        (delay_ms > 0).then(|| now.plus_millis(delay_ms))
    }

    /// Runs `work` in a task. The task completes `work` even if the caller is dropped, so that no
    /// change is left incomplete. Returns None if the task panicked, or if the stop of the engine
    /// dropped the task.
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

    /// Waits until the change of `ticket` is durable, and then calls `then`. The wait and the call
    /// happen even if the caller is dropped.
    ///
    /// # Errors
    /// Returns an error if the store cannot write. In that case `then` is not called.
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

    /// Saves the time of a virtual clock. Returns when the saved time is as durable as the
    /// `durability` option promises.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub async fn save_time(&self) -> Result<(), StoreError> {
        let change = saved::clock(self.world.clock.now());
        self.store.save(vec![change]).durable().await
    }

    /// Waits until `deadline`, or until the bell of `alarm` rings. Without a deadline, only the
    /// bell ends the wait. Returns true after the wait, or false if the engine stops during the
    /// wait.
    pub(super) async fn wait(&self, alarm: &mut Alarm, deadline: Option<Timestamp>) -> bool {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => false,
            () = alarm.wait(deadline) => true,
        }
    }

    /// Ends the tasks and closes the store.
    ///
    /// # Errors
    /// Returns an error if records or changes that were not yet on disk cannot be written.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        self.tasks.close_and_join(limits::CLOSE_LIMIT).await;
        if matches!(self.world.clock, Clock::Virtual(_)) && self.save_time().await.is_err() {
            tracing::warn!("the time of the virtual clock could not be saved");
        }
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        // An error of `spawn_blocking` means that the tokio runtime is shutting down and runs no
        // blocking work any more.
        closed.unwrap_or(Err(StoreError::Closed))
    }
}

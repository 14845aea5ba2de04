//! Changes of a stream: those that take it through UPDATING, and those that count at once.

use super::lifecycle::Due;
use super::state::State;
use super::{AccountStreams, Engine, Stream, saved};
use crate::model::{self, HashKey, ShardId, StreamMode, StreamStatus, merge, scale, split};
use crate::store::{PendingChange, ReshardingOrder, StoreError};
use crate::world::Timestamp;
use std::sync::Arc;

/// What a change may have to know beside its stream.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// The time now.
    pub now: Timestamp,
    /// Open shards of the provisioned streams of the account in the region.
    pub open_shards: u64,
    /// Its on-demand streams.
    pub on_demand: u64,
    /// Whether the account is committed to a minimum of throughput.
    pub committed: bool,
}

impl Engine {
    /// Changes a stream by way of UPDATING. `plan` checks the state and says what it is to become,
    /// if that is anything new; before it changes anything itself, it has refused what it refuses.
    /// Returns once the change is
    /// kept; without a delay for transitions it is then made, too.
    ///
    /// # Errors
    /// What `plan` refuses, and a store that does not write.
    pub async fn update<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        plan: impl FnOnce(&mut State, Counts) -> Result<Option<PendingChange>, E>,
    ) -> Result<(), E> {
        self.check_store()?;
        let ticket = {
            let mut accounts = self.accounts.lock();
            let account_streams = accounts.entry(stream.arn.scope.clone()).or_default();
            let now = self.world.clock.now();
            let counts = account_streams.counts(now);
            stream.with_state(|state| {
                let Some(change) = plan(state, counts)? else {
                    return Ok(None);
                };
                if change.settings.retention_hours != state.settings.retention_hours {
                    state.expired_before = state.horizon(now);
                }
                let changed = match self.due(now) {
                    None => self.apply(stream, state, account_streams, change, now),
                    Some(due) => {
                        state.status = StreamStatus::Updating;
                        state.due = Some(due);
                        state.pending = Some(change);
                        Vec::new()
                    }
                };
                let saved = saved::saved(stream, state, state.status, &changed);
                Ok::<_, E>(Some(self.store.save(saved)))
            })?
        };
        let Some(ticket) = ticket else { return Ok(()) };
        let (engine, stream) = (self.clone(), stream.clone());
        let kept = self.finish(async move {
            ticket.durable().await?;
            if let Some(due) = stream.look(|state| state.due) {
                engine.deadlines.add(due, stream.clone(), Due::Stream);
            }
            Ok(())
        });
        kept.await
            .unwrap_or(Err(StoreError::Closed))
            .map_err(E::from)
    }

    /// Changes what counts at once, such as tags; returns once that is kept.
    ///
    /// # Errors
    /// What `change` refuses, and a store that does not write. Then nothing is changed.
    pub async fn amend<R, E: From<StoreError>>(
        &self,
        stream: &Arc<Stream>,
        change: impl FnOnce(&mut State, Counts) -> Result<R, E>,
    ) -> Result<R, E> {
        self.check_store()?;
        let now = self.world.clock.now();
        let counts = self
            .accounts
            .lock()
            .entry(stream.arn.scope.clone())
            .or_default()
            .counts(now);
        let (result, ticket) = stream.with_state(|state| {
            let result = change(state, counts)?;
            let saved = saved::saved(stream, state, state.status, &[]);
            Ok::<_, E>((result, self.store.save(saved)))
        })?;
        ticket.durable().await?;
        Ok(result)
    }

    /// UPDATING ends: what was planned becomes true.
    pub(super) fn finish_update(&self, stream: &Arc<Stream>, now: Timestamp) {
        let mut accounts = self.accounts.lock();
        let account_streams = accounts.entry(stream.arn.scope.clone()).or_default();
        let _kept = stream.with_state(|state| {
            if state.status != StreamStatus::Updating {
                return None;
            }
            state.status = StreamStatus::Active;
            state.due = None;
            let change = state.pending.take()?;
            let changed = self.apply(stream, state, account_streams, change, now);
            Some(
                self.store
                    .save(saved::saved(stream, state, state.status, &changed)),
            )
        });
    }

    /// Makes a change true, all of it in one step: writers wait for the state's lock meanwhile.
    /// Returns the shards to be kept anew.
    fn apply(
        &self,
        stream: &Stream,
        state: &mut State,
        account_streams: &mut AccountStreams,
        change: PendingChange,
        now: Timestamp,
    ) -> Vec<ShardId> {
        account_streams.uncount_capacity(state);
        state.settings = change.settings;
        let order = change.resharding.as_ref();
        let changed = order.map_or_else(Vec::new, |order| reshard(state, order, now));
        let ids = changed.iter().map(|shard| shard.id).collect();
        self.replace_shards(stream, state, changed, now);
        account_streams.count_capacity(state);
        ids
    }

    fn replace_shards(
        &self,
        stream: &Stream,
        state: &mut State,
        changed: Vec<model::Shard>,
        now: Timestamp,
    ) {
        let mut new = Vec::new();
        for description in changed {
            match state.shards.get(&description.id) {
                Some(shard) => shard.close(description),
                None => new.push(description),
            }
        }
        state.open_shards(new, self, stream.incarnation, now);
    }
}

/// The shards that are closed or created by `order`, as they are afterwards.
fn reshard(state: &State, order: &ReshardingOrder, now: Timestamp) -> Vec<model::Shard> {
    let closed_s = u64::try_from(now.seconds()).unwrap_or_default();
    let next = state.next_shard();
    let shard = |index: u32| {
        let shard = state.shard(ShardId::new(index));
        shard.expect("a shard that is being split or merged stays")
    };
    let resharding = match order {
        ReshardingOrder::Split { shard: index, at } => {
            let key = HashKey::new(u128::from_be_bytes(*at));
            split(&shard(*index), key, [next, next.next()], closed_s)
        }
        ReshardingOrder::Merge { lower, upper } => {
            merge(&shard(*lower), &shard(*upper), next, closed_s)
        }
        ReshardingOrder::Scale { count } => {
            let open: Vec<_> = state
                .routes()
                .iter()
                .map(|shard| shard.description())
                .collect();
            return scale(&open, next, *count, closed_s);
        }
    };
    resharding
        .closed
        .into_iter()
        .chain(resharding.opened)
        .collect()
}

impl AccountStreams {
    fn counts(&self, now: Timestamp) -> Counts {
        Counts {
            now,
            open_shards: self.open_shards,
            on_demand: self.on_demand,
            committed: self.commitment(now).is_enabled(),
        }
    }

    fn uncount_capacity(&mut self, state: &State) {
        match state.mode() {
            StreamMode::OnDemand => self.on_demand -= 1,
            StreamMode::Provisioned => self.open_shards -= state.open_shards_count(),
        }
    }

    fn count_capacity(&mut self, state: &State) {
        match state.mode() {
            StreamMode::OnDemand => self.on_demand += 1,
            StreamMode::Provisioned => self.open_shards += state.open_shards_count(),
        }
    }
}

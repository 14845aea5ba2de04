//! The streams and settings of every account and region.
//!
//! For each account and region, the engine keeps the number of streams and shards that count
//! against its quotas (`QuotaUse`). Every change of a stream that can change these numbers goes
//! through [`Accounts::change`].

use super::commitment::Commitment;
use super::quotas::QuotaUse;
use super::stream::Stream;
use super::stream_state::StreamState;
use crate::model::AccountRegion;
use crate::store::AccountValue;
use crate::world::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// The streams and settings of all accounts in all regions.
#[derive(Debug, Default)]
pub(super) struct Accounts(HashMap<AccountRegion, AccountStreams>);

/// The streams and settings of one account in one region.
#[derive(Debug, Default)]
struct AccountStreams {
    streams: BTreeMap<Arc<str>, Arc<Stream>>,
    /// The quota use of the account: the sum of the quota uses of its streams.
    quota_use: QuotaUse,
    settings: AccountValue,
}

/// The values with which the engine checks a change of a stream: the time of the change, and the
/// quota use and the billing commitment of the stream's account.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Time of the change.
    pub now: Timestamp,
    /// The quota use of the account in the region.
    pub quota_use: QuotaUse,
    /// True if the account's minimum throughput billing commitment is in force.
    pub committed: bool,
}

impl Accounts {
    /// Finds the stream `name` of an account, in any status.
    pub(super) fn find(&self, account_region: &AccountRegion, name: &str) -> Option<Arc<Stream>> {
        self.0.get(account_region)?.streams.get(name).cloned()
    }

    /// Returns up to `page` streams of an account, in the order of their names. If `after` is
    /// given, returns only streams with a name greater than `after`. The second value is true if
    /// the account has more streams after the returned ones.
    pub(super) fn list(
        &self,
        account_region: &AccountRegion,
        after: Option<&str>,
        page: usize,
    ) -> (Vec<Arc<Stream>>, bool) {
        let Some(account) = self.0.get(account_region) else {
            return (Vec::new(), false);
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut streams = account.streams.range::<str, _>((start, Bound::Unbounded));
        let listed = streams.by_ref().take(page);
        let listed = listed.map(|(_, stream)| stream.clone()).collect();
        (listed, streams.next().is_some())
    }

    /// The streams of all accounts, in any status.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        let accounts = self.0.values();
        accounts
            .flat_map(|account| account.streams.values().cloned())
            .collect()
    }

    /// Returns the accounts and regions that have streams, each with the number of its streams. The
    /// result is sorted by account and region as text.
    pub(super) fn scopes(&self) -> Vec<(AccountRegion, usize)> {
        let accounts = self.0.iter();
        let counted = accounts.map(|(scope, account)| (scope.clone(), account.streams.len()));
        let mut scopes: Vec<_> = counted.filter(|(_, streams)| *streams > 0).collect();
        scopes.sort_by_key(|(scope, _)| scope.to_string());
        scopes
    }

    pub(super) fn quota_use(&self, account_region: &AccountRegion) -> QuotaUse {
        let account = self.0.get(account_region);
        account.map_or_else(QuotaUse::default, |account| account.quota_use)
    }

    /// The settings of an account in a region. An account whose settings were never changed has the
    /// default settings.
    pub(super) fn settings(&self, account_region: &AccountRegion) -> AccountValue {
        let account = self.0.get(account_region);
        account.map_or_else(AccountValue::default, |account| account.settings.clone())
    }

    /// The accounts and regions whose settings differ from the default.
    pub(super) fn with_settings(&self) -> Vec<AccountRegion> {
        let set = self
            .0
            .iter()
            .filter(|(_, account)| account.settings != AccountValue::default());
        set.map(|(account_region, _)| account_region.clone())
            .collect()
    }

    pub(super) fn set_settings(&mut self, account_region: AccountRegion, settings: AccountValue) {
        self.0.entry(account_region).or_default().settings = settings;
    }

    /// Returns the values with which the engine checks a change of one of the account's streams.
    /// `now` is the time of the change.
    pub(super) fn counts(&self, account_region: &AccountRegion, now: Timestamp) -> Counts {
        Counts {
            now,
            quota_use: self.quota_use(account_region),
            committed: Commitment::at(now, &self.settings(account_region)).is_enabled(),
        }
    }

    /// Adds a stream to its account. Replaces and returns the stream that had the same name, if
    /// there was one.
    pub(super) fn insert(&mut self, stream: &Arc<Stream>) -> Option<Arc<Stream>> {
        let account = self.0.entry(stream.arn.scope.clone()).or_default();
        let name = stream.arn.name.clone();
        let older = account.streams.insert(name, stream.clone());
        let before = older.as_ref().map_or_else(QuotaUse::default, quota_use_of);
        account.quota_use = account.quota_use.with_change(before, quota_use_of(stream));
        older
    }

    /// Removes a stream from its account. Does nothing if the account does not have the stream.
    /// Also removes the account if no streams remain in it and its settings are the default
    /// settings.
    pub(super) fn remove(&mut self, stream: &Arc<Stream>) {
        let account_region = &stream.arn.scope;
        let Some(account) = self.0.get_mut(account_region).filter(|a| a.has(stream)) else {
            return;
        };
        account.streams.remove(&stream.arn.name);
        let (before, after) = (quota_use_of(stream), QuotaUse::default());
        account.quota_use = account.quota_use.with_change(before, after);
        if account.streams.is_empty() && account.settings == AccountValue::default() {
            self.0.remove(account_region);
        }
    }

    /// Changes a stream under its lock, and updates the quota use of its account.
    pub(super) fn change<R>(
        &mut self,
        stream: &Stream,
        change: impl FnOnce(&mut StreamState) -> R,
    ) -> R {
        let account = self.0.get_mut(&stream.arn.scope);
        stream.with_state(|state| {
            let before = QuotaUse::of(state);
            let result = change(state);
            // The account no longer has the stream if the stream was deleted before this change.
            // Then the change does not affect the quota use of the account.
            if let Some(account) = account.filter(|account| account.has(stream)) {
                account.quota_use = account.quota_use.with_change(before, QuotaUse::of(state));
            }
            result
        })
    }
}

impl AccountStreams {
    /// True if the account has this stream, and not a newer stream of the same name.
    fn has(&self, stream: &Stream) -> bool {
        let found = self.streams.get(&stream.arn.name);
        found.is_some_and(|found| found.incarnation == stream.incarnation)
    }
}

fn quota_use_of(stream: &Arc<Stream>) -> QuotaUse {
    stream.look(QuotaUse::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamNumbers;
    use crate::engine::stream_state::new_settings;
    use crate::model::{AccountId, Region, StreamArn, StreamMode, StreamStatus, Tags};

    fn account_region() -> AccountRegion {
        AccountRegion {
            account: AccountId::parse("123456789012").unwrap(),
            region: Region::new("us-east-1"),
        }
    }

    fn stream(incarnation: u64, mode: StreamMode) -> Arc<Stream> {
        let state = StreamState::creating(new_settings(mode), Tags::default());
        let arn = StreamArn::new(account_region(), "orders");
        let numbers = StreamNumbers {
            incarnation,
            identity: incarnation,
            tail_mark: 0,
        };
        Stream::new(arn, numbers, Timestamp::default(), state)
    }

    #[test]
    fn looking_at_an_account_does_not_create_it() {
        let accounts = Accounts::default();
        let (account_region, now) = (account_region(), Timestamp::default());
        assert!(accounts.find(&account_region, "orders").is_none());
        assert!(accounts.list(&account_region, None, 9).0.is_empty());
        assert_eq!(accounts.quota_use(&account_region), QuotaUse::default());
        assert_eq!(accounts.settings(&account_region), AccountValue::default());
        assert!(!accounts.counts(&account_region, now).committed);
        assert!(accounts.0.is_empty());
    }

    #[test]
    fn the_capacity_follows_every_change_of_a_stream_in_the_account() {
        let mut accounts = Accounts::default();
        let older = stream(1, StreamMode::Provisioned);
        assert!(accounts.insert(&older).is_none());
        let newer = stream(2, StreamMode::OnDemand);
        assert!(accounts.insert(&newer).is_some());
        let quota_use = |accounts: &Accounts| {
            let quota_use = accounts.quota_use(&account_region());
            (quota_use.on_demand_streams, quota_use.streams_in_transition)
        };
        // A stream counts as in transition only if its status has a deadline.
        assert_eq!(quota_use(&accounts), (1, 0));
        accounts.change(&newer, |state| state.due = Some(Timestamp::default()));
        assert_eq!(quota_use(&accounts), (1, 1));
        accounts.change(&newer, |state| state.status = StreamStatus::Active);
        assert_eq!(quota_use(&accounts), (1, 0));
        // The older stream does not belong to the account any more.
        accounts.change(&older, |state| state.settings.on_demand = true);
        accounts.remove(&older);
        assert_eq!(quota_use(&accounts), (1, 0));
        accounts.change(&newer, |state| state.settings.on_demand = false);
        assert_eq!(quota_use(&accounts), (0, 0));
        accounts.remove(&newer);
        assert!(accounts.0.is_empty());
    }
}

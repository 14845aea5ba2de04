//! Finds channels by ARN and by name, and lists and counts the channels of an account.

use super::item::Channel;
use crate::engine::Engine;
use crate::model::{AccountRegion, ChannelArn};
use std::sync::Arc;

impl Engine {
    /// Finds the channel with the ARN `arn`, in any status.
    pub(crate) fn find_channel(&self, arn: &ChannelArn) -> Option<Arc<Channel>> {
        let accounts = self.channels.accounts.lock();
        accounts.get(&arn.scope)?.with_id(&arn.id).cloned()
    }

    /// Finds the channel called `name` in an account and region, in any status.
    pub(crate) fn find_channel_named(
        &self,
        scope: &AccountRegion,
        name: &str,
    ) -> Option<Arc<Channel>> {
        let accounts = self.channels.accounts.lock();
        accounts.get(scope)?.with_name(name).cloned()
    }

    /// Returns up to `page` channels of an account, in the order of their names. Returns only
    /// channels with a name greater than `after` for which `wanted` returns true. The second value
    /// is true if more such channels follow.
    pub(crate) fn list_channels(
        &self,
        scope: &AccountRegion,
        after: Option<&str>,
        page: usize,
        wanted: impl Fn(&Channel) -> bool,
    ) -> (Vec<Arc<Channel>>, bool) {
        let accounts = self.channels.accounts.lock();
        let account = accounts.get(scope);
        account.map_or_else(Default::default, |account| {
            account.list(after, page, wanted)
        })
    }

    /// Number of the account's channels in the region, in any status.
    pub(crate) fn count_channels(&self, scope: &AccountRegion) -> u64 {
        let accounts = self.channels.accounts.lock();
        let account = accounts.get(scope);
        account.map_or(0, |account| account.len() as u64)
    }

    /// All channels of all accounts, in any status.
    pub(crate) fn all_channels(&self) -> Vec<Arc<Channel>> {
        self.channels.all()
    }
}

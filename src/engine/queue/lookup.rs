//! Finds queues by ARN and by name, and lists the queues of an account.

use super::item::Queue;
use crate::engine::Engine;
use crate::model::{AccountRegion, QueueArn};
use std::sync::Arc;

impl Engine {
    /// Finds the queue with the ARN `arn`, in any status.
    pub(crate) fn find_queue(&self, arn: &QueueArn) -> Option<Arc<Queue>> {
        let accounts = self.queues.accounts.lock();
        accounts.get(&arn.scope)?.items.with_id(&arn.id).cloned()
    }

    /// Finds the queue called `name` in the account and region `scope`, in any status.
    pub(crate) fn find_queue_named(&self, scope: &AccountRegion, name: &str) -> Option<Arc<Queue>> {
        let accounts = self.queues.accounts.lock();
        accounts.get(scope)?.items.with_name(name).cloned()
    }

    /// Returns up to `page` queues of an account, in the order of their names. Returns only queues
    /// with a name greater than `after` for which `wanted` returns true. The second value is true
    /// if more such queues follow.
    pub(crate) fn list_queues(
        &self,
        scope: &AccountRegion,
        after: Option<&str>,
        page: usize,
        wanted: impl Fn(&Queue) -> bool,
    ) -> (Vec<Arc<Queue>>, bool) {
        let accounts = self.queues.accounts.lock();
        let account = accounts.get(scope);
        account.map_or_else(Default::default, |account| {
            account.items.list(after, page, wanted)
        })
    }

    /// Returns the number of receive requests that wait for records, in all queues.
    pub(crate) fn waiting_receives(&self) -> usize {
        let waiting = |queue: &Arc<Queue>| queue.receivers.count() + queue.dead_receivers.count();
        self.queues.all().iter().map(waiting).sum()
    }

    /// All queues of all accounts, in any status.
    pub(crate) fn all_queues(&self) -> Vec<Arc<Queue>> {
        self.queues.all()
    }
}

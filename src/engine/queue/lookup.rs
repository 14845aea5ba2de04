//! Finds queues.

use super::item::Queue;
use crate::engine::Engine;
use crate::model::{AccountRegion, QueueArn};
use std::ops::Bound;
use std::sync::Arc;

impl Engine {
    /// Finds the queue with this ARN, in any status.
    pub(crate) fn find_queue(&self, arn: &QueueArn) -> Option<Arc<Queue>> {
        let accounts = self.queues.accounts.lock();
        accounts.get(&arn.scope)?.by_id.get(&arn.id).cloned()
    }

    /// Finds the queue with this name, in any status.
    pub(crate) fn find_queue_named(&self, scope: &AccountRegion, name: &str) -> Option<Arc<Queue>> {
        let accounts = self.queues.accounts.lock();
        accounts.get(scope)?.by_name.get(name).cloned()
    }

    /// Up to `page` queues for which `wanted` returns true and whose names are greater than
    /// `after`, in the order of their names. The second value is true if more queues follow.
    pub(crate) fn list_queues(
        &self,
        scope: &AccountRegion,
        after: Option<&str>,
        page: usize,
        wanted: impl Fn(&Queue) -> bool,
    ) -> (Vec<Arc<Queue>>, bool) {
        let accounts = self.queues.accounts.lock();
        let Some(account) = accounts.get(scope) else {
            return (Vec::new(), false);
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = account.by_name.range::<str, _>((start, Bound::Unbounded));
        let mut later = later.map(|(_, queue)| queue).filter(|queue| wanted(queue));
        let shown = later.by_ref().take(page).cloned().collect();
        (shown, later.next().is_some())
    }

    /// Number of receive requests that wait for records, over all queues.
    pub(crate) fn waiting_receives(&self) -> usize {
        let waiting = |queue: &Arc<Queue>| queue.receivers.count() + queue.dead_receivers.count();
        self.queues.all().iter().map(waiting).sum()
    }

    /// All queues of all accounts.
    pub(crate) fn all_queues(&self) -> Vec<Arc<Queue>> {
        self.queues.all()
    }
}

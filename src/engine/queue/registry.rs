//! The registry of all queues and of their deadlines. At a deadline, a status of a queue or a
//! visibility timeout ends.

use super::item::Queue;
use crate::engine::deadlines::Deadlines;
use crate::engine::lock_order;
use crate::engine::named_items::{Named, NamedItems};
use crate::lock::Lock;
use crate::model::{AccountRegion, StreamStatus};
use crate::world::{Bell, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The queues of all accounts, and their deadlines. At a deadline, a status of a queue or a
/// visibility timeout ends.
#[derive(Debug)]
pub(in crate::engine) struct Queues {
    pub(in crate::engine) accounts: Lock<HashMap<AccountRegion, AccountQueues>>,
    pub(super) deadlines: Deadlines<Queue, Due>,
}

/// The event at a deadline of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The status of the queue ends.
    Status,
    /// The visibility timeout of a record in the queue ends. A waiting receive request may then
    /// find the record.
    Visibility,
}

/// The queues of one account in one region.
#[derive(Debug, Default)]
pub(in crate::engine) struct AccountQueues {
    pub(super) items: NamedItems<Queue>,
    /// Incarnation numbers of the queues whose status is CREATING or DELETING until a transition
    /// ends. Without a transition delay, the status ends with a commit, and the queue is not in
    /// this set.
    pub(super) in_transition: HashSet<u64>,
}

impl Named for Queue {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn id(&self) -> &Arc<str> {
        &self.arn.id
    }

    fn incarnation(&self) -> u64 {
        self.incarnation
    }
}

impl Queues {
    /// A registry without queues. `bell` wakes the task that handles the deadlines of queues.
    pub(in crate::engine) fn new(bell: Bell) -> Self {
        Self {
            accounts: Lock::ranked(lock_order::QUEUES, HashMap::new()),
            deadlines: Deadlines::new(bell),
        }
    }

    /// Registers the time at which a queue's status ends by itself.
    pub(super) fn await_status(&self, moment: Timestamp, queue: &Arc<Queue>) {
        self.deadlines.add(moment, queue.clone(), Due::Status);
    }

    /// Registers the end of a visibility timeout as a deadline. Callers do this only for a queue
    /// with a waiting receive request.
    pub(super) fn await_visibility(&self, moment: Timestamp, queue: &Arc<Queue>) {
        self.deadlines.add(moment, queue.clone(), Due::Visibility);
    }

    pub(super) fn all(&self) -> Vec<Arc<Queue>> {
        let accounts = self.accounts.lock();
        accounts.values().flat_map(AccountQueues::all).collect()
    }
}

impl AccountQueues {
    /// Adds a restored queue to the account and to its stream. Returns false if another queue has
    /// the same name or id.
    pub(in crate::engine) fn restore(&mut self, queue: &Arc<Queue>) -> bool {
        if !self.items.insert(queue) {
            return false;
        }
        let status = queue.describe().status;
        if matches!(status, StreamStatus::Creating | StreamStatus::Deleting) {
            self.in_transition.insert(queue.incarnation);
        }
        queue.stream.with_state(|state| {
            state.queues.insert(queue.incarnation);
            state.arrivals.add(&queue.receivers);
        });
        true
    }

    /// All queues of the account in the region.
    pub(in crate::engine) fn all(&self) -> Vec<Arc<Queue>> {
        self.items.all().cloned().collect()
    }

    /// Number of the account's queues whose status CREATING or DELETING lasts until a transition
    /// ends.
    pub(super) fn in_transition(&self) -> u64 {
        self.in_transition.len() as u64
    }
}

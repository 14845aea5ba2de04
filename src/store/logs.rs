//! The list of all logs of a store.

use super::format::record::LogId;
use super::generations::Generation;
use super::log::shard_log::Log;
use super::shared::state::Shared;
use crate::lock::Lock;
use std::collections::HashMap;
use std::sync::Arc;

/// All logs of a store, by their ids.
#[derive(Debug)]
pub(crate) struct Logs {
    shared: Arc<Shared>,
    logs: Lock<HashMap<LogId, Arc<Log>>>,
}

impl Logs {
    pub(crate) fn new(shared: Arc<Shared>, logs: HashMap<LogId, Arc<Log>>) -> Arc<Self> {
        let logs = Lock::new(logs);
        Arc::new(Self { shared, logs })
    }

    /// Returns the log with the id `id`, and marks the log as in use. Creates the log if it does
    /// not exist.
    pub(crate) fn claim(&self, id: LogId) -> Arc<Log> {
        let mut logs = self.logs.lock();
        let log = logs.entry(id);
        let log = log.or_insert_with(|| Log::new(id, self.shared.clone(), Default::default()));
        log.claim();
        log.clone()
    }

    pub(crate) fn get(&self, id: LogId) -> Option<Arc<Log>> {
        self.logs.lock().get(&id).cloned()
    }

    /// Returns all logs in the order of their ids.
    pub(crate) fn all(&self) -> Vec<Arc<Log>> {
        let mut logs: Vec<_> = self.logs.lock().values().cloned().collect();
        logs.sort_unstable_by_key(|log| log.id());
        logs
    }

    pub(crate) fn len(&self) -> usize {
        self.logs.lock().len()
    }

    /// Deletes the log with the id `id` and all of its records.
    pub(crate) fn delete(&self, id: LogId) {
        let removed = self.logs.lock().remove(&id);
        if let Some(log) = removed {
            let shard = self.shared.names.describe_log(id);
            tracing::debug!("the records of {shard} are deleted");
            log.delete();
        }
    }

    /// Drops the segments that are stored in `generation` from all logs. The caller has found that
    /// the generation was removed or set aside.
    pub(crate) fn lose_generation(&self, generation: &Arc<Generation>) {
        for log in self.all() {
            for entry in log.segments_in(generation) {
                log.drop_lost_segment(&(generation.clone(), entry), "its generation is gone");
            }
        }
    }

    /// Removes entries from the front of the list of closed segments. Stops at the first entry
    /// whose segment is still in memory.
    pub(crate) fn forget_evicted(&self) {
        loop {
            let Some((id, first)) = self.shared.sealed.lock().pop_front() else {
                return;
            };
            let log = self.get(id);
            if log.is_some_and(|log| !log.is_evicted(first)) {
                return self.shared.sealed.lock().push_front((id, first));
            }
        }
    }

    pub(crate) fn clear(&self) {
        self.logs.lock().clear();
    }
}

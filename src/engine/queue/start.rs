//! Restores the queues from the catalog and from their journals, at the start of the engine.

use super::item::{Queue, QueueIdentity, QueueState, log_id};
use super::journal::Journal;
use crate::engine::start::{RestoreError, status_of, unreadable};
use crate::engine::stream_state::ShardOpener;
use crate::engine::{Engine, Stream};
use crate::model::{
    AccountId, AccountRegion, QueueArn, QueueAttributes, QueueReplay, QueueStart, Region,
    StreamStatus,
};
use crate::store::{Change, QueueValue, Recovered};
use crate::world::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

impl Engine {
    /// Restores the queues of the streams `streams`. Removes a queue from the catalog if its stream
    /// does not exist.
    pub(in crate::engine) fn restore_queues(
        &self,
        recovered: &Recovered,
        streams: &HashMap<u64, Arc<Stream>>,
    ) -> Result<(), RestoreError> {
        let now = self.world.clock.now();
        let mut accounts = self.queues.accounts.lock();
        for (&incarnation, value) in &recovered.catalog.queues {
            let Some(stream) = streams.get(&value.stream) else {
                let _kept = self.store.save(vec![Change::Queue(incarnation, None)]);
                continue;
            };
            let opener = &self.shard_opener;
            let queue = self.restored_queue(opener, incarnation, value.clone(), stream, now)?;
            let account = accounts.entry(queue.arn.scope.clone()).or_default();
            account.restore(&queue);
            self.await_queue(&queue);
        }
        Ok(())
    }

    /// Registers the time at which the queue's status ends, if the status ends by itself.
    pub(in crate::engine) fn await_queue(&self, queue: &Arc<Queue>) {
        if let Some(due) = queue.with_state(|state| state.due) {
            self.queues.await_status(due, queue);
        }
    }

    /// Restores a queue from its catalog entry and its journal. The delivery numbers of the queue
    /// continue from the first sequence index of the run of `opener`. `now` is the current time.
    pub(in crate::engine) fn restored_queue(
        &self,
        opener: &ShardOpener,
        incarnation: u64,
        value: QueueValue,
        stream: &Arc<Stream>,
        now: Timestamp,
    ) -> Result<Arc<Queue>, RestoreError> {
        let given = value.given_ms.map(Timestamp::from_millis);
        let start = QueueStart::parse(&value.start, given);
        let account = AccountId::parse(&value.account);
        let (start, account) = start.zip(account).ok_or_else(|| unreadable("a queue"))?;
        let scope = AccountRegion {
            account,
            region: Region::new(&value.region),
        };
        let arn = QueueArn {
            scope,
            id: value.id.as_str().into(),
        };
        // The emulator saves only valid ARNs, so an invalid ARN means that the entry is damaged.
        if QueueArn::parse(&arn.to_string()).as_ref() != Some(&arn) {
            return Err(unreadable("a queue"));
        }
        let attributes = QueueAttributes {
            visibility_timeout_s: value.visibility_timeout_s,
            max_receive_count: value.max_receive_count,
        };
        let log = self.store.log(log_id(incarnation));
        let mut journal = Journal::new(log);
        let mut replay = QueueReplay::default();
        let mut flaws = 0;
        let read = journal.log().clone().read_all(|record| {
            journal.count(record.data.len());
            flaws += u64::from(!replay.read(record.data));
        });
        if let Err(error) = &read {
            tracing::error!(queue = %arn, %error, "the state of a queue cannot be read");
        }
        if flaws > 0 {
            tracing::error!(queue = %arn, documents = flaws, "a part of a queue's state is damaged");
        }
        let is_saved = self.store.is_durable();
        let records = replay.finish(attributes.max_receive_count, opener.first_index(), is_saved);
        let tags = value.tags.into_iter().collect();
        if !is_saved {
            self.store.delete(log_id(incarnation));
        }
        let journal = is_saved.then_some(journal);
        let mut state = QueueState::new(attributes, tags, records, journal);
        state.status = status_of(&value.status)?;
        // A restored transition ends no later than a transition that begins now, even if the
        // machine's clock was set back since the last run.
        let latest_end = self.transition_end(now).unwrap_or(now);
        let due = value.due_ms.map(Timestamp::from_millis);
        state.due = due.map(|due| due.min(latest_end));
        if state.status != StreamStatus::Active {
            state.due = state.due.or(Some(now));
        }
        state.policy = value.policy;
        let identity = QueueIdentity {
            arn,
            name: value.name.as_str().into(),
            incarnation,
            stream: stream.clone(),
            created: Timestamp::from_millis(value.created_ms),
            start,
            started: Timestamp::from_millis(value.started_ms),
            secret: value.secret,
        };
        Ok(Queue::new(identity, state))
    }
}

//! Creates queues: checks the request, sets the queue's starting position, and saves the queue.

use super::item::{Queue, QueueIdentity, QueueState, log_id};
use super::journal::{CommitPriority, Journal};
use super::registry::AccountQueues;
use crate::engine::{Engine, Read, ReadBudget, Stream, StreamState};
use crate::model::{
    QueueArn, QueueAttributes, QueueRecords, QueueStart, StreamStatus, Tags, resource_id,
};
use crate::store::{Change, StoreError, Ticket, WriteReservation};
use crate::world::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The properties of a queue that is to be created.
#[derive(Debug)]
pub(crate) struct NewQueue {
    pub(crate) name: Arc<str>,
    pub(crate) attributes: QueueAttributes,
    /// The starting position that the request asks for.
    pub(crate) start: QueueStart,
    /// Initial tags of the queue, already validated.
    pub(crate) tags: Tags,
    /// True if the queue is ACTIVE immediately, without a transition delay.
    pub(crate) at_once: bool,
}

/// The values with which the engine checks a request for a new queue. They describe the account and
/// its other queues.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueCounts {
    /// True if the account's minimum throughput billing commitment is in force.
    pub(crate) committed: bool,
    /// True if the account has a queue of this name in the region.
    pub(crate) name_taken: bool,
    /// Number of queues whose status is CREATING or DELETING, in the account and region of the new
    /// queue.
    pub(crate) in_transition: u64,
}

/// The position at which a new queue starts: its time, and the queue's first record in each
/// existing shard.
struct Beginning {
    /// Shard numbers, each with the index of the queue's first record in the shard. None if the
    /// queue starts after the last record of every shard.
    positions: Option<Vec<(u32, u64)>>,
    started: Timestamp,
}

/// The bytes that are reserved for the first journal document of a queue. This document contains
/// the positions in a few shards.
const FIRST_DOCUMENT_BYTES: u64 = 256;

impl Engine {
    /// Creates a queue if `check` permits it. Returns when the creation is as durable as the
    /// `durability` option promises.
    ///
    /// # Errors
    /// Returns the error of `check`, or an error if the store cannot write.
    pub(crate) async fn create_queue<E: From<StoreError>>(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        new: NewQueue,
        check: impl Fn(&StreamState, QueueCounts) -> Result<(), E>,
    ) -> Result<Arc<Queue>, E> {
        self.check_store()?;
        let counts = self.queue_counts(stream, &new.name);
        stream.look(|state| check(state, counts))?;
        let beginning = self.beginning(stream, new.start).await?;
        let reservation = match self.store.is_durable() {
            true => Some(self.store.reserve(FIRST_DOCUMENT_BYTES).await?),
            false => None,
        };
        let (queue, tickets) = self.begin_queue(stream, new, beginning, reservation, check)?;
        let (engine, created) = (self.clone(), queue.clone());
        // The task completes the creation even if the caller is dropped.
        let finished = self.finish(async move {
            for ticket in tickets {
                if let Err(error) = ticket.durable().await {
                    engine.forget_queue(&created);
                    return Err(error);
                }
            }
            match created.with_state(|state| state.due) {
                Some(due) => engine.queues.await_status(due, &created),
                None => engine.activate_queue(&created),
            }
            Ok(())
        });
        finished.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(queue)
    }

    fn queue_counts(&self, stream: &Stream, name: &str) -> QueueCounts {
        let committed = self.commitment(&stream.arn.scope).is_enabled();
        let accounts = self.queues.accounts.lock();
        let account = accounts.get(&stream.arn.scope);
        QueueCounts {
            committed,
            name_taken: account.is_some_and(|account| account.items.with_name(name).is_some()),
            in_transition: account.map_or(0, AccountQueues::in_transition),
        }
    }

    /// Finds the time of a queue's starting position, and the queue's first record in each shard.
    /// For the position LATEST, the records are found later, because the ends of all shards must be
    /// read at the same moment.
    async fn beginning(
        &self,
        stream: &Arc<Stream>,
        start: QueueStart,
    ) -> Result<Beginning, StoreError> {
        let now = self.world.clock.now();
        let (horizon, shards) = stream.all_shards(now);
        let mut positions = Vec::new();
        match start {
            QueueStart::Latest => Ok(Beginning {
                positions: None,
                started: now,
            }),
            QueueStart::AtTimestamp(at) => {
                for shard in shards.iter() {
                    positions.push((shard.id.index(), shard.index_at_time(at).await?));
                }
                Ok(Beginning {
                    positions: Some(positions),
                    started: at.max(horizon),
                })
            }
            QueueStart::TrimHorizon => {
                let mut oldest = None;
                for shard in shards.iter() {
                    positions.push((shard.id.index(), 0));
                    let read = Read {
                        from: shard.position(0, now),
                        horizon,
                        records: 1,
                        bytes: 1,
                    };
                    let first = shard
                        .read(read, ReadBudget::AtOnce)
                        .await?
                        .last()
                        .map(|(_, arrival)| arrival);
                    oldest = oldest.into_iter().chain(first).min();
                }
                Ok(Beginning {
                    positions: Some(positions),
                    started: oldest.unwrap_or(horizon),
                })
            }
        }
    }

    fn begin_queue<E>(
        &self,
        stream: &Arc<Stream>,
        new: NewQueue,
        beginning: Beginning,
        reservation: Option<WriteReservation>,
        check: impl Fn(&StreamState, QueueCounts) -> Result<(), E>,
    ) -> Result<(Arc<Queue>, Vec<Ticket>), E> {
        let counts = self.queue_counts(stream, &new.name);
        let now = self.world.clock.now();
        let mut accounts = self.queues.accounts.lock();
        let account = accounts.entry(stream.arn.scope.clone()).or_default();
        let counts = QueueCounts {
            name_taken: account.items.with_name(&new.name).is_some(),
            in_transition: account.in_transition(),
            ..counts
        };
        let (queue, tickets) = stream.with_state(|state| {
            check(state, counts)?;
            let (queue, tickets) = self.make_queue(stream, state, new, beginning, reservation, now);
            state.queues.insert(queue.incarnation);
            state.arrivals.add(&queue.receivers);
            Ok((queue, tickets))
        })?;
        let _added = account.items.insert(&queue);
        if queue.with_state(|state| state.due.is_some()) {
            account.in_transition.insert(queue.incarnation);
        }
        Ok((queue, tickets))
    }

    fn make_queue(
        &self,
        stream: &Arc<Stream>,
        stream_state: &StreamState,
        new: NewQueue,
        beginning: Beginning,
        reservation: Option<WriteReservation>,
        now: Timestamp,
    ) -> (Arc<Queue>, Vec<Ticket>) {
        let incarnation = self.next_incarnation.fetch_add(1, Ordering::Relaxed);
        let is_saved = self.store.is_durable();
        let most = new.attributes.max_receive_count;
        let mut records = QueueRecords::new(most, self.shard_opener.first_index(), is_saved);
        let positions = beginning.positions.unwrap_or_else(|| ends(stream_state));
        for (shard, next) in positions {
            records.know(shard);
            records.advance(shard, next);
        }
        let mut journal = is_saved.then(|| Journal::new(self.store.log(log_id(incarnation))));
        let first = journal.as_mut().zip(reservation);
        let first = first.and_then(|(journal, reservation)| {
            journal.write(
                &self.tasks,
                &mut records,
                reservation,
                now,
                CommitPriority::Urgent,
            )
        });
        let mut state = QueueState::new(new.attributes, new.tags, records, journal);
        state.due = self.transition_end(now).filter(|_| !new.at_once);
        let identity = QueueIdentity {
            arn: QueueArn {
                scope: stream.arn.scope.clone(),
                id: resource_id(u128::from_le_bytes(self.world.random.bytes())).into(),
            },
            name: new.name,
            incarnation,
            stream: stream.clone(),
            created: now,
            start: new.start,
            started: beginning.started,
            secret: self.world.random.bytes(),
        };
        let queue = Queue::new(identity, state);
        let saved = queue.with_state(|state| {
            // Without a transition delay, the queue is ACTIVE when this change is durable.
            let status = match state.due {
                None => StreamStatus::Active,
                Some(_) => state.status,
            };
            let value = Box::new(state.value(&queue, status));
            let change = Change::Queue(incarnation, Some(value));
            self.store.save(vec![change])
        });
        (queue, first.into_iter().chain([saved]).collect())
    }
}

/// Returns, for each open shard, the index after the last record. A closed shard gets `u64::MAX`,
/// so that the queue skips the records of the shard.
fn ends(state: &StreamState) -> Vec<(u32, u64)> {
    let end = |shard: &Arc<crate::engine::Shard>| {
        let open = shard.description().is_open();
        (shard.id.index(), if open { shard.end() } else { u64::MAX })
    };
    state.all().iter().map(end).collect()
}

//! One queue and its state.

use super::journal::Journal;
use super::view::StreamView;
use crate::engine::{Stream, lock_order};
use crate::limits;
use crate::lock::Lock;
use crate::model::{
    HandleSeal, QUEUE_SECRET_BYTES, QueueArn, QueueAttributes, QueueCounts, QueueRecords,
    QueueStart, RecordIds, StreamStatus, Tags,
};
use crate::store::{Change, LogId, QueueValue, Receivers};
use crate::world::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A queue, from its creation to the end of its deletion.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Account, region and id.
    pub(crate) arn: QueueArn,
    /// The name.
    pub(crate) name: Arc<str>,
    /// The number of the queue, never used twice; its log has it too.
    pub(crate) incarnation: u64,
    /// The stream whose records it hands out.
    pub(crate) stream: Arc<Stream>,
    /// The moment of its creation.
    pub(crate) created: Timestamp,
    /// The starting position that was asked for.
    pub(crate) start: QueueStart,
    /// The moment that the starting position stands for.
    pub(crate) started: Timestamp,
    /// Makes the ids of records.
    pub(crate) ids: RecordIds,
    /// Makes receipt handles.
    pub(crate) seal: HandleSeal,
    pub(super) secret: [u8; QUEUE_SECRET_BYTES],
    state: Lock<QueueState>,
    /// Receivers that wait for records.
    pub(super) receivers: Arc<Receivers>,
    /// Receivers that wait for dead-letter records.
    pub(super) dead_receivers: Arc<Receivers>,
    pub(super) traffic: QueueTraffic,
}

/// The state of a queue that can change.
#[derive(Debug)]
pub(super) struct QueueState {
    /// The status; a queue has the same ones as a stream.
    pub(super) status: StreamStatus,
    /// The moment at which the status changes by itself.
    pub(super) due: Option<Timestamp>,
    /// True once the removal is on its way to the disk: nothing of the queue is saved any more.
    pub(super) removed: bool,
    pub(super) attributes: QueueAttributes,
    pub(super) tags: Tags,
    pub(super) policy: Option<String>,
    pub(super) records: QueueRecords,
    /// None where nothing survives a restart.
    pub(super) journal: Option<Journal>,
    /// Closed shards in which nothing is left to be received for the first time.
    pub(super) exhausted: BTreeSet<u32>,
    /// The shard, as a position among all, with which the next receive begins.
    pub(super) rotation: usize,
    /// The next receive begins with records that were received before, where both kinds alternate.
    pub(super) visible_first: bool,
    /// Visible records, and dead-letter ones, that receivers were woken for.
    pub(super) announced: (usize, usize),
    /// True when as many records were in flight as may be: normal and dead-letter ones.
    pub(super) full: [bool; 2],
    /// The first end of a visibility timeout that the task of transitions knows of.
    pub(super) armed: Option<Timestamp>,
}

/// A queue as it is described.
#[derive(Debug, Clone)]
pub(crate) struct QueueDescription {
    /// The status.
    pub(crate) status: StreamStatus,
    /// The attributes.
    pub(crate) attributes: QueueAttributes,
}

/// Records of a queue that went through since the start.
#[derive(Debug, Default)]
pub(super) struct QueueTraffic {
    pub(super) received: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) empty_receives: AtomicU64,
}

/// Figures of a queue, for metrics and for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFigures {
    /// Records by standing.
    pub(crate) counts: QueueCounts,
    /// Records that were never received.
    pub(crate) unread: u64,
    /// Records received since the start, each time counted.
    pub(crate) received: u64,
    /// Records acknowledged since the start.
    pub(crate) acknowledged: u64,
    /// Receives since the start that got nothing.
    pub(crate) empty_receives: u64,
}

/// The parts of a queue that never change.
pub(super) struct QueueIdentity {
    pub(super) arn: QueueArn,
    pub(super) name: Arc<str>,
    pub(super) incarnation: u64,
    pub(super) stream: Arc<Stream>,
    pub(super) created: Timestamp,
    pub(super) start: QueueStart,
    pub(super) started: Timestamp,
    pub(super) secret: [u8; QUEUE_SECRET_BYTES],
}

impl Queue {
    pub(super) fn new(identity: QueueIdentity, state: QueueState) -> Arc<Self> {
        let QueueIdentity {
            arn,
            name,
            incarnation,
            stream,
            created,
            start,
            started,
            secret,
        } = identity;
        Arc::new(Self {
            arn,
            name,
            incarnation,
            ids: RecordIds::of(&stream.arn, stream.created),
            stream,
            created,
            start,
            started,
            seal: HandleSeal::new(&secret),
            secret,
            state: Lock::ranked(lock_order::QUEUE, state),
            receivers: Arc::default(),
            dead_receivers: Arc::default(),
            traffic: QueueTraffic::default(),
        })
    }

    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut QueueState) -> R) -> R {
        look(&mut self.state.lock())
    }

    /// Looks at the tags and the policy.
    pub(crate) fn look_at_tags<R>(&self, look: impl FnOnce(&Tags, Option<&str>) -> R) -> R {
        self.with_state(|state| look(&state.tags, state.policy.as_deref()))
    }

    /// True when records can be received and settled.
    pub(crate) fn serves(&self) -> bool {
        self.with_state(|state| state.serves())
    }

    /// The description.
    pub(crate) fn describe(&self) -> QueueDescription {
        self.with_state(|state| QueueDescription {
            status: state.status,
            attributes: state.attributes,
        })
    }

    /// Figures at this moment; ends the visibility timeouts that are due at `now`.
    pub(crate) fn figures(&self, now: Timestamp) -> QueueFigures {
        let view = StreamView::of(&self.stream, now);
        let (counts, unread) = self.with_state(|state| {
            let counts = state.records.counts_at(now);
            (counts, view.unread_count(&state.records))
        });
        QueueFigures {
            counts,
            unread,
            received: self.traffic.received.load(Ordering::Relaxed),
            acknowledged: self.traffic.acknowledged.load(Ordering::Relaxed),
            empty_receives: self.traffic.empty_receives.load(Ordering::Relaxed),
        }
    }

    /// The receivers that wait for records of that kind.
    pub(super) fn receivers(&self, dead: bool) -> &Arc<Receivers> {
        if dead {
            &self.dead_receivers
        } else {
            &self.receivers
        }
    }
}

impl Queue {
    /// The queue as a snapshot has it: its entry in the catalog, its log, and the documents of its
    /// state. None for a queue that is going.
    pub(in crate::engine) fn snapshot(&self) -> Option<(Change, LogId, Vec<Vec<u8>>)> {
        let incarnation = self.incarnation;
        self.with_state(|state| {
            if state.removed || state.status == StreamStatus::Deleting {
                return None;
            }
            let value = Some(Box::new(state.value(self, state.status)));
            let documents = state.records.list_documents(limits::QUEUE_DOCUMENT_BYTES);
            let change = Change::Queue { incarnation, value };
            Some((change, log_id(incarnation), documents))
        })
    }
}

/// The log of a queue's documents.
pub(in crate::engine) fn log_id(incarnation: u64) -> LogId {
    LogId {
        stream: incarnation,
        shard: 0,
    }
}

impl QueueState {
    pub(super) fn new(
        attributes: QueueAttributes,
        tags: Tags,
        records: QueueRecords,
        journal: Option<Journal>,
    ) -> Self {
        Self {
            status: StreamStatus::Creating,
            due: None,
            removed: false,
            attributes,
            tags,
            policy: None,
            records,
            journal,
            exhausted: BTreeSet::new(),
            rotation: 0,
            visible_first: true,
            announced: (0, 0),
            full: [false; 2],
            armed: None,
        }
    }

    /// True when records can be received and settled.
    pub(super) fn serves(&self) -> bool {
        matches!(self.status, StreamStatus::Active | StreamStatus::Updating)
    }

    /// The value of the queue in the catalog; `status` is the one it will have when this is
    /// durable.
    pub(super) fn value(&self, queue: &Queue, status: StreamStatus) -> QueueValue {
        let tags = self.tags.iter();
        QueueValue {
            account: queue.arn.scope.account.to_string(),
            region: queue.arn.scope.region.to_string(),
            id: queue.arn.id.to_string(),
            name: queue.name.to_string(),
            stream: queue.stream.incarnation,
            created_ms: queue.created.millis(),
            status: status.as_str().to_owned(),
            due_ms: self.due.map(Timestamp::millis),
            visibility_timeout_s: self.attributes.visibility_timeout_s,
            max_receive_count: self.attributes.max_receive_count,
            start: queue.start.as_str().to_owned(),
            given_ms: queue.start.given().map(Timestamp::millis),
            started_ms: queue.started.millis(),
            secret: queue.secret,
            tags: tags
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            policy: self.policy.clone(),
        }
    }
}

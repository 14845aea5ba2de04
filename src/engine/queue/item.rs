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

/// A queue. The value exists from the queue's creation until the end of its deletion.
#[derive(Debug)]
pub(crate) struct Queue {
    /// ARN of the queue: its account, region and id.
    pub(crate) arn: QueueArn,
    pub(crate) name: Arc<str>,
    /// Incarnation number of the queue. No other queue, channel or stream has the same number. The
    /// id of the queue's journal contains the number.
    pub(crate) incarnation: u64,
    /// The stream whose records the queue distributes.
    pub(crate) stream: Arc<Stream>,
    /// Creation time of the queue.
    pub(crate) created: Timestamp,
    /// Starting position in the request that created the queue.
    pub(crate) start: QueueStart,
    /// Time of the queue's starting position.
    pub(crate) started: Timestamp,
    /// Computes the ids that records have in this queue.
    pub(crate) ids: RecordIds,
    /// Encodes and decodes the receipt handles of this queue.
    pub(crate) seal: HandleSeal,
    pub(super) secret: [u8; QUEUE_SECRET_BYTES],
    state: Lock<QueueState>,
    /// The receive requests that wait for normal records, which are the records other than
    /// dead-letter records.
    pub(super) receivers: Arc<Receivers>,
    /// The receive requests that wait for dead-letter records.
    pub(super) dead_receivers: Arc<Receivers>,
    pub(super) traffic: QueueTraffic,
}

/// The mutable state of a queue.
#[derive(Debug)]
pub(super) struct QueueState {
    /// Status of the queue. Queues have the same statuses as streams.
    pub(super) status: StreamStatus,
    /// Time at which the status ends by itself. None if the status does not end by itself.
    pub(super) due: Option<Timestamp>,
    /// True after the queue's removal from the catalog was handed to the store. Later changes of
    /// the queue are not saved.
    pub(super) removed: bool,
    pub(super) attributes: QueueAttributes,
    pub(super) tags: Tags,
    pub(super) policy: Option<String>,
    pub(super) records: QueueRecords,
    /// The journal of the records' states. None if the emulator saves nothing that survives a
    /// restart.
    pub(super) journal: Option<Journal>,
    /// Shard numbers of the closed shards whose records have all been received at least once.
    pub(super) exhausted: BTreeSet<u32>,
    /// The shard at which the next receive starts. The value is an index in the stream's list of
    /// all shards.
    pub(super) rotation: usize,
    /// True if the visible records, which were received before, get the larger half of the next
    /// receive. False if the records that were never received get the larger half. Used only for a
    /// queue without a maximum receive count.
    pub(super) visible_first: bool,
    /// The numbers of visible normal records and of visible dead-letter records at the moment when
    /// waiting receive requests were last woken.
    pub(super) announced: (usize, usize),
    /// True if the maximum number of records is in flight. The first value is for normal records,
    /// the second for dead-letter records.
    pub(super) full: [bool; 2],
    /// True if a warning was logged because the maximum number of records is in flight. The first
    /// value is for normal records, the second for dead-letter records.
    pub(super) warned: [bool; 2],
    /// The limit of records in flight, if the queue has reached the limit and the warning for this
    /// is not logged yet. The warning is logged after the release of the queue's lock. The first
    /// value is for normal records, the second for dead-letter records. None if there is no warning
    /// to log.
    pub(super) pending_warnings: [Option<u64>; 2],
    /// The earliest registered deadline for the end of a visibility timeout. None if no such
    /// deadline is registered.
    pub(super) armed: Option<Timestamp>,
}

/// The members of DescribeQueue's answer whose values can change.
#[derive(Debug, Clone)]
pub(crate) struct QueueDescription {
    pub(crate) status: StreamStatus,
    pub(crate) attributes: QueueAttributes,
}

/// Counts of operations on a queue since the start of the emulator.
#[derive(Debug, Default)]
pub(super) struct QueueTraffic {
    pub(super) received: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) empty_receives: AtomicU64,
}

/// Figures of a queue, for metrics, the console and the paths under `/_minikin/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFigures {
    /// The number of received records in each standing: visible or in flight, dead-letter or not.
    pub(crate) counts: QueueCounts,
    /// Number of records of the queue that were never received.
    pub(crate) unread: u64,
    /// Number of records received since the start of the emulator. A record counts each time it is
    /// received.
    pub(crate) received: u64,
    /// Number of records acknowledged since the start of the emulator. A repeated acknowledgement
    /// of a record does not count.
    pub(crate) acknowledged: u64,
    /// Number of receive requests that returned no record, since the start of the emulator.
    pub(crate) empty_receives: u64,
}

/// The properties of a queue that never change.
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

    /// Calls `look` with the queue's state, under the queue's lock, and returns the result of
    /// `look`. If the limit of records in flight was reached, logs a warning after the release of
    /// the lock.
    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut QueueState) -> R) -> R {
        let mut state = self.state.lock();
        let result = look(&mut state);
        let warnings = std::mem::take(&mut state.pending_warnings);
        drop(state);
        for (kind, limit) in ["records", "dead-letter records"].into_iter().zip(warnings) {
            if let Some(limit) = limit {
                tracing::warn!(
                    queue = %self.arn,
                    name = %self.name,
                    "{limit} {kind} of a queue are in flight, which is the limit (set it by --limit \
                     queue-in-flight=N): receives get no more until some are acknowledged or \
                     visible again"
                );
            }
        }
        result
    }

    /// Calls `look` with the tags and the policy of the queue, and returns the result of `look`.
    pub(crate) fn look_at_tags<R>(&self, look: impl FnOnce(&Tags, Option<&str>) -> R) -> R {
        self.with_state(|state| look(&state.tags, state.policy.as_deref()))
    }

    /// True if the queue's status is ACTIVE or UPDATING. These statuses permit receiving records
    /// and using receipt handles.
    pub(crate) fn serves(&self) -> bool {
        self.with_state(|state| state.serves())
    }

    /// The current status and attributes of the queue.
    pub(crate) fn describe(&self) -> QueueDescription {
        self.with_state(|state| QueueDescription {
            status: state.status,
            attributes: state.attributes,
        })
    }

    /// Returns the figures of the queue at `now`. First ends the visibility timeouts that are over,
    /// and removes the expired records.
    pub(crate) fn figures(&self, now: Timestamp) -> QueueFigures {
        let view = StreamView::of(&self.stream, now);
        let (counts, unread) = self.with_state(|state| {
            state.refresh(&view, now);
            view.expire_ahead(&mut state.records);
            (state.records.counts(), view.unread_count(&state.records))
        });
        QueueFigures {
            counts,
            unread,
            received: self.traffic.received.load(Ordering::Relaxed),
            acknowledged: self.traffic.acknowledged.load(Ordering::Relaxed),
            empty_receives: self.traffic.empty_receives.load(Ordering::Relaxed),
        }
    }

    /// Returns the receive requests that wait for dead-letter records if `dead` is true, and for
    /// normal records if `dead` is false.
    pub(super) fn receivers(&self, dead: bool) -> &Arc<Receivers> {
        if dead {
            &self.dead_receivers
        } else {
            &self.receivers
        }
    }
}

impl Queue {
    /// Returns the queue's part of a snapshot: the catalog entry, the id of the journal, and
    /// journal documents with the whole state of the records. None if the queue is being deleted.
    pub(in crate::engine) fn snapshot(&self) -> Option<(Change, LogId, Vec<Vec<u8>>)> {
        let incarnation = self.incarnation;
        self.with_state(|state| {
            if state.removed || state.status == StreamStatus::Deleting {
                return None;
            }
            let value = Box::new(state.value(self, state.status));
            let documents = state.records.list_documents(limits::QUEUE_DOCUMENT_BYTES);
            let change = Change::Queue(incarnation, Some(value));
            Some((change, log_id(incarnation), documents))
        })
    }
}

/// The id of a queue's journal in the store.
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
            warned: [false; 2],
            pending_warnings: [None; 2],
            armed: None,
        }
    }

    /// True if the queue's status permits receiving records and using receipt handles.
    pub(super) fn serves(&self) -> bool {
        matches!(self.status, StreamStatus::Active | StreamStatus::Updating)
    }

    /// The catalog value of the queue. `status` is the queue's status at the time when the value
    /// becomes durable.
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

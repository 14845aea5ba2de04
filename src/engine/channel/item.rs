//! One channel and its state.

use super::figures::{ChannelFigures, Traffic};
use super::progress::ChannelProgress;
use crate::engine::{Stream, lock_order};
use crate::limits;
use crate::lock::Lock;
use crate::model::channel::{ChannelSettings, ChannelStatus, DestinationKind};
use crate::model::{ChannelArn, ShardId, Tags};
use crate::store::{Change, ChannelValue};
use crate::world::{Bell, Timestamp};
use std::fmt;
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;

/// A channel. The value exists from the channel's creation until the end of its deletion.
#[derive(Debug)]
pub(crate) struct Channel {
    /// ARN of the channel: its account, region and id.
    pub(crate) arn: ChannelArn,
    pub(crate) name: Arc<str>,
    /// Incarnation number of the channel. No other channel, queue or stream has the same number.
    pub(crate) incarnation: u64,
    /// The stream whose records the channel delivers.
    pub(crate) stream: Arc<Stream>,
    /// Creation time of the channel.
    pub(crate) created: Timestamp,
    /// The kind of the channel's destination, which never changes.
    pub(crate) kind: DestinationKind,
    state: Lock<ChannelState>,
    /// Wakes the task that delivers the channel's records. Empty until this task starts.
    bell: OnceLock<Bell>,
    traffic: Traffic,
}

/// The mutable state of a channel.
#[derive(Debug)]
pub(super) struct ChannelState {
    pub(super) status: ChannelStatus,
    /// The reason for the status FAILED. None in every other status.
    pub(super) reason: Option<String>,
    /// Time at which the status ends by itself. None if the status does not end by itself.
    pub(super) due: Option<Timestamp>,
    /// True after the channel's removal from the catalog was handed to the store. Later changes of
    /// the channel are not saved.
    pub(super) removed: bool,
    pub(super) settings: Arc<ChannelSettings>,
    pub(super) tags: Tags,
    pub(super) progress: ChannelProgress,
    /// The flush requests that the channel's task has not started to serve.
    pub(super) flushes: Vec<Flush>,
    /// The error of the newest delivery attempt. None if that attempt did not fail.
    pub(super) last_error: Option<String>,
}

/// Sends the result of a flush request, which asks the channel to deliver all published records
/// immediately. The error is the text of the delivery's error.
pub(crate) type Flush = oneshot::Sender<Result<(), String>>;

/// The reason why a flush request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FlushError {
    /// The channel's status does not permit deliveries.
    NotDelivering(ChannelStatus),
    /// The delivery failed with this error. The channel will repeat the delivery.
    Failed(String),
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDelivering(status) => {
                write!(f, "the channel is in status {status} and does not deliver")
            }
            Self::Failed(error) => {
                write!(f, "the delivery failed and will be tried again: {error}")
            }
        }
    }
}

/// The members of DescribeChannel's answer whose values can change.
#[derive(Debug, Clone)]
pub(crate) struct ChannelDescription {
    pub(crate) status: ChannelStatus,
    pub(crate) reason: Option<String>,
    pub(crate) settings: Arc<ChannelSettings>,
}

/// The properties of a channel that never change.
pub(super) struct ChannelIdentity {
    pub(super) arn: ChannelArn,
    pub(super) name: Arc<str>,
    pub(super) incarnation: u64,
    pub(super) stream: Arc<Stream>,
    pub(super) created: Timestamp,
}

impl Channel {
    pub(super) fn new(identity: ChannelIdentity, state: ChannelState) -> Arc<Self> {
        let ChannelIdentity {
            arn,
            name,
            incarnation,
            stream,
            created,
        } = identity;
        Arc::new(Self {
            arn,
            name,
            incarnation,
            stream,
            created,
            kind: state.settings.destination.kind(),
            state: Lock::ranked(lock_order::CHANNEL, state),
            bell: OnceLock::new(),
            traffic: Traffic::default(),
        })
    }

    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut ChannelState) -> R) -> R {
        look(&mut self.state.lock())
    }

    /// Calls `look` with the channel's tags, and returns the result of `look`.
    pub(crate) fn look_at_tags<R>(&self, look: impl FnOnce(&Tags) -> R) -> R {
        self.with_state(|state| look(&state.tags))
    }

    /// The current status of the channel, the reason for the status FAILED, and the settings.
    pub(crate) fn describe(&self) -> ChannelDescription {
        self.with_state(|state| ChannelDescription {
            status: state.status,
            reason: state.reason.clone(),
            settings: state.settings.clone(),
        })
    }

    /// The figures of the channel at `now`.
    pub(crate) fn figures(&self, now: Timestamp) -> ChannelFigures {
        let (horizon, shards) = self.stream.all_shards(now);
        let (is_delivering, positions, last_error) = self.with_state(|state| {
            let positions = state.progress.positions.clone();
            (state.status.delivers(), positions, state.last_error.clone())
        });
        let mut oldest: Option<Timestamp> = None;
        let mut buffered = 0;
        for shard in shards.iter().filter(|_| is_delivering) {
            let next = positions.get(&shard.id).map_or(0, |position| position.next);
            let amount = shard.log().amount_from(next, horizon);
            buffered += amount.records;
            oldest = oldest.into_iter().chain(amount.oldest).min();
        }
        let lag_ms = oldest.map_or(0, |oldest| now.millis().saturating_sub(oldest.millis()));
        let traffic = &self.traffic;
        ChannelFigures {
            buffered,
            lag_ms: u64::try_from(lag_ms).unwrap_or_default(),
            records: Traffic::get(&traffic.records),
            objects: Traffic::get(&traffic.objects),
            bytes: Traffic::get(&traffic.bytes),
            failed_records: Traffic::get(&traffic.failed_records),
            expired_records: Traffic::get(&traffic.expired_records),
            failed_attempts: Traffic::get(&traffic.failed_attempts),
            last_error,
        }
    }

    /// Makes the channel's task deliver all published records immediately, and returns when they
    /// are delivered.
    ///
    /// # Errors
    /// Returns an error if the channel's status does not permit deliveries, or if the delivery
    /// fails.
    pub(crate) async fn flush(&self) -> Result<(), FlushError> {
        let (sender, flushed) = oneshot::channel();
        self.with_state(|state| {
            if !state.status.delivers() {
                return Err(FlushError::NotDelivering(state.status));
            }
            state.flushes.push(sender);
            Ok(())
        })?;
        self.notify();
        match flushed.await {
            Ok(result) => result.map_err(FlushError::Failed),
            Err(_dropped) => Err(FlushError::NotDelivering(self.describe().status)),
        }
    }

    /// Wakes the channel's task, so that it reads the channel's state again.
    pub(super) fn notify(&self) {
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    /// The catalog change that saves the channel. `status` is the channel's status at the time when
    /// the change becomes durable.
    pub(super) fn saved(&self, state: &ChannelState, status: ChannelStatus) -> Change {
        let tags = state.tags.iter();
        let value = ChannelValue {
            account: self.arn.scope.account.to_string(),
            region: self.arn.scope.region.to_string(),
            id: self.arn.id.to_string(),
            name: self.name.to_string(),
            stream: self.stream.incarnation,
            created_ms: self.created.millis(),
            status: status.as_str().to_owned(),
            reason: state.reason.clone(),
            due_ms: state.due.map(Timestamp::millis),
            settings: (*state.settings).clone(),
            tags: tags
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            table_metadata: state.progress.table_metadata.clone(),
        };
        Change::Channel(self.incarnation, Some(Box::new(value)))
    }
}

impl Channel {
    /// The channel's part of a snapshot: its catalog entry and its positions. Empty if the channel
    /// is being deleted.
    pub(in crate::engine) fn snapshot(&self) -> Vec<Change> {
        self.with_state(|state| {
            if state.removed || state.status == ChannelStatus::Deleting {
                return Vec::new();
            }
            let mut changes = state.progress.saved(self.incarnation);
            changes.push(self.saved(state, state.status));
            changes
        })
    }
}

/// The methods that the channel's task uses.
impl Channel {
    /// The current progress of the channel.
    pub(crate) fn progress(&self) -> ChannelProgress {
        self.with_state(|state| state.progress.clone())
    }

    /// The error of the newest delivery attempt. None if that attempt did not fail.
    pub(super) fn last_error(&self) -> Option<String> {
        self.with_state(|state| state.last_error.clone())
    }

    /// Returns the index, in the shard's log, of the first record that the channel has still to
    /// deliver.
    pub(super) fn next(&self, shard: ShardId) -> u64 {
        self.with_state(|state| {
            let position = state.progress.positions.get(&shard);
            position.map_or(0, |position| position.next)
        })
    }

    /// Sets the bell of the channel's task. Every change of the status or the settings, and every
    /// flush request, rings the bell.
    pub(super) fn set_bell(&self, bell: Bell) {
        let _first = self.bell.set(bell);
    }

    /// True if the channel's status permits deliveries. Once the channel has lost this permission,
    /// it never delivers again.
    pub(super) fn delivers(&self) -> bool {
        self.with_state(|state| state.status.delivers())
    }

    /// Removes and returns the waiting flush requests. The caller must answer these requests when
    /// all records that are already published have been delivered, or when the delivery attempt
    /// fails.
    pub(super) fn take_flushes(&self) -> Vec<Flush> {
        self.with_state(|state| std::mem::take(&mut state.flushes))
    }

    /// Counts a delivered object with `records` records and `bytes` bytes.
    pub(super) fn count_object(&self, records: u64, bytes: u64) {
        Traffic::add(&self.traffic.objects, 1);
        Traffic::add(&self.traffic.records, records);
        Traffic::add(&self.traffic.bytes, bytes);
        self.with_state(|state| state.last_error = None);
    }

    /// Counts records that did not have the channel's format. The channel described them in
    /// dead-letter objects instead of delivering them.
    pub(super) fn count_failed_records(&self, records: u64) {
        Traffic::add(&self.traffic.failed_records, records);
    }

    /// Counts records that expired or were removed before the channel delivered them.
    pub(super) fn count_expired_records(&self, records: u64) {
        Traffic::add(&self.traffic.expired_records, records);
    }

    /// Counts a failed delivery attempt, and stores its error.
    pub(super) fn note_error(&self, error: &str) {
        Traffic::add(&self.traffic.failed_attempts, 1);
        self.with_state(|state| state.last_error = Some(shortened(error)));
    }
}

impl ChannelState {
    pub(super) fn new(settings: ChannelSettings, tags: Tags) -> Self {
        Self {
            status: ChannelStatus::Creating,
            reason: None,
            due: None,
            removed: false,
            settings: Arc::new(settings),
            tags,
            progress: ChannelProgress::default(),
            flushes: Vec::new(),
            last_error: None,
        }
    }

    /// Sets the status FAILED of the channel, and the reason for it.
    pub(super) fn fail(&mut self, reason: &str) {
        self.status = ChannelStatus::Failed;
        self.reason = Some(shortened(reason));
        self.due = None;
        self.flushes.clear();
    }
}

/// The beginning of `text`, short enough for the member `ChannelStatusReason`.
fn shortened(text: &str) -> String {
    text.chars()
        .take(limits::CHANNEL_REASON_CHARACTERS)
        .collect()
}

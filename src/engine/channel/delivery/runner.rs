//! The task of a channel: its waits, its attempts and its retries.

use super::encoder::uncompressed_limit;
use super::object::Delivered;
use super::planning::{ObjectLimit, first_arrivals, plan, saved_plan, were_removed};
use super::rows::write_rows;
use super::table_positions::{adopt, positions_text};
use super::table_session::TableSession;
use super::writing::write;
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::{Channel, Flush};
use crate::engine::step_faults::{Step, pass};
use crate::engine::{Engine, Shard, StreamState};
use crate::limits;
use crate::model::ShardId;
use crate::model::channel::{
    ChannelPosition, Destination, DestinationKind, ObjectPlan, S3Compression, ShardRange,
};
use crate::model::event_source::BackOff;
use crate::store::Meter;
use crate::world::{Alarm, Fault, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

const BACK_OFF: BackOff = BackOff {
    first_ms: limits::CHANNEL_RETRY_FIRST_MS,
    most_ms: limits::CHANNEL_RETRY_MOST_MS,
};

impl Engine {
    /// Begins the delivery of a channel that became ACTIVE or was restored as such. The delivery
    /// ends when the channel does not deliver any more.
    pub(in crate::engine::channel) fn begin_delivery(self: &Arc<Self>, channel: &Arc<Channel>) {
        let alarm = self.world.clock.alarm();
        channel.set_bell(alarm.bell());
        let meters = channel.stream.look(|state| state.arrivals.meters.clone());
        let delivery = Delivery {
            meter: Meter::new(meters, alarm.bell()),
            alarm,
            engine: self.clone(),
            channel: channel.clone(),
            table: TableSession::new(channel),
            failures: 0,
            retry: None,
            flushes: Flushes::default(),
            first_arrivals: BTreeMap::new(),
        };
        self.tasks.spawn("channel", delivery.run());
    }
}

/// The state of a channel's task.
struct Delivery {
    engine: Arc<Engine>,
    channel: Arc<Channel>,
    alarm: Alarm,
    meter: Meter,
    /// The table, if the channel writes one.
    table: TableSession,
    /// Number of consecutive failed attempts.
    failures: u32,
    /// Moment of the next attempt after a failed one.
    retry: Option<Timestamp>,
    flushes: Flushes,
    /// The arrival time of the first undelivered record of each shard, at the last look.
    first_arrivals: BTreeMap<ShardId, Timestamp>,
}

/// The requests to deliver now that are being served.
#[derive(Default)]
struct Flushes {
    waiting: Vec<Flush>,
    /// The index after the last published record of each shard when the requests were taken.
    ends: BTreeMap<ShardId, u64>,
}

/// The next step of the task.
enum Next {
    /// Waits for the bell or for a moment.
    Wait(Option<Timestamp>),
    /// Looks again at once.
    Again,
    /// Ends the task.
    End,
}

impl Delivery {
    async fn run(mut self) {
        let mut stop = self.engine.stop.subscribe();
        loop {
            let next = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                next = self.turn() => next,
            };
            let deadline = match next {
                Next::Wait(deadline) => deadline,
                Next::Again => continue,
                Next::End => return,
            };
            if !self.engine.wait(&mut self.alarm, deadline).await {
                return;
            }
        }
    }

    /// Delivers an object if one is due.
    async fn turn(&mut self) -> Next {
        if !self.channel.delivers() {
            return Next::End;
        }
        self.take_flushes();
        let now = self.engine.world.clock.now();
        if let Some(next) = self.open_table(now).await {
            return next;
        }
        // Every record that the plan does not see rings the bell.
        self.meter.arm(1);
        let first = first_arrivals(&self.channel);
        if were_removed(&self.channel, &self.first_arrivals, &first) {
            return self.fail_expired("");
        }
        self.first_arrivals = first;
        let saved = saved_plan(&self.channel);
        let is_saved = saved.is_some();
        let planned = match saved {
            Some(plan) => Ok(plan),
            None => plan(&self.channel, self.limit()).await,
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => {
                return self.note_failure(&format!("The records cannot be read: {error}"), None);
            }
        };
        let is_flushed = self.flushes.is_served_by(&plan, &self.channel);
        if is_flushed {
            self.flushes.answer(&Ok(()));
        }
        let Some(due) = self.due(&plan) else {
            return if is_flushed {
                Next::Again
            } else {
                Next::Wait(None)
            };
        };
        if now < due && self.flushes.waiting.is_empty() {
            let free = self.limit().bytes.saturating_sub(plan.bytes());
            self.meter.arm(free.max(limits::CHANNEL_LOOK_BYTES));
            return Next::Wait(Some(due));
        }
        self.meter.disarm();
        self.attempt(&plan, is_saved).await
    }

    /// Opens the table of a channel that writes one, and adopts its positions. Returns the next
    /// step if the table is not open then.
    async fn open_table(&mut self, now: Timestamp) -> Option<Next> {
        if self.channel.kind != DestinationKind::S3Tables {
            return None;
        }
        if self.retry.is_some_and(|retry| now < retry) && self.flushes.waiting.is_empty() {
            return Some(Next::Wait(self.retry));
        }
        let opened = self.table.open(&self.engine, &self.channel).await;
        let adopted = match opened {
            Ok(None) => return None,
            Ok(Some(committed)) => {
                self.save(|positions| {
                    let _moved = adopt(positions, &committed.positions, &committed.ends);
                })
                .await
            }
            Err(DestinationError::Refused(reason)) => return Some(self.fail(&reason)),
            Err(error) => Err(error.to_string()),
        };
        let Err(reason) = adopted else {
            return None;
        };
        let planned = plan(&self.channel, self.limit()).await;
        let oldest = planned.ok().and_then(|plan| plan.oldest);
        Some(self.note_failure(&reason, oldest))
    }

    fn take_flushes(&mut self) {
        if !self.flushes.waiting.is_empty() {
            return;
        }
        self.flushes.waiting = self.channel.take_flushes();
        if !self.flushes.waiting.is_empty() {
            let ends = |state: &StreamState| {
                let shards = state.all().iter();
                shards.map(|shard| (shard.id, shard.end())).collect()
            };
            self.flushes.ends = self.channel.stream.look(ends);
        }
    }

    /// The moment at which the object of a plan has to be written. None without records.
    fn due(&self, plan: &ObjectPlan) -> Option<Timestamp> {
        let interval = self.engine.behaviour.channels.flush_interval_ms;
        let interval = interval.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let freshness_s = self.channel.describe().settings.freshness_s;
        let due = match plan.oldest {
            // The records of a saved plan may have been removed; then it only has to be ended.
            None if plan.is_full => Timestamp::from_millis(0),
            _ => plan.due(interval.unwrap_or(i64::from(freshness_s) * 1000))?,
        };
        Some(self.retry.map_or(due, |retry| due.max(retry)))
    }

    fn limit(&self) -> ObjectLimit {
        let settings = self.channel.describe().settings;
        let compression = match &settings.destination {
            Destination::S3(bucket) => bucket.compression,
            Destination::S3Tables(_) => S3Compression::None,
        };
        let most = self.engine.behaviour.channels.max_object_bytes;
        ObjectLimit {
            bytes: uncompressed_limit(compression, most),
            separator: settings.format.separator().len() as u64,
        }
    }

    async fn attempt(&mut self, plan: &ObjectPlan, is_saved: bool) -> Next {
        match self.deliver(plan, is_saved).await {
            Ok(next) => {
                self.failures = 0;
                self.retry = None;
                next
            }
            Err(reason) => self.note_failure(&reason, plan.oldest),
        }
    }

    /// Notes a failed attempt, and fixes the moment of the next one. A channel whose records expire
    /// before they are delivered becomes FAILED.
    fn note_failure(&mut self, reason: &str, oldest: Option<Timestamp>) -> Next {
        let now = self.engine.world.clock.now();
        self.failures = self.failures.saturating_add(1);
        self.channel.note_error(reason);
        self.flushes.answer(&Err(reason.to_owned()));
        let hours = |state: &StreamState| state.settings.retention_hours;
        let retention_ms = i64::from(self.channel.stream.look(hours)) * 3_600_000;
        // The last millisecond in which the stream keeps the oldest record.
        let expiry = oldest.map(|oldest| oldest.plus_millis(retention_ms - 1));
        if expiry.is_some_and(|expiry| expiry <= now) {
            return self.fail_expired(reason);
        }
        tracing::warn!(
            channel = %self.channel.arn, %reason, failures = self.failures,
            "a channel cannot deliver"
        );
        let retry = now.plus_millis(BACK_OFF.after(self.failures));
        let retry = expiry.map_or(retry, |expiry| retry.min(expiry));
        self.retry = Some(retry);
        Next::Wait(Some(retry))
    }

    /// Sets the status FAILED, because records expired. `reason` is the reason of the last failed
    /// attempt.
    fn fail_expired(&mut self, reason: &str) -> Next {
        let reason = format!("Records expired before they could be delivered. {reason}");
        self.fail(reason.trim_end())
    }

    /// Sets the status FAILED, which ends the task.
    fn fail(&mut self, reason: &str) -> Next {
        tracing::error!(channel = %self.channel.arn, %reason, "the channel failed");
        self.engine.fail_channel(&self.channel, reason);
        self.flushes.answer(&Err(reason.to_owned()));
        Next::End
    }

    /// Saves the plan, writes its objects, and saves the positions after them.
    async fn deliver(&mut self, plan: &ObjectPlan, is_saved: bool) -> Result<Next, String> {
        if !is_saved {
            self.save(|positions| {
                for range in &plan.ranges {
                    let position = positions.entry(range.shard).or_default();
                    position.planned = Some(range.end);
                }
            })
            .await?;
        }
        self.pass(Step::DeliverObject)
            .await
            .map_err(|_| "an injected fault".to_owned())?;
        let written = self.write(plan).await;
        let Some(delivered) = written.map_err(|error| error.to_string())? else {
            return Ok(Next::Again);
        };
        match self.pass(Step::Checkpoint).await {
            Err(Fault::Drop) => return Ok(Next::End),
            Err(_) => return Err("an injected fault".to_owned()),
            Ok(()) => {}
        }
        let shards = self.channel.stream.look(|state| state.shards.clone());
        self.save(|positions| advance(positions, plan, &shards))
            .await?;
        for range in &plan.ranges {
            self.first_arrivals.remove(&range.shard);
        }
        if delivered.records > 0 {
            self.channel
                .count_object(delivered.records, delivered.bytes);
        }
        self.channel.count_failed_records(delivered.failed);
        Ok(Next::Again)
    }

    /// Writes the objects of a plan, or its rows. None if the channel ceased to deliver meanwhile.
    async fn write(&mut self, plan: &ObjectPlan) -> Result<Option<Delivered>, DestinationError> {
        let settings = self.channel.describe().settings;
        if let Destination::S3(bucket) = &settings.destination {
            return write(&self.engine, &self.channel, plan, bucket).await;
        }
        let mut positions = self.channel.progress().positions;
        let shards = self.channel.stream.look(|state| state.shards.clone());
        advance(&mut positions, plan, &shards);
        let commit = (self.table.take()?, positions_text(&positions));
        let written = write_rows(&self.engine, &self.channel, plan, commit).await?;
        Ok(written.map(|(table, delivered)| {
            self.table.put_back(table);
            delivered
        }))
    }

    /// Changes the positions, and waits until they are as durable as the settings promise.
    async fn save(
        &self,
        change: impl FnOnce(&mut BTreeMap<ShardId, ChannelPosition>),
    ) -> Result<(), String> {
        let change = |progress: &mut crate::engine::channel::ChannelProgress| {
            change(&mut progress.positions);
        };
        match self.engine.advance_channel(&self.channel, change) {
            Some(ticket) => ticket.durable().await.map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    async fn pass(&mut self, step: Step) -> Result<(), Fault> {
        let (world, stream) = (&self.engine.world, &self.channel.stream.arn);
        pass(world, &mut self.alarm, step, stream, None).await
    }
}

/// Moves the positions behind a plan.
fn advance(
    positions: &mut BTreeMap<ShardId, ChannelPosition>,
    plan: &ObjectPlan,
    shards: &BTreeMap<ShardId, Arc<Shard>>,
) {
    for ShardRange { shard, end, .. } in &plan.ranges {
        let shard_now = shards.get(shard);
        let position = ChannelPosition {
            next: *end,
            planned: None,
            finished: shard_now.is_none_or(|shard| shard.is_complete_before(*end)),
        };
        positions.insert(*shard, position);
    }
    positions.retain(|shard, _| shards.contains_key(shard));
}

impl Flushes {
    /// True if all records that the requests wait for are delivered. `plan` is the plan of the next
    /// object.
    fn is_served_by(&self, plan: &ObjectPlan, channel: &Channel) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        if plan.is_empty() {
            return true;
        }
        let positions = channel.progress().positions;
        let is_delivered = |shard: &ShardId, end: u64| {
            let next = positions.get(shard).map_or(0, |position| position.next);
            next >= end
        };
        self.ends
            .iter()
            .all(|(shard, end)| is_delivered(shard, *end))
    }

    fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.waiting.drain(..) {
            // A requester that does not wait any more needs no answer.
            let _gone = flush.send(result.clone());
        }
        self.ends.clear();
    }
}

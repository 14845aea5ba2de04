//! The task of a channel. Plans and delivers objects, waits between deliveries, and retries failed
//! deliveries.

use super::encoder::uncompressed_limit;
use super::flushes::Flushes;
use super::lost::{count_and_log_lost, skip, undelivered_before};
use super::object::Delivered;
use super::planning::{ObjectLimit, plan, saved_plan};
use super::rows::write_rows;
use super::table_positions::{advance_to_committed, positions_text};
use super::table_session::TableSession;
use super::writing::write;
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
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
    /// Starts the task of a channel that became ACTIVE after the check of its destination. The task
    /// ends when the channel's status no longer permits deliveries.
    pub(in crate::engine::channel) fn begin_delivery(self: &Arc<Self>, channel: &Arc<Channel>) {
        self.spawn_delivery(channel, true);
    }

    /// Starts the task of a restored channel whose status permits deliveries. The task first checks
    /// the destination, which may have changed since the channel was saved.
    pub(in crate::engine::channel) fn resume_delivery(self: &Arc<Self>, channel: &Arc<Channel>) {
        self.spawn_delivery(channel, false);
    }

    fn spawn_delivery(self: &Arc<Self>, channel: &Arc<Channel>, is_checked: bool) {
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
            is_plan_durable: false,
            is_checked,
        };
        self.tasks.spawn("channel", delivery.run());
    }
}

/// The state of the task that delivers the records of a channel.
struct Delivery {
    engine: Arc<Engine>,
    channel: Arc<Channel>,
    alarm: Alarm,
    meter: Meter,
    /// The table that the channel writes to. Not used if the channel writes objects.
    table: TableSession,
    /// Number of consecutive failed delivery attempts.
    failures: u32,
    /// Time of the next delivery attempt. None if the last delivery attempt did not fail.
    retry: Option<Timestamp>,
    flushes: Flushes,
    /// True if the plan of the next delivery attempt is known to be durable.
    is_plan_durable: bool,
    /// True after the task has checked the channel's destination, even if the check failed.
    is_checked: bool,
}

/// The next step of the task that delivers the records of a channel.
enum Next {
    /// Wait until the bell rings or until the given time. Without a time, only the bell ends the
    /// wait.
    Wait(Option<Timestamp>),
    /// Read the channel's state again immediately.
    Again,
    /// End the task.
    End,
}

impl Delivery {
    async fn run(mut self) {
        let mut stop = self.engine.stop.subscribe();
        loop {
            let next = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                next = self.step() => next,
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

    /// Delivers an object, or writes into the table, if records are due. Returns the next step of
    /// the task.
    async fn step(&mut self) -> Next {
        if !self.channel.delivers() {
            return Next::End;
        }
        if !self.is_checked {
            self.check_destination().await;
        }
        self.flushes.take(&self.channel);
        let now = self.engine.world.clock.now();
        if self.failures > 0
            && let Some(next) = self.fail_if_expired(now).await
        {
            return next;
        }
        if let Some(next) = self.open_table(now).await {
            return next;
        }
        // Every record that is published after this line rings the bell. Therefore the task notices
        // records that are published after the plan was made.
        self.meter.arm(1);
        let planned = match saved_plan(&self.channel) {
            Some(plan) => Ok(plan),
            None => self.next_plan().await,
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(reason) => return self.note_failure(&reason, None),
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
        if now < due && self.flushes.is_empty() {
            let free = self.limit().bytes.saturating_sub(plan.bytes());
            self.meter.arm(free.max(limits::CHANNEL_RECHECK_BYTES));
            return Next::Wait(Some(due));
        }
        self.meter.disarm();
        self.attempt(&plan).await
    }

    /// Checks the destination of a restored channel. If the check fails, logs a warning and stores
    /// the reason as the channel's last error. The delivery then continues, and the records stay in
    /// the stream while the attempts to write them fail.
    async fn check_destination(&mut self) {
        // The virtual clock does not wait for a destination that does not answer.
        self.alarm.set_strict(false);
        let settings = self.channel.describe().settings;
        let destinations = &self.engine.behaviour.channels.destinations;
        if let Err(reason) = destinations.check(&settings).await {
            let (channel, name) = (&self.channel.arn, &self.channel.name);
            tracing::warn!(%channel, %name, %reason, "a restored channel cannot deliver");
            self.channel.note_error(&reason);
        }
        self.alarm.set_strict(true);
        self.is_checked = true;
    }

    /// Plans the next object. First counts as lost the undelivered records that arrived before the
    /// stream's `expired_before`, for instance records that a clear of the stream removed. The plan
    /// does not contain lost records.
    async fn next_plan(&self) -> Result<ObjectPlan, String> {
        let unreadable = |error| format!("The records cannot be read: {error}");
        let (channel, stream) = (&self.channel, &self.channel.stream);
        let removed_before = stream.look(|state| state.expired_before);
        let lost = undelivered_before(&self.engine, channel, removed_before).await;
        let lost = lost.map_err(unreadable)?;
        if !lost.is_empty() {
            count_and_log_lost(channel, &lost);
            self.save(|positions| skip(positions, &lost)).await?;
        }
        plan(channel, self.limit()).await.map_err(unreadable)
    }

    /// Opens the table if the channel writes to a table, and moves the channel's positions to the
    /// positions in the table. Returns None if the delivery can continue. Returns the next step of
    /// the task if the table could not be opened, or if the next attempt to open it is not due yet.
    async fn open_table(&mut self, now: Timestamp) -> Option<Next> {
        if self.channel.kind != DestinationKind::S3Tables {
            return None;
        }
        if self.retry.is_some_and(|retry| now < retry) && self.flushes.is_empty() {
            return Some(Next::Wait(self.retry));
        }
        let opened = self.table.open(&self.engine, &self.channel).await;
        let advanced = match opened {
            Ok(None) => return None,
            Ok(Some(committed)) => {
                // The saved plan is obsolete, because the table's positions replace the channel's
                // positions.
                self.is_plan_durable = false;
                self.save(|positions| {
                    let _moved =
                        advance_to_committed(positions, &committed.positions, &committed.ends);
                })
                .await
            }
            Err(DestinationError::Refused(reason)) => return Some(self.fail(&reason)),
            Err(error) => Err(error.to_string()),
        };
        let Err(reason) = advanced else {
            return None;
        };
        let planned = plan(&self.channel, self.limit()).await;
        let oldest = planned.ok().and_then(|plan| plan.oldest);
        Some(self.note_failure(&reason, oldest))
    }

    /// Returns the time at which the object of a plan must be written. None if the plan has no
    /// records.
    fn due(&self, plan: &ObjectPlan) -> Option<Timestamp> {
        let interval = self.engine.behaviour.channels.flush_interval_ms;
        let interval = interval.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let freshness_s = self.channel.describe().settings.freshness_s;
        let due = match plan.oldest {
            // A saved plan must be completed without a wait, even if all its records were removed.
            None if plan.is_full => Timestamp::from_millis(0),
            _ => plan.due(interval.unwrap_or(i64::from(freshness_s) * 1000))?,
        };
        // Deliver before the oldest record expires, even if the interval is longer.
        let due = plan
            .oldest
            .map_or(due, |oldest| due.min(self.last_moment(oldest)));
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

    async fn attempt(&mut self, plan: &ObjectPlan) -> Next {
        match self.deliver(plan).await {
            Ok(next) => {
                self.failures = 0;
                self.retry = None;
                self.alarm.set_strict(true);
                next
            }
            Err(reason) => self.note_failure(&reason, plan.oldest),
        }
    }

    /// Counts a failed delivery attempt, and sets the time of the next attempt. Returns the next
    /// step of the task, which is the wait for this time. `oldest` is the arrival time of the
    /// oldest record of the failed attempt.
    fn note_failure(&mut self, reason: &str, oldest: Option<Timestamp>) -> Next {
        let now = self.engine.world.clock.now();
        self.failures = self.failures.saturating_add(1);
        // From now on, the virtual clock waits for this task for at most one second of real time.
        // Therefore a destination that does not answer does not stop the clock.
        self.alarm.set_strict(false);
        self.channel.note_error(reason);
        self.flushes.answer(&Err(reason.to_owned()));
        tracing::warn!(
            channel = %self.channel.arn, %reason, failures = self.failures,
            "a channel cannot deliver"
        );
        let retry = now.plus_millis(BACK_OFF.after(self.failures));
        // The last delivery attempt is made in the last millisecond before the oldest record
        // expires.
        let retry = match oldest.map(|oldest| self.last_moment(oldest)) {
            Some(last) if now < last => retry.min(last),
            Some(last) if now == last => last.plus_millis(1),
            _ => retry,
        };
        self.retry = Some(retry);
        Next::Wait(Some(retry))
    }

    /// Returns the last millisecond in which a record with the arrival time `arrival` is not
    /// expired.
    fn last_moment(&self, arrival: Timestamp) -> Timestamp {
        let retention_ms = self.channel.stream.look(StreamState::retention_ms);
        arrival.plus_millis(retention_ms - 1)
    }

    /// Sets the status FAILED of the channel if undelivered records have expired, and returns the
    /// next step of the task. Returns None if no undelivered record has expired. The task calls
    /// this function only after a failed delivery attempt. A channel without a failed attempt still
    /// delivers expired records, for instance records that expired while the emulator was stopped.
    async fn fail_if_expired(&mut self, now: Timestamp) -> Option<Next> {
        let retention_ms = self.channel.stream.look(StreamState::retention_ms);
        let horizon = now.plus_millis(1 - retention_ms);
        let lost = undelivered_before(&self.engine, &self.channel, horizon).await;
        // An error of the store is ignored here, because the next delivery attempt fails with the
        // same error.
        let lost = lost.ok().filter(|lost| !lost.is_empty())?;
        let records = count_and_log_lost(&self.channel, &lost);
        let error = self.channel.last_error().unwrap_or_default();
        let reason = format!("{records} records expired before they could be delivered. {error}");
        Some(self.fail(reason.trim_end()))
    }

    /// Sets the status FAILED of the channel. Returns the next step, which ends the task.
    fn fail(&mut self, reason: &str) -> Next {
        tracing::error!(channel = %self.channel.arn, %reason, "the channel failed");
        self.engine.fail_channel(&self.channel, reason);
        self.flushes.answer(&Err(reason.to_owned()));
        Next::End
    }

    /// Saves the plan, writes its objects or rows, and saves the positions after the plan. Returns
    /// the next step of the task.
    async fn deliver(&mut self, plan: &ObjectPlan) -> Result<Next, String> {
        self.save_plan(plan).await?;
        self.pass(Step::DeliverObject)
            .await
            .map_err(|_| "an injected fault".to_owned())?;
        let written = self.write(plan).await;
        let Some(delivered) = written.map_err(|error| error.to_string())? else {
            return Ok(Next::Again);
        };
        match self.pass(Step::Checkpoint).await {
            // The fault ends the task between the write of the object and the save of the
            // positions. A kill of the process at this point has the same effect.
            Err(Fault::Drop) => return Ok(Next::End),
            Err(_) => return Err("an injected fault".to_owned()),
            Ok(()) => {}
        }
        let shards = self.channel.stream.look(|state| state.shards.clone());
        self.is_plan_durable = false;
        self.save(|positions| advance(positions, plan, &shards))
            .await?;
        if delivered.records > 0 {
            self.channel
                .count_object(delivered.records, delivered.bytes);
        }
        self.channel.count_failed_records(delivered.failed);
        Ok(Next::Again)
    }

    /// Saves a plan. Returns when the plan and its records are durable, even if the `durability`
    /// option promises less. If the plan were not durable, the channel could write the same records
    /// again after a crash, in an object with another key.
    async fn save_plan(&mut self, plan: &ObjectPlan) -> Result<(), String> {
        if self.is_plan_durable {
            return Ok(());
        }
        self.save(|positions| {
            for range in &plan.ranges {
                let position = positions.entry(range.shard).or_default();
                position.planned = Some(range.end);
            }
        })
        .await?;
        let durable = self.engine.store.make_durable().await;
        durable.map_err(|error| error.to_string())?;
        self.is_plan_durable = true;
        Ok(())
    }

    /// Writes the records of a plan into objects or into the table. Returns None if the channel
    /// stopped delivering before the write was complete.
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

    /// Changes the positions of the channel by `change`, and waits until they are as durable as the
    /// `durability` option promises.
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

/// Moves the positions of a channel past the records of `plan`. Removes the positions in shards
/// that do not exist any more.
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

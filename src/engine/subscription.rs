//! A subscription, which pushes the records of one shard to a consumer as they are published.
//!
//! A subscription reads the published records, and then waits until the log grows. The subscription
//! does not poll. It produces an event only when the connection asks for one, so a slow reader
//! occupies the memory of a single event. Like every reader, a subscription skips records that
//! expire before it reads them.

use super::active_subscriptions::{
    ActiveSubscription, EndReason, EndSignal, OpenSubscription, SubscribedRecently, SubscriptionKey,
};
use super::batch::{Batch, Read, ReadBudget};
use super::core::Engine;
use super::shard::Shard;
use super::stream::Stream;
use crate::limits;
use crate::model::{self, Bucket, SequenceNumber};
use crate::store::StoreError;
use crate::world::{Alarm, Fault, Point, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// An event of a subscription.
#[derive(Debug)]
pub(crate) enum Event {
    /// Records of the shard, or a heartbeat without records. The subscription sends a heartbeat if
    /// it has sent no event for five seconds.
    Records {
        /// The records of the event. None in a heartbeat.
        batch: Option<Batch>,
        /// Sequence number from which a later subscription can continue with AFTER_SEQUENCE_NUMBER.
        continuation: SequenceNumber,
        /// The value of `MillisBehindLatest`, in milliseconds, which
        /// [`Shard::millis_behind_latest`] computes. 0 in a heartbeat.
        millis_behind_latest: i64,
    },
    /// The shard is closed, and the subscription has read all its records. This is the last event.
    ShardEnd {
        /// The child shards of the closed shard.
        children: Vec<model::Shard>,
        /// Time since the shard was closed, in milliseconds but rounded down to whole seconds.
        millis_behind_latest: i64,
    },
    /// Another request ended the subscription. This is the last event.
    Ended(EndReason),
    /// The store cannot be read. This is the last event.
    Failed,
}

/// A subscription in progress, which sends the records of one shard to a consumer.
#[derive(Debug)]
pub(crate) struct Subscription {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    /// Keeps the subscription in the registry of active subscriptions until this value is dropped.
    active: ActiveSubscription,
    /// Sequence number at which the next read of the shard starts.
    position: SequenceNumber,
    /// Continuation sequence number of the last event. The continuation sequence number of a later
    /// event is the same or greater.
    last_continuation: SequenceNumber,
    /// Index after the last published record of the shard. The value changes whenever records are
    /// published.
    end_of_log: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    end_signal: EndSignal,
    stopping: watch::Receiver<bool>,
    alarm: Alarm,
    ends_at: Timestamp,
    last_event: Timestamp,
    rate: Option<Bucket>,
    over: bool,
}

/// Reason why a wait of a subscription ended.
enum Woken {
    /// The subscription must check for new records, for the end of the shard, and for a heartbeat
    /// that is due.
    Check,
    /// Another request ended the subscription.
    Ended(EndReason),
    /// The emulator stops.
    Stopped,
}

impl Engine {
    /// Returns the subscriptions in progress on the shards of a stream, sorted by consumer and then
    /// by shard.
    pub fn subscriptions_of(&self, stream: &Stream) -> Vec<OpenSubscription> {
        self.active_subscriptions.of_stream(stream.incarnation)
    }
}

impl Subscription {
    /// Subscribes the consumer `name`, which was registered at `created_ms` (milliseconds since the
    /// epoch), to the shard's records from `position` on.
    ///
    /// # Errors
    /// Returns an error if the consumer subscribed to the shard less than
    /// `subscription-lock-seconds` ago.
    pub(crate) fn begin(
        engine: &Arc<Engine>,
        stream: &Arc<Stream>,
        shard: &Arc<Shard>,
        (name, created_ms): (&str, i64),
        position: SequenceNumber,
    ) -> Result<Self, SubscribedRecently> {
        let now = engine.world.clock.now();
        let key = SubscriptionKey {
            incarnation: stream.incarnation,
            consumer: name.to_owned(),
            created_ms,
            shard: shard.id,
        };
        let lock_ms = engine
            .limits
            .subscription_lock_seconds
            .map_or(0, |seconds| {
                i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
            });
        let (active, end_signal) = engine.active_subscriptions.begin(key, now, lock_ms)?;
        active.note_next(position.index);
        let rate = engine.limits.consumer_read_bytes;
        Ok(Self {
            engine: engine.clone(),
            stream: stream.clone(),
            shard: shard.clone(),
            active,
            position,
            last_continuation: shard.position(0, now),
            end_of_log: shard.log().follow(),
            closing: shard.closing(),
            end_signal,
            stopping: engine.stopping.clone(),
            alarm: engine.world.clock.lenient_alarm(),
            ends_at: now.plus_millis(limits::SUBSCRIPTION_MS),
            last_event: now,
            rate: rate.map(|rate| Bucket::new(rate, now)),
            over: false,
        })
    }

    /// Longest time for which the client may leave an event unread. None means no limit.
    pub(crate) fn unread_event_limit(&self) -> Option<Duration> {
        let seconds = self.engine.limits.unread_event_seconds;
        seconds.map(Duration::from_secs)
    }

    /// Waits for the next event of the subscription, and returns it. Returns None if the
    /// subscription ends without a final event.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        while !self.over {
            if let Some(event) = self.event().await {
                return Some(event);
            }
            match self.wait().await {
                Woken::Check => {}
                Woken::Ended(reason) => {
                    self.over = true;
                    return Some(Event::Ended(reason));
                }
                Woken::Stopped => self.over = true,
            }
        }
        None
    }

    fn now(&self) -> Timestamp {
        self.engine.world.clock.now()
    }

    /// Returns the event that can be sent now. None if there is no such event.
    async fn event(&mut self) -> Option<Event> {
        let now = self.now();
        if let Some(reason) = *self.end_signal.borrow() {
            self.over = true;
            return Some(Event::Ended(reason));
        }
        if now >= self.ends_at || *self.stopping.borrow() {
            self.over = true;
            return None;
        }
        if self.rate.as_ref().is_some_and(|rate| !rate.admits(now)) {
            return None;
        }
        // The current end of the log and the current state of the shard are marked as seen before
        // the read. Therefore a record that is published during the read ends the next wait.
        self.end_of_log.mark_unchanged();
        self.closing.mark_unchanged();
        match self.read(now).await {
            Err(error) => {
                tracing::error!(%error, "a subscription cannot be served");
                self.over = true;
                Some(Event::Failed)
            }
            Ok(batch) if batch.is_empty() => {
                // The batch can be empty because the records at the position have expired. Then the
                // next read starts after these records.
                self.position = batch.next();
                self.active.note_next(self.position.index);
                if self.shard.is_exhausted(self.position) {
                    self.over = true;
                    return Some(Event::ShardEnd {
                        children: self.stream.children(self.shard.id),
                        millis_behind_latest: self.shard.millis_at_end(self.position, now),
                    });
                }
                self.heartbeat(now)
            }
            Ok(batch) => Some(self.records(batch, now)),
        }
    }

    /// Passes an injection point. If the injected fault is a delay, waits with the alarm of the
    /// subscription, because a virtual clock waits for only one alarm of each task.
    ///
    /// # Errors
    /// Returns the injected fault if it is not a delay.
    pub(crate) async fn pass(&mut self, point: Point) -> Result<(), Fault> {
        match self.engine.world.faults.at(point) {
            None => Ok(()),
            Some(Fault::Delay(ms)) => {
                let until = self.now().plus_millis(i64::from(ms));
                tokio::select! {
                    biased;
                    _ = self.stopping.wait_for(|stopping| *stopping) => {}
                    () = self.alarm.wait(Some(until)) => {}
                }
                Ok(())
            }
            Some(fault) => Err(fault),
        }
    }

    async fn read(&mut self, now: Timestamp) -> Result<Batch, StoreError> {
        let passed = self.pass(Point::Read).await;
        passed.map_err(|_| StoreError::Unreadable("a fault rule asks for it".into()))?;
        let read = Read {
            from: self.position,
            horizon: self.stream.horizon(now),
            records: limits::EVENT_RECORDS,
            bytes: limits::EVENT_BYTES,
        };
        let budget = ReadBudget::Event(&self.engine.admission);
        self.shard.read(read, budget).await
    }

    fn records(&mut self, batch: Batch, now: Timestamp) -> Event {
        if let Some(rate) = &mut self.rate {
            rate.debit(now, batch.bytes());
        }
        let traffic = &self.engine.traffic;
        let (records, bytes) = (batch.len() as u64, batch.bytes());
        traffic.pushed(records, bytes);
        self.shard.count_delivered(records, bytes);
        self.position = batch.next();
        self.active.note_next(self.position.index);
        self.last_event = now;
        let (number, _) = batch.last().expect("the batch has records");
        self.last_continuation = number;
        let millis_behind_latest = self.shard.millis_behind_latest(&batch, now);
        Event::Records {
            batch: Some(batch),
            continuation: number,
            millis_behind_latest,
        }
    }

    /// Returns a heartbeat if the subscription has sent no event for five seconds, and otherwise
    /// None. The continuation sequence number of the heartbeat has the index of the last published
    /// record. The time in this number is the current second. If the shard was created later than
    /// that, the time is the second of its creation. The number is never less than an earlier
    /// continuation sequence number, and is less than the sequence number of every later record.
    fn heartbeat(&mut self, now: Timestamp) -> Option<Event> {
        if now < self.heartbeat_at() {
            return None;
        }
        self.last_event = now;
        let now_s = u64::try_from(now.seconds()).unwrap_or_default();
        let number = SequenceNumber {
            time_s: now_s.max(self.shard.created_s),
            index: self.position.index.saturating_sub(1),
            ..self.position
        };
        self.last_continuation = self.last_continuation.max(number);
        Some(Event::Records {
            batch: None,
            continuation: self.last_continuation,
            millis_behind_latest: 0,
        })
    }

    fn heartbeat_at(&self) -> Timestamp {
        self.last_event.plus_millis(limits::HEARTBEAT_MS)
    }

    /// Waits for new records, for the end of the shard, and for a request that ends the
    /// subscription. Also waits for the stop of the emulator, the end of the subscription's time,
    /// and the next heartbeat. The first of these events ends the wait.
    async fn wait(&mut self) -> Woken {
        let now = self.now();
        let mut until = self.heartbeat_at().min(self.ends_at);
        let over_rate = self.rate.as_ref().is_some_and(|rate| !rate.admits(now));
        if over_rate {
            until = until.min(now.plus_millis(limits::RATE_PAUSE_MS));
        }
        tokio::select! {
            biased;
            changed = self.end_of_log.changed(), if !over_rate => match changed {
                Ok(()) => Woken::Check,
                Err(_) => Woken::Ended(EndReason::StreamDeleted),
            },
            Ok(()) = self.closing.changed() => Woken::Check,
            ended = self.end_signal.wait_for(Option::is_some) => {
                let reason = ended.ok().and_then(|reason| *reason);
                Woken::Ended(reason.unwrap_or(EndReason::TakenOver))
            }
            _ = self.stopping.wait_for(|stopping| *stopping) => Woken::Stopped,
            () = self.alarm.wait(Some(until)) => Woken::Check,
        }
    }
}

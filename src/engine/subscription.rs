//! A consumer's subscription to a shard: records are pushed as they become visible.
//!
//! First what is there is read, then the shard's end is waited for; nobody polls. A subscription
//! makes its next event when it is asked for it, so a slow reader holds one event and nothing more.
//! What expires before it is read is passed over, as for every reader: the events go on behind it,
//! or with the end of a shard that is closed.

use super::shard::{Batch, Read, Shard};
use super::{Engine, Stream};
use crate::admission::BudgetPermit;
use crate::limits;
use crate::lock::Lock;
use crate::model::{self, Bucket, SequenceNumber, ShardId};
use crate::store::StoreError;
use crate::world::{Alarm, Fault, Point, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Why a subscription is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// A later subscription of the same consumer to the same shard took its seat.
    TakenOver,
    /// Its consumer was deregistered.
    ConsumerGone,
    /// Its stream was deleted.
    StreamGone,
}

/// The seats that are taken.
#[derive(Debug, Default)]
pub(super) struct Seats(Lock<Places>);

#[derive(Debug, Default)]
struct Places {
    taken: HashMap<Place, Taken>,
    count: u64,
}

/// One consumer on one shard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    incarnation: u64,
    consumer: String,
    /// A consumer registered again under its old name is another one.
    created_ms: i64,
    shard: ShardId,
}

#[derive(Debug)]
struct Taken {
    number: u64,
    since: Timestamp,
    leave: watch::Sender<Option<Leave>>,
}

/// A seat; dropping it frees it.
#[derive(Debug)]
struct Seat {
    engine: Arc<Engine>,
    place: Place,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.engine.seats.0.lock();
        if places
            .taken
            .get(&self.place)
            .is_some_and(|taken| taken.number == self.number)
        {
            places.taken.remove(&self.place);
        }
    }
}

/// Another subscription sits there, and has not for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatTaken;

impl Seats {
    /// Tells those who sit on places of this kind to leave.
    fn clear(&self, leave: Leave, is_meant: impl Fn(&Place) -> bool) {
        let places = self.0.lock();
        for (_, taken) in places.taken.iter().filter(|(place, _)| is_meant(place)) {
            taken.leave.send_replace(Some(leave));
        }
    }
}

impl Engine {
    /// The stream's subscriptions end.
    pub(super) fn end_subscriptions(&self, stream: &Stream) {
        self.seats.clear(Leave::StreamGone, |place| {
            place.incarnation == stream.incarnation
        });
    }

    /// The subscriptions of one of the stream's consumers end.
    pub(super) fn end_consumer(&self, stream: &Stream, name: &str) {
        self.seats.clear(Leave::ConsumerGone, |place| {
            place.incarnation == stream.incarnation && place.consumer == name
        });
    }

    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.seats.0.lock().taken.len()
    }

    fn sit(self: &Arc<Self>, place: Place) -> Result<(Seat, LeaveSignal), SeatTaken> {
        let now = self.world.clock.now();
        let mut places = self.seats.0.lock();
        if let Some(taken) = places.taken.get(&place) {
            if now.millis_since(taken.since) < limits::SEAT_MS {
                return Err(SeatTaken);
            }
            taken.leave.send_replace(Some(Leave::TakenOver));
        }
        places.count += 1;
        let number = places.count;
        let (leave, left) = watch::channel(None);
        places.taken.insert(
            place.clone(),
            Taken {
                number,
                since: now,
                leave,
            },
        );
        drop(places);
        Ok((
            Seat {
                engine: self.clone(),
                place,
                number,
            },
            left,
        ))
    }
}

type LeaveSignal = watch::Receiver<Option<Leave>>;

/// What a subscription pushes.
#[derive(Debug)]
pub enum Event {
    /// Records, or none when nothing came for a while.
    Records {
        /// The records.
        batch: Option<Batch>,
        /// Where to resume, with AFTER_SEQUENCE_NUMBER.
        continuation: SequenceNumber,
        /// How far this is behind the newest record.
        millis_behind_latest: i64,
    },
    /// The shard has ended; its children go on. Nothing comes after this.
    ShardEnd(Vec<model::Shard>),
    /// The subscription is ended from outside. Nothing comes after this.
    Ended(Leave),
    /// The store cannot be read. Nothing comes after this.
    Failed,
}

/// A subscription in progress.
#[derive(Debug)]
pub struct Subscription {
    seat: Seat,
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    position: SequenceNumber,
    /// The number last told, so that what is told when nothing comes is never below it.
    told: SequenceNumber,
    end: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    leave: LeaveSignal,
    stopping: watch::Receiver<bool>,
    alarm: Alarm,
    ends_at: Timestamp,
    last_event: Timestamp,
    rate: Option<Bucket>,
    over: bool,
}

/// Why a subscription goes on after it waited.
enum Woken {
    Look,
    Leave(Leave),
    Over,
}

impl Subscription {
    /// Subscribes consumer `name`, registered at `created_ms`, from `position` on.
    ///
    /// # Errors
    /// When its seat was taken less than five seconds ago.
    pub fn begin(
        engine: &Arc<Engine>,
        stream: &Arc<Stream>,
        shard: &Arc<Shard>,
        (name, created_ms): (&str, i64),
        position: SequenceNumber,
    ) -> Result<Self, SeatTaken> {
        let place = Place {
            incarnation: stream.incarnation,
            consumer: name.to_owned(),
            created_ms,
            shard: shard.id,
        };
        let (seat, leave) = engine.sit(place)?;
        let now = engine.world.clock.now();
        let rate = engine
            .limits
            .consumer_read_bytes
            .map(|rate| Bucket::new(rate, now));
        Ok(Self {
            seat,
            stream: stream.clone(),
            shard: shard.clone(),
            position,
            told: shard.position(0, now),
            end: shard.log().follow(),
            closing: shard.closing(),
            leave,
            stopping: engine.stopping.clone(),
            alarm: engine.world.clock.lenient_alarm(),
            ends_at: now.plus_millis(limits::SUBSCRIPTION_MS),
            last_event: now,
            rate,
            over: false,
        })
    }

    /// For how long its client may leave an event unread.
    pub fn patience(&self) -> Option<Duration> {
        let limits = &self.seat.engine.limits;
        limits.unread_event_seconds.map(Duration::from_secs)
    }

    /// Room for an event of so many bytes.
    pub async fn room(&self, bytes: u64) -> BudgetPermit {
        self.seat.engine.admission.event(bytes).await
    }

    /// The next event; none when the subscription ends without one.
    pub async fn next(&mut self) -> Option<Event> {
        while !self.over {
            if let Some(event) = self.look().await {
                return Some(event);
            }
            match self.wait().await {
                Woken::Look => {}
                Woken::Leave(leave) => {
                    self.over = true;
                    return Some(Event::Ended(leave));
                }
                Woken::Over => self.over = true,
            }
        }
        None
    }

    fn now(&self) -> Timestamp {
        self.seat.engine.world.clock.now()
    }

    /// What there is to push now, if anything.
    async fn look(&mut self) -> Option<Event> {
        let now = self.now();
        if let Some(leave) = *self.leave.borrow() {
            self.over = true;
            return Some(Event::Ended(leave));
        }
        if now >= self.ends_at || *self.stopping.borrow() {
            self.over = true;
            return None;
        }
        if self.rate.as_ref().is_some_and(|rate| !rate.admits(now)) {
            return None;
        }
        self.end.mark_unchanged();
        self.closing.mark_unchanged();
        let passed = self.pass(Point::Read).await;
        let read = match passed {
            Ok(()) => self.read(now).await,
            Err(_) => Err(StoreError::Unreadable("as a test wants it".into())),
        };
        match read {
            Err(error) => {
                tracing::error!(%error, "a subscription cannot be served");
                self.over = true;
                Some(Event::Failed)
            }
            Ok(batch) if batch.is_empty() => {
                // Behind what has expired meanwhile, if anything has.
                self.position = batch.next();
                if self.shard.is_exhausted(self.position) {
                    self.over = true;
                    return Some(Event::ShardEnd(self.stream.children(self.shard.id)));
                }
                self.heartbeat(now)
            }
            Ok(batch) => Some(self.records(batch, now)),
        }
    }

    /// Passes a point where a test may have something go wrong; a delay is waited for here, since
    /// a virtual clock knows this subscription by its own alarm.
    ///
    /// # Errors
    /// The fault.
    pub async fn pass(&mut self, point: Point) -> Result<(), Fault> {
        match self.seat.engine.world.faults.at(point) {
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

    async fn read(&self, now: Timestamp) -> Result<Batch, StoreError> {
        let read = Read {
            from: self.position,
            horizon: self.stream.horizon(now),
            records: limits::EVENT_RECORDS,
            bytes: limits::EVENT_BYTES,
        };
        self.shard.read(read).await
    }

    fn records(&mut self, batch: Batch, now: Timestamp) -> Event {
        if let Some(rate) = &mut self.rate {
            rate.debit(now, batch.bytes());
        }
        let traffic = &self.seat.engine.traffic;
        traffic.pushed(batch.len() as u64, batch.bytes());
        self.position = batch.next();
        self.last_event = now;
        let (number, _) = batch.last().expect("the batch has records");
        self.told = number;
        let behind = batch.millis_behind_latest(now);
        Event::Records {
            batch: Some(batch),
            continuation: number,
            millis_behind_latest: behind,
        }
    }

    /// An event without records, when none was sent for five seconds. Its number is that of the
    /// last published index with the present second, or the shard's first if that is still to come:
    /// at least every number told, below every later one.
    fn heartbeat(&mut self, now: Timestamp) -> Option<Event> {
        if now < self.heartbeat_at() {
            return None;
        }
        self.last_event = now;
        let index = self.position.index.saturating_sub(1);
        let number = SequenceNumber {
            time_s: u64::try_from(now.seconds())
                .unwrap_or_default()
                .max(self.shard.created_s),
            index,
            ..self.position
        };
        self.told = self.told.max(number);
        Some(Event::Records {
            batch: None,
            continuation: self.told,
            millis_behind_latest: 0,
        })
    }

    fn heartbeat_at(&self) -> Timestamp {
        self.last_event.plus_millis(limits::HEARTBEAT_MS)
    }

    /// Waits for more records, for somebody who ends it, for its end, or for the next heartbeat.
    async fn wait(&mut self) -> Woken {
        let now = self.now();
        let mut until = self.heartbeat_at().min(self.ends_at);
        let paying = self.rate.as_ref().is_some_and(|rate| !rate.admits(now));
        if paying {
            until = until.min(now.plus_millis(limits::RATE_PAUSE_MS));
        }
        tokio::select! {
            biased;
            changed = self.end.changed(), if !paying => match changed {
                Ok(()) => Woken::Look,
                Err(_) => Woken::Leave(Leave::StreamGone),
            },
            Ok(()) = self.closing.changed() => Woken::Look,
            left = self.leave.wait_for(Option::is_some) => {
                Woken::Leave(left.ok().and_then(|leave| *leave).unwrap_or(Leave::TakenOver))
            }
            _ = self.stopping.wait_for(|stopping| *stopping) => Woken::Over,
            () = self.alarm.wait(Some(until)) => Woken::Look,
        }
    }
}

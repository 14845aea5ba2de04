//! Time: the machine's clock, a shifted clock, or a virtual clock that a test moves.
#![allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]

use super::steady::{self, STEADY, ShiftedClock};
use super::timestamp::Timestamp;
use crate::lock::Lock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};

/// A stopwatch. It measures real time, even if the emulator has a virtual clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts a measurement.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the real time since the measurement started.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock of the emulator: the source of the present time, and of alarms that wake tasks at a
/// deadline.
#[derive(Debug, Clone)]
pub enum Clock {
    /// A clock that follows the machine's clock, but makes no steps back. If the machine's clock is
    /// set back, this clock continues at normal speed.
    System,
    /// A clock that shows the time of the machine's clock plus a shift that a test sets. The clock
    /// makes no steps back, as with [`Self::System`].
    Shifted(Arc<ShiftedClock>),
    /// A clock that stands still until a test or a user advances it.
    Virtual(Arc<VirtualClock>),
}

impl Clock {
    /// Returns the present time of the clock.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => STEADY.now(steady::since_1970()),
            Self::Shifted(clock) => clock.now(),
            Self::Virtual(clock) => clock.state.lock().now,
        }
    }

    /// Returns the time of the machine's clock, even if this clock is virtual. The program uses
    /// this time to check certificates and signatures.
    pub fn wall_time(&self) -> Timestamp {
        let ms = steady::since_1970().as_millis();
        Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
    }

    /// Creates an alarm with which one task waits for times of this clock. While a virtual clock
    /// advances, the clock waits without a time limit until the task has done its work.
    pub fn alarm(&self) -> Alarm {
        self.alarm_of(true)
    }

    /// Creates an alarm with which one task waits for times of this clock. The task may be held up
    /// by a slow peer, for example by a client that reads slowly. While a virtual clock advances,
    /// the clock waits at most one second until such a task has done its work.
    pub fn lenient_alarm(&self) -> Alarm {
        self.alarm_of(false)
    }

    fn alarm_of(&self, strict: bool) -> Alarm {
        let bell = Bell {
            rung: Arc::default(),
            clock: self.clone(),
            id: 0,
        };
        let id = match self {
            Self::System | Self::Shifted(_) => 0,
            Self::Virtual(clock) => clock.enter(bell.rung.clone(), strict),
        };
        Alarm {
            bell: Bell { id, ..bell },
        }
    }
}

/// A clock that stands still until a caller advances it.
///
/// `advance_to` moves the clock from deadline to deadline. At each deadline the clock stands still
/// until the task that waited for it has done its work. The tasks therefore do the same work as in
/// an equally long period of real time.
#[derive(Debug)]
pub struct VirtualClock {
    state: Lock<VirtualState>,
    /// Wakes the callers that wait until tasks have done their work. Notified whenever a task
    /// begins to wait, and whenever a task drops its alarm.
    settled: Notify,
    /// The semaphore whose only permit a call of `advance_to` holds, so that no two calls run at
    /// the same time.
    advancing: Semaphore,
}

#[derive(Debug)]
struct VirtualState {
    now: Timestamp,
    next_id: u64,
    alarms: BTreeMap<u64, VirtualAlarm>,
    /// Number of deadlines at which `advance_to` has stopped.
    stops: u64,
}

#[derive(Debug)]
struct VirtualAlarm {
    /// The state of the alarm's task: `None` while the task works, `Some(Some(deadline))` while the
    /// task waits for a deadline, and `Some(None)` while the task waits only for its bell.
    waiting: Option<Option<Timestamp>>,
    /// True if the bell rang while the task worked. The next wait of the task then returns
    /// immediately.
    rung_at_work: bool,
    /// True if the clock, while it advances, waits without a time limit until the task has done its
    /// work. False if the time limit is one second.
    strict: bool,
    /// True if the task worked for longer than the time limit. The clock ignores the task until the
    /// task waits again.
    given_up: bool,
    rung: Arc<Notify>,
}

impl VirtualClock {
    /// Creates a clock that stands still at the time `now`.
    pub fn starting_at(now: Timestamp) -> Arc<Self> {
        let state = VirtualState {
            now,
            next_id: 1,
            alarms: BTreeMap::new(),
            stops: 0,
        };
        Arc::new(Self {
            state: Lock::new(state),
            settled: Notify::new(),
            advancing: Semaphore::new(1),
        })
    }

    /// Moves the clock forward to `target`. Stops at each deadline up to `target`, in the order of
    /// time, until the tasks have done their work. Does not move the clock if `target` is in the
    /// past.
    pub async fn advance_to(&self, target: Timestamp) {
        let _advancing = self.advancing.acquire().await;
        loop {
            self.settle().await;
            let mut state = self.state.lock();
            let due = state
                .alarms
                .iter()
                .filter_map(|(id, alarm)| Some((alarm.waiting??, *id)));
            let Some((deadline, id)) = due.min().filter(|(deadline, _)| *deadline <= target) else {
                state.now = state.now.max(target);
                return;
            };
            state.now = state.now.max(deadline);
            state.stops += 1;
            state.wake(id);
        }
    }

    /// Returns the number of deadlines at which [`Self::advance_to`] has stopped since the creation
    /// of the clock. The duration of an advance grows with this number.
    pub fn stops(&self) -> u64 {
        self.state.lock().stops
    }

    /// Sets the clock to `moment`, which may be in the past. Wakes every task with an alarm, so
    /// that these tasks read the clock again.
    pub(crate) fn jump_to(&self, moment: Timestamp) {
        let mut state = self.state.lock();
        state.now = moment;
        let ids: Vec<u64> = state.alarms.keys().copied().collect();
        for id in ids {
            state.wake(id);
        }
    }

    /// Returns as soon as every task with a strict alarm has done its work and waits again for a
    /// deadline or for its bell. Ignores tasks with a lenient alarm.
    pub async fn settle_now(&self) {
        self.settle_those(|alarm| alarm.strict).await;
    }

    /// Returns as soon as every task with an alarm has done its work and waits again for a deadline
    /// or for its bell. Waits at most one second of real time for tasks with a lenient alarm.
    async fn settle(&self) {
        self.settle_those(|alarm| alarm.strict).await;
        let limit = Duration::from_secs(1);
        let settled = self.settle_those(|alarm| !alarm.given_up);
        if tokio::time::timeout(limit, settled).await.is_err() {
            let mut state = self.state.lock();
            for alarm in state.alarms.values_mut() {
                alarm.given_up |= !alarm.strict && alarm.waiting.is_none();
            }
        }
    }

    async fn settle_those(&self, are_meant: impl Fn(&VirtualAlarm) -> bool) {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            let waits = |alarm: &VirtualAlarm| alarm.waiting.is_some() || !are_meant(alarm);
            if self.state.lock().alarms.values().all(waits) {
                return;
            }
            settled.await;
        }
    }

    fn enter(&self, rung: Arc<Notify>, strict: bool) -> u64 {
        let mut state = self.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.alarms.insert(
            id,
            VirtualAlarm {
                waiting: None,
                rung_at_work: false,
                strict,
                given_up: false,
                rung,
            },
        );
        id
    }

    fn set_strict(&self, id: u64, strict: bool) {
        if let Some(alarm) = self.state.lock().alarms.get_mut(&id) {
            alarm.strict = strict;
        }
        self.settled.notify_waiters();
    }

    fn leave(&self, id: u64) {
        self.state.lock().alarms.remove(&id);
        self.settled.notify_waiters();
    }

    /// Notes that the task of alarm `id` waits for `deadline`. Returns false if the task need not
    /// wait, because the deadline has passed or the bell rang.
    fn wait(&self, id: u64, deadline: Option<Timestamp>) -> bool {
        let mut state = self.state.lock();
        let now = state.now;
        let Some(alarm) = state.alarms.get_mut(&id) else {
            return false;
        };
        let rung = std::mem::take(&mut alarm.rung_at_work);
        if rung || deadline.is_some_and(|deadline| deadline <= now) {
            return false;
        }
        alarm.waiting = Some(deadline);
        alarm.given_up = false;
        self.settled.notify_waiters();
        true
    }

    fn ring(&self, id: u64) {
        self.state.lock().wake(id);
    }
}

impl VirtualState {
    /// Wakes the task of alarm `id`. From now on the task counts as working, even before the
    /// runtime polls the task.
    fn wake(&mut self, id: u64) {
        let Some(alarm) = self.alarms.get_mut(&id) else {
            return;
        };
        if alarm.waiting.take().is_some() {
            alarm.rung.notify_one();
        } else {
            alarm.rung_at_work = true;
        }
    }
}

/// The alarm of one task. With its alarm, the task waits for deadlines and for the alarm's bell. A
/// virtual clock stands still while the task works.
#[derive(Debug)]
pub struct Alarm {
    bell: Bell,
}

impl Alarm {
    /// Waits until `deadline`, or until the bell rings if the ring comes first. If `deadline` is
    /// `None`, only the bell ends the wait.
    pub async fn wait(&mut self, deadline: Option<Timestamp>) {
        match &self.bell.clock {
            Clock::Virtual(clock) => {
                if clock.wait(self.bell.id, deadline) {
                    // When this guard is dropped, the task is marked as working. The guard is also
                    // dropped if the caller drops the future of this wait.
                    let _at_work = AtWork {
                        clock,
                        id: self.bell.id,
                    };
                    self.bell.rung.notified().await;
                }
            }
            clock @ (Clock::System | Clock::Shifted(_)) => match deadline {
                None => self.bell.rung.notified().await,
                Some(deadline) => {
                    let left = deadline.millis_since(clock.now()).unsigned_abs();
                    let slept = tokio::time::sleep(Duration::from_millis(left));
                    tokio::select! {
                        biased;
                        () = self.bell.rung.notified() => {}
                        () = slept => {}
                    }
                }
            },
        }
    }

    /// Sets the time limit for which a virtual clock, while it advances, waits until the task has
    /// done its work. If `strict` is true, there is no time limit. Otherwise the limit is one
    /// second.
    pub fn set_strict(&self, strict: bool) {
        if let Clock::Virtual(clock) = &self.bell.clock {
            clock.set_strict(self.bell.id, strict);
        }
    }

    /// Returns the bell of the alarm. A ring of the bell wakes the task before its deadline.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

/// Marks the task of an alarm as working when this guard is dropped.
struct AtWork<'a> {
    clock: &'a VirtualClock,
    id: u64,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.clock.state.lock().alarms.get_mut(&self.id) {
            alarm.waiting = None;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Clock::Virtual(clock) = &self.bell.clock {
            clock.leave(self.bell.id);
        }
    }
}

/// The bell of one [`Alarm`]. A ring wakes the alarm's task before the task's deadline.
#[derive(Debug, Clone)]
pub struct Bell {
    rung: Arc<Notify>,
    clock: Clock,
    id: u64,
}

impl Bell {
    /// Wakes the alarm's task if the task waits. If the task works, the task's next wait returns
    /// immediately.
    pub fn ring(&self) {
        match &self.clock {
            Clock::System | Clock::Shifted(_) => self.rung.notify_one(),
            Clock::Virtual(clock) => clock.ring(self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_day_advanced_meets_every_deadline_in_order() {
        let clock = VirtualClock::starting_at(Timestamp::from_millis(0));
        let seen = Arc::new(Lock::new(Vec::new()));
        let task = {
            let (clock, seen) = (Clock::Virtual(clock.clone()), seen.clone());
            let mut alarm = clock.alarm();
            async move {
                for step in 1..=3 {
                    alarm.wait(Some(Timestamp::from_millis(step * 1000))).await;
                    seen.lock().push(clock.now().millis());
                }
            }
        };
        let ((), ()) = tokio::join!(task, clock.advance_to(Timestamp::from_millis(86_400_000)));
        assert_eq!(*seen.lock(), [1000, 2000, 3000]);
        assert_eq!(Clock::Virtual(clock).now().millis(), 86_400_000);
    }

    #[tokio::test]
    async fn a_rung_bell_is_answered_before_time_moves_on() {
        let clock = VirtualClock::starting_at(Timestamp::from_millis(0));
        let mut alarm = Clock::Virtual(clock.clone()).alarm();
        let bell = alarm.bell();
        let answered = Lock::new(None);
        let task = async {
            alarm.wait(None).await;
            alarm.wait(Some(Timestamp::from_millis(10))).await;
            *answered.lock() = Some(Clock::Virtual(clock.clone()).now().millis());
            drop(alarm);
        };
        let mover = async {
            bell.ring();
            clock.advance_to(Timestamp::from_millis(50)).await;
        };
        tokio::join!(task, mover);
        assert_eq!(*answered.lock(), Some(10));
    }
}

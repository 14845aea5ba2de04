//! The in-flight budget: the bytes of requests, answers and events in memory at one time.
//!
//! The budget is split into lanes, so that no kind of traffic can use up the bytes of another kind.
//! A permit holds bytes of one or more lanes. The lanes are:
//!
//! 1. `requests`: a fixed number of bytes for each request that is alone on its connection.
//! 2. `further`: the same number of bytes for each further request on an HTTP/2 connection that
//!    already has a request in flight. A connection with a thousand requests can exhaust only this
//!    lane.
//! 3. `bodies`: the bytes of a small request body that does not fit in the fixed number of bytes.
//! 4. `medium`: the bytes of answers larger than `SMALL_BYTES`, up to `MEDIUM_BYTES`.
//! 5. `large`: the bytes of larger request bodies and of large answers.
//! 6. `events`: the bytes of events that subscriptions send.
//! 7. `invocations`: the bytes of events that functions receive. The events stay in memory until
//!    the function answers, so slow functions can exhaust only this lane. One event of each shard
//!    of a mapping may exceed the lane, so that no shard waits for the function of another shard.
//!
//! No deadlock is possible: every request takes bytes from the lanes in this order and from each
//! lane once, and every request has a time limit, after which its bytes are free again. While other
//! requests wait for bytes, the body of a slow client gets a shorter time limit. Each lane serves
//! its waiting requests in the order of arrival.

use crate::limits::{self, Limits};
use crate::world::RealDeadline;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::select;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The in-flight budget of one emulator.
#[derive(Debug)]
pub struct Admission {
    requests: Lane,
    further: Lane,
    bodies: Lane,
    medium: Lane,
    large: Lane,
    events: Lane,
    invocations: Lane,
    longest_wait: Option<Duration>,
    refused: AtomicU64,
}

/// The error of a request that got no bytes of the budget in time, or that came when too many
/// requests were waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetExhausted;

/// The bytes of the budget that a request, an answer or an event holds. Dropping the permit gives
/// the bytes back.
#[derive(Debug)]
pub struct BudgetPermit {
    admission: Arc<Admission>,
    requests: u64,
    further: u64,
    bodies: u64,
    medium: u64,
    large: u64,
    events: u64,
    invocations: u64,
    /// The permit of the caller's semaphore, if [`Admission::invocation`] took one.
    own: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// Creates the in-flight budget. `limits` gives its size and the longest wait of a request for
    /// bytes.
    pub fn new(limits: &Limits) -> Arc<Self> {
        let part = |parts: u64| Lane::new(limits.in_flight_bytes.map(|all| all / 16 * parts));
        Arc::new(Self {
            requests: part(4),
            further: part(2),
            bodies: part(1),
            medium: part(1),
            large: part(4),
            events: part(2),
            invocations: part(2),
            longest_wait: limits.admission_wait_seconds.map(Duration::from_secs),
            refused: AtomicU64::new(0),
        })
    }

    /// Takes [`REQUEST_PERMIT_BYTES`](limits::REQUEST_PERMIT_BYTES) bytes of the budget for one
    /// request and returns the permit. Waits until the bytes are free. `first` is true for a
    /// request that is alone on its connection.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if the bytes are not free in time, or if too many requests already wait.
    pub async fn request(self: &Arc<Self>, first: bool) -> Result<BudgetPermit, BudgetExhausted> {
        let amount = limits::REQUEST_PERMIT_BYTES;
        let lane = if first { &self.requests } else { &self.further };
        self.take(lane, amount).await?;
        let mut permit = self.nothing();
        (permit.requests, permit.further) = if first { (amount, 0) } else { (0, amount) };
        Ok(permit)
    }

    /// Takes `bytes` bytes of the budget for an answer of this size and returns the permit. Waits
    /// until the bytes are free. Returns `None` if the permit of the request already covers such a
    /// small answer.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if the bytes are not free in time, or if too many requests already wait.
    pub async fn answer(
        self: &Arc<Self>,
        bytes: u64,
    ) -> Result<Option<BudgetPermit>, BudgetExhausted> {
        if bytes <= limits::SMALL_BYTES {
            return Ok(None);
        }
        self.answer_to_read(bytes).await.map(Some)
    }

    /// Takes `bytes` bytes of the budget for an answer whose records are not yet read from the
    /// disk, and returns the permit. Waits until the bytes are free. `bytes` is an estimate of the
    /// answer's size. The permit has zero bytes if the permit of the request already covers such a
    /// small answer.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if the bytes are not free in time, or if too many requests already wait.
    pub(crate) async fn answer_to_read(
        self: &Arc<Self>,
        bytes: u64,
    ) -> Result<BudgetPermit, BudgetExhausted> {
        let mut permit = self.nothing();
        if bytes > limits::MEDIUM_BYTES {
            self.take(&self.large, bytes).await?;
            permit.large = bytes;
        } else if bytes > limits::SMALL_BYTES {
            self.take(&self.medium, bytes).await?;
            permit.medium = bytes;
        }
        Ok(permit)
    }

    /// Takes `bytes` bytes of the budget for an event of this size that a subscription sends, and
    /// returns the permit. The wait for the bytes needs no time limit: a subscriber that does not
    /// read its events is disconnected, and the bytes of these events are then free again.
    pub async fn event(self: &Arc<Self>, bytes: u64) -> BudgetPermit {
        self.events.take_without_limit(bytes).await;
        let mut permit = self.nothing();
        permit.events = bytes;
        permit
    }

    /// Takes `bytes` bytes of the budget for an event of this size that a function receives, and
    /// returns the permit. Waits until the bytes are free or until the semaphore `own` has a
    /// permit. With such a permit, the bytes may exceed the budget. The caller has one semaphore
    /// for each shard of a mapping, so no shard waits for the function of another shard.
    pub async fn invocation(self: &Arc<Self>, bytes: u64, own: &Arc<Semaphore>) -> BudgetPermit {
        let mut permit = self.nothing();
        select! {
            biased;
            () = self.invocations.take_without_limit(bytes) => {}
            own = own.clone().acquire_owned() => {
                self.invocations.used.fetch_add(bytes, SeqCst);
                permit.own = own.ok();
            }
        }
        permit.invocations = bytes;
        permit
    }

    /// True if at least one request waits for bytes of the budget. Waiting events do not count.
    pub fn is_contended(&self) -> bool {
        let [lanes @ .., _events, _invocations] = self.lanes();
        lanes.iter().any(|lane| lane.is_contended())
    }

    fn lanes(&self) -> [&Lane; 7] {
        [
            &self.requests,
            &self.further,
            &self.bodies,
            &self.medium,
            &self.large,
            &self.events,
            &self.invocations,
        ]
    }

    /// The number of bytes of the budget that all permits together hold now.
    pub fn held_bytes(&self) -> u64 {
        let lanes = self.lanes();
        lanes.iter().map(|lane| lane.used.load(SeqCst)).sum()
    }

    /// The number of requests refused since the start because the budget was exhausted.
    pub fn refused(&self) -> u64 {
        self.refused.load(SeqCst)
    }

    async fn take(&self, lane: &Lane, bytes: u64) -> Result<(), BudgetExhausted> {
        let taken = lane
            .take(bytes, self.longest_wait, limits::ADMISSION_LINE)
            .await;
        if taken.is_err() {
            self.refused.fetch_add(1, SeqCst);
        }
        taken
    }

    /// Returns a permit that holds no bytes of the budget.
    fn nothing(self: &Arc<Self>) -> BudgetPermit {
        BudgetPermit {
            admission: self.clone(),
            requests: 0,
            further: 0,
            bodies: 0,
            medium: 0,
            large: 0,
            events: 0,
            invocations: 0,
            own: None,
        }
    }
}

impl BudgetPermit {
    /// Takes more bytes of the budget, so that a request's permit also covers its body. Waits until
    /// the bytes are free. `arrived` is the number of bytes of the body that have arrived, and
    /// `maximum` is the largest number of bytes that the body can have. Returns true if the call
    /// took bytes, and false if the permit already covers the bytes that have arrived.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if the bytes are not free in time, or if too many requests already wait.
    pub async fn cover(&mut self, arrived: u64, maximum: u64) -> Result<bool, BudgetExhausted> {
        let weight = arrived.saturating_mul(limits::BODY_WEIGHT);
        if arrived <= limits::BODY_IN_PERMIT_BYTES || weight <= self.bodies || self.large > 0 {
            return Ok(false);
        }
        let admission = self.admission.clone();
        if self.bodies == 0 {
            // The first call takes at most `SMALL_BYTES`, so that a client cannot hold much of the
            // budget with a Content-Length header alone.
            let maximum = maximum.saturating_mul(limits::BODY_WEIGHT);
            let bytes = maximum.min(limits::SMALL_BYTES);
            admission.take(&admission.bodies, bytes).await?;
            self.bodies = bytes;
        }
        if weight > self.bodies {
            let bytes = maximum.saturating_mul(limits::BODY_WEIGHT);
            admission.take(&admission.large, bytes).await?;
            self.large = bytes;
        }
        Ok(true)
    }

    /// The number of bytes that the permit holds.
    pub(crate) fn bytes(&self) -> u64 {
        self.requests
            + self.further
            + self.bodies
            + self.medium
            + self.large
            + self.events
            + self.invocations
    }

    /// Corrects a permit that was taken for an estimated number of bytes. `bytes` is the actual
    /// number. These bytes are in memory already, so they count even if they exceed the budget.
    pub(crate) fn correct(&mut self, bytes: u64) {
        let (lane, held) = if self.events > 0 {
            (&self.admission.events, &mut self.events)
        } else if self.medium > 0 {
            (&self.admission.medium, &mut self.medium)
        } else {
            (&self.admission.large, &mut self.large)
        };
        let before = std::mem::replace(held, bytes);
        lane.used.fetch_add(bytes.saturating_sub(before), SeqCst);
        lane.give_back(before.saturating_sub(bytes));
    }

    /// True if the permit holds bytes of the lane `large`. In the permit of a request, these bytes
    /// cover the whole body of the request.
    pub fn is_large(&self) -> bool {
        self.large > 0
    }

    /// Turns a request's permit into the permit of the request's answer, which has `bytes` bytes.
    /// The bytes that the permit holds for the request's body become free. The answer is in memory
    /// already, so all its bytes count, even if they exceed the budget.
    pub fn exchange_for(&mut self, bytes: u64) {
        self.admission
            .bodies
            .give_back(std::mem::take(&mut self.bodies));
        self.admission
            .large
            .give_back(std::mem::take(&mut self.large));
        let amount = self.requests + self.further;
        if bytes > amount {
            self.admission
                .further
                .used
                .fetch_add(bytes - amount, SeqCst);
            self.further += bytes - amount;
        }
    }
}

impl Drop for BudgetPermit {
    fn drop(&mut self) {
        self.admission.requests.give_back(self.requests);
        self.admission.further.give_back(self.further);
        self.admission.bodies.give_back(self.bodies);
        self.admission.medium.give_back(self.medium);
        self.admission.large.give_back(self.large);
        self.admission.events.give_back(self.events);
        self.admission.invocations.give_back(self.invocations);
    }
}

/// One lane of the in-flight budget, and the line in which requests wait for bytes of the lane.
#[derive(Debug)]
struct Lane {
    limit: u64,
    used: AtomicU64,
    line: AtomicU64,
    /// The semaphore that the first request of the line holds. Only that request tries to take
    /// bytes, so the lane serves the requests in the order of arrival.
    first_in_line: Semaphore,
    freed: Notify,
}

impl Lane {
    fn new(limit: Option<u64>) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            line: AtomicU64::new(0),
            first_in_line: Semaphore::new(1),
            freed: Notify::new(),
        }
    }

    fn is_contended(&self) -> bool {
        self.line.load(SeqCst) > 0
    }

    /// Takes `bytes` bytes of the lane if this number of bytes is free. Returns true on success.
    /// While no byte of the lane is taken, the lane grants any number of bytes, even more than its
    /// size. Otherwise a very large request could never be served.
    fn try_take(&self, bytes: u64) -> bool {
        let taken = self.used.fetch_update(SeqCst, SeqCst, |used| {
            let after = used.saturating_add(bytes);
            (after <= self.limit || used == 0).then_some(after)
        });
        taken.is_ok()
    }

    /// Takes `bytes` bytes of the lane. Waits for them without a time limit.
    async fn take_without_limit(&self, bytes: u64) {
        let taken = self.take(bytes, None, u64::MAX).await;
        debug_assert!(taken.is_ok(), "the wait has no limit");
    }

    /// Takes `bytes` bytes of the lane after every earlier request has taken its bytes. Waits
    /// without a time limit if `longest_wait` is None. `most` is the largest number of requests
    /// that may wait.
    async fn take(
        &self,
        bytes: u64,
        longest_wait: Option<Duration>,
        most: u64,
    ) -> Result<(), BudgetExhausted> {
        if !self.is_contended() && self.try_take(bytes) {
            return Ok(());
        }
        // The future of the wait is boxed, so that the future of a request without a wait is small.
        Box::pin(self.take_in_line(bytes, longest_wait, most)).await
    }

    async fn take_in_line(
        &self,
        bytes: u64,
        longest_wait: Option<Duration>,
        most: u64,
    ) -> Result<(), BudgetExhausted> {
        let _place = InLine::join(&self.line, most)?;
        let taking = async {
            let _first = self.first_in_line.acquire().await;
            // No notification is lost: `notify_one` stores a notification for a task that does not
            // wait yet.
            while !self.try_take(bytes) {
                self.freed.notified().await;
            }
        };
        let Some(longest_wait) = longest_wait else {
            taking.await;
            return Ok(());
        };
        select! {
            biased;
            () = taking => Ok(()),
            () = RealDeadline::lasting(longest_wait).end() => Err(BudgetExhausted),
        }
    }

    fn give_back(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.used.fetch_sub(bytes, SeqCst);
        if self.is_contended() {
            self.freed.notify_one();
        }
    }
}

/// A request's place in a lane's line. The value is the counter of the requests in the line.
/// Dropping the value subtracts the request from this counter.
struct InLine<'a>(&'a AtomicU64);

impl<'a> InLine<'a> {
    fn join(line: &'a AtomicU64, most: u64) -> Result<Self, BudgetExhausted> {
        let place = Self(line);
        // A full line refuses the request: `place` is dropped, which subtracts the request from the
        // counter again.
        if line.fetch_add(1, SeqCst) < most {
            Ok(place)
        } else {
            Err(BudgetExhausted)
        }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Profile;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    fn admission(bytes: u64, wait_seconds: Option<u64>) -> Arc<Admission> {
        Admission::new(&Limits {
            in_flight_bytes: Some(bytes),
            admission_wait_seconds: wait_seconds,
            ..Limits::for_profile(Profile::Standard)
        })
    }

    async fn is_ready<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        poll_fn(
            |context| match std::pin::Pin::new(&mut *work).poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => Poll::Ready(None),
            },
        )
        .await
    }

    #[tokio::test]
    async fn what_is_dropped_is_given_back() {
        let admission = admission(64 << 20, None);
        let mut permit = admission.request(true).await.unwrap();
        let amount = limits::REQUEST_PERMIT_BYTES;
        permit.cover(1_000, 1_000).await.unwrap();
        assert_eq!(
            admission.held_bytes(),
            amount,
            "it fits the request's amount"
        );
        permit.cover(20_000, 30_000).await.unwrap();
        assert_eq!(admission.held_bytes(), amount + 60_000);
        permit.cover(40_000, 1 << 20).await.unwrap();
        permit.cover(1 << 20, 1 << 20).await.unwrap();
        assert_eq!(admission.held_bytes(), amount + 60_000 + (2 << 20));
        permit.exchange_for(100_000);
        assert_eq!(admission.held_bytes(), 100_000);
        drop(permit);
        let event = admission.event(5).await;
        assert_eq!(admission.held_bytes(), 5);
        drop(event);
        assert_eq!(admission.held_bytes(), 0);
    }

    #[tokio::test]
    async fn events_do_not_wait_for_functions_that_hold_theirs() {
        let admission = admission(16 << 20, None);
        let none = Arc::new(Semaphore::new(0));
        let _held = admission.invocation(2 << 20, &none).await;
        let waiting = is_ready(&mut pin!(admission.invocation(1, &none))).await;
        assert!(waiting.is_none());
        let event = is_ready(&mut pin!(admission.event(2 << 20))).await;
        assert!(event.is_some(), "a lane of its own");
        assert_eq!(admission.held_bytes(), 4 << 20);
    }

    #[tokio::test]
    async fn a_shard_has_one_event_of_its_own_although_the_lane_is_exhausted() {
        let admission = admission(16 << 20, None);
        let [one, other] = [1, 1].map(|events| Arc::new(Semaphore::new(events)));
        let _slow = admission.invocation(2 << 20, &one).await;
        let first = is_ready(&mut pin!(admission.invocation(1 << 20, &other))).await;
        assert!(first.is_some() && admission.held_bytes() == 3 << 20);
        let mut second = pin!(admission.invocation(1, &other));
        assert!(is_ready(&mut second).await.is_none());
        drop(first);
        assert!(is_ready(&mut second).await.is_some());
    }

    #[tokio::test]
    async fn a_promise_holds_little_until_some_of_it_is_kept() {
        let admission = admission(256 << 20, None);
        let mut permit = admission.request(true).await.unwrap();
        let amount = limits::REQUEST_PERMIT_BYTES;
        permit.cover(1, 20 << 20).await.unwrap();
        assert_eq!(admission.held_bytes(), amount);
        permit
            .cover(limits::BODY_IN_PERMIT_BYTES + 1, 20 << 20)
            .await
            .unwrap();
        assert_eq!(admission.held_bytes(), amount + limits::SMALL_BYTES);
    }

    #[tokio::test]
    async fn the_first_in_line_is_served_first_though_others_would_fit() {
        let admission = admission(14_400_000, None);
        let held = admission.answer(900_000).await.unwrap().unwrap();
        let mut first = pin!(admission.answer(500_000));
        let mut second = pin!(admission.answer(70_000));
        assert!(is_ready(&mut first).await.is_none());
        assert!(is_ready(&mut second).await.is_none(), "it would fit");
        assert!(admission.is_contended());
        drop(held);
        let first = is_ready(&mut first).await.expect("there is amount now");
        let second = is_ready(&mut second).await.expect("and more");
        assert_eq!(admission.held_bytes(), 570_000);
        drop((first, second));
        assert!(!admission.is_contended());
    }

    #[tokio::test]
    async fn a_request_that_leaves_the_line_holds_up_no_other() {
        let admission = admission(14_400_000, None);
        let held = admission.answer(900_000).await.unwrap().unwrap();
        {
            let mut leaving = pin!(admission.answer(500_000));
            assert!(is_ready(&mut leaving).await.is_none());
        }
        let mut next = pin!(admission.answer(500_000));
        assert!(is_ready(&mut next).await.is_none());
        drop(held);
        assert!(is_ready(&mut next).await.is_some());
    }

    #[tokio::test]
    async fn a_wait_ends_with_a_refusal_that_is_counted() {
        let admission = admission(14_400_000, Some(0));
        let _held = admission.answer(900_000).await.unwrap().unwrap();
        assert_eq!(
            admission.answer(500_000).await.unwrap_err(),
            BudgetExhausted
        );
        assert_eq!(admission.refused(), 1);
        assert!(!admission.is_contended());
        let small = admission.request(false).await;
        assert!(small.is_ok(), "small requests have a lane of their own");
    }

    #[tokio::test]
    async fn the_further_requests_of_connections_leave_bytes_for_the_first() {
        let admission = admission(1 << 20, Some(0));
        let mut held = Vec::new();
        while let Ok(permit) = admission.request(false).await {
            held.push(permit);
        }
        assert_eq!(held.len(), (1 << 20) / 8 / (8 << 10));
        assert!(admission.request(true).await.is_ok());
    }

    #[tokio::test]
    async fn an_empty_lane_takes_what_is_larger_than_it() {
        let admission = admission(1_000, Some(0));
        let huge = admission.answer(10 << 20).await.unwrap().unwrap();
        assert!(admission.answer(10 << 20).await.is_err());
        drop(huge);
        assert!(admission.answer(10 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn a_line_has_an_end_and_who_comes_after_it_is_refused_at_once() {
        let lane = Lane::new(Some(1));
        assert!(lane.try_take(1));
        let mut first = pin!(lane.take(1, None, 1));
        assert!(is_ready(&mut first).await.is_none());
        assert_eq!(lane.take(1, None, 1).await, Err(BudgetExhausted));
        lane.give_back(1);
        assert_eq!(is_ready(&mut first).await, Some(Ok(())));
    }
}

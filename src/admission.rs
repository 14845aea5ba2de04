//! Admission in bytes: how much of requests and answers is in memory at once.
//!
//! There is one budget in lanes, so that no kind of traffic can starve the others. Every request
//! takes a little, which is all that most requests ever take: the only one of its connection from
//! the first lane, the further ones of an HTTP/2 connection from the second, so that one connection
//! with a thousand of them keeps out its own kind at most. A body that outgrows that takes what a
//! small body needs from the third; one that outgrows that, too, takes all it can need from the
//! fourth, where large answers come from as well. Events that are pushed have a lane for themselves.
//!
//! Nobody can wait for somebody who waits for him: a lane is entered once, with all that is taken
//! of it, and the lanes are entered in their order. What is held is given back by an end that
//! always comes: bodies and answers have their time, too, and bodies a shorter one while others
//! wait. Within a lane nobody is overtaken.

use crate::limits::{self, Limits};
use crate::world::RealDeadline;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::select;
use tokio::sync::{Notify, Semaphore};

/// The budget.
#[derive(Debug)]
pub struct Admission {
    requests: Lane,
    further: Lane,
    bodies: Lane,
    large: Lane,
    events: Lane,
    patience: Option<Duration>,
    refused: AtomicU64,
}

/// There is no room, and there was none for as long as one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetExhausted;

/// What a request, an answer or an event holds of the budget; given back when it is dropped.
#[derive(Debug)]
pub struct BudgetPermit {
    admission: Arc<Admission>,
    requests: u64,
    further: u64,
    bodies: u64,
    large: u64,
    events: u64,
}

impl Admission {
    /// The budget that `limits` set.
    pub fn new(limits: &Limits) -> Arc<Self> {
        let part = |parts: u64| Lane::new(limits.in_flight_bytes.map(|all| all / 16 * parts));
        Arc::new(Self {
            requests: part(4),
            further: part(2),
            bodies: part(1),
            large: part(5),
            events: part(4),
            patience: limits.admission_wait_seconds.map(Duration::from_secs),
            refused: AtomicU64::new(0),
        })
    }

    /// Room for one request of the usual size, the `first` on its connection now or a further one.
    ///
    /// # Errors
    /// When there is none for too long.
    pub async fn request(self: &Arc<Self>, first: bool) -> Result<BudgetPermit, BudgetExhausted> {
        let room = limits::REQUEST_ROOM_BYTES;
        let lane = if first { &self.requests } else { &self.further };
        self.take(lane, room).await?;
        let mut share = self.nothing();
        (share.requests, share.further) = if first { (room, 0) } else { (0, room) };
        Ok(share)
    }

    /// Room for an answer of so many bytes, unless the room of its request will do.
    ///
    /// # Errors
    /// When there is none for too long.
    pub async fn answer(
        self: &Arc<Self>,
        bytes: u64,
    ) -> Result<Option<BudgetPermit>, BudgetExhausted> {
        if bytes <= limits::SMALL_BYTES {
            return Ok(None);
        }
        self.take(&self.large, bytes).await?;
        let mut share = self.nothing();
        share.large = bytes;
        Ok(Some(share))
    }

    /// Room for an event of so many bytes. A subscription waits for it as long as it has to: those
    /// who leave theirs unread are dropped.
    pub async fn event(self: &Arc<Self>, bytes: u64) -> BudgetPermit {
        let taken = self.events.take(bytes, None, u64::MAX).await;
        debug_assert!(taken.is_ok(), "there is no end to its patience");
        let mut share = self.nothing();
        share.events = bytes;
        share
    }

    /// Whether somebody waits for room.
    pub fn is_contended(&self) -> bool {
        let [lanes @ .., _events] = self.lanes();
        lanes.iter().any(|lane| lane.is_contended())
    }

    fn lanes(&self) -> [&Lane; 5] {
        [
            &self.requests,
            &self.further,
            &self.bodies,
            &self.large,
            &self.events,
        ]
    }

    /// Bytes that are held now.
    pub fn held_bytes(&self) -> u64 {
        let lanes = self.lanes();
        lanes.iter().map(|lane| lane.used.load(SeqCst)).sum()
    }

    /// How many requests were refused for want of room.
    pub fn refused(&self) -> u64 {
        self.refused.load(SeqCst)
    }

    async fn take(&self, lane: &Lane, bytes: u64) -> Result<(), BudgetExhausted> {
        let taken = lane
            .take(bytes, self.patience, limits::ADMISSION_LINE)
            .await;
        if taken.is_err() {
            self.refused.fetch_add(1, SeqCst);
        }
        taken
    }

    /// What nothing is held of.
    fn nothing(self: &Arc<Self>) -> BudgetPermit {
        BudgetPermit {
            admission: self.clone(),
            requests: 0,
            further: 0,
            bodies: 0,
            large: 0,
            events: 0,
        }
    }
}

impl BudgetPermit {
    /// Room for a body that has come up to `come` bytes and may come to have `most`; none is taken
    /// while it fits what is held. Tells whether some was taken, which may have been waited for.
    ///
    /// # Errors
    /// When there is none for too long.
    pub async fn cover(&mut self, come: u64, most: u64) -> Result<bool, BudgetExhausted> {
        let weight = come.saturating_mul(limits::BODY_WEIGHT);
        if come <= limits::BODY_IN_ROOM_BYTES || weight <= self.bodies || self.large > 0 {
            return Ok(false);
        }
        let admission = self.admission.clone();
        if self.bodies == 0 {
            // What is promised is believed no further than this, so that nobody holds much for a
            // promise.
            let most = most.saturating_mul(limits::BODY_WEIGHT);
            let bytes = most.min(limits::SMALL_BYTES);
            admission.take(&admission.bodies, bytes).await?;
            self.bodies = bytes;
        }
        if weight > self.bodies {
            let bytes = most.saturating_mul(limits::BODY_WEIGHT);
            admission.take(&admission.large, bytes).await?;
            self.large = bytes;
        }
        Ok(true)
    }

    /// Whether it has room for all of a large body.
    pub fn is_large(&self) -> bool {
        self.large > 0
    }

    /// The request is answered: from now on this is the share of its answer. An answer that is
    /// larger than its request's room is in memory already and has to be counted, room or no room.
    pub fn exchange_for(&mut self, bytes: u64) {
        self.admission
            .bodies
            .give_back(std::mem::take(&mut self.bodies));
        self.admission
            .large
            .give_back(std::mem::take(&mut self.large));
        let room = self.requests + self.further;
        if bytes > room {
            self.admission.further.used.fetch_add(bytes - room, SeqCst);
            self.further += bytes - room;
        }
    }
}

impl Drop for BudgetPermit {
    fn drop(&mut self) {
        self.admission.requests.give_back(self.requests);
        self.admission.further.give_back(self.further);
        self.admission.bodies.give_back(self.bodies);
        self.admission.large.give_back(self.large);
        self.admission.events.give_back(self.events);
    }
}

/// A part of the budget, and the line of those who wait for some of it.
#[derive(Debug)]
struct Lane {
    limit: u64,
    used: AtomicU64,
    line: AtomicU64,
    /// Whose turn it is: the first in line alone looks for room, so that nobody is overtaken.
    turn: Semaphore,
    freed: Notify,
}

impl Lane {
    fn new(limit: Option<u64>) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            line: AtomicU64::new(0),
            turn: Semaphore::new(1),
            freed: Notify::new(),
        }
    }

    fn is_contended(&self) -> bool {
        self.line.load(SeqCst) > 0
    }

    /// Takes room if there is some. An empty lane takes everything, or it would never take it.
    fn try_take(&self, bytes: u64) -> bool {
        let taken = self.used.fetch_update(SeqCst, SeqCst, |used| {
            let after = used.saturating_add(bytes);
            (after <= self.limit || used == 0).then_some(after)
        });
        taken.is_ok()
    }

    /// Takes room, after those who came before.
    async fn take(
        &self,
        bytes: u64,
        patience: Option<Duration>,
        most: u64,
    ) -> Result<(), BudgetExhausted> {
        if !self.is_contended() && self.try_take(bytes) {
            return Ok(());
        }
        // In a box, so that those who need not wait do not carry the room for it.
        Box::pin(self.take_in_line(bytes, patience, most)).await
    }

    async fn take_in_line(
        &self,
        bytes: u64,
        patience: Option<Duration>,
        most: u64,
    ) -> Result<(), BudgetExhausted> {
        let _place = InLine::join(&self.line, most)?;
        let taking = async {
            let _turn = self.turn.acquire().await;
            // A notice that comes before somebody waits for it is kept.
            while !self.try_take(bytes) {
                self.freed.notified().await;
            }
        };
        let Some(patience) = patience else {
            taking.await;
            return Ok(());
        };
        select! {
            biased;
            () = taking => Ok(()),
            () = RealDeadline::lasting(patience).end() => Err(BudgetExhausted),
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

/// A place in a line, left when it is dropped.
struct InLine<'a>(&'a AtomicU64);

impl<'a> InLine<'a> {
    fn join(line: &'a AtomicU64, most: u64) -> Result<Self, BudgetExhausted> {
        let place = Self(line);
        // Left again on the way out when it is too long.
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
        let mut share = admission.request(true).await.unwrap();
        let room = limits::REQUEST_ROOM_BYTES;
        share.cover(1_000, 1_000).await.unwrap();
        assert_eq!(admission.held_bytes(), room, "it fits the request's room");
        share.cover(20_000, 30_000).await.unwrap();
        assert_eq!(admission.held_bytes(), room + 60_000);
        share.cover(40_000, 1 << 20).await.unwrap();
        share.cover(1 << 20, 1 << 20).await.unwrap();
        assert_eq!(admission.held_bytes(), room + 60_000 + (2 << 20));
        share.exchange_for(100_000);
        assert_eq!(admission.held_bytes(), 100_000);
        drop(share);
        let event = admission.event(5).await;
        assert_eq!(admission.held_bytes(), 5);
        drop(event);
        assert_eq!(admission.held_bytes(), 0);
    }

    #[tokio::test]
    async fn a_promise_holds_little_until_some_of_it_is_kept() {
        let admission = admission(256 << 20, None);
        let mut share = admission.request(true).await.unwrap();
        let room = limits::REQUEST_ROOM_BYTES;
        share.cover(1, 20 << 20).await.unwrap();
        assert_eq!(admission.held_bytes(), room);
        share
            .cover(limits::BODY_IN_ROOM_BYTES + 1, 20 << 20)
            .await
            .unwrap();
        assert_eq!(admission.held_bytes(), room + limits::SMALL_BYTES);
    }

    #[tokio::test]
    async fn the_first_in_line_is_served_first_though_others_would_fit() {
        let admission = admission(2_880_000, None);
        let held = admission.answer(900_000).await.unwrap().unwrap();
        let mut first = pin!(admission.answer(500_000));
        let mut second = pin!(admission.answer(70_000));
        assert!(is_ready(&mut first).await.is_none());
        assert!(is_ready(&mut second).await.is_none(), "it would fit");
        assert!(admission.is_contended());
        drop(held);
        let first = is_ready(&mut first).await.expect("there is room now");
        let second = is_ready(&mut second).await.expect("and more");
        assert_eq!(admission.held_bytes(), 570_000);
        drop((first, second));
        assert!(!admission.is_contended());
    }

    #[tokio::test]
    async fn who_leaves_the_line_holds_up_nobody() {
        let admission = admission(2_880_000, None);
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
        let admission = admission(2_880_000, Some(0));
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
    async fn the_further_requests_of_connections_leave_room_for_the_first() {
        let admission = admission(1 << 20, Some(0));
        let mut held = Vec::new();
        while let Ok(share) = admission.request(false).await {
            held.push(share);
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

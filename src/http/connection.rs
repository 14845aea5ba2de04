//! The requests and answers in flight on one connection, and its idle timeout.
//!
//! An answer is in memory until its last byte is written to the socket. For a client that does not
//! read, hyper holds the answer and runs nothing of ours. So every answer is counted from the time it
//! is made until its bytes are dropped, and one timer of the connection checks the counts: an answer
//! that is still there after a whole period closes the connection. The same timer closes a connection
//! on which nothing was in flight for as long as a request's head may take.

use crate::admission::BudgetPermit;
use crate::limits::HEAD_CHECKS;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The client at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The client's address.
    pub address: SocketAddr,
    /// True when the connection is encrypted.
    pub over_tls: bool,
}

/// The reason for dropping a connection, or one stream of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DropReason {
    /// The client did not read an answer or an event in time.
    Unread,
    /// Nothing was in flight for too long, and no head of a request came.
    Idle,
}

/// The counts of what is in flight on one connection.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Answers made in the current period and in earlier ones, by the parity of the period.
    answers: [AtomicUsize; 2],
    /// Periods of the answer timeout so far.
    periods: AtomicUsize,
    /// Requests that are being answered.
    requests: AtomicUsize,
    /// Requests since the connection was opened.
    begun: AtomicUsize,
    /// Subscriptions, which have no end of their own.
    subscriptions: AtomicUsize,
    answer_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
}

impl InFlight {
    /// A connection with nothing in flight. An answer may stay unread for `answer_timeout`, and twice
    /// that at most. Nothing may be in flight for `idle_timeout`.
    pub(super) fn new(
        answer_timeout: Option<Duration>,
        idle_timeout: Option<Duration>,
    ) -> Arc<Self> {
        Arc::new(Self {
            answers: [AtomicUsize::new(0), AtomicUsize::new(0)],
            periods: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            subscriptions: AtomicUsize::new(0),
            answer_timeout,
            idle_timeout,
        })
    }

    fn has_answers(&self) -> bool {
        self.answers.iter().any(|count| count.load(SeqCst) > 0)
    }

    fn is_busy(&self) -> bool {
        let open = |count: &AtomicUsize| count.load(SeqCst) > 0;
        open(&self.requests) || open(&self.subscriptions) || self.has_answers()
    }

    /// Ends a period of the answer timeout. True when an answer is left from an earlier period.
    fn end_period(&self) -> bool {
        let periods = self.periods.load(SeqCst);
        if self.answers[(periods + 1) % 2].load(SeqCst) > 0 {
            return true;
        }
        self.periods.store(periods + 1, SeqCst);
        false
    }

    fn add_answer(self: Arc<Self>) -> InFlightAnswer {
        let slot = self.periods.load(SeqCst) % 2;
        self.answers[slot].fetch_add(1, SeqCst);
        InFlightAnswer {
            connection: self,
            slot,
        }
    }
}

/// The checks of one connection: one timer serves the answer timeout and the idle timeout.
#[derive(Debug)]
pub(super) struct Checks {
    connection: Arc<InFlight>,
    /// The time between two checks, if there is a timeout.
    interval: Option<Duration>,
    answer: Countdown,
    idle: Countdown,
    /// Requests begun up to the last check.
    begun: usize,
    /// True when something was in flight at the last check.
    was_busy: bool,
}

/// A timeout in checks.
#[derive(Debug)]
struct Countdown {
    /// Checks until the timeout.
    most: u32,
    /// Checks so far.
    passed: u32,
}

impl Countdown {
    fn new(timeout: Option<Duration>, interval: Option<Duration>) -> Self {
        let checks = timeout.zip(interval);
        let checks = checks.map(|(timeout, interval)| checks_in(timeout, interval));
        Self {
            most: checks.unwrap_or(u32::MAX),
            passed: 0,
        }
    }
}

impl Checks {
    /// The checks of `connection`.
    pub(super) fn new(connection: Arc<InFlight>) -> Self {
        let idle_interval = connection.idle_timeout.map(|timeout| timeout / HEAD_CHECKS);
        let interval = match (connection.answer_timeout, idle_interval) {
            (Some(timeout), Some(interval)) => Some(timeout / checks_in(timeout, interval)),
            (one, other) => one.or(other),
        };
        Self {
            answer: Countdown::new(connection.answer_timeout, interval),
            idle: Countdown::new(connection.idle_timeout, interval),
            interval,
            begun: 0,
            was_busy: false,
            connection,
        }
    }

    /// The time until the next check. None while there is nothing to check.
    pub(super) fn due(&self) -> Option<Duration> {
        let any = self.connection.idle_timeout.is_some() || self.connection.has_answers();
        self.interval.filter(|_| any)
    }

    /// Checks the connection. Returns the reason if it has to be dropped.
    pub(super) fn check(&mut self) -> Option<DropReason> {
        self.answer.passed += 1;
        if self.answer.passed >= self.answer.most {
            self.answer.passed = 0;
            if self.connection.end_period() {
                return Some(DropReason::Unread);
            }
        }
        let begun = self.connection.begun.load(SeqCst);
        let is_busy = self.connection.is_busy();
        // A request that was in flight at the last check may have ended just before this one.
        if is_busy || self.was_busy || begun != self.begun {
            self.idle.passed = 0;
        } else {
            self.idle.passed += 1;
        }
        (self.begun, self.was_busy) = (begun, is_busy);
        (self.idle.passed >= self.idle.most).then_some(DropReason::Idle)
    }
}

/// The number of intervals in a timeout, at least one.
fn checks_in(timeout: Duration, interval: Duration) -> u32 {
    let interval = interval.as_nanos().max(1);
    u32::try_from(timeout.as_nanos().div_ceil(interval).max(1)).unwrap_or(u32::MAX)
}

/// A subscription in flight, until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightSubscription(Arc<InFlight>);

impl InFlightSubscription {
    /// Counts a subscription on `connection`.
    pub(super) fn begin(connection: Arc<InFlight>) -> Self {
        connection.subscriptions.fetch_add(1, SeqCst);
        Self(connection)
    }
}

impl Drop for InFlightSubscription {
    fn drop(&mut self) {
        self.0.subscriptions.fetch_sub(1, SeqCst);
    }
}

/// A request in flight, until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightRequest {
    connection: Option<Arc<InFlight>>,
    only: bool,
}

impl InFlightRequest {
    /// Counts a request on `connection`.
    pub(super) fn begin(connection: Option<Arc<InFlight>>) -> Self {
        let before = connection.as_ref().map(|connection| {
            connection.begun.fetch_add(1, SeqCst);
            connection.requests.fetch_add(1, SeqCst)
        });
        Self {
            only: before.is_none_or(|before| before == 0),
            connection,
        }
    }

    /// True when no other request was in flight on the connection as this one began.
    pub(super) fn is_only_one(&self) -> bool {
        self.only
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.requests.fetch_sub(1, SeqCst);
        }
    }
}

/// An answer in flight, until this is dropped.
#[derive(Debug)]
struct InFlightAnswer {
    connection: Arc<InFlight>,
    slot: usize,
}

impl Drop for InFlightAnswer {
    fn drop(&mut self) {
        self.connection.answers[self.slot].fetch_sub(1, SeqCst);
    }
}

/// The bytes of an answer, with the values that live as long as the bytes.
struct CountedBytes {
    bytes: Vec<u8>,
    _permit: Option<BudgetPermit>,
    _in_flight: Option<InFlightAnswer>,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of an answer on `connection`. They keep `permit` and are in flight until they are
/// written or dropped.
pub(super) fn counted(
    bytes: Vec<u8>,
    permit: Option<BudgetPermit>,
    connection: Option<Arc<InFlight>>,
) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    Bytes::from_owner(CountedBytes {
        bytes,
        _permit: permit,
        _in_flight: connection.map(InFlight::add_answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));
    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

    fn answer(connection: &Arc<InFlight>) -> Bytes {
        counted(vec![1, 2], None, Some(connection.clone()))
    }

    #[test]
    fn an_answer_may_outlive_one_period_and_not_two() {
        let connection = InFlight::new(MINUTE, None);
        let checks = Checks::new(connection.clone());
        assert_eq!(checks.due(), None);
        let first = answer(&connection);
        let part = first.slice(1..);
        assert_eq!(checks.due(), MINUTE);
        assert!(!connection.end_period());
        let second = answer(&connection);
        drop(first);
        assert!(connection.end_period(), "a part of it is left");
        drop(part);
        assert!(!connection.end_period(), "the other one is younger");
        assert!(connection.end_period());
        drop(second);
        assert!(!connection.end_period());
        assert_eq!(checks.due(), None);
    }

    #[test]
    fn a_request_knows_that_it_is_the_only_one() {
        let connection = InFlight::new(MINUTE, None);
        let begin = || InFlightRequest::begin(Some(connection.clone()));
        let (first, second) = (begin(), begin());
        assert!(first.is_only_one() && !second.is_only_one());
        drop((first, second));
        assert!(begin().is_only_one());
    }

    #[test]
    fn answers_that_are_read_in_time_close_nothing() {
        let connection = InFlight::new(MINUTE, None);
        for _ in 0..10 {
            let answers = [answer(&connection), answer(&connection)];
            assert!(!connection.end_period());
            drop(answers);
        }
    }

    /// Checks for up to `time`: the reason and the moment at which the connection is dropped.
    fn dropped(checks: &mut Checks, time: Duration) -> Option<(DropReason, Duration)> {
        let interval = checks.due().expect("there is something to check");
        let moments = (1..).map(|number| interval * number);
        let mut moments = moments.take_while(|moment| *moment <= time);
        moments.find_map(|moment| checks.check().map(|reason| (reason, moment)))
    }

    #[test]
    fn each_of_the_two_timeouts_is_kept_whichever_is_longer() {
        for (answer_timeout, idle) in [(MINUTE, HOUR), (HOUR, MINUTE), (MINUTE, MINUTE)] {
            let connection = InFlight::new(answer_timeout, idle);
            let left = answer(&connection);
            let mut checks = Checks::new(connection.clone());
            let (reason, moment) = dropped(&mut checks, Duration::MAX).unwrap();
            assert_eq!(
                (reason, Some(moment)),
                (DropReason::Unread, answer_timeout.map(|time| time * 2))
            );
            drop(left);
            let idle = idle.unwrap();
            for connection in [
                InFlight::new(answer_timeout, Some(idle)),
                InFlight::new(None, Some(idle)),
            ] {
                let mut checks = Checks::new(connection);
                let (reason, moment) = dropped(&mut checks, Duration::MAX).unwrap();
                assert_eq!(reason, DropReason::Idle);
                assert!(moment >= idle && moment < idle + idle / 8, "{moment:?}");
            }
        }
    }

    #[test]
    fn a_connection_with_something_in_flight_or_a_request_now_and_then_is_not_idle() {
        let connection = InFlight::new(None, MINUTE);
        let mut checks = Checks::new(connection.clone());
        let request = InFlightRequest::begin(Some(connection.clone()));
        assert_eq!(dropped(&mut checks, HOUR.unwrap()), None);
        drop(request);
        let subscription = InFlightSubscription::begin(connection.clone());
        assert_eq!(dropped(&mut checks, HOUR.unwrap()), None);
        drop(subscription);
        for _ in 0..100 {
            drop(InFlightRequest::begin(Some(connection.clone())));
            assert_eq!(dropped(&mut checks, MINUTE.unwrap()), None);
        }
    }

    #[test]
    fn a_connection_is_idle_for_the_timeout_and_one_check_more_at_most() {
        let minute = MINUTE.unwrap();
        for was_busy in [false, true] {
            let connection = InFlight::new(None, MINUTE);
            let mut checks = Checks::new(connection.clone());
            let request = InFlightRequest::begin(Some(connection.clone()));
            if was_busy {
                assert_eq!(checks.check(), None);
            }
            // The request ends right after a check, or right before the next one.
            drop(request);
            let (reason, moment) = dropped(&mut checks, minute * 2).unwrap();
            assert_eq!(reason, DropReason::Idle);
            assert_eq!(moment, minute + minute / HEAD_CHECKS);
        }
    }
}

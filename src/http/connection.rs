//! Counts the requests and answers in flight on one connection. Detects an idle connection, and an
//! answer that the client does not read.
//!
//! An answer occupies memory until its last byte is written to the socket. While the client does
//! not read, hyper stores the answer and polls no code of this module. Therefore every answer is
//! counted from its creation until its bytes are dropped, and a timer of the connection checks the
//! counts.
//!
//! Time is divided into periods with the length of the answer timeout. The connection is closed at
//! the end of a period if an answer from before the period is still in flight. The same timer
//! closes a connection after the idle timeout if nothing was in flight during this time.

use crate::admission::BudgetPermit;
use crate::limits::HEAD_CHECKS;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The client that sends the requests of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Address of the client's socket. A request from within the process has the loopback address.
    pub address: SocketAddr,
    /// True if the connection is encrypted with TLS.
    pub over_tls: bool,
}

/// The reason why the server drops a connection, or one HTTP/2 stream of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DropReason {
    /// The client did not read an answer, or a frame of a streamed body, in time.
    Unread,
    /// Nothing was in flight on the connection for the length of the idle timeout.
    Idle,
}

/// Counts the requests, answers and subscriptions in flight on one connection.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Numbers of unread answers, in two slots. Slot `p % 2` counts the answers that were made in
    /// period `p` of the answer timeout.
    answers: [AtomicUsize; 2],
    /// Number of periods of the answer timeout that have ended since the connection was opened.
    periods: AtomicUsize,
    /// Number of requests that the server is answering now.
    requests: AtomicUsize,
    /// Number of requests that have begun since the connection was opened.
    requests_begun: AtomicUsize,
    /// Number of subscriptions and other streamed bodies in progress. While a streamed body is in
    /// progress, the connection is not idle. The answer timeout does not apply to streamed bodies.
    subscriptions: AtomicUsize,
    answer_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
}

impl InFlight {
    /// Makes counters that are all zero. An unread answer closes the connection after one to two
    /// times the `answer_timeout`. The connection is also closed after the `idle_timeout` with
    /// nothing in flight. None turns a timeout off.
    pub(super) fn new(
        answer_timeout: Option<Duration>,
        idle_timeout: Option<Duration>,
    ) -> Arc<Self> {
        Arc::new(Self {
            answers: [AtomicUsize::new(0), AtomicUsize::new(0)],
            periods: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            requests_begun: AtomicUsize::new(0),
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

    /// Ends the present period of the answer timeout and returns false. If an answer from the
    /// previous period is still unread, returns true instead, and the period does not end. The
    /// caller must then drop the connection.
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

/// The regular checks of one connection, which serve both the answer timeout and the idle timeout.
#[derive(Debug)]
pub(super) struct Checks {
    connection: Arc<InFlight>,
    /// Time between two checks of the connection. None if both timeouts are off.
    interval: Option<Duration>,
    answer: Countdown,
    idle: Countdown,
    /// Number of requests that had begun by the time of the last check.
    requests_begun: usize,
    /// True if a request, an answer or a subscription was in flight at the last check.
    was_busy: bool,
}

/// The progress of a timeout, measured in numbers of checks.
#[derive(Debug)]
struct Countdown {
    /// Number of checks after which the timeout expires.
    most: u32,
    /// Number of checks since the timeout began.
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
    /// Starts the timeouts of `connection`. The interval between checks is the idle timeout divided
    /// by [`HEAD_CHECKS`], or a little less, so that the answer timeout is a multiple of the
    /// interval.
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
            requests_begun: 0,
            was_busy: false,
            connection,
        }
    }

    /// Time from one check to the next. None while there is nothing to check.
    pub(super) fn due(&self) -> Option<Duration> {
        let any = self.connection.idle_timeout.is_some() || self.connection.has_answers();
        self.interval.filter(|_| any)
    }

    /// Checks the connection once. Returns the reason if the connection has to be dropped.
    pub(super) fn check(&mut self) -> Option<DropReason> {
        self.answer.passed += 1;
        if self.answer.passed >= self.answer.most {
            self.answer.passed = 0;
            if self.connection.end_period() {
                return Some(DropReason::Unread);
            }
        }
        let requests_begun = self.connection.requests_begun.load(SeqCst);
        let is_busy = self.connection.is_busy();
        // A request that was in flight at the last check may have ended just now. Therefore the
        // idle timeout begins again at this check.
        if is_busy || self.was_busy || requests_begun != self.requests_begun {
            self.idle.passed = 0;
        } else {
            self.idle.passed += 1;
        }
        (self.requests_begun, self.was_busy) = (requests_begun, is_busy);
        (self.idle.passed >= self.idle.most).then_some(DropReason::Idle)
    }
}

/// Number of checks after which `timeout` has passed, with one check in each `interval`. At least
/// 1.
fn checks_in(timeout: Duration, interval: Duration) -> u32 {
    let interval = interval.as_nanos().max(1);
    u32::try_from(timeout.as_nanos().div_ceil(interval).max(1)).unwrap_or(u32::MAX)
}

/// Counts a subscription or another streamed body as in flight until this value is dropped.
#[derive(Debug)]
pub(super) struct InFlightSubscription(Arc<InFlight>);

impl InFlightSubscription {
    /// Counts a streamed body on `connection` as in flight until the returned value is dropped.
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

/// Counts a request as in flight until this value is dropped.
#[derive(Debug)]
pub(super) struct InFlightRequest {
    connection: Option<Arc<InFlight>>,
    only: bool,
}

impl InFlightRequest {
    /// Counts a request on `connection` as in flight until the returned value is dropped.
    /// `connection` is None for a request from within the process.
    pub(super) fn begin(connection: Option<Arc<InFlight>>) -> Self {
        let before = connection.as_ref().map(|connection| {
            connection.requests_begun.fetch_add(1, SeqCst);
            connection.requests.fetch_add(1, SeqCst)
        });
        Self {
            only: before.is_none_or(|before| before == 0),
            connection,
        }
    }

    /// True if no other request was in flight on the connection when this request began.
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

/// Counts an answer as in flight until this value is dropped.
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

/// The bytes of an answer. Dropping the bytes releases their budget permit and ends the count of
/// the answer as in flight.
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

/// Wraps the bytes of an answer. The answer counts as in flight on `connection` until its bytes are
/// written or dropped. `permit` is released at the same moment.
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

    /// Checks the connection at every interval until `time` has passed. Returns the first reason to
    /// drop the connection, and the time of the check that found it. Returns None if no check finds
    /// a reason.
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
            // The request ends right after a check if `was_busy`, and otherwise right before the
            // next check.
            drop(request);
            let (reason, moment) = dropped(&mut checks, minute * 2).unwrap();
            assert_eq!(reason, DropReason::Idle);
            assert_eq!(moment, minute + minute / HEAD_CHECKS);
        }
    }
}

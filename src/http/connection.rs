//! Counts the requests and answers in flight on one connection, and detects an idle connection and
//! an unread answer.
//!
//! An answer occupies memory until its last byte is written to the socket. If the client does not
//! read, hyper keeps the answer and does not poll the code of this module. Therefore every answer
//! is counted from its creation until its bytes are dropped, and one timer of the connection checks
//! the counts. An answer that is still counted after a whole period of the answer timeout closes
//! the connection. The same timer closes a connection on which nothing was in flight for the idle
//! timeout.

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
    /// Address of the client's socket. The loopback address for a request from within the process.
    pub address: SocketAddr,
    /// True when the connection is encrypted with TLS.
    pub over_tls: bool,
}

/// Reason for dropping a connection, or one HTTP/2 stream of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DropReason {
    /// The client did not read an answer or an event in time.
    Unread,
    /// Nothing was in flight for the length of the idle timeout.
    Idle,
}

/// Counts the requests, answers and subscriptions in flight on one connection.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Unread answers, in two slots. Slot `p % 2` counts the answers that were made in period `p`
    /// of the answer timeout.
    answers: [AtomicUsize; 2],
    /// Number of periods of the answer timeout that have ended.
    periods: AtomicUsize,
    /// Requests that the server is answering now.
    requests: AtomicUsize,
    /// Number of requests since the connection was opened.
    requests_begun: AtomicUsize,
    /// Open subscriptions and other streamed bodies. The timeouts of this module do not apply to
    /// them.
    subscriptions: AtomicUsize,
    answer_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
}

impl InFlight {
    /// Starts all counters at zero. A period has the length `answer_timeout`, so an unread answer
    /// closes the connection after one to two periods. `idle_timeout` is the longest time with
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

    /// Ends a period of the answer timeout. If an answer of the period before is still unread,
    /// returns true instead and leaves the period as it is.
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

/// Checks one connection at regular intervals, for the answer timeout and the idle timeout
/// together.
#[derive(Debug)]
pub(super) struct Checks {
    connection: Arc<InFlight>,
    /// Time between two checks. None if both timeouts are off.
    interval: Option<Duration>,
    answer: Countdown,
    idle: Countdown,
    /// Number of requests from the opening of the connection to the last check.
    requests_begun: usize,
    /// True if something was in flight at the last check.
    was_busy: bool,
}

/// A timeout, measured in numbers of checks.
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
    /// by [`HEAD_CHECKS`]. It is shortened so that the answer timeout is a multiple of it.
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

    /// Time until the next check. None while no timeout is running.
    pub(super) fn due(&self) -> Option<Duration> {
        let any = self.connection.idle_timeout.is_some() || self.connection.has_answers();
        self.interval.filter(|_| any)
    }

    /// Makes one check. Returns the reason if the connection has to be dropped.
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
        // A request that was in flight at the last check may have ended just before this check, so
        // the idle time starts again.
        if is_busy || self.was_busy || requests_begun != self.requests_begun {
            self.idle.passed = 0;
        } else {
            self.idle.passed += 1;
        }
        (self.requests_begun, self.was_busy) = (requests_begun, is_busy);
        (self.idle.passed >= self.idle.most).then_some(DropReason::Idle)
    }
}

/// Number of intervals that cover a timeout; at least 1.
fn checks_in(timeout: Duration, interval: Duration) -> u32 {
    let interval = interval.as_nanos().max(1);
    u32::try_from(timeout.as_nanos().div_ceil(interval).max(1)).unwrap_or(u32::MAX)
}

/// Counts a subscription as in flight until the value is dropped.
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

/// Counts a request as in flight until the value is dropped.
#[derive(Debug)]
pub(super) struct InFlightRequest {
    connection: Option<Arc<InFlight>>,
    only: bool,
}

impl InFlightRequest {
    /// Counts a request on `connection`. None for a request that has no connection.
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

    /// True when no other request was in flight on the connection when this request began.
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

/// Counts an answer as in flight until the value is dropped.
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

/// The bytes of an answer, with the permit and the in-flight count that are released when the bytes
/// are dropped.
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

/// Wraps the bytes of an answer. When the bytes have been written or dropped, `permit` is released
/// and the answer stops counting as in flight on `connection`.
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

    /// Runs the checks for up to `time`. Returns the reason for dropping the connection, and the
    /// time that had passed until then.
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

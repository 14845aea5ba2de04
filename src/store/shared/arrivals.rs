//! Wakes tasks when records of a stream are published. These tasks are the receive requests that
//! wait at the stream's queues, and the deliveries of the stream's channels.
//!
//! No wake-up is lost. A log announces new records while it holds its lock, and a receiver
//! registers itself before it reads the log under the same lock. Either the receiver finds the
//! records, or the log finds the receiver registered. Therefore a relaxed load of the number of
//! receivers is sufficient. For the same reason, relaxed loads are sufficient for the meters of
//! deliveries.

use super::meter::Meters;
use crate::lock::Lock;
use crate::world::Bell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Wakes the receivers of a stream's queues and the deliveries of its channels whenever records of
/// the stream are published.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// The meters of the deliveries of the stream's channels.
    pub(crate) meters: Arc<Meters>,
    /// Number of waiting receivers of all queues of the stream together.
    waiting: AtomicUsize,
    queues: Lock<Vec<Arc<Receivers>>>,
}

impl Arrivals {
    /// Adds a queue to the stream. `receivers` is the list of the queue's receivers.
    pub(crate) fn add(&self, receivers: &Arc<Receivers>) {
        self.queues.lock().push(receivers.clone());
    }

    /// Removes a queue from the stream. `receivers` is the list of the queue's receivers.
    pub(crate) fn remove(&self, receivers: &Arc<Receivers>) {
        let mut queues = self.queues.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, receivers));
    }

    /// Announces that `records` records with a total of `bytes` bytes were published. Wakes at most
    /// `records` receivers of each queue, and adds `bytes` to the meters.
    pub(crate) fn announce(&self, records: usize, bytes: u64) {
        self.meters.count(bytes);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.wake(records);
        }
    }

    #[cold]
    fn wake(&self, records: usize) {
        for receivers in self.queues.lock().iter() {
            receivers.wake(records);
        }
    }
}

/// The receivers that wait for records of one queue, in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Receivers(Lock<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The number and the bell of each waiting receiver, in ascending order of the numbers.
    bells: VecDeque<(u64, Bell)>,
    last_number: u64,
}

impl Waiting {
    /// Returns the position in `bells` of the receiver with the number `number`. Returns `None` if
    /// this receiver is not waiting any more.
    fn position(&self, number: u64) -> Option<usize> {
        let bells = &self.bells;
        bells.binary_search_by_key(&number, |(of, _)| *of).ok()
    }
}

impl Receivers {
    /// Wakes the first `count` receivers of the line.
    pub(crate) fn wake(&self, count: usize) {
        if count == 0 {
            return;
        }
        let mut waiting = self.0.lock();
        let count = count.min(waiting.bells.len());
        waiting
            .bells
            .drain(..count)
            .for_each(|(_, bell)| bell.ring());
    }

    pub(crate) fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    /// Returns the number of receivers that wait for records of the queue.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().bells.len()
    }
}

/// A receive request that waits for records of a queue. Dropping this value ends the wait.
#[derive(Debug)]
pub(crate) struct Receiver {
    receivers: Arc<Receivers>,
    arrivals: Arc<Arrivals>,
    bell: Bell,
    /// Number of the receiver in the line of waiting receivers. `None` before the first call of
    /// `line_up`.
    number: Option<u64>,
}

impl Receiver {
    /// Creates a receiver that waits until `bell` rings. [`Self::line_up`] adds the receiver to the
    /// line of `receivers`.
    pub(crate) fn new(receivers: &Arc<Receivers>, arrivals: &Arc<Arrivals>, bell: Bell) -> Self {
        arrivals.waiting.fetch_add(1, Ordering::Relaxed);
        Self {
            receivers: receivers.clone(),
            arrivals: arrivals.clone(),
            bell,
            number: None,
        }
    }

    /// Adds the receiver to the end of the line, unless the receiver is already in the line. Must
    /// be called before every read of the log.
    pub(crate) fn line_up(&mut self) {
        let mut waiting = self.receivers.0.lock();
        let position = self.number.and_then(|number| waiting.position(number));
        if position.is_some() {
            return;
        }
        waiting.last_number += 1;
        let number = waiting.last_number;
        waiting.bells.push_back((number, self.bell.clone()));
        self.number = Some(number);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.arrivals.waiting.fetch_sub(1, Ordering::Relaxed);
        let Some(number) = self.number else { return };
        let mut waiting = self.receivers.0.lock();
        if let Some(position) = waiting.position(number) {
            waiting.bells.remove(position);
            return;
        }
        drop(waiting);
        // The receiver was woken, but ends without another read of the log. The next receiver in
        // the line has to read the log instead.
        self.receivers.wake(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Alarm, Clock};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    struct Bench {
        arrivals: Arc<Arrivals>,
        receivers: Arc<Receivers>,
    }

    impl Bench {
        fn new() -> Self {
            let bench = Self {
                arrivals: Arc::default(),
                receivers: Arc::default(),
            };
            bench.arrivals.add(&bench.receivers);
            bench
        }

        fn receiver(&self) -> (Alarm, Receiver) {
            let alarm = Clock::System.alarm();
            let mut receiver = Receiver::new(&self.receivers, &self.arrivals, alarm.bell());
            receiver.line_up();
            (alarm, receiver)
        }
    }

    fn is_woken(alarm: &mut Alarm) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(alarm.wait(None)).poll(&mut context) == Poll::Ready(())
    }

    #[test]
    fn each_record_wakes_one_receiver_of_each_queue_in_order() {
        let bench = Bench::new();
        let other = Arc::new(Receivers::default());
        bench.arrivals.add(&other);
        let (mut one, _one) = bench.receiver();
        let (mut two, _two) = bench.receiver();
        let (mut three, _three) = bench.receiver();
        let mut elsewhere = Clock::System.alarm();
        let mut at_other = Receiver::new(&other, &bench.arrivals, elsewhere.bell());
        at_other.line_up();
        at_other.line_up();
        assert_eq!(other.count(), 1, "once in line, however often it asks");
        bench.arrivals.announce(2, 10);
        let woken = [&mut one, &mut two, &mut three, &mut elsewhere].map(is_woken);
        assert_eq!(woken, [true, true, false, true]);
    }

    #[test]
    fn a_woken_receiver_that_leaves_wakes_the_next() {
        let bench = Bench::new();
        let (_, first) = bench.receiver();
        let (mut second, _second) = bench.receiver();
        bench.arrivals.announce(1, 10);
        assert!(!is_woken(&mut second));
        drop(first);
        assert!(is_woken(&mut second));
    }

    #[test]
    fn a_receiver_that_ends_leaves_the_line() {
        let bench = Bench::new();
        let (_, first) = bench.receiver();
        drop(first);
        assert_eq!(bench.receivers.count(), 0);
        assert_eq!(bench.arrivals.waiting.load(Ordering::Relaxed), 0);
        bench.arrivals.remove(&bench.receivers);
        let (mut alarm, _receiver) = bench.receiver();
        bench.arrivals.announce(1, 10);
        assert!(!is_woken(&mut alarm));
    }
}

//! What is under way on one connection: requests, and answers that its client has not taken yet.
//!
//! An answer is in memory until its last byte is written to the socket. A client that does not read
//! holds it there, in hyper's hands, where nothing of ours runs. So each answer tells its
//! connection when it is made and when it is gone, and the connection looks once in a while whether
//! one is left of those that were there when it looked last: then it is closed. By the same looks
//! it is closed when nothing was under way for as long as a head may take.

use super::slow_reader::Dropped;
use crate::admission::BudgetPermit;
use crate::limits::HEAD_LOOKS;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// How much is on its way.
#[derive(Debug)]
pub(super) struct Untaken {
    /// Answers made since the last look and those made before it, by the parity of the look.
    counts: [AtomicUsize; 2],
    looks: AtomicUsize,
    /// Requests that are being answered.
    requests: AtomicUsize,
    /// Requests that there were at all.
    begun: AtomicUsize,
    /// Answers that go on for as long as they like.
    streams: AtomicUsize,
    answer: Option<Duration>,
    head: Option<Duration>,
}

impl Untaken {
    /// Nothing so far. Each answer may stay for the time of an `answer`, and twice that at most;
    /// and nothing may be under way for the time of a `head`.
    pub(super) fn within(answer: Option<Duration>, head: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            counts: [AtomicUsize::new(0), AtomicUsize::new(0)],
            looks: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            answer,
            head,
        })
    }

    fn has_answers(&self) -> bool {
        self.counts.iter().any(|count| count.load(SeqCst) > 0)
    }

    /// Whether anything is under way.
    fn is_busy(&self) -> bool {
        let open = |count: &AtomicUsize| count.load(SeqCst) > 0;
        open(&self.requests) || open(&self.streams) || self.has_answers()
    }

    /// Looks; whether an answer is left from before the last look.
    fn look(&self) -> bool {
        let looks = self.looks.load(SeqCst);
        if self.counts[(looks + 1) % 2].load(SeqCst) > 0 {
            return true;
        }
        self.looks.store(looks + 1, SeqCst);
        false
    }

    fn add(self: Arc<Self>) -> OnItsWay {
        let slot = self.looks.load(SeqCst) % 2;
        self.counts[slot].fetch_add(1, SeqCst);
        OnItsWay {
            untaken: self,
            slot,
        }
    }
}

/// The looks at a connection, by one timer for both of its times.
#[derive(Debug)]
pub(super) struct Looks {
    untaken: Arc<Untaken>,
    /// The time between two, if there is something to look for.
    step: Option<Duration>,
    /// How many make the time of an answer, and how many there were of them.
    answer: (u32, u32),
    /// How many make the time of a head, and at how many there was nothing under way.
    head: (u32, u32),
    /// Requests that there were at the last one, and whether something was under way then.
    seen: (usize, bool),
}

impl Looks {
    /// Those at what is under way there.
    pub(super) fn at(untaken: Arc<Untaken>) -> Self {
        let head_step = untaken.head.map(|head| head / HEAD_LOOKS);
        let step = match (untaken.answer, head_step) {
            (Some(answer), Some(step)) => Some(answer / count(answer, step)),
            (one, other) => one.or(other),
        };
        let steps = |time: Option<Duration>| {
            let counted = time.zip(step).map(|(time, step)| count(time, step));
            (counted.unwrap_or(u32::MAX), 0)
        };
        Self {
            answer: steps(untaken.answer),
            head: steps(untaken.head),
            step,
            seen: (0, false),
            untaken,
        }
    }

    /// How long to wait for the next look, if there is something to look for.
    pub(super) fn due(&self) -> Option<Duration> {
        let any = self.untaken.head.is_some() || self.untaken.has_answers();
        self.step.filter(|_| any)
    }

    /// Looks; why the connection is to be dropped, if it is.
    pub(super) fn look(&mut self) -> Option<Dropped> {
        let (most, looks) = &mut self.answer;
        *looks += 1;
        if *looks >= *most {
            *looks = 0;
            if self.untaken.look() {
                return Some(Dropped::Unread);
            }
        }
        let (begun, busy) = (self.untaken.begun.load(SeqCst), self.untaken.is_busy());
        let (seen, was_busy) = std::mem::replace(&mut self.seen, (begun, busy));
        let (most, quiet) = &mut self.head;
        // What was under way at the last look may have ended just before this one.
        *quiet = match busy || was_busy || begun != seen {
            true => 0,
            false => *quiet + 1,
        };
        (*quiet >= *most).then_some(Dropped::Idle)
    }
}

/// How many steps make a time, at least one.
fn count(time: Duration, step: Duration) -> u32 {
    let step = step.as_nanos().max(1);
    u32::try_from(time.as_nanos().div_ceil(step).max(1)).unwrap_or(u32::MAX)
}

/// An answer that goes on for as long as it likes, until this is dropped.
#[derive(Debug)]
pub(super) struct Streaming(Arc<Untaken>);

impl Streaming {
    /// It begins.
    pub(super) fn begin(connection: Arc<Untaken>) -> Self {
        connection.streams.fetch_add(1, SeqCst);
        Self(connection)
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, SeqCst);
    }
}

/// A request that is being answered, on a connection where others may be, too.
#[derive(Debug)]
pub(super) struct InProgress {
    connection: Option<Arc<Untaken>>,
    first: bool,
}

impl InProgress {
    /// Begins with one.
    pub(super) fn begin(connection: Option<Arc<Untaken>>) -> Self {
        let before = connection.as_ref().map(|on| {
            on.begun.fetch_add(1, SeqCst);
            on.requests.fetch_add(1, SeqCst)
        });
        Self {
            first: before.is_none_or(|before| before == 0),
            connection,
        }
    }

    /// Whether there was no other one on its connection.
    pub(super) fn is_first(&self) -> bool {
        self.first
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.requests.fetch_sub(1, SeqCst);
        }
    }
}

/// One of the answers.
#[derive(Debug)]
struct OnItsWay {
    untaken: Arc<Untaken>,
    slot: usize,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.untaken.counts[self.slot].fetch_sub(1, SeqCst);
    }
}

/// The bytes of an answer with what ends when they are gone.
struct Held {
    bytes: Vec<u8>,
    _share: Option<BudgetPermit>,
    _on_its_way: Option<OnItsWay>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of an answer. They hold `share` until they are written or given up, and so long they
/// count for the connection they are for.
pub(super) fn held(bytes: Vec<u8>, share: Option<BudgetPermit>, on: Option<Arc<Untaken>>) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    Bytes::from_owner(Held {
        bytes,
        _share: share,
        _on_its_way: on.map(Untaken::add),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));
    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

    fn answer(untaken: &Arc<Untaken>) -> Bytes {
        held(vec![1, 2], None, Some(untaken.clone()))
    }

    #[test]
    fn an_answer_may_be_there_at_one_look_and_not_at_two() {
        let untaken = Untaken::within(MINUTE, None);
        let looks = Looks::at(untaken.clone());
        assert_eq!(looks.due(), None);
        let first = answer(&untaken);
        let part = first.slice(1..);
        assert_eq!(looks.due(), MINUTE);
        assert!(!untaken.look());
        let second = answer(&untaken);
        drop(first);
        assert!(untaken.look(), "a part of it is left");
        drop(part);
        assert!(!untaken.look(), "the other one is younger");
        assert!(untaken.look());
        drop(second);
        assert!(!untaken.look());
        assert_eq!(looks.due(), None);
    }

    #[test]
    fn the_first_request_of_a_connection_is_known() {
        let untaken = Untaken::within(MINUTE, None);
        let begin = || InProgress::begin(Some(untaken.clone()));
        let (first, second) = (begin(), begin());
        assert!(first.is_first() && !second.is_first());
        drop((first, second));
        assert!(begin().is_first());
    }

    #[test]
    fn many_answers_that_are_taken_close_nothing() {
        let untaken = Untaken::within(MINUTE, None);
        for _ in 0..10 {
            let answers = [answer(&untaken), answer(&untaken)];
            assert!(!untaken.look());
            drop(answers);
        }
    }

    /// Looks for up to `time`; when the connection is dropped.
    fn dropped(looks: &mut Looks, time: Duration) -> Option<(Dropped, Duration)> {
        let step = looks.due().expect("there is something to look for");
        let moments = (1..).map(|number| step * number);
        let mut moments = moments.take_while(|moment| *moment <= time);
        moments.find_map(|moment| looks.look().map(|why| (why, moment)))
    }

    #[test]
    fn each_of_the_two_times_is_kept_whichever_is_longer() {
        for (answer_time, head) in [(MINUTE, HOUR), (HOUR, MINUTE), (MINUTE, MINUTE)] {
            let untaken = Untaken::within(answer_time, head);
            let left = answer(&untaken);
            let mut looks = Looks::at(untaken.clone());
            let (why, moment) = dropped(&mut looks, Duration::MAX).unwrap();
            assert_eq!(
                (why, Some(moment)),
                (Dropped::Unread, answer_time.map(|time| time * 2))
            );
            drop(left);
            let head = head.unwrap();
            for untaken in [
                Untaken::within(answer_time, Some(head)),
                Untaken::within(None, Some(head)),
            ] {
                let mut looks = Looks::at(untaken);
                let (why, moment) = dropped(&mut looks, Duration::MAX).unwrap();
                assert_eq!(why, Dropped::Idle);
                assert!(moment >= head && moment < head + head / 8, "{moment:?}");
            }
        }
    }

    #[test]
    fn a_connection_with_something_under_way_or_a_request_now_and_then_is_not_idle() {
        let untaken = Untaken::within(None, MINUTE);
        let mut looks = Looks::at(untaken.clone());
        let request = InProgress::begin(Some(untaken.clone()));
        assert_eq!(dropped(&mut looks, HOUR.unwrap()), None);
        drop(request);
        let streaming = Streaming::begin(untaken.clone());
        assert_eq!(dropped(&mut looks, HOUR.unwrap()), None);
        drop(streaming);
        for _ in 0..100 {
            drop(InProgress::begin(Some(untaken.clone())));
            assert_eq!(dropped(&mut looks, MINUTE.unwrap()), None);
        }
    }

    #[test]
    fn a_connection_is_idle_for_the_time_of_a_head_and_a_look_more_at_most() {
        let minute = MINUTE.unwrap();
        for was_busy in [false, true] {
            let untaken = Untaken::within(None, MINUTE);
            let mut looks = Looks::at(untaken.clone());
            let request = InProgress::begin(Some(untaken.clone()));
            if was_busy {
                assert_eq!(looks.look(), None);
            }
            // It ends right after a look, or right before the next one.
            drop(request);
            let (why, moment) = dropped(&mut looks, minute * 2).unwrap();
            assert_eq!(why, Dropped::Idle);
            assert_eq!(moment, minute + minute / HEAD_LOOKS);
        }
    }
}

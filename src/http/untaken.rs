//! The answers of one connection that its client has not taken yet.
//!
//! An answer is in memory until its last byte is written to the socket. A client that does not read
//! holds it there, in hyper's hands, where nothing of ours runs. So each answer tells its
//! connection when it is made and when it is gone, and the connection looks once in a while whether
//! one is left of those that were there when it looked last: then it is closed.

use crate::engine::Share;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// How many answers are on their way.
#[derive(Debug)]
pub(super) struct Untaken {
    /// Those made since the last look and those made before it, by the parity of the look.
    counts: [AtomicUsize; 2],
    looks: AtomicUsize,
    /// Requests that are being answered.
    requests: AtomicUsize,
    limit: Option<Duration>,
}

impl Untaken {
    /// None so far; each may stay for `limit`, and twice that at most.
    pub(super) fn within(limit: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            counts: [AtomicUsize::new(0), AtomicUsize::new(0)],
            looks: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            limit,
        })
    }

    /// How long to wait for the next look, if there is something to look for.
    pub(super) fn due(&self) -> Option<Duration> {
        let some = self.counts.iter().any(|count| count.load(SeqCst) > 0);
        self.limit.filter(|_| some)
    }

    /// Looks; whether an answer is left from before the last look.
    pub(super) fn look(&self) -> bool {
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

/// A request that is being answered, on a connection where others may be, too.
#[derive(Debug)]
pub(super) struct InProgress {
    connection: Option<Arc<Untaken>>,
    first: bool,
}

impl InProgress {
    /// Begins with one.
    pub(super) fn begin(connection: Option<Arc<Untaken>>) -> Self {
        let before = connection
            .as_ref()
            .map(|on| on.requests.fetch_add(1, SeqCst));
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
    _share: Option<Share>,
    _on_its_way: Option<OnItsWay>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of an answer. They hold `share` until they are written or given up, and so long they
/// count for the connection they are for.
pub(super) fn held(bytes: Vec<u8>, share: Option<Share>, on: Option<Arc<Untaken>>) -> Bytes {
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

    fn answer(untaken: &Arc<Untaken>) -> Bytes {
        held(vec![1, 2], None, Some(untaken.clone()))
    }

    #[test]
    fn an_answer_may_be_there_at_one_look_and_not_at_two() {
        let untaken = Untaken::within(MINUTE);
        assert_eq!(untaken.due(), None);
        let first = answer(&untaken);
        let part = first.slice(1..);
        assert_eq!(untaken.due(), MINUTE);
        assert!(!untaken.look());
        let second = answer(&untaken);
        drop(first);
        assert!(untaken.look(), "a part of it is left");
        drop(part);
        assert!(!untaken.look(), "the other one is younger");
        assert!(untaken.look());
        drop(second);
        assert!(!untaken.look());
        assert_eq!(untaken.due(), None);
    }

    #[test]
    fn the_first_request_of_a_connection_is_known() {
        let untaken = Untaken::within(MINUTE);
        let begin = || InProgress::begin(Some(untaken.clone()));
        let (first, second) = (begin(), begin());
        assert!(first.is_first() && !second.is_first());
        drop((first, second));
        assert!(begin().is_first());
    }

    #[test]
    fn many_answers_that_are_taken_close_nothing() {
        let untaken = Untaken::within(MINUTE);
        for _ in 0..10 {
            let answers = [answer(&untaken), answer(&untaken)];
            assert!(!untaken.look());
            drop(answers);
        }
    }
}

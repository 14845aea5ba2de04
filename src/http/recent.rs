//! Remembers the last requests, for the console.
//!
//! A failed request is always remembered, because failures are rare and are logged anyway. A
//! successful request is remembered only if a page of the console was visited within the last
//! minute. Otherwise a successful request costs one relaxed atomic load. Of many successful
//! requests within a tenth of a second, only the first ones are remembered.
//!
//! The first and the last bytes of a request's body are stored. The name of the stream is read from
//! these bytes only when a page shows the request.

use crate::limits;
use crate::lock::Lock;
use crate::operation::named_stream;
use crate::wire::Format;
use crate::world::{Stopwatch, Timestamp};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The last requests, up to a maximum number.
#[derive(Debug)]
pub(super) struct Recent {
    watch: Stopwatch,
    is_watched: AtomicBool,
    /// Time of the last visit to a page of the console, in milliseconds since the start.
    visited_ms: AtomicU64,
    /// Number of the interval in which a successful request was last remembered. Intervals are
    /// `RECENT_INTERVAL_MS` milliseconds long and are counted from the start.
    interval: AtomicU64,
    /// Number of successful requests that were remembered in the interval `interval`.
    remembered: AtomicU64,
    requests: Lock<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    newest: VecDeque<Seen>,
    last_number: u64,
}

/// A remembered request, and the status and error of its answer.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Number of the request among all remembered requests, in their order. The first number is 1.
    pub(super) number: u64,
    /// Time of the answer by the emulator's clock.
    pub(super) time: Timestamp,
    /// Name of the operation that was called.
    pub(super) operation: String,
    pub(super) status: u16,
    pub(super) took: Duration,
    /// The text of the error in the answer, with advice for the user. None for a request that
    /// succeeded.
    pub(super) error: Option<String>,
    sample: Sample,
}

/// The stored part of a request's body: its first and last bytes, or the whole body if it is short.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    start: Box<[u8]>,
    /// The last bytes of the body. Empty if `start` is the whole body.
    end: Box<[u8]>,
}

impl Sample {
    fn of(body: &Bytes) -> Self {
        let most = limits::RECENT_BODY_BYTES;
        let (start, end) = match body.len() > 2 * most {
            true => (&body[..most], &body[body.len() - most..]),
            false => (&body[..], &[][..]),
        };
        let (start, end) = (start.into(), end.into());
        Self { start, end }
    }

    /// Finds the name of the stream in the stored bytes of the body. None if these bytes contain no
    /// name of a stream.
    fn stream(&self) -> Option<String> {
        if self.end.is_empty() {
            let formats = [Format::Json, Format::Cbor];
            return formats
                .iter()
                .find_map(|format| named_stream(*format, &self.start));
        }
        named_in(&self.start).or_else(|| named_in(&self.end))
    }
}

/// Finds the name of a stream in a part of a body in JSON or CBOR: the text after `StreamName`, or
/// the end of the ARN after `StreamARN`.
fn named_in(part: &[u8]) -> Option<String> {
    let after = |member: &str| {
        let at = memchr::memmem::find(part, member.as_bytes())?;
        let rest = &part[at + member.len()..];
        let text = match rest.first()? {
            // CBOR writes the length of a text before the text.
            length @ 0x61..=0x77 => rest.get(1..1 + usize::from(length - 0x60))?,
            0x78 => rest.get(2..2 + usize::from(*rest.get(1)?))?,
            b'"' => {
                let mut quoted = rest.split(|byte| *byte == b'"');
                quoted.nth(2)?
            }
            _ => return None,
        };
        String::from_utf8(text.to_vec()).ok()
    };
    let of_arn = |arn: String| arn.rsplit('/').next().map(str::to_owned);
    after("StreamName").or_else(|| after("StreamARN").and_then(of_arn))
}

impl Seen {
    /// The name of the stream that the request names. None if no name was found.
    pub(super) fn stream(&self) -> Option<String> {
        self.sample.stream()
    }
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            watch: Stopwatch::start(),
            is_watched: AtomicBool::new(false),
            visited_ms: AtomicU64::new(0),
            interval: AtomicU64::new(0),
            remembered: AtomicU64::new(0),
            requests: Lock::default(),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.watch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes that a page of the console is visited now.
    pub(super) fn visit(&self) {
        self.visited_ms.store(self.now_ms(), Relaxed);
        self.is_watched.store(true, Relaxed);
    }

    /// The bytes of a request's body to store. None if the request is not to be remembered.
    pub(super) fn sample(&self, body: &Bytes, has_failed: bool) -> Option<Sample> {
        (has_failed || self.remembers_success()).then(|| Sample::of(body))
    }

    /// True if a successful request is to be remembered: a page of the console was visited
    /// recently, and few requests were remembered in the present interval. Two requests at the
    /// start of an interval may both reset the counter, so the maximum is approximate.
    fn remembers_success(&self) -> bool {
        if !self.is_watched.load(Relaxed) {
            return false;
        }
        let now_ms = self.now_ms();
        if now_ms >= self.visited_ms.load(Relaxed) + limits::RECENT_WATCH_MS {
            self.is_watched.store(false, Relaxed);
            return false;
        }
        let interval = now_ms / limits::RECENT_INTERVAL_MS;
        if self.interval.load(Relaxed) != interval {
            self.interval.store(interval, Relaxed);
            self.remembered.store(0, Relaxed);
        }
        self.remembered.load(Relaxed) < limits::RECENT_REQUESTS_AN_INTERVAL
            && self.remembered.fetch_add(1, Relaxed) < limits::RECENT_REQUESTS_AN_INTERVAL
    }

    /// Remembers a request. Forgets the oldest request if the list is full.
    pub(super) fn add(
        &self,
        time: Timestamp,
        operation: String,
        (status, error): (u16, Option<String>),
        took: Duration,
        sample: Sample,
    ) {
        let mut requests = self.requests.lock();
        requests.last_number += 1;
        let number = requests.last_number;
        if requests.newest.len() == limits::RECENT_REQUESTS {
            requests.newest.pop_front();
        }
        requests.newest.push_back(Seen {
            number,
            time,
            operation,
            status,
            took,
            error,
            sample,
        });
    }

    /// The remembered requests, the newest first.
    pub(super) fn newest(&self) -> Vec<Seen> {
        self.requests.lock().newest.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(recent: &Recent, sample: Sample) {
        let time = Timestamp::from_millis(0);
        let result = (200, None);
        recent.add(time, "PutRecord".to_owned(), result, Duration::ZERO, sample);
    }

    #[test]
    fn requests_are_remembered_while_a_page_is_open_or_if_they_fail() {
        let recent = Recent::new();
        let body = Bytes::from_static(br#"{"StreamName": "orders"}"#);
        assert!(recent.sample(&body, false).is_none());
        assert!(recent.sample(&body, true).is_some());
        recent.visit();
        let sample = recent.sample(&body, false).unwrap();
        assert_eq!(sample.stream().as_deref(), Some("orders"));
        for _ in 0..limits::RECENT_REQUESTS + 5 {
            add(&recent, sample.clone());
        }
        let newest = recent.newest();
        assert_eq!(newest.len(), limits::RECENT_REQUESTS);
        assert!(newest[0].number > newest[1].number);
    }

    #[test]
    fn of_many_requests_in_an_interval_the_first_ones_are_remembered() {
        let recent = Recent::new();
        let body = Bytes::from_static(b"{}");
        recent.visit();
        let calls = 50 * limits::RECENT_REQUESTS_AN_INTERVAL;
        let remembered = (0..calls).filter(|_| recent.sample(&body, false).is_some());
        let remembered = remembered.count() as u64;
        let intervals = recent.now_ms() / limits::RECENT_INTERVAL_MS + 1;
        assert!(remembered >= limits::RECENT_REQUESTS_AN_INTERVAL);
        assert!(remembered <= intervals * limits::RECENT_REQUESTS_AN_INTERVAL);
        assert!(recent.sample(&body, true).is_some());
    }

    #[test]
    fn the_stream_is_found_at_either_end_of_a_large_body() {
        let filling = "x".repeat(10_000);
        let json = |text: String| Sample::of(&Bytes::from(text)).stream();
        let name = Some("orders".to_owned());
        assert_eq!(
            json(format!(r#"{{"StreamName":"orders","Data":"{filling}"}}"#)),
            name
        );
        assert_eq!(
            json(format!(
                r#"{{"Data":"{filling}", "StreamName" : "orders"}}"#
            )),
            name
        );
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
        assert_eq!(
            json(format!(r#"{{"Data":"{filling}","StreamARN":"{arn}"}}"#)),
            name
        );
        assert_eq!(json(format!(r#"{{"Data":"{filling}"}}"#)), None);
        let mut cbor = b"\xa2\x6aStreamName\x66orders\x64Data".to_vec();
        cbor.extend(filling.into_bytes());
        assert_eq!(Sample::of(&Bytes::from(cbor)).stream(), name);
    }
}

//! Counters for monitoring, in Prometheus' text format; nobody's data is in them.
//!
//! A request costs a few relaxed additions at places known beforehand. Everything else is looked up
//! when somebody asks. The format is a line for each number, so it is written here.

use crate::engine::{Engine, tasks};
use crate::error::Kind;
use crate::operation::{Entry, OPERATIONS};
use crate::store::Health;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The content type of the text format.
pub(super) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was answered.
    Done,
    /// It was wrong.
    Refused,
    /// It was one too many for a limit of the service.
    Throttled,
    /// There was no room for it among the bytes in flight.
    BudgetExhausted,
    /// Its body did not come in time.
    TooSlow,
    /// It failed for a reason of ours.
    Failed,
    /// It was cut off by its client.
    CutOff,
}

const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Done, "done"),
    (Outcome::Refused, "refused"),
    (Outcome::Throttled, "throttled"),
    (Outcome::BudgetExhausted, "no_room"),
    (Outcome::TooSlow, "too_slow"),
    (Outcome::Failed, "failed"),
    (Outcome::CutOff, "cut_off"),
];

impl Outcome {
    /// What an answer of this status tells.
    pub(super) fn of(status: u16, kind: Option<Kind>) -> Self {
        match (status, kind) {
            (
                _,
                Some(
                    Kind::ProvisionedThroughputExceededException
                    | Kind::LimitExceededException
                    | Kind::KMSThrottlingException,
                ),
            ) => Self::Throttled,
            (503, _) => Self::BudgetExhausted,
            (408, _) => Self::TooSlow,
            (500.., _) => Self::Failed,
            (400.., _) => Self::Refused,
            _ => Self::Done,
        }
    }
}

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    /// One for each operation in the order of the table, and one for what names none.
    operations: Box<[Calls]>,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    connections: AtomicU64,
    connections_open: AtomicU64,
    /// Connections and streams that were closed because nothing was read from them.
    unread: AtomicU64,
}

#[derive(Debug, Default)]
struct Calls {
    outcomes: [AtomicU64; OUTCOMES.len()],
    micros: AtomicU64,
}

/// A connection while it is open.
#[derive(Debug)]
pub(super) struct Open(Arc<Metrics>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Counters that stand at nothing.
    pub fn new() -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            operations: (0..=OPERATIONS.len()).map(|_| Calls::default()).collect(),
            received_bytes: zero(),
            sent_bytes: zero(),
            connections: zero(),
            connections_open: zero(),
            unread: zero(),
        })
    }

    /// A request is answered.
    pub(super) fn count(
        &self,
        operation: Option<&'static Entry>,
        outcome: Outcome,
        (received, sent): (usize, usize),
        took: Duration,
    ) {
        let at = operation.map_or(OPERATIONS.len(), Entry::position);
        let calls = &self.operations[at];
        calls.outcomes[outcome as usize].fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        calls.micros.fetch_add(micros, Relaxed);
        self.received_bytes.fetch_add(received as u64, Relaxed);
        self.sent_bytes.fetch_add(sent as u64, Relaxed);
    }

    /// A connection is opened, and open until what this gives is dropped.
    pub(super) fn connected(self: Arc<Self>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        self.connections_open.fetch_add(1, Relaxed);
        Open(self)
    }

    /// A connection or a stream is closed because nothing is read from it.
    pub(super) fn unread(&self) {
        self.unread.fetch_add(1, Relaxed);
    }

    /// All that is known now.
    pub(super) fn text(&self, engine: &Engine) -> String {
        let mut page = Page(String::with_capacity(8 << 10));
        self.requests(&mut page);
        self.connections(&mut page);
        records(&mut page, engine);
        store(&mut page, engine);
        page.0
    }

    fn requests(&self, page: &mut Page) {
        let names = OPERATIONS.iter().map(|entry| entry.name).chain(["unknown"]);
        let seen: Vec<_> = names
            .zip(&self.operations)
            .filter(|(_, calls)| calls.any())
            .collect();
        page.head(
            "requests_total",
            "counter",
            "Requests by operation and outcome.",
        );
        for (name, calls) in &seen {
            for (outcome, (_, word)) in calls.outcomes.iter().zip(OUTCOMES) {
                let labels = format!("{{operation=\"{name}\",outcome=\"{word}\"}}");
                page.line("requests_total", &labels, outcome.load(Relaxed));
            }
        }
        page.head(
            "request_seconds_total",
            "counter",
            "Time from the head of a request to its answer.",
        );
        for (name, calls) in &seen {
            let seconds = Duration::from_micros(calls.micros.load(Relaxed)).as_secs_f64();
            page.line(
                "request_seconds_total",
                &format!("{{operation=\"{name}\"}}"),
                seconds,
            );
        }
        let received = self.received_bytes.load(Relaxed);
        page.count(
            "received_bytes_total",
            "Bytes of requests' bodies.",
            received,
        );
        let sent = self.sent_bytes.load(Relaxed);
        page.count(
            "sent_bytes_total",
            "Bytes of answers' bodies, without events.",
            sent,
        );
    }

    fn connections(&self, page: &mut Page) {
        let open = self.connections_open.load(Relaxed);
        page.gauge("connections_open", "Connections open now.", open);
        let all = self.connections.load(Relaxed);
        page.count("connections_total", "Connections accepted.", all);
        let unread = self.unread.load(Relaxed);
        let meaning = "Connections and streams closed because their client did not read.";
        page.count("unread_closed_total", meaning, unread);
        let panics = tasks::panics();
        page.count(
            "panics_total",
            "Panics in requests and tasks of this process.",
            panics,
        );
    }
}

impl Calls {
    fn any(&self) -> bool {
        self.outcomes
            .iter()
            .any(|outcome| outcome.load(Relaxed) > 0)
    }
}

fn records(page: &mut Page, engine: &Engine) {
    let traffic = engine.traffic.figures();
    let ways = [
        ("written", "acknowledged", traffic.written),
        ("read", "answered by GetRecords", traffic.read),
        ("pushed", "pushed to subscribers", traffic.pushed),
    ];
    for (way, meaning, (records, bytes)) in ways {
        let name = format!("records_{way}_total");
        page.count(&name, &format!("Records {meaning}."), records);
        let name = format!("records_{way}_bytes_total");
        page.count(&name, &format!("Bytes of records {meaning}."), bytes);
    }
    let meaning = "Records refused by the limits of their shards.";
    page.count("records_throttled_total", meaning, traffic.throttled);
    let subscriptions = engine.subscriptions();
    page.gauge(
        "subscriptions_open",
        "Subscriptions to shards now.",
        subscriptions,
    );
    let held = engine.admission.held_bytes();
    page.gauge(
        "in_flight_bytes",
        "Bytes of requests and answers counted as in memory now.",
        held,
    );
    let refused = engine.admission.refused();
    page.count(
        "admission_refused_total",
        "Requests for which there was no room in memory.",
        refused,
    );
}

fn store(page: &mut Page, engine: &Engine) {
    let figures = engine.store_figures();
    page.gauge(
        "store_memory_bytes",
        "Bytes of records in memory.",
        figures.memory_bytes,
    );
    page.gauge(
        "store_disk_bytes",
        "Bytes of records on disk that are wanted.",
        figures.disk_bytes,
    );
    page.gauge(
        "store_unflushed_bytes",
        "Bytes that wait to be written.",
        figures.unflushed_bytes,
    );
    page.gauge(
        "store_databases",
        "Databases of records.",
        figures.generations,
    );
    page.gauge("store_shards", "Shards with a log.", figures.logs);
    page.count("store_commits_total", "Commits.", figures.commits);
    let flushing = figures.flushing.as_secs_f64();
    page.count(
        "store_flush_seconds_total",
        "Time in the flushes of commits.",
        flushing,
    );
    let damaged = figures.set_aside;
    page.count(
        "store_set_aside_total",
        "Damaged databases set aside since the start.",
        damaged,
    );
    let writing = u8::from(matches!(engine.health(), Health::Serving));
    page.gauge("store_writable", "1 while writes are taken.", writing);
}

/// The text in the making.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, meaning: &str) {
        let _ = writeln!(
            self.0,
            "# HELP minikin_{name} {meaning}\n# TYPE minikin_{name} {kind}"
        );
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "minikin_{name}{labels} {value}");
    }

    fn count(&mut self, name: &str, meaning: &str, value: impl Display) {
        self.head(name, "counter", meaning);
        self.line(name, "", value);
    }

    fn gauge(&mut self, name: &str, meaning: &str, value: impl Display) {
        self.head(name, "gauge", meaning);
        self.line(name, "", value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_stand_where_their_numbers_say() {
        for (at, (outcome, _)) in OUTCOMES.iter().enumerate() {
            assert_eq!(*outcome as usize, at);
        }
    }

    #[test]
    fn statuses_tell_outcomes() {
        let told = [
            (200, None),
            (400, Some(Kind::LimitExceededException)),
            (413, None),
            (408, None),
        ];
        let told = told.map(|(status, kind)| Outcome::of(status, kind));
        let meant = [
            Outcome::Done,
            Outcome::Throttled,
            Outcome::Refused,
            Outcome::TooSlow,
        ];
        assert_eq!(told, meant);
        assert_eq!(Outcome::of(503, None), Outcome::BudgetExhausted);
        assert_eq!(Outcome::of(500, None), Outcome::Failed);
    }
}

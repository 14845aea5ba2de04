//! Metrics of this process in Prometheus's text format. They contain names and numbers, but no data
//! of users.
//!
//! Each request adds to a few counters at fixed positions, with relaxed atomic additions. All other
//! figures are read only when a client asks for the metrics page. The crate `prometheus-client`
//! formats the page.

mod figures;

use super::recent::Recent;
use crate::engine::channel::Channel;
use crate::engine::event_source::{Counters, Mapping};
use crate::engine::queue::Queue;
use crate::engine::{Engine, tasks};
use crate::error::Kind;
use crate::operation::{Entry, OPERATIONS};
use crate::world::Timestamp;
use figures::{CHANNEL_FIGURES, Figure, QUEUE_FIGURES};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeMetric as _, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Content type of the metrics page.
pub(super) const TEXT_FORMAT: &str = prometheus_text::CONTENT_TYPE;

/// The prefix of the names of all metrics.
const PREFIX: &str = "minikin";

/// The outcome of a request, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The request succeeded.
    Done,
    /// The request was invalid, or its operation refused it.
    Refused,
    /// The request exceeded one of the service's limits.
    Throttled,
    /// The request was refused with status 503, for example because the in-flight budget was
    /// exhausted.
    BudgetExhausted,
    /// The body of the request did not arrive in time.
    TooSlow,
    /// The server failed while it handled the request.
    Failed,
    /// The client aborted the request before the end of its body.
    CutOff,
}

/// All outcomes, each at the position of its discriminant. The text next to an outcome is the value
/// of the label `outcome` in the metrics.
const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Done, "done"),
    (Outcome::Refused, "refused"),
    (Outcome::Throttled, "throttled"),
    (Outcome::BudgetExhausted, "budget_exhausted"),
    (Outcome::TooSlow, "too_slow"),
    (Outcome::Failed, "failed"),
    (Outcome::CutOff, "cut_off"),
];

impl Outcome {
    /// Determines the outcome of a request by the HTTP status of the answer and, for a refusal, by
    /// the error's `kind`.
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

/// The counters that requests and connections increase, and the last requests.
#[derive(Debug)]
pub struct Metrics {
    /// The counters of each operation, in the order of `OPERATIONS`. The last entry counts the
    /// requests that name no known operation.
    operations: Box<[Calls]>,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    connections: AtomicU64,
    connections_open: AtomicU64,
    /// Number of connections and HTTP/2 streams that were closed because their client did not read.
    unread: AtomicU64,
    /// The last requests, for the console.
    pub(super) recent: Recent,
}

/// The number of requests to one operation by outcome, and the total time of these requests.
#[derive(Debug, Default)]
struct Calls {
    outcomes: [AtomicU64; OUTCOMES.len()],
    micros: AtomicU64,
}

impl Calls {
    fn any(&self) -> bool {
        self.outcomes
            .iter()
            .any(|outcome| outcome.load(Relaxed) > 0)
    }

    fn seconds(&self) -> f64 {
        Duration::from_micros(self.micros.load(Relaxed)).as_secs_f64()
    }
}

/// Counts a connection as open until this value is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Arc<Metrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Makes metrics with all counters at zero.
    pub fn new() -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            operations: (0..=OPERATIONS.len()).map(|_| Calls::default()).collect(),
            received_bytes: zero(),
            sent_bytes: zero(),
            connections: zero(),
            connections_open: zero(),
            unread: zero(),
            recent: Recent::new(),
        })
    }

    /// Counts a request with its outcome and its duration `took`. `received` and `sent` are the
    /// numbers of bytes in the bodies of the request and of the answer.
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

    /// Counts a connection. The connection counts as open until the caller drops the returned
    /// value.
    pub(super) fn connected(self: Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Relaxed);
        self.connections_open.fetch_add(1, Relaxed);
        OpenConnection(self)
    }

    /// Counts a connection or HTTP/2 stream that is closed because its client does not read.
    pub(super) fn unread(&self) {
        self.unread.fetch_add(1, Relaxed);
    }

    /// The text of the metrics page.
    pub(super) fn text(self: Arc<Self>, engine: Arc<Engine>) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = self;
        registry.register_collector(Box::new(Scrape { metrics, engine }));
        let mut text = String::with_capacity(8 << 10);
        prometheus_text::encode(&mut text, &registry).expect("a String takes every text");
        text
    }

    /// The counters of every operation that was called at least once, with the operation's name.
    /// The name `unknown` stands for the requests that name no known operation.
    fn called(&self) -> impl Iterator<Item = (&'static str, &Calls)> {
        let names = OPERATIONS.iter().map(|entry| entry.name).chain(["unknown"]);
        names.zip(&self.operations).filter(|(_, calls)| calls.any())
    }
}

/// The numbers of calls of one operation since the start, by outcome.
#[cfg(feature = "console")]
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallFigures {
    pub(super) operation: &'static str,
    pub(super) done: u64,
    pub(super) refused: u64,
    pub(super) throttled: u64,
    /// Number of calls with any other outcome than done, refused or throttled.
    pub(super) failed: u64,
    /// Mean time of a call from the arrival of the request's head to the answer, in milliseconds.
    pub(super) mean_ms: f64,
}

#[cfg(feature = "console")]
impl Metrics {
    /// The last requests, for the console.
    pub(super) const fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Number of connections that are open now.
    pub(super) fn open_connections(&self) -> u64 {
        self.connections_open.load(Relaxed)
    }

    /// The figures of each operation that was called at least once.
    pub(super) fn call_figures(&self) -> Vec<CallFigures> {
        let figures = |(operation, calls): (&'static str, &Calls)| {
            let of = |outcome: Outcome| calls.outcomes[outcome as usize].load(Relaxed);
            let all: u64 = calls.outcomes.iter().map(|count| count.load(Relaxed)).sum();
            let [done, refused, throttled] =
                [Outcome::Done, Outcome::Refused, Outcome::Throttled].map(of);
            CallFigures {
                operation,
                done,
                refused,
                throttled,
                failed: all - done - refused - throttled,
                mean_ms: calls.seconds() * 1000.0 / all.max(1) as f64,
            }
        };
        self.called().map(figures).collect()
    }
}

/// The values of the label `outcome` in the metric that counts the invocations of functions. They
/// are in the order of `Counters::invocations`.
const INVOCATION_OUTCOMES: [&str; 4] = ["success", "partial", "error", "not_reached"];

/// A metric that counts records of event source mappings: its name, its help text, and the function
/// that finds its counter.
type MappingCounter = (&'static str, &'static str, fn(&Counters) -> &AtomicU64);

const MAPPING_COUNTERS: [MappingCounter; 7] = [
    ("esm_polled_records", "Records that mappings read.", |all| {
        &all.polled
    }),
    (
        "esm_filtered_records",
        "Records that filters dropped.",
        |all| &all.filtered,
    ),
    ("esm_invoked_records", "Records in invocations.", |all| {
        &all.invoked
    }),
    (
        "esm_failed_invoke_records",
        "Records in failed invocations.",
        |all| &all.failed_invoke,
    ),
    (
        "esm_dropped_records",
        "Discarded records that reached no destination.",
        |all| &all.dropped,
    ),
    (
        "esm_on_failure_delivered_records",
        "Discarded records that reached their destination.",
        |all| &all.on_failure_delivered,
    ),
    (
        "esm_destination_failures",
        "On-failure records that did not reach their destination.",
        |all| &all.destination_failures,
    ),
];

/// A metric with a present value of a mapping: its name, its help text, and the function that
/// returns its value.
type MappingGauge = (&'static str, &'static str, fn(&Mapping, Timestamp) -> i64);

const MAPPING_GAUGES: [MappingGauge; 2] = [
    (
        "esm_iterator_age_ms",
        "Age of the last record of the last successful batch when it succeeded, in milliseconds.",
        |mapping, _| mapping.counters.iterator_age_ms.load(Relaxed),
    ),
    (
        "esm_behind_records",
        "Readable records that the mapping is not done with.",
        |mapping, now| {
            let behind: u64 = mapping.records_behind(now).values().sum();
            i64::try_from(behind).unwrap_or(i64::MAX)
        },
    ),
];

/// The objects from which a metrics page reads all of its figures.
#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    engine: Arc<Engine>,
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.requests(&mut page)?;
        self.connections(&mut page)?;
        self.records(&mut page)?;
        self.queues(&mut page)?;
        self.channels(&mut page)?;
        self.budget(&mut page)?;
        self.mappings(&mut page)?;
        self.store(&mut page)
    }
}

impl Scrape {
    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        self.outcomes(page)?;
        self.times(page)?;
        let received = self.metrics.received_bytes.load(Relaxed);
        page.counter(
            "received_bytes",
            "Bytes of the bodies of requests.",
            received,
        )?;
        let sent = self.metrics.sent_bytes.load(Relaxed);
        page.counter(
            "sent_bytes",
            "Bytes of the bodies of answers, without events of subscriptions.",
            sent,
        )
    }

    fn outcomes(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "Requests by operation and outcome.";
        let kind = MetricType::Counter;
        let mut family = page.0.encode_descriptor("requests", help, None, kind)?;
        for (name, calls) in self.metrics.called() {
            for (count, (_, outcome)) in calls.outcomes.iter().zip(OUTCOMES) {
                let labels = [("operation", name), ("outcome", outcome)];
                let counter = ConstCounter::new(count.load(Relaxed));
                counter.encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn times(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "Time from the head of a request to its answer.";
        let kind = MetricType::Counter;
        let mut family = page
            .0
            .encode_descriptor("request_seconds", help, None, kind)?;
        for (name, calls) in self.metrics.called() {
            let counter = ConstCounter::new(calls.seconds());
            counter.encode(family.encode_family(&[("operation", name)])?)?;
        }
        Ok(())
    }

    fn connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let open = self.metrics.connections_open.load(Relaxed);
        page.gauge("connections_open", "Connections open now.", open)?;
        let all = self.metrics.connections.load(Relaxed);
        page.counter("connections", "Connections accepted.", all)?;
        let unread = self.metrics.unread.load(Relaxed);
        let help = "Connections and streams closed because their client did not read.";
        page.counter("unread_closed", help, unread)?;
        let help = "Panics in requests and tasks of this process.";
        page.counter("panics", help, tasks::panics())
    }

    fn mappings(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = self.engine.world.clock.now();
        let all = self.engine.event_sources.all();
        let labelled: Vec<_> = all
            .iter()
            .map(|mapping| {
                let function = mapping.view(now).function.qualified_name();
                (mapping.uuid.to_string(), function, mapping)
            })
            .collect();
        if labelled.is_empty() {
            return Ok(());
        }
        let kind = MetricType::Counter;
        let help = "Invocations by event source mappings.";
        let mut family = page
            .0
            .encode_descriptor("esm_invocations", help, None, kind)?;
        for (uuid, function, mapping) in &labelled {
            let invocations = &mapping.counters.invocations;
            for (count, outcome) in invocations.iter().zip(INVOCATION_OUTCOMES) {
                let labels = [
                    ("mapping", uuid.as_str()),
                    ("function", function.as_str()),
                    ("outcome", outcome),
                ];
                let counter = ConstCounter::new(count.load(Relaxed));
                counter.encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, counter) in MAPPING_COUNTERS {
            let mut family = page.0.encode_descriptor(name, help, None, kind)?;
            for (uuid, function, mapping) in &labelled {
                let labels = [("mapping", uuid.as_str()), ("function", function.as_str())];
                let counter = ConstCounter::new(counter(&mapping.counters).load(Relaxed));
                counter.encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, value) in MAPPING_GAUGES {
            let kind = MetricType::Gauge;
            let mut family = page.0.encode_descriptor(name, help, None, kind)?;
            for (uuid, function, mapping) in &labelled {
                let labels = [("mapping", uuid.as_str()), ("function", function.as_str())];
                let gauge = ConstGauge::new(value(mapping, now));
                gauge.encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn records(&self, page: &mut Page<'_>) -> fmt::Result {
        let traffic = self.engine.traffic.figures();
        let kinds = [
            ("written", "acknowledged", traffic.written),
            ("read", "answered by GetRecords", traffic.read),
            ("pushed", "pushed to subscribers", traffic.pushed),
        ];
        for (kind, meaning, (records, bytes)) in kinds {
            let name = format!("records_{kind}");
            page.counter(&name, &format!("Records {meaning}."), records)?;
            let name = format!("records_{kind}_bytes");
            page.counter(&name, &format!("Bytes of records {meaning}."), bytes)?;
        }
        let help = "Records refused by the limits of their shards.";
        page.counter("records_throttled", help, traffic.throttled)?;
        let subscriptions = self.engine.subscriptions() as u64;
        page.gauge(
            "subscriptions_open",
            "Open subscriptions to shards.",
            subscriptions,
        )?;
        let tails = self.engine.open_tails();
        page.gauge("tails_open", "Open tails of streams.", tails)
    }

    /// Writes the figures of all queues. The labels of a queue are its id and its name.
    fn queues(&self, page: &mut Page<'_>) -> fmt::Result {
        let queues = self.engine.all_queues();
        let now = self.engine.world.clock.now();
        let label = |queue: &Arc<Queue>| {
            let (id, name) = (queue.arn.id.clone(), queue.name.clone());
            ([("queue_id", id), ("queue_name", name)], queue.figures(now))
        };
        page.families(QUEUE_FIGURES, queues.iter().map(label))
    }

    /// Writes the figures of all channels. The labels of a channel are the dimensions that the
    /// service's own channel metrics have.
    fn channels(&self, page: &mut Page<'_>) -> fmt::Result {
        let channels = self.engine.all_channels();
        let now = self.engine.world.clock.now();
        let label = |channel: &Arc<Channel>| {
            let stream = channel.stream.arn.name.clone();
            let labels = [
                ("channel_name", channel.name.clone()),
                ("stream_name", stream),
            ];
            (labels, channel.figures(now))
        };
        page.families(CHANNEL_FIGURES, channels.iter().map(label))
    }

    fn budget(&self, page: &mut Page<'_>) -> fmt::Result {
        let held = self.engine.admission.held_bytes();
        let help = "Bytes of the in-flight budget that are in use.";
        page.gauge("in_flight_bytes", help, held)?;
        let refused = self.engine.admission.refused();
        let help = "Requests refused because the in-flight budget was exhausted.";
        page.counter("admission_refused", help, refused)
    }

    fn store(&self, page: &mut Page<'_>) -> fmt::Result {
        let figures = self.engine.store_figures();
        let memory = figures.memory_bytes;
        page.gauge("store_memory_bytes", "Bytes of records in memory.", memory)?;
        let help = "Bytes of live records on disk.";
        page.gauge("store_disk_bytes", help, figures.disk_bytes)?;
        let help = "Bytes of appended records that are not yet on disk.";
        page.gauge("store_unflushed_bytes", help, figures.unflushed_bytes)?;
        let databases = figures.generations as u64;
        page.gauge(
            "store_databases",
            "Databases that hold records (generations).",
            databases,
        )?;
        page.gauge("store_shards", "Shards with a log.", figures.logs as u64)?;
        page.counter("store_commits", "Commits of records.", figures.commits)?;
        let help = "Time spent in flushes of commits, in seconds.";
        page.counter("store_flush_seconds", help, figures.flushing.as_secs_f64())?;
        let help = "Damaged databases set aside since the start.";
        page.counter("store_set_aside", help, figures.set_aside)?;
        let help = "Records that could not be read back since the start.";
        page.counter("records_lost", help, figures.records_lost)?;
        let writable = self.engine.check_store().is_ok();
        page.gauge(
            "store_writable",
            "1 if the store accepts writes, 0 if it is read-only.",
            u64::from(writable),
        )
    }
}

/// The metrics page while it is being written. The encoder prepends `PREFIX` to all names, and
/// appends `_total` to the names of counters.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter<N: EncodeCounterValue>(&mut self, name: &str, help: &str, value: N) -> fmt::Result {
        let kind = MetricType::Counter;
        let encoder = self.0.encode_descriptor(name, help, None, kind)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn gauge<N: EncodeGaugeValue>(&mut self, name: &str, help: &str, value: N) -> fmt::Result {
        let kind = MetricType::Gauge;
        let encoder = self.0.encode_descriptor(name, help, None, kind)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// Writes one metric for each row of `table`, with a value for each of `items`. An item has the
    /// labels and the figures of one queue or channel. Writes nothing if there are no items.
    fn families<F>(
        &mut self,
        table: &[Figure<F>],
        items: impl Iterator<Item = ([(&'static str, Arc<str>); 2], F)>,
    ) -> fmt::Result {
        let items: Vec<_> = items.collect();
        for (name, help, is_counter, value) in table.iter().filter(|_| !items.is_empty()) {
            let kind = match is_counter {
                true => MetricType::Counter,
                false => MetricType::Gauge,
            };
            let mut family = self.0.encode_descriptor(name, help, None, kind)?;
            for (labels, figures) in &items {
                let labels = labels.each_ref().map(|(name, value)| (*name, &**value));
                let encoder = family.encode_family(&labels)?;
                match is_counter {
                    true => ConstCounter::new(value(figures)).encode(encoder)?,
                    false => ConstGauge::new(value(figures)).encode(encoder)?,
                }
            }
        }
        Ok(())
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
    fn every_status_has_its_outcome() {
        let throttled = Some(Kind::LimitExceededException);
        for (status, kind, outcome) in [
            (200, None, Outcome::Done),
            (400, throttled, Outcome::Throttled),
            (413, None, Outcome::Refused),
            (408, None, Outcome::TooSlow),
            (503, None, Outcome::BudgetExhausted),
            (500, None, Outcome::Failed),
        ] {
            assert_eq!(Outcome::of(status, kind), outcome, "{status}");
        }
    }
}

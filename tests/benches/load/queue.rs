//! queue: connections that receive the records of a queue and acknowledge them.

use super::connection::Answer;
use super::control::Control;
use super::figures::{Figures, Sample, Tally};
use super::load::{self, Plan, Work};
use super::{Run, pause, put, request};
use memchr::memmem;
use minikin::internals::world::Stopwatch;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Connections that receive and acknowledge, unless said otherwise.
const CONNECTIONS: u16 = 16;
/// Records that a receive asks for: the most there can be.
const LIMIT: u64 = 10;
/// PutRecords before each slice of the measurement.
const SLICE_CALLS: usize = 64;
/// Largest number of bytes of a slice. A server keeps so many records in memory, so that its disk
/// is not measured.
const SLICE_BYTES: usize = 32_000_000;
/// Time for the server to end the work of the puts before a slice.
const REST: Duration = Duration::from_millis(50);
/// Longest time of a slice, for a slow server.
const SLICE_TIME: Duration = Duration::from_secs(10);

/// A queue of a run's stream.
#[derive(Debug)]
pub(super) struct Queue {
    control: Control,
    pub(super) arn: String,
}

impl Queue {
    /// Creates an on-demand stream, and a queue that begins with its first record.
    pub(super) async fn create(run: &Run) -> Result<Self, String> {
        let control = Control::new(run);
        let stream = control.create_on_demand_stream().await?;
        let start = json!({ "Type": "TRIM_HORIZON" });
        let body = json!({
            "QueueName": run.stream,
            "StreamConfigurationList": [{ "StreamARN": stream, "StartingPosition": start }],
        });
        let arn = control
            .created("CreateQueue", &body, "/QueueDescription/QueueARN")
            .await?;
        Ok(Self { control, arn })
    }

    /// The request that receives records, and waits for the first one up to `wait_seconds`.
    pub(super) fn receive(&self, address: SocketAddr, wait_seconds: u64) -> Vec<u8> {
        let body = json!({
            "QueueARN": self.arn,
            "Limit": LIMIT,
            "WaitTimeSeconds": wait_seconds,
        });
        request::json(address, "ReceiveQueueRecords", &body)
    }

    /// Deletes the queue after a measurement; its result, unless the queue stays.
    pub(super) async fn deleted_after<T>(self, measured: Result<T, String>) -> Result<T, String> {
        let body = json!({ "QueueARN": self.arn });
        let deleted = self.control.call("DeleteQueue", &body).await;
        measured.and_then(|measured| deleted.map(|_| measured))
    }
}

/// The request that acknowledges all records of the answer to a receive, and their number.
pub(super) fn acknowledge(address: SocketAddr, queue: &str, received: &[u8]) -> (Vec<u8>, u64) {
    let mut body = format!(r#"{{"QueueARN":"{queue}","Entries":["#);
    let handles = request::texts(received, "ReceiptHandle");
    for (at, handle) in handles.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        body.push_str(&format!(r#"{comma}{{"ReceiptHandle":"{handle}"}}"#));
    }
    body.push_str("]}");
    let request = request::json_text(address, "AcknowledgeQueueRecords", &body);
    (request, handles.len() as u64)
}

/// Checks that an answer acknowledges each of so many records.
pub(super) fn check_acknowledged(answer: Answer<'_>, records: u64) -> Result<(), String> {
    let handles = memmem::find_iter(answer.body, b"\"ReceiptHandle\"").count() as u64;
    let failed = memmem::find(answer.body, b"\"ErrorCode\"").is_some();
    match answer.status == 200 && handles == records && !failed {
        true => Ok(()),
        false => Err(answer.complaint()),
    }
}

/// One connection that receives records and acknowledges them. The two calls are one request of
/// the closed loop.
#[derive(Debug)]
struct Consumer {
    address: SocketAddr,
    queue: String,
    receive: Vec<u8>,
    next: Vec<u8>,
    /// The records that the present request acknowledges. None: it is a receive.
    received: Option<u64>,
    watch: Stopwatch,
    /// The time of `watch` when the present request was made ready.
    sent: Duration,
    receives: Tally,
    acknowledgements: Tally,
}

impl Consumer {
    fn new(run: &Run, queue: &Queue) -> Self {
        Self {
            address: run.address,
            queue: queue.arn.clone(),
            receive: queue.receive(run.address, 1),
            next: Vec::new(),
            received: None,
            watch: Stopwatch::start(),
            sent: Duration::ZERO,
            receives: Tally::new(),
            acknowledgements: Tally::new(),
        }
    }
}

impl Work for Consumer {
    fn prepare(&mut self) {
        self.next.clone_from(&self.receive);
        self.received = None;
        self.sent = self.watch.elapsed();
    }

    fn request(&self) -> &[u8] {
        &self.next
    }

    fn judge(&mut self, answer: Answer<'_>) -> Result<u64, String> {
        let took = self.watch.elapsed().saturating_sub(self.sent);
        if let Some(records) = self.received.take() {
            check_acknowledged(answer, records)?;
            self.acknowledgements.success(took, records);
            return Ok(records);
        }
        let (next, records) = acknowledge(self.address, &self.queue, answer.body);
        if answer.status != 200 || records == 0 {
            return Err(answer.complaint());
        }
        self.receives.success(took, records);
        self.next = next;
        self.received = Some(records);
        self.sent = self.watch.elapsed();
        Ok(records)
    }

    fn goes_on(&self) -> bool {
        self.received.is_some()
    }
}

/// Receives and acknowledges for as long as was asked for.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let queue = Queue::create(run).await?;
    let consumed = consume(run, &queue).await;
    queue.deleted_after(consumed).await
}

/// Consumes in slices until the time is over.
async fn consume(run: &Run, queue: &Queue) -> Result<Vec<Figures>, String> {
    let mut ahead = 0;
    if !run.warm_up().is_zero() {
        slice(run, queue, &mut ahead, Vec::new(), u64::MAX).await?;
    }
    let first = slice(run, queue, &mut ahead, Vec::new(), run.requests()).await?;
    let (mut total, mut consumers) = first;
    while total.seconds < run.seconds() && total.tally.requests() < run.requests() {
        let requests = run.requests() - total.tally.requests();
        let next = slice(run, queue, &mut ahead, consumers, requests).await?;
        total.add(next.0);
        consumers = next.1;
    }
    Ok(figures(&total, consumers))
}

/// Puts records until enough of them are `ahead`, and measures how they are consumed. So the queue
/// is never empty, and no puts are measured.
async fn slice(
    run: &Run,
    queue: &Queue,
    ahead: &mut u64,
    mut consumers: Vec<Consumer>,
    requests: u64,
) -> Result<(Sample, Vec<Consumer>), String> {
    let calls_in_bytes = SLICE_BYTES / (run.batch() * run.payload_bytes());
    let batch = run.batch() as u64;
    let wanted = batch * calls_in_bytes.clamp(1, SLICE_CALLS) as u64;
    let calls = wanted.saturating_sub(*ahead).div_ceil(batch);
    put::fill(run, calls).await?;
    *ahead += calls * batch;
    pause(REST).await;
    let plan = Plan {
        connections: run.connections(CONNECTIONS),
        warm_up: Duration::ZERO,
        measured: SLICE_TIME,
        requests: requests.min(*ahead / LIMIT),
    };
    let again = || Ok(consumers.pop().unwrap_or_else(|| Consumer::new(run, queue)));
    let (sample, done) = load::run(run, plan, again).await?;
    *ahead = ahead.saturating_sub(sample.tally.records());
    Ok((sample, done))
}

/// A row for both calls together, and one for each of them.
fn figures(total: &Sample, consumers: Vec<Consumer>) -> Vec<Figures> {
    let (mut receives, mut acknowledgements) = (Tally::new(), Tally::new());
    for consumer in consumers {
        receives.merge(consumer.receives);
        acknowledgements.merge(consumer.acknowledgements);
    }
    let alone = |tally: Tally| {
        Figures::of(&Sample {
            tally,
            seconds: total.seconds,
            payload_bytes: total.payload_bytes,
            server_cpu: None,
            client_cpu: None,
            server_memory: None,
        })
    };
    vec![
        Figures::of(total).part("both".to_owned()),
        alone(receives).part("receive".to_owned()),
        alone(acknowledgements).part("acknowledge".to_owned()),
    ]
}

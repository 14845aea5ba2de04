//! The closed loop: every connection sends, waits, judges and sends again. `rounds` repeats a step
//! that measures its own latency.

use super::connection::{Answer, Connection};
use super::figures::{Sample, Tally};
use super::{Run, pause, process};
use minikin::internals::world::Stopwatch;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Number of consecutive failures after which a connection stops, as it would at a closed port.
const MAX_BREAKS_IN_A_ROW: u32 = 100;

/// The work of one connection.
pub(super) trait Work: Send + 'static {
    /// Makes the next request ready; its time does not count.
    fn prepare(&mut self);
    /// The present request.
    fn request(&self) -> &[u8];
    /// The number of records that an answer has moved, or the error in it.
    fn judge(&mut self, answer: Answer<'_>) -> Result<u64, String>;
    /// True if the last answer belongs to more requests, which count as one with it.
    fn goes_on(&self) -> bool {
        false
    }
}

/// The amount of work done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) connections: usize,
    /// Time in which nothing counts.
    pub(super) warm_up: Duration,
    /// Time in which everything does.
    pub(super) measured: Duration,
    /// The requests that count, of all connections together, are not more than these.
    pub(super) requests: u64,
}

/// The moments at which the connections of one measurement begin to count and end.
#[derive(Debug, Clone)]
struct Window {
    watch: Stopwatch,
    start: Duration,
    end: Duration,
    requests_left: Arc<AtomicU64>,
}

/// Does work on each connection, which `work` makes for it. Returns the figures and the work.
///
/// # Errors
/// Returns an error if no request succeeded.
pub(super) async fn run<W: Work>(
    run: &Run,
    plan: Plan,
    mut work: impl FnMut() -> Result<W, String>,
) -> Result<(Sample, Vec<W>), String> {
    let mut workers = Vec::new();
    for _ in 0..plan.connections {
        workers.push(work()?);
    }
    let window = Window {
        watch: Stopwatch::start(),
        start: plan.warm_up,
        end: plan.warm_up + plan.measured,
        requests_left: Arc::new(AtomicU64::new(plan.requests)),
    };
    let mut connections = JoinSet::new();
    for worker in workers {
        connections.spawn(repeat(Connection::new(run.address), worker, window.clone()));
    }
    pause(plan.warm_up.saturating_sub(window.watch.elapsed())).await;
    let meter = Meter::start(run);
    let (mut tally, mut workers) = (Tally::new(), Vec::new());
    while let Some(joined) = connections.join_next().await {
        let (part, worker) = joined.map_err(|error| error.to_string())?;
        tally.merge(part);
        workers.push(worker);
    }
    let sample = meter.sample(tally);
    let tally = &sample.tally;
    if tally.requests() == 0 {
        let why = tally.first_error.as_deref();
        return Err(why
            .unwrap_or("no request ended that began after the warm-up")
            .to_owned());
    }
    Ok((sample, workers))
}

/// Does `round`, which gives the latency that it measured, for as long as was asked for.
///
/// # Errors
/// When a round fails.
pub(super) async fn rounds(
    run: &Run,
    mut round: impl AsyncFnMut() -> Result<Duration, String>,
) -> Result<Sample, String> {
    let warming = Stopwatch::start();
    while warming.elapsed() < run.warm_up() {
        round().await?;
    }
    let meter = Meter::start(run);
    let mut tally = Tally::new();
    while meter.seconds() < run.seconds() && tally.requests() < run.requests() {
        tally.success(round().await?, 1);
    }
    Ok(meter.sample(tally))
}

/// Measures the time and what it cost from its start on.
pub(super) struct Meter<'a> {
    run: &'a Run,
    before: Usage,
    watch: Stopwatch,
}

impl<'a> Meter<'a> {
    pub(super) fn start(run: &'a Run) -> Self {
        Self {
            run,
            before: Usage::of(run),
            watch: Stopwatch::start(),
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.watch.elapsed().as_secs_f64()
    }

    /// Ends the measurement.
    pub(super) fn sample(self, tally: Tally) -> Sample {
        let seconds = self.seconds();
        let after = Usage::of(self.run);
        Sample {
            tally,
            seconds,
            payload_bytes: self.run.payload_bytes(),
            server_cpu: after.since(&self.before, |usage| usage.server),
            client_cpu: after.since(&self.before, |usage| usage.client),
            server_memory: self.run.server_pid.and_then(process::memory),
        }
    }
}

/// Processor time used up to now.
struct Usage {
    server: Option<Duration>,
    client: Option<Duration>,
}

impl Usage {
    fn of(run: &Run) -> Self {
        Self {
            server: run.server_pid.and_then(process::cpu_time),
            client: process::cpu_time(std::process::id()),
        }
    }

    fn since(&self, before: &Self, which: impl Fn(&Self) -> Option<Duration>) -> Option<Duration> {
        Some(which(self)?.saturating_sub(which(before)?))
    }
}

/// The loop of one connection. A request counts if it begins in the window, even if it ends later.
async fn repeat<W: Work>(mut connection: Connection, mut worker: W, window: Window) -> (Tally, W) {
    let mut tally = Tally::new();
    let mut breaks_in_a_row = 0;
    while breaks_in_a_row < MAX_BREAKS_IN_A_ROW {
        worker.prepare();
        let sent = window.watch.elapsed();
        let counts = sent >= window.start;
        if sent >= window.end || (counts && !take_one(&window.requests_left)) {
            break;
        }
        let mut took = Duration::ZERO;
        let judged = loop {
            let judged = match connection.send(worker.request()).await {
                Ok(answer) => {
                    breaks_in_a_row = 0;
                    took = window.watch.elapsed().saturating_sub(sent);
                    worker.judge(answer)
                }
                Err(error) => {
                    breaks_in_a_row += 1;
                    Err(error.to_string())
                }
            };
            if judged.is_err() || !worker.goes_on() {
                break judged;
            }
        };
        match judged {
            Ok(records) if counts => tally.success(took, records),
            Ok(_) => {}
            Err(error) => tally.failure(counts, error),
        }
    }
    tally.connections_opened = connection.opened;
    (tally, worker)
}

fn take_one(left: &AtomicU64) -> bool {
    let one_less = |left: u64| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_ok()
}

//! A load client for a Kinesis emulator, minikin or another, and its report.
//!
//! The load is a closed loop: each connection has one request in flight. A pause of the server
//! therefore delays the requests behind it instead of showing in each of them, so the highest
//! percentiles are lower bounds.
#![allow(clippy::print_stderr, reason = "the client is a command for people")]

mod compare;
mod connection;
mod control;
mod deliver;
mod endpoint;
mod figures;
mod function;
mod get;
mod invoke;
mod load;
mod memory;
mod process;
mod put;
mod queue;
mod queue_wait;
mod request;
mod scenario;
mod server;
mod startup;
mod streams;
mod table;

use compare::Named;
use control::Control;
use endpoint::Endpoint;
use figures::{Figures, Report};
use minikin::Clock;
use minikin::internals::world::Random;
use minikin::internals::world::RealDeadline;
use scenario::Scenario;
use server::{Server, Settings};
use std::future::{Future, pending};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The server to load, and how hard.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Scenarios to measure [default: all, one after the other]
    #[arg(value_enum, value_name = "SCENARIO")]
    scenarios: Vec<Scenario>,

    /// Load this server, http://ADDRESS:PORT, Kinesis or like it [default: for each scenario a
    /// fresh minikin serve --profile fast]
    #[arg(long, value_name = "URL")]
    endpoint: Option<Endpoint>,

    /// Give each server that is started here a data directory, in a temporary folder in this one
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["endpoint", "compare"])]
    data_dir: Option<PathBuf>,

    /// Load these servers in turn and print their medians and ratios to the first; may be repeated
    #[arg(
        long,
        value_name = "NAME=URL",
        value_delimiter = ',',
        conflicts_with = "endpoint"
    )]
    compare: Vec<Named>,

    /// Number of rounds that --compare makes over the servers
    #[arg(long, value_name = "N", default_value_t = 3, requires = "compare")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: u16,

    /// Requests under way at a time [default: 16; where records are put in batches and in streams,
    /// 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: Option<u16>,

    // The walk of `get` begins again and again with one iterator, and one lives five minutes.
    /// Seconds to measure, after a short warm-up
    #[arg(long, value_name = "S", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=240))]
    seconds: u64,

    /// Maximum number of requests, without a warm-up; the time limit still applies
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,

    /// Shards of the stream that is written to
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    shards: u32,

    /// Bytes in a record
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_485_000))]
    payload: u32,

    /// Records in a PutRecords
    #[arg(long, value_name = "N", default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=500))]
    batch: u16,

    /// Records in the deepest shard of getdeep, which measures 1,000 records, 10,000, and so on
    #[arg(long, value_name = "RECORDS", default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    depth: u64,

    /// Megabytes of records that the scenarios memory, invoke and deliver put
    #[arg(long, value_name = "M", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    megabytes: u64,

    /// Address for the function of invoke and invoke-latency [default: a free port]. Another server
    /// was started with --function 'load=http://ADDRESS;concurrency=64'
    #[arg(long, value_name = "ADDRESS")]
    function: Option<SocketAddr>,

    /// Print one JSON object on a line for each scenario, in place of a table
    #[arg(long)]
    json: bool,

    /// Process behind --endpoint, when it is on this machine: adds its processor time and memory
    #[arg(long, value_name = "PID", requires = "endpoint")]
    server_pid: Option<u32>,
}

impl Arguments {
    /// The settings of a server that is started here.
    fn server_settings(&self) -> Settings<'_> {
        Settings {
            data_dir: self.data_dir.as_deref(),
            function: None,
            buckets: false,
        }
    }
}

/// The environment of one scenario: the server, and the options of the run.
#[derive(Debug, Clone)]
struct Run {
    address: SocketAddr,
    server_pid: Option<u32>,
    /// The stream this run alone uses.
    stream: String,
    /// The listener of the function that the server invokes.
    function: Option<Arc<TcpListener>>,
    arguments: Arguments,
}

impl Run {
    /// A run at a server, with a stream that is the run's own.
    fn new(address: SocketAddr, server_pid: Option<u32>, arguments: &Arguments) -> Self {
        let (now, random) = (Clock::System.now().millis(), Random::system().bytes());
        Self {
            address,
            server_pid,
            stream: format!("bench-{now}-{:08x}", u32::from_le_bytes(random)),
            function: None,
            arguments: arguments.clone(),
        }
    }

    fn connections(&self, usual: u16) -> usize {
        usize::from(self.arguments.connections.unwrap_or(usual))
    }

    fn payload_bytes(&self) -> usize {
        usize::try_from(self.arguments.payload).unwrap_or(usize::MAX)
    }

    fn batch(&self) -> usize {
        usize::from(self.arguments.batch)
    }

    /// The time to measure.
    fn seconds(&self) -> f64 {
        Duration::from_secs(self.arguments.seconds).as_secs_f64()
    }

    /// The PutRecords that put all megabytes.
    fn calls(&self) -> u64 {
        let bytes = self.arguments.megabytes.saturating_mul(1_000_000);
        bytes.div_ceil((self.batch() * self.payload_bytes()) as u64)
    }

    /// The most requests that count.
    fn requests(&self) -> u64 {
        self.arguments.requests.unwrap_or(u64::MAX)
    }

    /// A fifth of the time to be measured, but not more than a second.
    fn warm_up(&self) -> Duration {
        if self.arguments.requests.is_some() {
            return Duration::ZERO;
        }
        Duration::from_millis(self.arguments.seconds.saturating_mul(200).min(1000))
    }
}

/// Measures all scenarios that the arguments name and prints the figures.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let all = match runtime {
        Ok(runtime) => runtime.block_on(measure_all(arguments)),
        Err(error) => Err(format!("no thread to run on: {error}")),
    };
    match all {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures one scenario after the other; the error names those that failed.
async fn measure_all(arguments: &Arguments) -> Result<(), String> {
    if !arguments.compare.is_empty() {
        return tokio::select! {
            biased;
            _ = stop_signal() => Err("stopped by a signal".to_owned()),
            compared = compare::run(arguments) => compared,
        };
    }
    let scenarios: &[Scenario] = match arguments.scenarios.as_slice() {
        [] => clap::ValueEnum::value_variants(),
        some => some,
    };
    if !arguments.json {
        say(&table::headings());
    }
    let mut failed = Vec::new();
    for &scenario in scenarios {
        let report = tokio::select! {
            biased;
            // Dropping this value stops its server.
            _ = stop_signal() => return Err("stopped by a signal".to_owned()),
            measured = measure(scenario, arguments) => Report::new(scenario.name(), measured),
        };
        if report.failure.is_some() {
            failed.push(scenario.name());
        }
        say(&match arguments.json {
            true => report.json(),
            false => table::lines(&report),
        });
    }
    match failed.as_slice() {
        [] => Ok(()),
        names => Err(format!("not measured: {}", names.join(", "))),
    }
}

async fn measure(scenario: Scenario, arguments: &Arguments) -> Result<Vec<Figures>, String> {
    if scenario == Scenario::Startup {
        return startup::measure(arguments).await;
    }
    if let Some(endpoint) = &arguments.endpoint {
        let run = Run::new(endpoint.0, arguments.server_pid, arguments);
        return measure_at(scenario, run).await;
    }
    let mut function = None;
    let mut settings = arguments.server_settings();
    settings.buckets = scenario == Scenario::Deliver;
    if scenario.serves_function() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = function::listen(arguments.function.unwrap_or(any))?;
        settings.function = listener.local_addr().ok();
        function = Some(Arc::new(listener));
    }
    let server = Server::start(settings)?;
    let run = Run {
        function,
        ..Run::new(server.address, Some(server.pid()), arguments)
    };
    measure_at(scenario, run).await
}

/// Measures one scenario at a server.
async fn measure_at(scenario: Scenario, run: Run) -> Result<Vec<Figures>, String> {
    let measured = load(scenario, &run).await;
    if scenario == Scenario::Streams {
        return measured;
    }
    // Best effort: a failed scenario may not have come as far as the stream.
    let deleted = Control::new(&run).delete_stream().await;
    measured.and_then(|figures| deleted.map(|()| figures))
}

async fn load(scenario: Scenario, run: &Run) -> Result<Vec<Figures>, String> {
    match scenario {
        Scenario::Put1 => put::measure(run, put::Kind::One).await,
        Scenario::Put500 => put::measure(run, put::Kind::Json).await,
        Scenario::Put500Cbor => put::measure(run, put::Kind::Cbor).await,
        Scenario::Get => get::walk(run).await,
        Scenario::GetDeep => get::deep(run).await,
        Scenario::Queue => queue::measure(run).await,
        Scenario::QueueWait => queue_wait::measure(run).await,
        Scenario::Invoke => invoke::measure(run).await,
        Scenario::InvokeLatency => invoke::latency(run).await,
        Scenario::Deliver => deliver::measure(run).await,
        Scenario::Streams => streams::measure(run).await,
        Scenario::Memory => memory::measure(run).await,
        Scenario::Startup => startup::measure(&run.arguments).await,
    }
}

/// Returns at SIGINT or SIGTERM.
async fn stop_signal() {
    let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminated {
        Ok(mut terminated) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Writes `text` to stdout. Not println, which panics when the reader has gone.
fn say(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Lets `duration` go by while everything else runs on.
async fn pause(duration: Duration) {
    let _ = within(duration, pending::<()>()).await;
}

/// The output of `future`, if it comes within `duration`.
async fn within<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    RealDeadline::lasting(duration).with(future).await
}

#[cfg(test)]
mod tests;

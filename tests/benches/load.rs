//! The load client: `cargo bench --bench load -- put1 --seconds 5`, `-- --help` for the rest.
//!
//! The unit tests of this client run with the integration tests (tests/it/load.rs).
#![allow(
    dead_code,
    unused_imports,
    reason = "cargo sets cfg(test) for a bench without a harness but leaves out its tests"
)]

#[path = "load/client.rs"]
mod client;

use clap::Parser;
use std::process::ExitCode;

/// Puts load on an emulator, minikin or another, and reports rates, latencies and costs.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench load --", version)]
struct Line {
    #[command(flatten)]
    arguments: client::Arguments,
    /// Passed by cargo; without effect
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    client::run(&Line::parse().arguments)
}

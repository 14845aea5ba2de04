//! memory: the server's memory during the puts of records, and after them.

use super::control::Control;
use super::figures::Figures;
use super::load::{self, Plan};
use super::put::{BATCH_CONNECTIONS, Kind, Put};
use super::{Run, pause, process};
use std::time::Duration;

/// Number of times that the memory is measured on the way.
const STEPS: u64 = 4;
const STEP_SECONDS: u64 = 600;
/// Time to come to rest in, after the last record.
const REST: Duration = Duration::from_secs(2);

/// Puts the records in steps and looks at the server's memory before, between and after them.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let look = || run.server_pid.and_then(process::memory);
    if look().is_none() {
        return Err("the server's memory is not to be seen: is --server-pid right?".to_owned());
    }
    let idle = Figures::default().with_memory(look());
    let mut figures = vec![idle.part("before".to_owned())];
    Control::new(run)
        .create_stream(run.arguments.shards)
        .await?;
    let bytes_a_call = (run.batch() * run.payload_bytes()) as u64;
    let calls = run.calls();
    let mut done = 0;
    for step in 1..=STEPS {
        let upto = calls.saturating_mul(step) / STEPS;
        if upto == done {
            continue;
        }
        let plan = Plan {
            connections: run.connections(BATCH_CONNECTIONS),
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(STEP_SECONDS),
            requests: upto - done,
        };
        let (sample, _) = load::run(run, plan, || Put::of_kind(run, Kind::Json)).await?;
        done = upto;
        let megabytes = done.saturating_mul(bytes_a_call) / 1_000_000;
        figures.push(Figures::of(&sample).part(format!("{megabytes} MB")));
    }
    pause(REST).await;
    figures.push(
        Figures::default()
            .with_memory(look())
            .part("after".to_owned()),
    );
    Ok(figures)
}

//! The cost of each step of a request: `cargo bench`, or `cargo bench -- sequence` for some.
//!
//! README.md beside this file says what the figures are for and where a request spends its time.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod bed;
mod operations;
mod steps;
mod storage;

use criterion::Criterion;
use std::time::Duration;

fn main() {
    // Short, so that all of it takes about a minute: differences worth having are not small.
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    steps::measure(&mut criterion);
    storage::measure(&mut criterion);
    operations::measure(&mut criterion);
    criterion.final_summary();
}

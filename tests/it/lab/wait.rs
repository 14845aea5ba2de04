//! Waits with time limits. The message of a failed wait names the awaited event.

use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::runtime::Builder;

/// The limit in real time for every wait. It is longer than a busy machine needs.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// The limit in real time for a whole test.
const LONGEST: Duration = Duration::from_secs(600);

/// Waits for `work`. Fails the test after the limit.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    finish(WAIT_LIMIT, what, work).await
}

async fn finish<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// Calls `ask` again and again until it returns a value. Fails the test after the limit.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(value) = ask().await {
                return value;
            }
            tokio::task::yield_now().await;
        }
    };
    within(what, asking).await
}

/// A limit on the rounds of a loop without a time limit, such as the pages of a listing.
#[derive(Debug)]
pub(crate) struct Rounds {
    what: &'static str,
    left: usize,
}

impl Rounds {
    /// Allows at most `most` rounds of waiting for `what`.
    pub(crate) const fn of(most: usize, what: &'static str) -> Self {
        Self { what, left: most }
    }

    /// Counts a round. Fails the test after too many rounds.
    pub(crate) fn next(&mut self) {
        assert!(self.left > 0, "too many rounds in search of {}", self.what);
        self.left -= 1;
    }
}

/// Runs a test's future on a runtime of its own, within the limit for a test.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = Builder::new_multi_thread();
    run(runtime.worker_threads(2).enable_all(), work)
}

/// Runs a test's future on one thread, within the limit for a test. The order of events then
/// depends only on the future.
pub(crate) fn block_on_one_thread<T>(work: impl Future<Output = T>) -> T {
    // The future of a simulation is large. Box it, because the stack of the thread does not have
    // space for several copies.
    run(Builder::new_current_thread().enable_time(), Box::pin(work))
}

fn run<T>(runtime: &mut Builder, work: impl Future<Output = T>) -> T {
    let _watchdog = Watchdog::start();
    let runtime = runtime.build().unwrap();
    let done = runtime.block_on(async { tokio::time::timeout(LONGEST, work).await });
    // A drop of the runtime would wait for a thread that never ends.
    runtime.shutdown_timeout(WAIT_LIMIT);
    match done {
        Ok(done) => done,
        Err(_) => panic!("the test did not end within {} s", LONGEST.as_secs()),
    }
}

/// Ends the process if a test blocks its own thread, because no timer of the runtime can notice
/// this.
struct Watchdog {
    _ended: Sender<()>,
}

impl Watchdog {
    fn start() -> Self {
        let (ended, end) = channel();
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        std::thread::spawn(move || {
            let waited = end.recv_timeout(LONGEST + 2 * WAIT_LIMIT);
            if waited == Err(RecvTimeoutError::Timeout) {
                let limit = LONGEST.as_secs();
                let text = format!("{test} blocks its thread for more than {limit} s\n");
                let _ = std::io::stderr().write_all(text.as_bytes());
                std::process::abort();
            }
        });
        Self { _ended: ended }
    }
}

#[test]
#[should_panic(expected = "waited 1ms in vain for rain")]
fn a_wait_in_vain_says_what_for() {
    block_on(finish(
        Duration::from_millis(1),
        "rain",
        std::future::pending::<()>(),
    ));
}

#[test]
#[should_panic(expected = "too many rounds in search of the last page")]
fn a_loop_without_end_says_what_it_looks_for() {
    let mut rounds = Rounds::of(3, "the last page");
    loop {
        rounds.next();
    }
}

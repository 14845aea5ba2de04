//! Spawns all tasks of the program. Every task is joined when the program stops, and every panic is
//! logged.
#![allow(clippy::disallowed_methods, reason = "the one place that spawns")]

use crate::lock::Lock;
use crate::world::RealDeadline;
use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinSet;

/// A set of tasks that are stopped together.
#[derive(Clone)]
pub struct Tasks(Arc<Lock<State>>);

struct State {
    running: JoinSet<()>,
    closed: bool,
}

impl Tasks {
    /// An empty set of tasks.
    pub fn new() -> Self {
        Self(Arc::new(Lock::new(State {
            running: JoinSet::new(),
            closed: false,
        })))
    }

    /// Runs `future` as a task of this set. If the set is closed, `future` is dropped instead.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        // The future is boxed. Otherwise the program would contain 4 KB of tokio's code for each
        // type of future.
        let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(future);
        let tasks = Arc::downgrade(&self.0);
        let mut state = self.0.lock();
        if state.closed {
            return;
        }
        state.running.spawn(async move {
            guarded(name, future).await;
            // A task that has ended occupies memory until it is removed from the set. After a burst
            // of tasks, a long time may pass without another spawn. Therefore the task itself
            // removes the ended tasks.
            if let Some(tasks) = tasks.upgrade() {
                tasks.lock().reap();
            }
        });
        state.reap();
    }

    /// Runs `future` as a part of another task. No set of tasks contains the future, so it must end
    /// by itself when the other task ends.
    pub fn spawn_part<F>(name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(guarded(name, future));
    }

    /// Closes the set to new tasks, waits up to `limit` for the running tasks, and aborts the tasks
    /// that have not ended by then. Returns the number of aborted tasks.
    pub async fn close_and_join(&self, limit: Duration) -> usize {
        let mut running = {
            let mut state = self.0.lock();
            state.closed = true;
            std::mem::take(&mut state.running)
        };
        let all = async { while running.join_next().await.is_some() {} };
        let _all_ended = RealDeadline::lasting(limit).with(all).await;
        let left = running.len();
        running.shutdown().await;
        left
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        let running = state.running.len();
        formatter
            .debug_struct("Tasks")
            .field("running", &running)
            .field("closed", &state.closed)
            .finish()
    }
}

impl State {
    fn reap(&mut self) {
        while self.running.try_join_next().is_some() {}
    }
}

/// Number of panics of this process so far, in tasks and in requests.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Number of panics of this process so far, in tasks and in requests.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Calls `work` and returns its result. Counts a panic of `work`. After a panic, the caller must
/// not use the values that `work` was changing.
///
/// # Errors
/// Returns the message of the panic.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        panic_text(&*panic).to_owned()
    })
}

/// Runs `future` to its end. A panic ends the future. The panic is counted and logged.
async fn guarded<F: Future<Output = ()>>(name: &'static str, future: F) {
    let mut future = pin!(future);
    poll_fn(|context| {
        // A future that panicked is never polled again.
        caught(|| future.as_mut().poll(context)).unwrap_or_else(|panic| {
            tracing::error!(task = name, panic, "a task panicked");
            Poll::Ready(())
        })
    })
    .await;
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::sync::oneshot;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn closing_waits_for_what_runs_and_lets_nothing_in() {
        let tasks = Tasks::new();
        let (go, gone) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        tasks.spawn("works", async move {
            let _ = gone.await;
            let _ = done.send(());
        });
        let opened = async { go.send(()) };
        let (left, _) = tokio::join!(tasks.close_and_join(LONG), opened);
        assert_eq!(left, 0);
        assert_eq!(is_done.await, Ok(()));

        let (late, is_late) = oneshot::channel::<()>();
        tasks.spawn("late", async move { late.send(()).unwrap() });
        assert!(is_late.await.is_err());
    }

    #[tokio::test]
    async fn closing_ends_what_does_not_end_in_time() {
        let tasks = Tasks::new();
        tasks.spawn("hangs", pending());
        assert_eq!(tasks.close_and_join(Duration::ZERO).await, 1);
    }

    #[tokio::test]
    async fn a_panic_ends_one_task_only() {
        let tasks = Tasks::new();
        let (done, is_done) = oneshot::channel();
        tasks.spawn("panics", async { panic!("meant") });
        tasks.spawn("lives", async move { done.send(()).unwrap() });
        assert_eq!(is_done.await, Ok(()));
        assert_eq!(tasks.close_and_join(LONG).await, 0);
    }

    #[tokio::test]
    async fn ended_tasks_are_not_kept() {
        let tasks = Tasks::new();
        for _ in 0..100 {
            let (done, is_done) = oneshot::channel();
            tasks.spawn("ends", async move { done.send(()).unwrap() });
            let _ = is_done.await;
        }
        assert!(tasks.0.lock().running.len() <= 2);
    }
}

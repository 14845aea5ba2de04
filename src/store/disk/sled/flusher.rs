//! A thread that flushes a database while the committer continues to work.

use super::guard::guarded;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Flushes the database of a generation in a thread of its own, one flush at a time.
pub(super) struct Flusher {
    /// The channel to the thread. `None` only while this value is dropped.
    requests: Option<Sender<()>>,
    results: Receiver<io::Result<()>>,
    is_flushing: bool,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread. The function `flush` flushes the database. If a flush fails, the thread
    /// sets `failed` to true.
    pub(super) fn start(
        flush: impl Fn() -> io::Result<()> + Send + 'static,
        failed: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let (requests, next) = channel::<()>();
        let (sender, results) = channel();
        let run = move || {
            for () in next {
                let flushed = guarded(&flush);
                if flushed.is_err() {
                    failed.store(true, Ordering::Release);
                }
                let _closing = sender.send(flushed);
            }
            if failed.load(Ordering::Acquire) {
                // The drop of `flush` would drop a handle of the database and thereby start another
                // flush, which never returns.
                std::mem::forget(flush);
            }
        };
        let thread = std::thread::Builder::new().name("flushing".into());
        let thread = thread.spawn(run);
        Ok(Self {
            requests: Some(requests),
            results,
            is_flushing: false,
            thread: Some(thread?),
        })
    }

    /// Starts a flush of all values that the database has now. Before that, waits for the end of
    /// the previous flush. Returns an error if the previous flush failed.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.wait()?;
        let requests = self.requests.as_ref();
        let sent = requests.and_then(|requests| requests.send(()).ok());
        sent.ok_or_else(|| io::Error::other("the thread that flushes has ended"))?;
        self.is_flushing = true;
        Ok(())
    }

    /// Waits until the flush in progress has ended. Returns an error if this flush failed. Returns
    /// immediately if no flush is in progress.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_flushing) {
            return Ok(());
        }
        let ended = |_| io::Error::other("the thread that flushes has ended");
        self.results.recv().map_err(ended)?
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the thread that flushes panicked");
        }
    }
}

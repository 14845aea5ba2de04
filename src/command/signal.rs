//! The signals that stop the program.

use std::io;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The handlers of SIGTERM and SIGINT.
///
/// [`StopSignals::install`] installs the handlers early, before the wait begins: without a handler
/// SIGTERM kills a process at once, and process 1 of a container ignores it.
#[derive(Debug)]
pub(super) struct StopSignals {
    #[cfg(unix)]
    terminated: Signal,
    #[cfg(unix)]
    interrupted: Signal,
}

impl StopSignals {
    /// Installs the handlers. It must be called within a tokio runtime.
    ///
    /// # Errors
    /// The operating system refuses the handlers.
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first signal since the handlers were installed.
    #[cfg(unix)]
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }

    /// Does nothing: on this system only Ctrl-C stops the program, and it needs no handler in
    /// advance.
    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub(super) async fn wait(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for Ctrl-C");
        }
    }
}

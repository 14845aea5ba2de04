//! The signals that ask the program to stop.

use std::io;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for SIGTERM or SIGINT.
///
/// The handlers are installed by [`StopSignals::install`], and not when the wait begins: without
/// handlers SIGTERM kills a process, and as process 1 of a container it is lost.
#[derive(Debug)]
pub(super) struct StopSignals {
    #[cfg(unix)]
    terminated: Signal,
    #[cfg(unix)]
    interrupted: Signal,
}

impl StopSignals {
    /// Installs the handlers. Has to be called within a runtime.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns at the first signal since the handlers were installed.
    #[cfg(unix)]
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }

    /// Does nothing: this system has only Ctrl-C, which needs no handler beforehand.
    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at Ctrl-C.
    #[cfg(not(unix))]
    pub(super) async fn wait(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for Ctrl-C");
        }
    }
}

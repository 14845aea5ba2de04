//! The signals that stop the program.

use std::io;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The handlers of the signals SIGTERM and SIGINT.
///
/// [`StopSignals::install`] installs the handlers before the emulator starts. Without a handler,
/// SIGTERM kills an ordinary process immediately, and process 1 of a container ignores SIGTERM.
#[derive(Debug)]
pub(super) struct StopSignals {
    #[cfg(unix)]
    terminated: Signal,
    #[cfg(unix)]
    interrupted: Signal,
}

impl StopSignals {
    /// Installs handlers of SIGTERM and SIGINT. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The operating system refuses a handler.
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for SIGTERM or SIGINT. A signal that has arrived between the installation of the
    /// handlers and this call also ends the wait.
    #[cfg(unix)]
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }

    /// Does nothing. On this system only Ctrl-C stops the program, and Ctrl-C needs no handler
    /// before the wait.
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

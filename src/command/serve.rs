//! `minikin serve`: an emulator until a signal.

use super::signal::stop_signal;
use crate::emulator::Emulator;
use crate::options::Options;
use std::io::{self, Write};
use std::process::ExitCode;

/// Serves until SIGTERM or SIGINT; then requests in flight are finished and records committed.
pub(super) fn run(options: Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no threads to run on: {error}")),
    };
    runtime.block_on(async {
        let emulator = match Emulator::start(options).await {
            Ok(emulator) => emulator,
            Err(error) => return failed(&error.to_string()),
        };
        announce(&emulator);
        if let Err(error) = stop_signal().await {
            tracing::error!(%error, "signals cannot be heard");
        }
        tracing::info!("stopping");
        match emulator.stop().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string()),
        }
    })
}

/// Says on stdout where the emulator listens; whoever started it reads up to `Ready.`.
fn announce(emulator: &Emulator) {
    let mut text = String::new();
    for address in emulator.addresses() {
        text.push_str(&format!("Listening on {address}\n"));
    }
    text.push_str("Ready.\n");
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn failed(problem: &str) -> ExitCode {
    eprintln!("minikin: {problem}");
    ExitCode::FAILURE
}

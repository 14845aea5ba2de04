//! `minikin serve`: runs an emulator until a signal stops it.

use super::signal::StopSignals;
use crate::emulator::Emulator;
use crate::limits;
use crate::options::Options;
use crate::world::raise_descriptor_limit;
use std::io::{self, Write};
use std::process::ExitCode;

/// Serves requests until SIGTERM or SIGINT arrives. Then finishes the requests in flight and
/// commits all records.
pub(super) fn run(options: Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(options)),
        Err(error) => Err(format!("cannot start threads: {error}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("minikin: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), String> {
    // Install the handlers first: the start may take long, and a signal may arrive during the
    // start.
    let signals = StopSignals::install();
    let signals = signals.map_err(|error| format!("cannot handle signals: {error}"))?;
    raise_descriptor_limit(limits::DESCRIPTORS);
    let emulator = Emulator::start(options).await;
    let emulator = emulator.map_err(|error| error.to_string())?;
    announce(&emulator);
    signals.wait().await;
    tracing::info!("stopping");
    emulator.stop().await.map_err(|error| error.to_string())
}

/// Prints the addresses to stdout. A program that starts the emulator reads stdout up to the line
/// `Ready.`.
fn announce(emulator: &Emulator) {
    let mut text = String::new();
    for address in emulator.addresses() {
        text.push_str(&format!("Listening on {address}\n"));
    }
    text.push_str("Ready.\n");
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

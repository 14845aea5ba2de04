//! `minikin clear`, `reset` and `clock`: changes of a running emulator.

use super::client::{Client, Connection, path_part};
use super::outcome::{Answer, Failure};
use super::print;
use serde_json::json;

/// The arguments of `minikin clear`.
#[derive(Debug, clap::Args)]
pub(super) struct Clear {
    /// The stream's name or ARN
    stream: String,
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of `minikin reset`.
#[derive(Debug, clap::Args)]
pub(super) struct Reset {
    /// Make the streams of the start again
    #[arg(long)]
    setup: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of `minikin clock`.
#[derive(Debug, clap::Args)]
pub(super) struct ClockArguments {
    #[command(subcommand)]
    change: Option<ClockChange>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum ClockChange {
    /// Move a virtual clock on
    Advance {
        /// The time to move on, in milliseconds
        ms: u64,
    },
    /// Move a virtual clock on to a moment
    Set {
        /// The moment: RFC 3339, or seconds or milliseconds since 1970
        time: crate::options::Moment,
    },
}

/// Drops a stream's records.
pub(super) fn clear(arguments: &Clear) -> Result<Answer, Failure> {
    let path = format!("streams/{}/clear", path_part(&arguments.stream));
    let client = Client::new(&arguments.connection);
    client.post(&path, &json!({})).map(|_| Answer::Yes)
}

/// Removes everything.
pub(super) fn reset(arguments: &Reset) -> Result<Answer, Failure> {
    let client = Client::new(&arguments.connection);
    let body = json!({"setup": arguments.setup});
    client.post("reset", &body).map(|_| Answer::Yes)
}

/// Shows or moves the clock.
pub(super) fn clock(arguments: &ClockArguments) -> Result<Answer, Failure> {
    let client = Client::new(&arguments.connection);
    let answer = match &arguments.change {
        None => client.get("clock", &[])?,
        Some(ClockChange::Advance { ms }) => client.post("clock", &json!({"advance_ms": ms}))?.1,
        Some(ClockChange::Set { time }) => {
            let ms = time.0.millis();
            client.post("clock", &json!({"set_ms": ms}))?.1
        }
    };
    print::line(&answer.to_string())?;
    Ok(Answer::Yes)
}

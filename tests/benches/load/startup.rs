//! startup: the time from the start of minikin to its first answer.

use super::connection::Connection;
use super::figures::{Figures, Sample, Tally};
use super::server::Server;
use super::{Arguments, pause, process, request};
use minikin::internals::world::Stopwatch;
use serde_json::json;
use std::time::Duration;

const RUNS: u32 = 10;
/// Time to come to rest in, before the memory is looked at.
const REST: Duration = Duration::from_millis(200);

/// Starts a server several times. What counts as a latency is the time from its start to its
/// first ListStreams answer.
pub(super) async fn measure(arguments: &Arguments) -> Result<Vec<Figures>, String> {
    let mut tally = Tally::new();
    let mut idle = None;
    let mut seconds = 0.0;
    for _ in 0..RUNS {
        let begun = Stopwatch::start();
        let server = Server::start(arguments.server_settings())?;
        let mut connection = Connection::new(server.address);
        let request = request::json(server.address, "ListStreams", &json!({}));
        let answer = connection.send(&request).await;
        let took = begun.elapsed();
        match answer {
            Ok(answer) if answer.status == 200 => tally.success(took, 0),
            Ok(answer) => tally.failure(true, answer.complaint()),
            Err(error) => tally.failure(true, error.to_string()),
        }
        seconds += took.as_secs_f64();
        pause(REST).await;
        idle = process::memory(server.pid()).or(idle);
    }
    let sample = Sample {
        tally,
        seconds,
        payload_bytes: 0,
        server_cpu: None,
        client_cpu: None,
        server_memory: idle,
    };
    Ok(vec![Figures::of(&sample)])
}

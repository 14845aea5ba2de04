//! streams: whole lives of streams, created, described, deleted and gone, one after the other.

use super::Run;
use super::connection::Answer;
use super::figures::Figures;
use super::load::{self, Plan, Work};
use super::request;
use memchr::memmem;
use minikin::internals::world::Stopwatch;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Lives at a time, unless said otherwise: the service lets five streams be in transition.
const CONNECTIONS: u16 = 4;
/// Longest time to create or to remove a stream. A server that needs longer has failed.
const STAGE_WITHIN: Duration = Duration::from_secs(10);
const GONE: &[u8] = b"ResourceNotFoundException";

/// The request that the next answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Create,
    UntilActive,
    Delete,
    UntilGone,
}

/// One connection's streams.
#[derive(Debug)]
struct Lives {
    address: SocketAddr,
    /// The beginning of all names.
    prefix: String,
    /// Streams before this one.
    before: u64,
    stage: Stage,
    since: Stopwatch,
    next: Vec<u8>,
}

impl Lives {
    fn new(address: SocketAddr, prefix: String) -> Self {
        Self {
            address,
            prefix,
            before: 0,
            stage: Stage::Create,
            since: Stopwatch::start(),
            next: Vec::new(),
        }
    }

    fn enter(&mut self, stage: Stage) {
        let name = format!("{}-{}", self.prefix, self.before);
        let (operation, body) = match stage {
            Stage::Create => (
                "CreateStream",
                json!({ "StreamName": name, "ShardCount": 1 }),
            ),
            Stage::Delete => ("DeleteStream", json!({ "StreamName": name })),
            Stage::UntilActive | Stage::UntilGone => {
                ("DescribeStreamSummary", json!({ "StreamName": name }))
            }
        };
        self.next = request::json(self.address, operation, &body);
        self.stage = stage;
        self.since = Stopwatch::start();
    }

    /// The stage after this one, if the answer ends it.
    fn stage_after(&self, answer: Answer<'_>) -> Result<Option<Stage>, String> {
        let gone = answer.status == 400 && memmem::find(answer.body, GONE).is_some();
        match (self.stage, answer.status) {
            (Stage::Create, 200) => Ok(Some(Stage::UntilActive)),
            (Stage::Delete, 200) => Ok(Some(Stage::UntilGone)),
            (Stage::UntilGone, _) if gone => Ok(Some(Stage::Create)),
            (Stage::UntilActive, 200) => {
                let status = request::last_text(answer.body, "StreamStatus");
                Ok((status.as_deref() == Some("ACTIVE")).then_some(Stage::Delete))
            }
            (Stage::UntilGone, 200) => Ok(None),
            // Some emulators do not find a stream directly after its creation.
            (Stage::UntilActive, _) if gone => Ok(None),
            _ => Err(answer.complaint()),
        }
    }
}

impl Work for Lives {
    fn prepare(&mut self) {
        // Also after a failure: the loop does not return to the failed stream.
        self.before += 1;
        self.enter(Stage::Create);
    }

    fn request(&self) -> &[u8] {
        &self.next
    }

    fn judge(&mut self, answer: Answer<'_>) -> Result<u64, String> {
        match self.stage_after(answer)? {
            Some(Stage::Create) => self.stage = Stage::Create,
            Some(stage) => self.enter(stage),
            None if self.since.elapsed() > STAGE_WITHIN => {
                return Err(format!("a stream stayed as it was: {}", answer.complaint()));
            }
            None => {}
        }
        Ok(0)
    }

    fn goes_on(&self) -> bool {
        self.stage != Stage::Create
    }
}

/// Lives through streams for as long as was asked for.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let plan = Plan {
        connections: run.connections(CONNECTIONS),
        warm_up: run.warm_up(),
        measured: Duration::from_secs(run.arguments.seconds),
        requests: run.requests(),
    };
    let mut connections = 0;
    let lives = || {
        connections += 1;
        let prefix = format!("{}-{connections}", run.stream);
        Ok(Lives::new(run.address, prefix))
    };
    let (sample, _) = load::run(run, plan, lives).await?;
    Ok(vec![Figures::of(&sample)])
}

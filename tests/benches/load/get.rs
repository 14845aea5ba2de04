//! get: walks through a filled shard. getdeep: reads at places of ever deeper shards.

use super::Run;
use super::connection::Answer;
use super::control::{Control, Start};
use super::figures::{Figures, Sample};
use super::load::{self, Plan, Work};
use super::put::fill;
use super::request;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Connections that walk, unless said otherwise.
const WALKERS: u16 = 16;
const WALK_LIMIT: u64 = 1000;
const WALK_RECORDS: u64 = 10_000;
/// Records of one read: few, so that the depth decides the time and not the size of the answer.
const DEEP_LIMIT: u64 = 100;
const DEEP_CALLS: u64 = 200;
const DEEP_SECONDS: u64 = 5;
const FIRST_DEPTH: u64 = 1000;

/// Reads from one iterator on and begins again behind the last record.
#[derive(Debug)]
struct Walk {
    address: SocketAddr,
    limit: u64,
    /// The request that begins a walk.
    first: Vec<u8>,
    next: Vec<u8>,
    /// Records read in this walk, and in a whole one.
    seen: u64,
    whole: u64,
}

impl Walk {
    fn new(address: SocketAddr, iterator: &str, limit: u64, whole: u64) -> Self {
        let first = read(address, iterator, limit);
        Self {
            address,
            limit,
            next: first.clone(),
            first,
            seen: 0,
            whole,
        }
    }

    fn begin_again(&mut self) {
        self.next.clone_from(&self.first);
        self.seen = 0;
    }
}

impl Work for Walk {
    fn prepare(&mut self) {}

    fn request(&self) -> &[u8] {
        &self.next
    }

    fn judge(&mut self, answer: Answer<'_>) -> Result<u64, String> {
        if answer.status != 200 {
            // A throttled read is asked for again; another failure may lie in the iterator.
            self.begin_again();
            return Err(answer.complaint());
        }
        let records = request::records_in(answer.body);
        self.seen += records;
        match request::last_text(answer.body, "NextShardIterator") {
            Some(next) if records > 0 && self.seen < self.whole => {
                self.next = read(self.address, &next, self.limit);
            }
            _ => self.begin_again(),
        }
        Ok(records)
    }
}

fn read(address: SocketAddr, iterator: &str, limit: u64) -> Vec<u8> {
    let body = json!({ "ShardIterator": iterator, "Limit": limit });
    request::json(address, "GetRecords", &body)
}

/// Walks on every connection for as long as was asked for.
pub(super) async fn walk(run: &Run) -> Result<Vec<Figures>, String> {
    let control = Control::new(run);
    control.create_stream(1).await?;
    let calls = WALK_RECORDS.div_ceil(run.batch() as u64);
    let records = fill(run, calls).await?.len() as u64 * run.batch() as u64;
    let shard = control.first_shard().await?;
    let first = control.iterator(&shard, Start::TrimHorizon).await?;
    let plan = Plan {
        connections: run.connections(WALKERS),
        warm_up: run.warm_up(),
        measured: Duration::from_secs(run.arguments.seconds),
        requests: run.requests(),
    };
    let walk = || Ok(Walk::new(run.address, &first, WALK_LIMIT, records));
    let (sample, _) = load::run(run, plan, walk).await?;
    Ok(vec![Figures::of(&sample)])
}

/// Fills a shard to 1,000 records, then 10,000 and so on, and reads at three places of each.
pub(super) async fn deep(run: &Run) -> Result<Vec<Figures>, String> {
    let control = Control::new(run);
    control.create_stream(1).await?;
    let shard = control.first_shard().await?;
    let batch = run.batch() as u64;
    let depths = std::iter::successors(Some(FIRST_DEPTH), |depth| depth.checked_mul(10));
    let (mut marks, mut figures) = (Vec::new(), Vec::new());
    for depth in depths.take_while(|depth| *depth <= run.arguments.depth) {
        let calls = depth.div_ceil(batch).saturating_sub(marks.len() as u64);
        marks.extend(fill(run, calls).await?);
        // Decimal numbers of different lengths; several connections wrote them.
        marks.sort_by(|left, right| (left.len(), left).cmp(&(right.len(), right)));
        for (place, start) in places(&marks, batch)? {
            let iterator = control.iterator(&shard, start).await?;
            let measured = repeat(run, &iterator).await?;
            figures.push(measured.part(format!("{} {place}", marks.len() as u64 * batch)));
        }
    }
    Ok(figures)
}

/// Positions to read from: each has, with the usual batches, enough records behind it for an
/// answer.
fn places(marks: &[String], batch: u64) -> Result<[(&'static str, Start<'_>); 3], String> {
    let behind_end = usize::try_from(DEEP_LIMIT.div_ceil(batch)).unwrap_or(usize::MAX);
    let last = marks.len().checked_sub(1).ok_or("nothing was put")?;
    let at = |mark: usize| Start::At(&marks[mark]);
    Ok([
        ("head", Start::TrimHorizon),
        ("middle", at(last / 2)),
        ("end", at(last.saturating_sub(behind_end))),
    ])
}

/// Makes the same read again and again.
async fn repeat(run: &Run, iterator: &str) -> Result<Figures, String> {
    let plan = Plan {
        connections: 1,
        warm_up: Duration::from_millis(50),
        measured: Duration::from_secs(DEEP_SECONDS),
        requests: DEEP_CALLS,
    };
    let walk = || Ok(Walk::new(run.address, iterator, DEEP_LIMIT, 0));
    let (sample, _) = load::run(run, plan, walk).await?;
    // The processor time of this number of calls is a few clock ticks, too little to measure.
    Ok(Figures::of(&Sample {
        server_cpu: None,
        client_cpu: None,
        ..sample
    }))
}

//! put1, put500, put500cbor: writes.

use super::Run;
use super::connection::Answer;
use super::control::Control;
use super::figures::Figures;
use super::load::{self, Plan, Work};
use super::request::{self, Template};
use std::time::Duration;

/// Connections that put single records, unless said otherwise.
const SINGLE_CONNECTIONS: u16 = 16;
/// Connections that put batches.
pub(super) const BATCH_CONNECTIONS: u16 = 4;
const FILL_SECONDS: u64 = 300;

/// The operation and the format of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// PutRecord in JSON.
    One,
    /// PutRecords in JSON.
    Json,
    /// PutRecords in CBOR.
    Cbor,
}

/// One connection's writes.
#[derive(Debug)]
pub(super) struct Put {
    template: Template,
    /// True if the last sequence number of each answer is kept.
    keeps_marks: bool,
    /// The kept sequence numbers.
    pub(super) marks: Vec<String>,
}

impl Put {
    fn new(template: Template) -> Self {
        Self {
            template,
            keeps_marks: false,
            marks: Vec::new(),
        }
    }

    /// Puts batches in JSON to the stream of `run`, and keeps marks of where they are.
    pub(super) fn marking(run: &Run) -> Self {
        let (batch, payload) = (run.batch(), run.payload_bytes());
        let template = Template::put_records(run.address, &run.stream, batch, payload);
        Self {
            keeps_marks: true,
            ..Self::new(template)
        }
    }

    /// Puts of this kind to the stream of `run`.
    pub(super) fn of_kind(run: &Run, kind: Kind) -> Result<Self, String> {
        let (address, stream) = (run.address, run.stream.as_str());
        let (batch, payload) = (run.batch(), run.payload_bytes());
        Ok(Self::new(match kind {
            Kind::One => Template::put_record(address, stream, payload),
            Kind::Json => Template::put_records(address, stream, batch, payload),
            Kind::Cbor => Template::put_records_cbor(address, stream, batch, payload)?,
        }))
    }
}

impl Work for Put {
    fn prepare(&mut self) {
        self.template.renew();
    }

    fn request(&self) -> &[u8] {
        self.template.bytes()
    }

    fn judge(&mut self, answer: Answer<'_>) -> Result<u64, String> {
        if answer.status != 200 {
            return Err(answer.complaint());
        }
        match request::failed_records(answer.body) {
            0 => {}
            failed => return Err(format!("{failed} records failed: {}", answer.complaint())),
        }
        if self.keeps_marks {
            let mark = request::last_text(answer.body, "SequenceNumber");
            self.marks
                .push(mark.ok_or("the answer has no sequence number")?);
        }
        Ok(self.template.records())
    }
}

/// Writes for as long as was asked for.
pub(super) async fn measure(run: &Run, kind: Kind) -> Result<Vec<Figures>, String> {
    Control::new(run)
        .create_stream(run.arguments.shards)
        .await?;
    let connections = match kind {
        Kind::One => SINGLE_CONNECTIONS,
        Kind::Json | Kind::Cbor => BATCH_CONNECTIONS,
    };
    let plan = Plan {
        connections: run.connections(connections),
        warm_up: run.warm_up(),
        measured: Duration::from_secs(run.arguments.seconds),
        requests: run.requests(),
    };
    let (sample, _) = load::run(run, plan, || Put::of_kind(run, kind)).await?;
    Ok(vec![Figures::of(&sample)])
}

/// Puts batches with so many calls; the last sequence number of each.
pub(super) async fn fill(run: &Run, calls: u64) -> Result<Vec<String>, String> {
    let plan = Plan {
        connections: usize::from(BATCH_CONNECTIONS),
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(FILL_SECONDS),
        requests: calls,
    };
    if calls == 0 {
        return Ok(Vec::new());
    }
    let (_, puts) = load::run(run, plan, || Ok(Put::marking(run))).await?;
    let marks: Vec<String> = puts.into_iter().flat_map(|put| put.marks).collect();
    let put = marks.len() as u64;
    if put < calls {
        return Err(format!(
            "only {put} of {calls} puts succeeded in filling the stream"
        ));
    }
    Ok(marks)
}

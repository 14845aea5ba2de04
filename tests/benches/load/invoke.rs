//! invoke: the records of a filled stream through a function. invoke-latency: the time from a put
//! to the invocation with its record.

use super::connection::Connection;
use super::control::Control;
use super::figures::{Figures, Sample, Tally};
use super::function::{self, Function};
use super::load::{self, Meter};
use super::request::Template;
use super::{Run, pause, put, within};
use serde_json::json;
use std::time::Duration;

const BATCH_SIZE: u64 = 1000;
const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
/// The longest wait for an invocation.
const INVOKED_WITHIN: Duration = Duration::from_secs(30);
/// Time between an invocation and the next put.
const BETWEEN: Duration = Duration::from_millis(2);

/// A mapping of a run's stream to the function of this process.
#[derive(Debug)]
struct Mapping {
    control: Control,
    id: String,
}

impl Mapping {
    /// Creates a mapping that begins with the first record of a stream.
    async fn create(run: &Run, stream: &str) -> Result<Self, String> {
        let control = Control::new(run);
        let body = json!({
            "EventSourceArn": stream,
            "FunctionName": function::NAME,
            "BatchSize": BATCH_SIZE,
            "StartingPosition": "TRIM_HORIZON",
        });
        let created = control
            .rest(&format!("POST {MAPPINGS}"), &body.to_string())
            .await?;
        let id = created["UUID"].as_str().ok_or("a mapping has no UUID")?;
        Ok(Self {
            control,
            id: id.to_owned(),
        })
    }

    /// Deletes the mapping after a measurement; its result, unless the mapping stays.
    async fn deleted_after<T>(self, measured: Result<T, String>) -> Result<T, String> {
        let line = format!("DELETE {MAPPINGS}/{}", self.id);
        let deleted = self.control.rest(&line, "").await;
        measured.and_then(|measured| deleted.map(|_| measured))
    }
}

/// Fills a stream, and lets a mapping bring its records to the function, until the time is over or
/// all records are there. A latency is the time from an answer to the next event on a connection.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let mut function = Function::serve(run)?;
    let stream = Control::new(run)
        .create_stream(run.arguments.shards)
        .await?;
    let records = put::fill(run, run.calls()).await?.len() as u64 * run.batch() as u64;
    let meter = Meter::start(run);
    let mapping = Mapping::create(run, &stream).await?;
    let counted = count(run, &mut function, meter, records).await;
    let sample = mapping.deleted_after(counted).await?;
    Ok(vec![Figures::of(&sample)])
}

async fn count(
    run: &Run,
    function: &mut Function,
    meter: Meter<'_>,
    records: u64,
) -> Result<Sample, String> {
    let mut tally = Tally::new();
    while tally.records() < records && tally.requests() < run.requests() {
        let left = (run.seconds() - meter.seconds()).max(0.0);
        let Some(next) = within(Duration::from_secs_f64(left), function.next()).await else {
            break;
        };
        let invocation = next?;
        tally.success(invocation.waited, invocation.records);
    }
    match tally.requests() {
        0 => Err("the function was not invoked".to_owned()),
        _ => Ok(meter.sample(tally)),
    }
}

/// Puts record after record and waits for the invocation with each.
pub(super) async fn latency(run: &Run) -> Result<Vec<Figures>, String> {
    let mut function = Function::serve(run)?;
    let stream = Control::new(run)
        .create_stream(run.arguments.shards)
        .await?;
    let mapping = Mapping::create(run, &stream).await?;
    let mut writer = Connection::new(run.address);
    let mut put = Template::put_record(run.address, &run.stream, run.payload_bytes());
    let round = async || {
        pause(BETWEEN).await;
        put.renew();
        let sent = function.watch.elapsed();
        let putting = writer.ok(put.bytes());
        let invoking = within(INVOKED_WITHIN, function.next());
        let (answered, invoked) = tokio::join!(putting, invoking);
        answered?;
        let invocation = invoked.ok_or("no invocation came")??;
        match invocation.records {
            1 => Ok(invocation.arrived.saturating_sub(sent)),
            records => Err(format!("an invocation got {records} records")),
        }
    };
    let measured = load::rounds(run, round).await;
    let sample = mapping.deleted_after(measured).await?;
    Ok(vec![Figures::of(&sample)])
}

//! deliver: the records of a stream through a channel to a folder.

use super::control::Control;
use super::figures::{Figures, Sample, Tally};
use super::load::{self, Meter, Plan};
use super::put::{BATCH_CONNECTIONS, Kind, Put};
use super::{Run, pause};
use minikin::internals::world::Stopwatch;
use serde_json::{Value, json};
use std::time::Duration;

const PUT_SECONDS: u64 = 600;
const DELIVERED_WITHIN: Duration = Duration::from_secs(300);
const ACTIVE_WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A channel from a run's stream to a bucket.
#[derive(Debug)]
struct Channel {
    control: Control,
    arn: String,
}

impl Channel {
    /// Creates an on-demand stream with a channel, which delivers the bytes of the records one
    /// after another.
    async fn create(run: &Run) -> Result<Self, String> {
        let control = Control::new(run);
        let stream = control.create_on_demand_stream().await?;
        let account = stream.split(':').nth(4).unwrap_or_default();
        let body = json!({
            "ChannelName": run.stream,
            "ServiceExecutionRoleARN": format!("arn:aws:iam::{account}:role/load"),
            "StreamConfigurationList": [{
                "StreamARN": stream,
                "RecordConfiguration": { "RecordFormatType": "BYTE_ARRAY" },
            }],
            "S3DestinationConfiguration": { "StorageConfiguration": {
                "BucketARN": "arn:aws:s3:::load",
                "ExpectedBucketOwner": account,
                "CompressionType": "NONE",
            } },
        });
        let arn = control
            .created("CreateChannel", &body, "/ChannelDescription/ChannelARN")
            .await?;
        let channel = Self { control, arn };
        match channel.wait_until_active().await {
            Ok(()) => Ok(channel),
            Err(error) => channel.deleted_after(Err(error)).await,
        }
    }

    async fn wait_until_active(&self) -> Result<(), String> {
        let waiting = Stopwatch::start();
        let body = json!({ "ChannelARN": self.arn });
        loop {
            let described = self.control.call("DescribeChannel", &body).await?;
            let described = &described["ChannelDescription"];
            if described["ChannelStatus"] == "ACTIVE" {
                return Ok(());
            }
            if described["ChannelStatus"] == "FAILED" || waiting.elapsed() > ACTIVE_WITHIN {
                return Err(format!("the channel is not ACTIVE: {described}"));
            }
            pause(BETWEEN_LOOKS).await;
        }
    }

    /// The records that were delivered up to now.
    async fn delivered(&self) -> Result<u64, String> {
        let listed = self.control.rest("GET /_minikin/channels", "").await?;
        let channels = listed["channels"].as_array();
        let is_own = |channel: &&Value| channel["ChannelARN"] == self.arn;
        let own = channels.and_then(|all| all.iter().find(is_own));
        let records = own.and_then(|channel| channel["DeliveredRecords"].as_u64());
        records.ok_or_else(|| format!("no channel with delivered records in {listed}"))
    }

    /// Delivers everything there is.
    async fn flush(&self) -> Result<(), String> {
        let line = format!("POST /_minikin/channels/{}/flush", self.arn);
        let waiting = Stopwatch::start();
        loop {
            match self.control.rest(&line, "").await {
                Ok(_) => return Ok(()),
                // A flush waits for ten seconds only.
                Err(error) if !error.contains(": 408 ") => return Err(error),
                Err(error) if waiting.elapsed() > DELIVERED_WITHIN => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Deletes the channel after a measurement; its result, unless the channel stays.
    async fn deleted_after<T>(self, measured: Result<T, String>) -> Result<T, String> {
        let body = json!({ "ChannelARN": self.arn });
        let deleted = self.control.call("DeleteChannel", &body).await;
        measured.and_then(|measured| deleted.map(|_| measured))
    }
}

/// Puts the records while the channel delivers them, and then lets it deliver the rest. The rows
/// are those of the puts, of the rest alone and of all.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let channel = Channel::create(run).await?;
    let measured = deliver(run, &channel).await;
    channel.deleted_after(measured).await
}

async fn deliver(run: &Run, channel: &Channel) -> Result<Vec<Figures>, String> {
    let plan = Plan {
        connections: run.connections(BATCH_CONNECTIONS),
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(PUT_SECONDS),
        requests: run.calls(),
    };
    let all = Meter::start(run);
    let (puts, _) = load::run(run, plan, || Put::of_kind(run, Kind::Json)).await?;
    let before = channel.delivered().await?;
    let rest = Meter::start(run);
    channel.flush().await?;
    let (all, rest) = (all.sample(Tally::new()), rest.sample(Tally::new()));
    let delivered = channel.delivered().await?;
    let missing = puts.tally.records().saturating_sub(delivered);
    if missing > 0 {
        return Err(format!("{missing} records were not delivered"));
    }
    Ok(vec![
        Figures::of(&puts).part("put".to_owned()),
        moved(rest, delivered - before).part("rest".to_owned()),
        moved(all, delivered).part("all".to_owned()),
    ])
}

/// The figures of so many records moved at once.
fn moved(mut sample: Sample, records: u64) -> Figures {
    let took = Duration::from_secs_f64(sample.seconds);
    sample.tally.success(took, records);
    Figures::of(&sample)
}

//! The calls around a measurement: making its stream, finding its shard, deleting it.

use super::connection::Connection;
use super::request;
use super::{Run, pause};
use minikin::internals::world::Stopwatch;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

const ACTIVE_WITHIN: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Calls about one run's stream.
#[derive(Debug)]
pub(super) struct Control {
    address: SocketAddr,
    stream: String,
}

/// The position of a shard iterator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start<'a> {
    TrimHorizon,
    At(&'a str),
}

impl Control {
    pub(super) fn new(run: &Run) -> Self {
        Self {
            address: run.address,
            stream: run.stream.clone(),
        }
    }

    /// Creates the stream and waits until it is ACTIVE; its ARN.
    pub(super) async fn create_stream(&self, shards: u32) -> Result<String, String> {
        let body = json!({ "StreamName": self.stream, "ShardCount": shards });
        self.create(&body).await
    }

    /// The same with an on-demand stream, whose number of shards is the server's choice.
    pub(super) async fn create_on_demand_stream(&self) -> Result<String, String> {
        let mode = json!({ "StreamMode": "ON_DEMAND" });
        let body = json!({ "StreamName": self.stream, "StreamModeDetails": mode });
        self.create(&body).await
    }

    async fn create(&self, body: &Value) -> Result<String, String> {
        self.call("CreateStream", body).await?;
        let waiting = Stopwatch::start();
        let body = json!({ "StreamName": self.stream });
        loop {
            let summary = self.call("DescribeStreamSummary", &body).await;
            let summary = summary
                .as_ref()
                .map(|summary| &summary["StreamDescriptionSummary"]);
            match summary.map(|summary| (&summary["StreamStatus"], &summary["StreamARN"])) {
                Ok((status, arn)) if status == "ACTIVE" => return text(arn),
                status if waiting.elapsed() > ACTIVE_WITHIN => {
                    return Err(format!("the stream did not become ACTIVE: {status:?}"));
                }
                // Some emulators do not find a stream directly after its creation.
                _ => pause(BETWEEN_LOOKS).await,
            }
        }
    }

    pub(super) async fn delete_stream(&self) -> Result<(), String> {
        let body = json!({ "StreamName": self.stream });
        self.call("DeleteStream", &body).await.map(drop)
    }

    /// The stream's first shard.
    pub(super) async fn first_shard(&self) -> Result<String, String> {
        let body = json!({ "StreamName": self.stream });
        let shards = self.call("ListShards", &body).await?;
        text(&shards["Shards"][0]["ShardId"])
    }

    pub(super) async fn iterator(&self, shard: &str, start: Start<'_>) -> Result<String, String> {
        let mut body = json!({ "StreamName": self.stream, "ShardId": shard });
        match start {
            Start::TrimHorizon => body["ShardIteratorType"] = json!("TRIM_HORIZON"),
            Start::At(sequence_number) => {
                body["ShardIteratorType"] = json!("AT_SEQUENCE_NUMBER");
                body["StartingSequenceNumber"] = json!(sequence_number);
            }
        }
        let answer = self.call("GetShardIterator", &body).await?;
        text(&answer["ShardIterator"])
    }

    /// The text at `pointer` in the answer to a call that creates something.
    pub(super) async fn created(
        &self,
        operation: &str,
        body: &Value,
        pointer: &str,
    ) -> Result<String, String> {
        let answer = self.call(operation, body).await?;
        text(answer.pointer(pointer).unwrap_or(&Value::Null))
    }

    /// The answer to a call that has to succeed.
    pub(super) async fn call(&self, operation: &str, body: &Value) -> Result<Value, String> {
        let request = request::json(self.address, operation, body);
        self.answer(operation, &request).await
    }

    /// The same with the method and the path of another interface.
    pub(super) async fn rest(&self, line: &str, body: &str) -> Result<Value, String> {
        let request = request::rest(self.address, line, body);
        self.answer(line, &request).await
    }

    async fn answer(&self, what: &str, request: &[u8]) -> Result<Value, String> {
        // Anew each time: a connection that lay idle may have been closed by the peer.
        let mut connection = Connection::new(self.address);
        let answer = connection.ok(request).await;
        let answer = answer.map_err(|error| format!("{what}: {error}"))?;
        // An answer without members is an empty body.
        Ok(serde_json::from_slice(answer.body).unwrap_or(Value::Null))
    }
}

fn text(value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| format!("a text was expected where the answer has {value}"))
}

//! `GET streams`: lists all streams of an account in a region.

use super::access::Permitted;
use super::listing::every_page;
use super::query::Query;
use super::queues::counts;
use super::state::{Admin, Refused, json};
use crate::engine::Stream;
use crate::http::rates::{Rate, Rates};
use crate::model::StreamArn;
use crate::world::Timestamp;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json as value};
use std::collections::HashMap;
use std::sync::Arc;

/// Answers with the JSON objects of all streams of an account in a region.
pub(super) async fn streams(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Extension(rates): Extension<Arc<Rates>>,
    mut query: Query,
) -> Result<Response, Refused> {
    let account_region = query.account_region(&admin)?;
    query.end()?;
    let now = admin.engine.world.clock.now();
    let readers = Readers::of(&admin, now);
    let all = every_page(
        |after, most| admin.engine.list(&account_region, after, most),
        |stream| stream.arn.name.to_string(),
        |stream| overview(stream, &readers, rates.of_stream(stream, now).newest(), now),
    );
    Ok(json(&value!({ "streams": all })))
}

/// The JSON objects of all queues, channels and event source mappings. They are grouped by the
/// stream that the queue, channel or mapping reads.
struct Readers {
    /// The JSON objects of queues. The key is the incarnation number of the stream that the queues
    /// read.
    queues: HashMap<u64, Vec<Value>>,
    /// The JSON objects of channels. The key is the incarnation number of the stream that the
    /// channels read.
    channels: HashMap<u64, Vec<Value>>,
    mappings: HashMap<StreamArn, Vec<Value>>,
}

impl Readers {
    fn of(admin: &Admin, now: Timestamp) -> Self {
        let mut queues: HashMap<u64, Vec<Value>> = HashMap::new();
        for queue in admin.engine.all_queues() {
            let of_stream = queues.entry(queue.stream.incarnation).or_default();
            of_stream.push(Value::Object(counts(&queue, &queue.figures(now))));
        }
        let mut channels: HashMap<u64, Vec<Value>> = HashMap::new();
        for channel in admin.engine.all_channels() {
            let figures = channel.figures(now);
            let of_stream = channels.entry(channel.stream.incarnation).or_default();
            of_stream.push(value!({
                "ChannelName": &*channel.name,
                "ChannelStatus": channel.describe().status.as_str(),
                "BufferedRecords": figures.buffered,
                "DeliveredRecords": figures.records,
            }));
        }
        let mut mappings: HashMap<StreamArn, Vec<Value>> = HashMap::new();
        for mapping in admin.engine.event_sources.all() {
            let view = mapping.view(now);
            let of_stream = mappings.entry(mapping.source.stream().clone()).or_default();
            of_stream.push(value!({
                "UUID": mapping.uuid.to_string(),
                "FunctionName": view.function.name,
                "State": view.state,
            }));
        }
        Self {
            queues,
            channels,
            mappings,
        }
    }
}

/// The JSON object of a stream in the list of streams. The rates are null if `rate` is None.
fn overview(stream: &Stream, readers: &Readers, rate: Option<Rate>, now: Timestamp) -> Value {
    let properties = stream.properties();
    let (records, bytes) = stream.amount(now);
    let closed = stream
        .listed_shards(now)
        .len()
        .saturating_sub(properties.open_shards);
    value!({
        "StreamName": &*stream.arn.name,
        "StreamARN": stream.arn.to_string(),
        "StreamStatus": properties.status.as_str(),
        "StreamMode": properties.mode.as_str(),
        "Account": stream.arn.scope.account.to_string(),
        "Region": stream.arn.scope.region.as_str(),
        "OpenShardCount": properties.open_shards,
        "ClosedShardCount": closed,
        "Records": records,
        "Bytes": bytes,
        "RecordsSinceClear": stream.records_since_clear(),
        "PutRecordsPerSecond": rate.map(|rate| rate.put_records),
        "PutBytesPerSecond": rate.map(|rate| rate.put_bytes),
        "GetRecordsPerSecond": rate.map(|rate| rate.get_records),
        "GetBytesPerSecond": rate.map(|rate| rate.get_bytes),
        "ConsumerCount": properties.consumers,
        "QueueCount": properties.queues,
        "Queues": readers.queues.get(&stream.incarnation).unwrap_or(&Vec::new()),
        "ChannelCount": properties.channels,
        "Channels": readers.channels.get(&stream.incarnation).unwrap_or(&Vec::new()),
        "EventSourceMappings": readers.mappings.get(&stream.arn).unwrap_or(&Vec::new()),
        "RetentionPeriodHours": properties.retention_hours,
        "EncryptionType": properties.encryption.as_str(),
    })
}

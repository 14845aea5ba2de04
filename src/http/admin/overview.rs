//! `GET streams`: every stream of an account and region at a glance.

use super::access::Permitted;
use super::query::Query;
use super::state::{Admin, Refused, json};
use crate::engine::Stream;
use crate::world::Timestamp;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json as value};

/// Streams that are listed under one lock.
const PAGE: usize = 1_000;

/// Answers every stream.
pub(super) async fn streams(
    State(admin): State<Admin>,
    _permitted: Permitted,
    mut query: Query,
) -> Result<Response, Refused> {
    let account_region = query.account_region(&admin)?;
    query.end()?;
    let now = admin.engine.world.clock.now();
    let mut all: Vec<Value> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let (page, more) = admin.engine.list(&account_region, after.as_deref(), PAGE);
        all.extend(page.iter().map(|stream| overview(stream, now)));
        after = page.last().map(|stream| stream.arn.name.to_string());
        if !more {
            return Ok(json(&value!({ "streams": all })));
        }
    }
}

/// The figures of one stream.
fn overview(stream: &Stream, now: Timestamp) -> Value {
    let snapshot = stream.snapshot();
    let (records, bytes) = stream.amount(now);
    let closed = stream
        .listed_shards(now)
        .len()
        .saturating_sub(snapshot.open_shards);
    value!({
        "StreamName": &*stream.arn.name,
        "StreamARN": stream.arn.to_string(),
        "StreamStatus": snapshot.status.as_str(),
        "StreamMode": snapshot.mode.as_str(),
        "Account": stream.arn.scope.account.to_string(),
        "Region": stream.arn.scope.region.as_str(),
        "OpenShardCount": snapshot.open_shards,
        "ClosedShardCount": closed,
        "Records": records,
        "Bytes": bytes,
        "RecordsSinceClear": stream.records_since_clear(),
        "ConsumerCount": snapshot.consumers,
        "QueueCount": snapshot.queues,
        "RetentionPeriodHours": snapshot.retention_hours,
        "EncryptionType": snapshot.encryption.as_str(),
    })
}

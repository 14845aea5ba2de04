//! `POST streams/NAME/records`: writes records in a readable form, one record per line.

use super::own_body::LargeBody;
use super::query::refused;
use super::state::{Admin, Refused, json};
use crate::engine::{PutFailure, Stream};
use crate::operation;
use crate::options::record_of_line;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json as value};

/// Writes the records of the body. Each line is a JSON object with `PartitionKey`,
/// `ExplicitHashKey` and one of `Data` (in base64), `Text` and `Json`. The shards' write limits
/// apply.
pub(super) async fn put(
    admin: &Admin,
    stream: &Stream,
    body: LargeBody,
) -> Result<Response, Refused> {
    let text = body.0.text()?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.is_empty());
    let records = lines.map(|(line, number)| record_of_line(line, number));
    let records = records.collect::<Result<Vec<_>, _>>();
    let records = records.map_err(|problem| refused(&problem.to_string()))?;
    let settings = stream.put_settings();
    if !settings.writable {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "the stream takes no records now",
        ));
    }
    let routed = operation::route_records(&admin.engine, stream, records);
    let routed = routed.map_err(|(at, error)| refused(&format!("record {}: {error}", at + 1)))?;
    let results = stream.put_many(&admin.engine, routed).await;
    let failed = results.iter().filter(|result| result.is_err()).count();
    let entries: Vec<Value> = results.iter().map(entry).collect();
    Ok(json(
        &value!({ "FailedRecordCount": failed, "Records": entries }),
    ))
}

/// The result of one record, with the same members as in an answer of PutRecords.
fn entry(result: &Result<crate::engine::Placed, PutFailure>) -> Value {
    match result {
        Ok(placed) => value!({
            "ShardId": placed.shard.to_string(),
            "SequenceNumber": placed.number.to_string(),
        }),
        Err(PutFailure::Throttled(_)) => {
            value!({ "ErrorCode": "ProvisionedThroughputExceededException" })
        }
        Err(_) => value!({ "ErrorCode": "InternalFailure" }),
    }
}

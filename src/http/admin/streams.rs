//! The paths about one stream: `streams/NAME/records`, `tail`, `wait` and `clear`.

use super::access::Permitted;
use super::own_body::LargeBody;
use super::path_part::PathPart;
use super::put;
use super::query::{Query, refused};
use super::records;
use super::state::{Admin, Refused, failed, json};
use super::stream_path;
use super::tail;
use crate::engine::Stream;
use crate::limits;
use crate::world::RealDeadline;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json as value;
use std::sync::Arc;
use std::time::Duration;

/// The parameters of a wait for records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Number of records to wait for, counted since the start of the emulator or the last clear.
    records: u64,
    /// Longest wait, in milliseconds of real time.
    #[serde(default = "default_timeout_ms")]
    timeout_ms: u64,
}

const fn default_timeout_ms() -> u64 {
    limits::WAIT_MS
}

/// Answers a GET request about one stream.
pub(super) async fn get(
    State(admin): State<Admin>,
    _permitted: Permitted,
    PathPart(path): PathPart,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let (name, action) = split(&path)?;
    let stream = stream_path::find(&admin, &mut query, name)?;
    match action {
        "records" => records::records(&admin, &stream, query).await,
        "tail" => tail::tail(&admin, &stream, query, &headers).await,
        _ => Err(unknown(action)),
    }
}

/// Answers a POST request to one stream.
pub(super) async fn post(
    State(admin): State<Admin>,
    _permitted: Permitted,
    PathPart(path): PathPart,
    mut query: Query,
    body: LargeBody,
) -> Result<Response, Refused> {
    let (name, action) = split(&path)?;
    let stream = stream_path::find(&admin, &mut query, name)?;
    query.end()?;
    match action {
        "wait" => wait(&stream, body).await,
        "clear" => clear(&admin, &stream).await,
        "records" => put::put(&admin, &stream, body).await,
        _ => Err(unknown(action)),
    }
}

fn split(path: &str) -> Result<(&str, &str), Refused> {
    stream_path::split(path).ok_or_else(|| unknown(path))
}

fn unknown(action: &str) -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        &format!("there is no path …/{action}"),
    )
}

async fn wait(stream: &Stream, body: LargeBody) -> Result<Response, Refused> {
    let wait: Wait = serde_json::from_slice(&body.0.bytes).map_err(|error| {
        refused(&format!(
            "the body is {{\"records\": N, \"timeout_ms\": M}}: {error}"
        ))
    })?;
    // The wait may take long, and the body is not needed any more. Dropping it releases its budget.
    drop(body);
    let time = Duration::from_millis(wait.timeout_ms.min(limits::WAIT_MS_MOST));
    let reached = RealDeadline::lasting(time)
        .with(stream.reach_records(wait.records))
        .await;
    let records = stream.records_since_clear();
    Ok(match reached {
        Some(()) => json(&value!({ "records": records })),
        None => {
            let counts = value!({ "records": records, "wanted": wait.records });
            (StatusCode::REQUEST_TIMEOUT, json(&counts)).into_response()
        }
    })
}

async fn clear(admin: &Admin, stream: &Arc<Stream>) -> Result<Response, Refused> {
    match admin.engine.clear(stream).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(failed(&error)),
    }
}

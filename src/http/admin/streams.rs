//! Minikin's own paths about one stream: `streams/NAME/ACTION` with the action `records`, `tail`,
//! `wait` or `clear`.

use super::access::Permitted;
use super::own_body::{LargeBody, OwnBody};
use super::path_part::PathPart;
use super::put;
use super::query::{Query, refused};
use super::records;
use super::state::{Admin, Refused, failed, json, unknown_path};
use super::stream_path::{self, Actions};
use super::tail::{self, TailForm};
use crate::engine::{Stream, StreamDeleted};
use crate::limits;
use crate::world::RealDeadline;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json as value;
use std::sync::Arc;
use std::time::Duration;

const ACTIONS: Actions = Actions {
    get: &["records", "tail"],
    post: &["wait", "clear", "records"],
};

/// Answers a GET request to `streams/NAME/ACTION`.
pub(super) async fn get(
    State(admin): State<Admin>,
    _permitted: Permitted,
    (method, uri): (Method, Uri),
    PathPart(path): PathPart,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let (name, action) = ACTIONS.split(&method, &uri, &path)?;
    let stream = stream_path::find(&admin, &mut query, name)?;
    match action {
        "records" => records::records(&admin, &stream, query).await,
        "tail" => {
            let form = TailForm::json(&admin.engine.world.clock);
            tail::tail(&admin, &stream, query, &headers, form).await
        }
        _ => Err(unknown_path(&uri)),
    }
}

/// Answers a POST request to `streams/NAME/ACTION`.
pub(super) async fn post(
    State(admin): State<Admin>,
    _permitted: Permitted,
    (method, uri): (Method, Uri),
    PathPart(path): PathPart,
    mut query: Query,
    body: LargeBody,
) -> Result<Response, Refused> {
    let (name, action) = ACTIONS.split(&method, &uri, &path)?;
    let stream = stream_path::find(&admin, &mut query, name)?;
    query.end()?;
    match action {
        "wait" => wait(&stream, body).await,
        "clear" => clear(&admin, &stream, &body.0).await,
        "records" => put::put(&admin, &stream, body).await,
        _ => Err(unknown_path(&uri)),
    }
}

/// Refuses a request about a stream whose method is neither GET, HEAD nor POST.
pub(super) async fn refuse(method: Method, uri: Uri, PathPart(path): PathPart) -> Refused {
    ACTIONS.refuse(&method, &uri, &path)
}

/// Waits until the stream has received the number of records in the body's member `records`. All
/// records since the stream was last cleared count. The member `timeout_ms` is the longest wait, in
/// milliseconds of real time.
async fn wait(stream: &Stream, body: LargeBody) -> Result<Response, Refused> {
    let mut members = body.0.members("records and, optionally, timeout_ms")?;
    let wanted = members.count("records")?;
    let timeout_ms = members.count("timeout_ms")?.unwrap_or(limits::WAIT_MS);
    members.end()?;
    let wanted = wanted.ok_or_else(|| refused("the member records is missing"))?;
    // The wait may take long. Drop the body now, because its permit of the in-flight budget is not
    // needed any more.
    drop(body);
    let time = Duration::from_millis(timeout_ms.min(limits::WAIT_MS_MOST));
    let reached = RealDeadline::lasting(time)
        .with(stream.reach_records(wanted))
        .await;
    let records = stream.records_since_clear();
    Ok(match reached {
        Some(Err(StreamDeleted)) => {
            let text = format!("the stream {} was deleted meanwhile", stream.arn.name);
            return Err(Refused::new(StatusCode::NOT_FOUND, &text));
        }
        Some(Ok(())) => json(&value!({ "records": records })),
        None => {
            let counts = value!({ "records": records, "wanted": wanted });
            (StatusCode::REQUEST_TIMEOUT, json(&counts)).into_response()
        }
    })
}

async fn clear(admin: &Admin, stream: &Arc<Stream>, body: &OwnBody) -> Result<Response, Refused> {
    body.expect_none()?;
    match admin.engine.clear(stream).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(failed(&error)),
    }
}

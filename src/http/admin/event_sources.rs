//! `/_minikin/event-sources`: what event source mappings do, waiting until they are done, and their
//! discarded batches.

use super::access::Permitted;
use super::mapping_view::{details, entry, failure, left, summary};
use super::own_body::OwnBody;
use super::state::{Admin, problem};
use crate::engine::event_source::{DrainError, DrainRequest, Mapping};
use crate::limits;
use crate::world::RealDeadline;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The paths of mappings.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin/event-sources", get(list))
        .route("/_minikin/event-sources/drain", post(drain_all))
        .route("/_minikin/event-sources/{uuid}", get(show))
        .route("/_minikin/event-sources/{uuid}/events", get(events))
        .route("/_minikin/event-sources/{uuid}/failures", get(failures))
        .route("/_minikin/event-sources/{uuid}/drain", post(drain_one))
        .route("/_minikin/event-sources/{uuid}/reset", post(reset))
}

/// What a drain waits for, as a request says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drain {
    timeout_ms: Option<u64>,
    #[serde(default)]
    advance: bool,
    most_advance_ms: Option<i64>,
    #[serde(default)]
    windows: bool,
}

async fn list(State(admin): State<Admin>, _permitted: Permitted) -> Response {
    let sources = &admin.engine.event_sources;
    let now = admin.engine.world.clock.now();
    let all: Vec<Value> = sources
        .all()
        .iter()
        .map(|mapping| summary(sources, mapping, now))
        .collect();
    answer(&json!({ "event_sources": all }))
}

async fn show(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Path(uuid): Path<String>,
) -> Response {
    let Some(mapping) = find(&admin, &uuid) else {
        return unknown();
    };
    let sources = &admin.engine.event_sources;
    let now = admin.engine.world.clock.now();
    answer(&details(sources, &mapping, now))
}

async fn events(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Path(uuid): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(mapping) = find(&admin, &uuid) else {
        return unknown();
    };
    let parameter = |name: &str| {
        let query = query.as_deref().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let number = |name: &str| parameter(name).map_or(Some(0), |text| text.parse::<u64>().ok());
    let (Some(after), Some(wait_ms)) = (number("after"), number("wait_ms")) else {
        return problem(StatusCode::BAD_REQUEST, "after and wait_ms are numbers");
    };
    let wait = Duration::from_millis(wait_ms).min(limits::EVENT_SOURCE_LOG_WAIT);
    let mut newest = mapping.follow_events();
    let coming = newest.wait_for(|newest| *newest > after);
    let _came = RealDeadline::lasting(wait).with(coming).await;
    let entries = mapping.events(after, limits::EVENT_SOURCE_LOG_ENTRIES);
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    if parameter("format").as_deref() == Some("ndjson") {
        let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        return ([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response();
    }
    answer(&json!({ "events": entries }))
}

async fn failures(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Path(uuid): Path<String>,
) -> Response {
    let Some(mapping) = find(&admin, &uuid) else {
        return unknown();
    };
    let failures: Vec<Value> = mapping.failures().iter().map(failure).collect();
    answer(&json!({ "failures": failures }))
}

async fn drain_all(State(admin): State<Admin>, _permitted: Permitted, body: OwnBody) -> Response {
    drain(&admin, None, body).await
}

async fn drain_one(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Path(uuid): Path<String>,
    body: OwnBody,
) -> Response {
    match find(&admin, &uuid) {
        Some(mapping) => drain(&admin, Some(&mapping), body).await,
        None => unknown(),
    }
}

async fn drain(admin: &Admin, mapping: Option<&Arc<Mapping>>, body: OwnBody) -> Response {
    let text: &[u8] = if body.bytes.is_empty() {
        b"{}"
    } else {
        &body.bytes
    };
    let asked = match serde_json::from_slice::<Drain>(text) {
        Ok(asked) => asked,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    // The drain may take long; its body is read and must not count meanwhile.
    drop(body);
    let usual = DrainRequest::default();
    let request = DrainRequest {
        timeout: asked
            .timeout_ms
            .map_or(usual.timeout, Duration::from_millis),
        advance: asked.advance,
        most_advance_ms: asked.most_advance_ms.unwrap_or(usual.most_advance_ms),
        windows: asked.windows,
    };
    let drained = admin.engine.event_sources.drain(mapping, request).await;
    let (status, what) = match drained {
        Ok(()) => {
            let now_ms = admin.engine.world.clock.now().millis();
            return answer(&json!({ "drained": true, "now_ms": now_ms }));
        }
        Err(DrainError::TimedOut(what)) => (StatusCode::REQUEST_TIMEOUT, what),
        Err(DrainError::NeedsTime(what)) => (StatusCode::CONFLICT, what),
    };
    let what: Vec<Value> = what.iter().map(left).collect();
    let message = match status {
        StatusCode::CONFLICT => "only time is missing, and the clock stands: say \"advance\": true",
        _ => "there is work left",
    };
    let mut response = answer(&json!({ "message": message, "left": what }));
    *response.status_mut() = status;
    response
}

async fn reset(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Path(uuid): Path<String>,
) -> Response {
    let Some(mapping) = find(&admin, &uuid) else {
        return unknown();
    };
    admin.engine.event_sources.reset(&mapping);
    StatusCode::NO_CONTENT.into_response()
}

fn find(admin: &Admin, uuid: &str) -> Option<Arc<Mapping>> {
    admin
        .engine
        .event_sources
        .find(&Uuid::try_parse(uuid).ok()?)
}

fn unknown() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is no event source mapping of that UUID",
    )
}

fn answer(body: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

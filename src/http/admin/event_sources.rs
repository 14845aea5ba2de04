//! `/_minikin/event-sources`: shows event source mappings and their discarded batches, and waits
//! until mappings are done with all records.

use super::access::Permitted;
use super::mapping_view::{details, entry, failure, redelivery, remaining_work, summary};
use super::own_body::OwnBody;
use super::query::{NoQuery, Query, refused};
use super::state::{Admin, Refused, json, problem};
use crate::engine::event_source::{DrainError, DrainRequest, Mapping, RedeliverError};
use crate::limits;
use crate::model::event_source::StartRequest;
use crate::world::RealDeadline;
use axum::Router;
use axum::extract::{FromRequestParts, Path, RawPathParams, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Routes the requests to `/_minikin/event-sources` and below.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin/event-sources", get(list))
        .route("/_minikin/event-sources/drain", post(drain_all))
        .route("/_minikin/event-sources/{uuid}", get(show))
        .route("/_minikin/event-sources/{uuid}/events", get(events))
        .route("/_minikin/event-sources/{uuid}/failures", get(failures))
        .route(
            "/_minikin/event-sources/{uuid}/failures/{number}/redeliver",
            post(redeliver),
        )
        .route("/_minikin/event-sources/{uuid}/drain", post(drain_one))
        .route("/_minikin/event-sources/{uuid}/reset", post(reset))
}

/// The mapping whose UUID is in the path of a request. A handler must list this argument after
/// [`Permitted`], so that the access check comes before the search for the mapping.
struct Named(Arc<Mapping>);

impl FromRequestParts<Admin> for Named {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Response> {
        let path = RawPathParams::from_request_parts(head, admin).await;
        let path = path.ok();
        let mut members = path.iter().flatten();
        let uuid = members.find(|(name, _)| *name == "uuid");
        let uuid = uuid.and_then(|(_, uuid)| Uuid::try_parse(uuid).ok());
        let mapping = uuid.and_then(|uuid| admin.engine.event_sources.find(&uuid));
        mapping.map(Self).ok_or_else(|| {
            let text = "there is no event source mapping of that UUID";
            problem(StatusCode::NOT_FOUND, text)
        })
    }
}

/// Answers with all mappings as JSON. Redirects a browser to the console's page of mappings.
async fn list(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    headers: HeaderMap,
) -> Response {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    if cfg!(feature = "console") && accept.is_some_and(|accept| accept.contains("text/html")) {
        return Redirect::to("/_minikin/console/mappings").into_response();
    }
    let sources = &admin.engine.event_sources;
    let now = admin.engine.world.clock.now();
    let all: Vec<Value> = sources
        .all()
        .iter()
        .map(|mapping| summary(sources, mapping, now))
        .collect();
    json(&json!({ "event_sources": all }))
}

async fn show(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Named(mapping): Named,
    _query: NoQuery,
) -> Response {
    let sources = &admin.engine.event_sources;
    let now = admin.engine.world.clock.now();
    json(&details(sources, &mapping, now))
}

async fn events(
    _permitted: Permitted,
    Named(mapping): Named,
    mut query: Query,
) -> Result<Response, Refused> {
    let mut number = |name| query.number(name, 0..=u64::MAX, 0);
    let (after, wait_ms) = (number("after")?, number("wait_ms")?);
    let as_lines = match query.take("format").as_deref() {
        None | Some("json") => false,
        Some("ndjson") => true,
        Some(_) => return Err(refused("format is json or ndjson")),
    };
    query.end()?;
    let wait = Duration::from_millis(wait_ms).min(limits::EVENT_SOURCE_LOG_WAIT);
    let mut newest = mapping.follow_events();
    let coming = newest.wait_for(|newest| *newest > after);
    let _came = RealDeadline::lasting(wait).with(coming).await;
    let entries = mapping.events(after, limits::EVENT_SOURCE_LOG_ENTRIES);
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    if as_lines {
        let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        return Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response());
    }
    Ok(json(&json!({ "events": entries })))
}

async fn failures(_permitted: Permitted, Named(mapping): Named, _query: NoQuery) -> Response {
    let failures: Vec<Value> = mapping.failures().iter().map(failure).collect();
    json(&json!({ "failures": failures }))
}

/// Invokes the function of a mapping again with one of the mapping's discarded batches.
async fn redeliver(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Named(mapping): Named,
    Path((_, number)): Path<(String, String)>,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    body.expect_none()?;
    let number = number.parse();
    let number = number.map_err(|_| refused("the number of a failure is a whole number"))?;
    let sources = &admin.engine.event_sources;
    let redelivered = sources.redeliver(&mapping, number).await;
    let redelivered = redelivered.map_err(|error| match error {
        RedeliverError::NoFailure => {
            Refused::new(StatusCode::NOT_FOUND, "there is no failure of that number")
        }
        RedeliverError::NoPayload => {
            let text = "the event of this failure is not kept any more";
            Refused::new(StatusCode::CONFLICT, text)
        }
    })?;
    Ok(json(&redelivery(&redelivered)))
}

async fn drain_all(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    drain(&admin, None, body).await
}

async fn drain_one(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Named(mapping): Named,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    drain(&admin, Some(&mapping), body).await
}

async fn drain(
    admin: &Admin,
    mapping: Option<&Arc<Mapping>>,
    body: OwnBody,
) -> Result<Response, Refused> {
    let request = drain_request(&body)?;
    // The drain may take long. Drop the body now, because its permit of the in-flight budget is not
    // needed any more.
    drop(body);
    let drained = admin.engine.event_sources.drain(mapping, request).await;
    let (status, what) = match drained {
        Ok(()) => {
            return Ok(json(&drained_answer(admin, mapping)));
        }
        Err(DrainError::TimedOut(what)) => (StatusCode::REQUEST_TIMEOUT, what),
        Err(DrainError::NeedsTime(what)) => (StatusCode::CONFLICT, what),
    };
    let what: Vec<Value> = what.iter().map(remaining_work).collect();
    let message = match status {
        StatusCode::CONFLICT if request.advance => {
            "the work left waits for a later time than most_advance_ms permits"
        }
        StatusCode::CONFLICT => "the work left waits for time to pass: set \"advance\": true",
        _ => "there is work left",
    };
    let mut response = json(&json!({ "message": message, "left": what }));
    *response.status_mut() = status;
    Ok(response)
}

/// The answer of a drain that has ended because no work remains. The answer also names the mappings
/// whose stream does not exist, because these mappings had no records to read.
fn drained_answer(admin: &Admin, mapping: Option<&Arc<Mapping>>) -> Value {
    let now = admin.engine.world.clock.now();
    let mappings = match mapping {
        Some(mapping) => vec![mapping.clone()],
        None => admin.engine.event_sources.all(),
    };
    let waiting = mappings.iter().filter(|mapping| mapping.stream().is_none());
    let waiting: Vec<String> = waiting.map(|mapping| mapping.uuid.to_string()).collect();
    let mut answer = json!({ "drained": true, "now_ms": now.millis() });
    if !waiting.is_empty() {
        answer["waiting_for_stream"] = waiting.into();
    }
    answer
}

/// Reads the parameters of a drain from the body of a request.
fn drain_request(body: &OwnBody) -> Result<DrainRequest, Refused> {
    let mut members =
        body.members("timeout_ms, advance, most_advance_ms and windows, all optional")?;
    let usual = DrainRequest::default();
    let timeout_ms = members.count("timeout_ms")?;
    let request = DrainRequest {
        timeout: timeout_ms.map_or(usual.timeout, Duration::from_millis),
        advance: members.flag("advance")?.unwrap_or(false),
        most_advance_ms: members
            .millis("most_advance_ms")?
            .unwrap_or(usual.most_advance_ms),
        windows: members.flag("windows")?.unwrap_or(false),
    };
    members.end()?;
    Ok(request)
}

async fn reset(
    State(admin): State<Admin>,
    _permitted: Permitted,
    Named(mapping): Named,
    _query: NoQuery,
    body: OwnBody,
) -> Result<StatusCode, Refused> {
    let names = ["StartingPosition", "StartingPositionTimestamp"];
    let mut members =
        body.members("StartingPosition and StartingPositionTimestamp, both optional")?;
    let mut start = Map::new();
    for name in names {
        let value = members.value(name)?;
        start.extend(value.map(|value| (name.to_owned(), value)));
    }
    members.end()?;
    let sources = &admin.engine.event_sources;
    let reset = StartRequest::read(&start.into())
        .and_then(|start| sources.reset_by_request(&mapping, &start));
    reset.map_err(|refusal| refused(&refusal.message))?;
    Ok(StatusCode::NO_CONTENT)
}

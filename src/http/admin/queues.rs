//! Minikin's own paths about queues: `queues` lists the queues, and `queues/NAME/records` and
//! `queues/NAME/purge` list and remove the records of one queue.

use super::access::Permitted;
use super::listing::every_page;
use super::own_body::OwnBody;
use super::path_part::PathPart;
use super::query::{Query, refused};
use super::record_json;
use super::records_answer;
use super::state::{Admin, Refused, failed, json, unknown_path};
use super::stream_path::{Actions, not_found};
use crate::engine::queue::{Peek, PeekedRecord, Queue, QueueFigures};
use crate::limits;
use crate::model::{PeekState, QueueArn, RecordPlace};
use crate::world::Timestamp;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json as value};
use std::sync::Arc;

const ACTIONS: Actions = Actions {
    get: &["records"],
    post: &["purge"],
};

/// Routes the requests to `/_minikin/queues` and below.
pub(super) fn routes() -> Router<Admin> {
    Router::new().route("/_minikin/queues", get(list)).route(
        "/_minikin/queues/{*path}",
        get(look).post(change).fallback(refuse),
    )
}

/// Answers with the JSON objects of all queues of an account in a region.
async fn list(
    State(admin): State<Admin>,
    _permitted: Permitted,
    mut query: Query,
) -> Result<Response, Refused> {
    let account_region = query.account_region(&admin)?;
    query.end()?;
    let now = admin.engine.world.clock.now();
    let engine = &admin.engine;
    let all = every_page(
        |after, most| engine.list_queues(&account_region, after, most, |_| true),
        |queue| queue.name.to_string(),
        |queue| overview(queue, now),
    );
    Ok(json(&value!({ "queues": all })))
}

/// The JSON object of a queue in the list of queues.
fn overview(queue: &Queue, now: Timestamp) -> Value {
    let described = queue.describe();
    let figures = queue.figures(now);
    let mut document = counts(queue, &figures);
    let more = value!({
        "QueueARN": queue.arn.to_string(),
        "QueueStatus": described.status.as_str(),
        "StreamName": &*queue.stream.arn.name,
        "StreamARN": queue.stream.arn.to_string(),
        "Account": queue.arn.scope.account.to_string(),
        "Region": queue.arn.scope.region.as_str(),
        "VisibilityTimeoutSeconds": described.attributes.visibility_timeout_s,
        "MaxReceiveCount": described.attributes.max_receive_count,
        "Received": figures.received,
        "Acknowledged": figures.acknowledged,
        "EmptyReceives": figures.empty_receives,
    });
    if let Value::Object(more) = more {
        document.extend(more);
    }
    Value::Object(document)
}

/// The JSON members with the name of a queue and with the numbers of its visible records, in-flight
/// records and dead-letter records. A record that was never received counts as visible.
pub(super) fn counts(queue: &Queue, figures: &QueueFigures) -> Map<String, Value> {
    let counts = figures.counts;
    let visible = figures.unread + counts.visible as u64;
    Map::from_iter([
        ("QueueName".to_owned(), value!(&*queue.name)),
        ("Visible".to_owned(), value!(visible)),
        ("InFlight".to_owned(), value!(counts.in_flight)),
        (
            "DeadLetter".to_owned(),
            value!(counts.dead_visible + counts.dead_in_flight),
        ),
    ])
}

/// Answers a GET request to `queues/NAME/ACTION`. The only action is `records`.
async fn look(
    State(admin): State<Admin>,
    _permitted: Permitted,
    (method, uri): (Method, Uri),
    PathPart(path): PathPart,
    mut query: Query,
) -> Result<Response, Refused> {
    let (name, action) = ACTIONS.split(&method, &uri, &path)?;
    let queue = find(&admin, &mut query, name)?;
    match action {
        "records" => records(&admin, &queue, query).await,
        _ => Err(unknown_path(&uri)),
    }
}

/// Answers a POST request to `queues/NAME/ACTION`. The only action is `purge`.
async fn change(
    State(admin): State<Admin>,
    _permitted: Permitted,
    (method, uri): (Method, Uri),
    PathPart(path): PathPart,
    mut query: Query,
    body: OwnBody,
) -> Result<Response, Refused> {
    let (name, action) = ACTIONS.split(&method, &uri, &path)?;
    let queue = find(&admin, &mut query, name)?;
    query.end()?;
    match action {
        "purge" => {
            body.expect_none()?;
            purge(&admin, &queue).await
        }
        _ => Err(unknown_path(&uri)),
    }
}

async fn refuse(method: Method, uri: Uri, PathPart(path): PathPart) -> Refused {
    ACTIONS.refuse(&method, &uri, &path)
}

/// Finds a queue by its ARN, or by its name in the account and region of the query string.
fn find(admin: &Admin, query: &mut Query, name: &str) -> Result<Arc<Queue>, Refused> {
    let account_region = query.account_region(admin)?;
    let found = match QueueArn::parse(name) {
        Some(arn) => admin.engine.find_queue(&arn),
        None => admin.engine.find_queue_named(&account_region, name),
    };
    found.ok_or_else(|| not_found("queue", name, &account_region))
}

/// Answers with a page of the queue's records in one state. A listed record is not received, so its
/// state in the queue does not change.
async fn records(admin: &Admin, queue: &Queue, mut query: Query) -> Result<Response, Refused> {
    let state = match query.take("state").as_deref() {
        None | Some("visible") => PeekState::Visible,
        Some("in-flight") => PeekState::InFlight,
        Some("dead-letter") => PeekState::DeadLetter,
        Some(_) => return Err(refused("state is visible, in-flight or dead-letter")),
    };
    let most = 1..=limits::LISTING_RECORDS_MOST;
    let limit = query.number("limit", most, limits::LISTING_RECORDS)?;
    let from = match query.take("next") {
        None => RecordPlace { index: 0, shard: 0 },
        Some(text) => {
            place(&text).ok_or_else(|| refused("next is not from an answer of this path"))?
        }
    };
    query.end()?;
    let permit = records_answer::permit(admin).await?;
    let mut shown = Vec::new();
    let peek = Peek { state, from, limit };
    let next = queue.peek(&admin.engine, peek, |peeked| {
        let text = record(queue, peeked);
        let bytes = text.len();
        shown.push(text);
        bytes
    });
    let next = next.await.map_err(|error| failed(&error))?;
    let next = next.map(|next| format!("{}-{}", next.shard, next.index));
    Ok(records_answer::answer(
        admin,
        &shown,
        next.as_deref(),
        permit,
    ))
}

fn place(text: &str) -> Option<RecordPlace> {
    let (shard, index) = text.split_once('-')?;
    Some(RecordPlace {
        index: index.parse().ok()?,
        shard: shard.parse().ok()?,
    })
}

/// The JSON object of a record of a queue. It has the members that a record has in an answer of
/// ReceiveQueueRecords, except for the receipt handle.
fn record(queue: &Queue, peeked: &PeekedRecord<'_>) -> String {
    let mut text = String::from("{");
    record_json::write_members(&mut text, peeked.shard.id, &peeked.record);
    let id = queue.ids.id(peeked.record.number);
    let id = String::from_utf8_lossy(&id).into_owned();
    let count = peeked.entry.map_or(0, |entry| entry.count);
    let mut members = value!({ "RecordId": id, "ReceiveCount": count });
    let time = |ms| value!(Timestamp::from_millis(ms).to_rfc3339());
    if let Some(entry) = peeked.entry {
        if let Some(first_ms) = entry.first_received_ms() {
            members["FirstReceiveTimestamp"] = time(first_ms);
        }
        if entry.standing.is_in_flight() {
            members["VisibleAt"] = time(entry.due_ms);
        }
    }
    let members = members.to_string();
    text.push(',');
    text.push_str(members.trim_start_matches('{'));
    text
}

async fn purge(admin: &Admin, queue: &Arc<Queue>) -> Result<Response, Refused> {
    let purged = queue.purge(&admin.engine).await;
    match purged.map_err(|error| failed(&error))? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Refused::new(
            StatusCode::CONFLICT,
            "the queue is not ACTIVE",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_shard_and_an_index() {
        let known = RecordPlace { index: 7, shard: 2 };
        assert_eq!(place("2-7"), Some(known));
        for text in ["", "2", "a-7", "2-b", "2-7-1", "-2-7"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}

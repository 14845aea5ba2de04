//! Sends new records as server-sent events, each record as a row of the table.

use super::frame;
use super::row::row;
use crate::engine::Stream;
use crate::http::admin::{self, StreamMark, TailForm, write_tail_id};
use crate::http::console::page::problem;
use crate::http::console::visit::Visit;
use crate::limits;
use crate::model::ShardId;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};

const LAST_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The id of a tail that continues after all records that are published now. `shards` are the
/// shards with their next indices.
pub(super) fn present_id(stream: &Stream, shards: impl Iterator<Item = (ShardId, u64)>) -> String {
    let mut id = String::new();
    write_tail_id(&mut id, StreamMark::of(stream), shards, None);
    id
}

/// Answers with a tail of rows. The parameter `after` is the event id to continue after, for a
/// request without `Last-Event-ID`.
pub(super) async fn tail(
    mut visit: Visit,
    Path(name): Path<String>,
    mut headers: HeaderMap,
) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let after = visit.query.take("after");
    let after = after.and_then(|after| HeaderValue::from_str(&after).ok());
    if let Some(after) = after.filter(|_| !headers.contains_key(LAST_ID)) {
        headers.insert(LAST_ID, after);
    }
    let suffix = visit.suffix();
    let form = TailForm {
        write: Box::new(move |text, shard, record| {
            let row = row(&suffix, shard, record).into_string();
            // A line break would end the data of the event. A character reference does not.
            text.push_str(&row.replace('\r', "&#13;").replace('\n', "&#10;"));
        }),
        per_second: Some(limits::CONSOLE_TAIL_RECORDS),
    };
    let answer = admin::tail(&visit.admin, &stream, visit.query, &headers, form).await;
    answer.unwrap_or_else(|refused| refused.into_response())
}

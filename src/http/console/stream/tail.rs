//! Sends new records to the console's script as server-sent events. Each event has a record as a
//! row of the page's table.

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

/// The event id with which a tail sends only the records that are published from now on. `shards`
/// are the shards of the stream, each with the index of its next record.
pub(super) fn present_id(stream: &Stream, shards: impl Iterator<Item = (ShardId, u64)>) -> String {
    let mut id = String::new();
    write_tail_id(&mut id, StreamMark::of(stream), shards, None);
    id
}

/// Answers with a tail that sends records as rows of a table. The query parameter `after` is an
/// event id, which replaces a missing header `Last-Event-ID`.
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
            // A line break would end the data of the event, so write each line break as a character
            // reference.
            text.push_str(&row.replace('\r', "&#13;").replace('\n', "&#10;"));
        }),
        per_second: Some(limits::CONSOLE_TAIL_RECORDS),
    };
    let answer = admin::tail(&visit.admin, &stream, visit.query, &headers, form).await;
    answer.unwrap_or_else(|refused| refused.into_response())
}

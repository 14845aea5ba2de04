//! `GET streams/NAME/records`: returns a page of the records of a stream, without a shard iterator.

use super::position::ListingStart;
use super::query::{Query, refused};
use super::record_json;
use super::records_answer;
use super::scan::{Cursor, Page, Selection};
use super::state::{Admin, Refused, failed};
use crate::engine::{RecordView, Stream};
use crate::limits;
use axum::response::Response;

/// Answers with a page of the records of a stream.
pub(super) async fn records(
    admin: &Admin,
    stream: &Stream,
    mut query: Query,
) -> Result<Response, Refused> {
    let selection = Selection::take(&mut query, ListingStart::TrimHorizon)?;
    let most = 1..=limits::LISTING_RECORDS_MOST;
    let limit = query.number("limit", most, limits::LISTING_RECORDS)?;
    let next = query.take("next").map(|text| Cursor::parse(&text));
    if next == Some(None) {
        return Err(refused("next is not from an answer of this path"));
    }
    query.end()?;
    let now = admin.engine.world.clock.now();
    selection.check_shard(stream, now)?;
    let shards = selection.shards(stream, now);
    let permit = records_answer::permit(admin).await?;
    let make = |shard, record: &RecordView<'_>| {
        let mut text = String::new();
        record_json::write(&mut text, shard, record);
        let bytes = text.len();
        (text, bytes)
    };
    let mut page = Page::new(now, limit, make);
    let next = page.fill(stream, &selection, &shards, next.flatten()).await;
    let next = next.map_err(|error| failed(&error))?;
    let next = next.map(Cursor::text);
    Ok(records_answer::answer(
        admin,
        &page.shown,
        next.as_deref(),
        permit,
    ))
}

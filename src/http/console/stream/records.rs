//! The page of a stream's records. It shows the newest records, the records that follow a position,
//! or the records that a search finds.

use super::row::{row, table};
use super::{frame, newest, put, tail};
use crate::engine::{RecordView, Stream};
use crate::http::admin::{Cursor, ListingStart, Page, Refused, Selection};
use crate::http::console::characters::visible;
use crate::http::console::forms::hidden;
use crate::http::console::numbers;
use crate::http::console::page::problem;
use crate::http::console::parts::{self, short_shard};
use crate::http::console::payload;
use crate::http::console::visit::{Visit, stream_path};
use crate::limits;
use crate::model::ShardId;
use crate::world::Timestamp;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

/// The query parameters of the page of a stream's records, as text. A missing parameter is empty.
#[derive(Debug, Default)]
struct Asked {
    from: String,
    key: String,
    text: String,
    shard: String,
    next: Option<String>,
}

/// The records to show on the page, and a sentence about them.
struct ShownRecords {
    rows: Vec<Markup>,
    note: String,
    /// The start of the next page of records. None on the last page.
    next: Option<Cursor>,
    /// The address from which the script receives new records. None on a page that shows no new
    /// records.
    tail: Option<String>,
}

impl Asked {
    fn take(visit: &mut Visit) -> Self {
        let mut text = |name| visit.query.take(name).unwrap_or_default().trim().to_owned();
        let (from, at) = (text("from"), text("at"));
        Self {
            from: if at.is_empty() { from } else { at },
            key: text("key"),
            text: text("text"),
            shard: text("shard"),
            next: visit.query.take("next"),
        }
    }

    fn is_search(&self) -> bool {
        !self.key.is_empty() || !self.text.is_empty()
    }

    fn is_newest(&self) -> bool {
        matches!(self.from.as_str(), "" | "newest")
    }

    fn selection(&self) -> Result<Selection, Refused> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let from = match self.is_newest() {
            true => ListingStart::TrimHorizon,
            false => ListingStart::parse(&self.from)?,
        };
        let shard =
            match given(&self.shard) {
                Some(text) => Some(ShardId::parse(&text).ok_or_else(|| {
                    Refused::new(StatusCode::BAD_REQUEST, "There is no such shard.")
                })?),
                None => from.shard(),
            };
        Ok(Selection {
            shard,
            key: given(&self.key),
            text: given(&self.text),
            from,
        })
    }
}

/// Answers with the page of a stream's records: forms that put records, the fields of a search, and
/// the records that the search finds.
pub(in crate::http::console) async fn page(mut visit: Visit, Path(name): Path<String>) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let asked = Asked::take(&mut visit);
    let found = match find(&visit, &stream, &asked).await {
        Ok(found) => found,
        Err(refused) => return problem(&visit, &refused),
    };
    let content = html! {
        (put::forms(&visit, &stream))
        (filters(&visit, &stream, &asked))
        (list(&visit, &stream, &asked, &found))
    };
    frame::respond(&visit, &stream, "records", &content)
}

async fn find(visit: &Visit, stream: &Stream, asked: &Asked) -> Result<ShownRecords, Refused> {
    let now = visit.admin.engine.world.clock.now();
    let selection = asked.selection()?;
    selection.check_shard(stream, now)?;
    let shards = selection.shards(stream, now);
    let suffix = visit.suffix();
    let failed = |error: crate::engine::StoreError| {
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
    };
    let show = |shard: ShardId, record: &RecordView<'_>| row(&suffix, shard, record);
    let most = limits::CONSOLE_RECORDS;
    if asked.is_newest() && !asked.is_search() && asked.next.is_none() {
        let open = shards.iter().filter(|shard| shard.description().is_open());
        let id = tail::present_id(stream, open.map(|shard| (shard.id, shard.end())));
        let rows = newest::newest(stream, &shards, now, most, show).await;
        return Ok(ShownRecords {
            rows: rows.map_err(failed)?,
            note: "The newest records, newest first.".to_owned(),
            next: None,
            tail: Some(tail_address(visit, stream, asked, &id)),
        });
    }
    let start = asked.next.as_deref().map(Cursor::parse);
    if start == Some(None) {
        let text = "The parameter next is not from this page.";
        return Err(Refused::new(StatusCode::BAD_REQUEST, text));
    }
    let shown = |shard: ShardId, record: &RecordView<'_>| (show(shard, record), record.data.len());
    let mut page = Page::new(now, most, shown);
    let next = page
        .fill(stream, &selection, &shards, start.flatten())
        .await;
    let next = next.map_err(failed)?;
    let (read, shown) = (page.scanned as u64, page.shown.len() as u64);
    let note = match asked.is_search() {
        true => format!(
            "{} found among {}{}",
            numbers::plural(shown, "record"),
            numbers::plural(read, "record"),
            if next.is_some() {
                ", and there are more to search."
            } else {
                "."
            },
        ),
        false => "Shard by shard, oldest first.".to_owned(),
    };
    Ok(ShownRecords {
        rows: page.shown,
        note,
        next,
        tail: None,
    })
}

fn tail_address(visit: &Visit, stream: &Stream, asked: &Asked, id: &str) -> String {
    let path = stream_path(&stream.arn.name, "tail");
    let path = format!("{path}?after={id}");
    let path = match asked.shard.is_empty() {
        true => path,
        false => format!("{path}&shard={}", encoded(&asked.shard)),
    };
    visit.link(&path)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn filters(visit: &Visit, stream: &Stream, asked: &Asked) -> Markup {
    let now = visit.admin.engine.world.clock.now();
    let is_word = matches!(asked.from.as_str(), "" | "newest" | "trim_horizon");
    let at = if is_word { "" } else { &asked.from };
    html! {
        form class="filters" method="get" action=(stream_path(&stream.arn.name, "records")) role="search" {
            (hidden(visit))
            label { span { "Partition key" }
                input type="search" name="key" value=(asked.key) placeholder="customer-17" autocomplete="off"; }
            label { span { "Text in the data" }
                input type="search" name="text" value=(asked.text) placeholder="any text" autocomplete="off"; }
            label { span { "Shard" }
                select name="shard" {
                    option value="" { "all" }
                    @for shard in stream.listed_shards(now).iter().take(limits::CONSOLE_ROWS) {
                        @let id = shard.id.to_string();
                        option value=(id) selected[id == asked.shard] {
                            (short_shard(shard.id)) @if !shard.is_open() { " (closed)" }
                        }
                    }
                }
            }
            label { span { "From" }
                select name="from" {
                    option value="newest" { "newest" }
                    option value="trim_horizon" selected[asked.from == "trim_horizon"] { "oldest" }
                }
            }
            label { span { "or from a time or sequence number" }
                input name="at" value=(at) placeholder="2026-01-31T12:00:00Z" autocomplete="off"; }
            button { "Search" }
            @if asked.is_search() || !asked.is_newest() || !asked.shard.is_empty() {
                a class="button" href=(visit.link(&stream_path(&stream.arn.name, "records"))) { "Clear" }
            }
        }
    }
}

fn list(visit: &Visit, stream: &Stream, asked: &Asked, found: &ShownRecords) -> Markup {
    let next = found.next.map(|next| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("key", &asked.key)
            .append_pair("text", &asked.text)
            .append_pair("shard", &asked.shard)
            .append_pair("from", &asked.from)
            .append_pair("next", &next.text())
            .finish();
        visit.link(&format!(
            "{}?{query}",
            stream_path(&stream.arn.name, "records")
        ))
    });
    html! {
        section id="records" data-tail=[found.tail.as_deref()] {
            div class="list-head" {
                p class="muted" id="records-note" { (found.note) }
                @if found.tail.is_some() {
                    div class="live" id="live" hidden {
                        span class="dot" {} span id="live-text" { "Live" }
                        button type="button" id="pause" aria-pressed="false" { "Pause" }
                    }
                }
            }
            (table(&found.rows))
            @if found.rows.is_empty() { (nothing(stream, asked)) }
            @if let Some(next) = next { p { a class="button" href=(next) { "Next records" } } }
        }
    }
}

fn nothing(stream: &Stream, asked: &Asked) -> Markup {
    if asked.is_search() || !asked.is_newest() {
        return parts::empty("No record here matches.", "");
    }
    html! { div id="no-records" { (parts::empty(
        "There are no records. Put one above, or with the AWS CLI:",
        &format!("aws kinesis put-record --stream-name {} --partition-key 1 \\\n    \
                  --cli-binary-format raw-in-base64-out --data '{{\"hello\": \"world\"}}' \\\n    \
                  --endpoint-url http://localhost:4567", stream.arn.name),
    )) } }
}

/// Answers with the page of one record. The query parameter `number` is the record's sequence
/// number.
pub(in crate::http::console) async fn record_page(
    mut visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let now = visit.admin.engine.world.clock.now();
    match one(&mut visit, &stream, now).await {
        Ok(content) => frame::respond(&visit, &stream, "records", &content),
        Err(refused) => problem(&visit, &refused),
    }
}

async fn one(visit: &mut Visit, stream: &Stream, now: Timestamp) -> Result<Markup, Refused> {
    let gone = || {
        Refused::new(
            StatusCode::NOT_FOUND,
            "The record has expired or never existed.",
        )
    };
    let number = visit.query.take("number").unwrap_or_default();
    let _shard = visit.query.take("shard");
    let from = ListingStart::parse(&number)?;
    let selection = Selection {
        shard: Some(from.shard().ok_or_else(gone)?),
        key: None,
        text: None,
        from,
    };
    let shards = selection.shards(stream, now);
    let show = |shard: ShardId, record: &RecordView<'_>| {
        let shown = (record.number.to_string(), details(shard, record));
        (shown, record.data.len())
    };
    let mut page = Page::new(now, 1, show);
    let filled = page.fill(stream, &selection, &shards, None).await;
    filled.map_err(|error| Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    let (found, details) = page.shown.pop().ok_or_else(gone)?;
    if found != number {
        return Err(gone());
    }
    Ok(details)
}

fn details(shard: ShardId, record: &RecordView<'_>) -> Markup {
    let key = record.partition_key.unwrap_or_default();
    let hash = crate::model::HashKey::of_partition_key(key).value();
    let most = limits::CONSOLE_RECORD_BYTES;
    html! {
        section class="record" {
            h2 { "Record" }
            dl class="facts" {
                dt { "Time" } dd { (parts::time(record.arrival)) " UTC" }
                dt { "Partition key" } dd class="mono" { bdi { (visible(key)) } }
                dt { "Hash of the key" } dd class="mono" { (hash) }
                dt { "Shard" } dd class="mono" { (shard) }
                dt { "Sequence number" } dd class="mono" { (record.number) }
                dt { "Size" } dd { (numbers::bytes(record.data.len() as u64)) }
                dt { "Encrypted" } dd { (if record.encrypted { "yes (KMS)" } else { "no" }) }
            }
            h3 { "Data" }
            (payload::whole(record.data, most))
            details class="drawer" id="hex" {
                summary class="button" { "Hexadecimal" }
                (payload::hex(payload::first(record.data, limits::CONSOLE_RECORD_BYTES / 16)))
            }
        }
    }
}

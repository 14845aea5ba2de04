//! The page of all streams.

use super::forms::{Form, hidden};
use super::page::{self, Section};
use super::parts::{self, drawer, status};
use super::visit::{Visit, stream_path};
use super::{numbers, spark};
use crate::engine::Stream;
use crate::http::rates::{History, Rate};
use crate::limits;
use crate::model::StreamArn;
use crate::world::Timestamp;
use axum::response::Response;
use maud::{Markup, html};
use std::collections::HashMap;
use std::sync::Arc;

/// Answers with the page of all streams. The query parameter `filter` selects the streams whose
/// names contain its text.
pub(super) async fn page(mut visit: Visit) -> Response {
    let filter = visit.query.take("filter").unwrap_or_default();
    let (streams, is_cut) = find(&visit, &filter);
    let now = visit.admin.engine.world.clock.now();
    let mappings = mappings_of_streams(&visit);
    let rows: Vec<Markup> = streams
        .iter()
        .map(|stream| row(&visit, stream, &mappings, now))
        .collect();
    let content = html! {
        div class="title" {
            h1 { "Streams" }
            (create(&visit))
        }
        form class="filters" method="get" action="/_minikin/" data-instant role="search" {
            (hidden(&visit))
            label { span { "Filter by name" }
                input type="search" name="filter" value=(filter) placeholder="orders" autocomplete="off"; }
            noscript { button { "Filter" } }
        }
        div id="streams" data-live {
            @if rows.is_empty() { (nothing(&visit, &filter)) } @else { (table(&rows)) }
            @if is_cut { p class="muted" {
                "The first " (limits::CONSOLE_ROWS) " streams are shown. Filter by name to see others."
            } }
        }
    };
    page::respond(&visit, Section::Streams, "Streams", content)
}

/// The streams of the page's account and region whose names contain `filter`, up to
/// `limits::CONSOLE_ROWS` streams. The second value is true if more streams match.
fn find(visit: &Visit, filter: &str) -> (Vec<Arc<Stream>>, bool) {
    let mut found: Vec<Arc<Stream>> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let engine = &visit.admin.engine;
        let (page, more) = engine.list(&visit.scope, after.as_deref(), limits::CONSOLE_ROWS);
        after = page.last().map(|stream| stream.arn.name.to_string());
        found.extend(
            page.into_iter()
                .filter(|stream| stream.arn.name.contains(filter)),
        );
        if found.len() > limits::CONSOLE_ROWS {
            found.truncate(limits::CONSOLE_ROWS);
            return (found, true);
        }
        if !more {
            return (found, false);
        }
    }
}

/// Number of event source mappings that read each stream.
fn mappings_of_streams(visit: &Visit) -> HashMap<StreamArn, usize> {
    let mut mappings: HashMap<StreamArn, usize> = HashMap::new();
    for mapping in visit.admin.engine.event_sources.all() {
        *mappings.entry(mapping.source.stream().clone()).or_default() += 1;
    }
    mappings
}

fn table(rows: &[Markup]) -> Markup {
    html! {
        (parts::table("Streams", &html! {
            th scope="col" { "Name" }
            th scope="col" { "Status" }
            th scope="col" class="more" { "Mode" }
            th scope="col" class="num" { "Shards" }
            th scope="col" class="num" { "Records" }
            th scope="col" class="num more" { "Size" }
            th scope="col" { "Put records/s" }
            th scope="col" { "Get records/s" }
            th scope="col" class="num" { "Consumers" }
            th scope="col" class="num" { "Queues" }
            th scope="col" class="num" { "Mappings" }
            th scope="col" { span class="unseen" { "Actions" } }
        }, &html! { @for row in rows { (row) } }))
    }
}

fn row(
    visit: &Visit,
    stream: &Stream,
    mappings: &HashMap<StreamArn, usize>,
    now: Timestamp,
) -> Markup {
    let name = &*stream.arn.name;
    let properties = stream.properties();
    let (records, bytes) = stream.amount(now);
    let history = visit.rates.of_stream(stream, now);
    let listed = stream.listed_shards(now).len();
    let closed = listed.saturating_sub(properties.open_shards);
    let mappings = mappings.get(&stream.arn).copied().unwrap_or(0);
    let page = |part: &str| visit.link(&stream_path(name, part));
    html! {
        tr id={ "stream-" (name) } {
            th scope="row" { a href=(page("records")) { (name) } }
            td { (status(properties.status.as_str())) }
            td class="more" { (mode(properties.mode.as_str())) }
            td class="num" {
                a href=(page("shards")) { (properties.open_shards) }
                @if closed > 0 { span class="muted" { " +" (closed) " closed" } }
            }
            td class="num" { (numbers::count(records)) }
            td class="num more" { (numbers::bytes(bytes)) }
            (rate_cell("put", &history))
            (rate_cell("get", &history))
            td class="num" { a href=(page("consumers")) { (properties.consumers) } }
            td class="num" { (properties.queues) }
            td class="num" { (mappings) }
            td class="end" { (delete(visit, name)) }
        }
    }
}

/// The capacity mode of a stream in words.
pub(super) fn mode(mode: &str) -> &'static str {
    match mode {
        "ON_DEMAND" => "on-demand",
        _ => "provisioned",
    }
}

/// A table cell with the put rate or the get rate of a stream. `kind` is `put` or `get`.
pub(super) fn rate_cell(kind: &str, history: &History) -> Markup {
    html! { td class="rate" { (rate_line(kind, history)) } }
}

/// The put rate or the get rate of a stream, as a number and as a line chart. `kind` is `put` or
/// `get`.
pub(super) fn rate_line(kind: &str, history: &History) -> Markup {
    let of = match kind {
        "put" => |rate: &Rate| rate.put_records,
        _ => |rate: &Rate| rate.get_records,
    };
    let newest = history.newest().map(|rate| of(&rate));
    let text = newest.map_or_else(|| "–".to_owned(), numbers::rate);
    let label = match newest {
        Some(rate) => format!("{kind} {} records per second", numbers::rate(rate)),
        None => format!("no {kind} rate yet"),
    };
    html! {
        span class="rate-value" { (text) }
        (spark::line(kind, &history.line(of), &label))
    }
}

fn nothing(visit: &Visit, filter: &str) -> Markup {
    if !filter.is_empty() {
        return parts::empty(&format!("No stream has a name with “{filter}”."), "");
    }
    let others = visit.admin.engine.scopes();
    let region = visit.scope.region.as_str();
    html! {
        (parts::empty(
            "There is no stream in this account and region. Create one here, or with the AWS CLI:",
            &format!("aws kinesis create-stream --stream-name orders --shard-count 2 \\\n    \
                      --endpoint-url http://localhost:4567 --region {region}"),
        ))
        @if !others.is_empty() {
            p { "There are streams in other accounts and regions: open the menu at the top." }
        }
    }
}

fn create(visit: &Visit) -> Markup {
    let form = Form::operation(visit, "CreateStream");
    let form = form.open(&html! {
        label { span { "Name" }
            input name="StreamName" required pattern="[a-zA-Z0-9_.\\-]+" maxlength="128" autocomplete="off"; }
        label { span { "Shards" }
            input name="ShardCount:int" type="number" min="1" max="10000" placeholder="empty: on-demand"; }
        button class="primary" { "Create stream" }
    });
    drawer("create-stream", "Create stream", &form)
}

/// Renders the form that deletes the stream `name`.
pub(super) fn delete(visit: &Visit, name: &str) -> Markup {
    let form = Form::operation(visit, "DeleteStream").back("/_minikin/");
    let form = form.open(&html! {
        p { "Delete " b { (name) } " with all of its records?" }
        input type="hidden" name="StreamName" value=(name);
        input type="hidden" name="EnforceConsumerDeletion:bool" value="true";
        button class="danger" { "Delete " (name) }
    });
    drawer(&format!("delete-{name}"), "Delete…", &form)
}

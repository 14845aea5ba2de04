//! The parts that all pages of one stream have: the stream's name, its figures and the tabs.

use crate::engine::Stream;
use crate::http::admin::Refused;
use crate::http::console::numbers;
use crate::http::console::page::{self, Section};
use crate::http::console::parts::{figure, status};
use crate::http::console::streams::{mode, rate_line};
use crate::http::console::visit::{Visit, stream_path};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// The tabs on the pages of a stream: the label of each tab, and the last part of its path.
const TABS: &[(&str, &str)] = &[
    ("Records", "records"),
    ("Shards", "shards"),
    ("Consumers", "consumers"),
    ("Settings", "settings"),
];

/// Finds the stream `name` in the account and region of the page.
///
/// # Errors
/// The stream does not exist.
pub(super) fn find(visit: &Visit, name: &str) -> Result<Arc<Stream>, Refused> {
    visit.admin.engine.find(&visit.scope, name).ok_or_else(|| {
        let (account, region) = (visit.scope.account, visit.scope.region.as_str());
        let text = format!("There is no stream {name} in account {account}, region {region}.");
        Refused::new(StatusCode::NOT_FOUND, &text)
    })
}

/// Answers with a page of `stream`. The page shows `content` under the tab whose path is `tab`.
pub(super) fn respond(visit: &Visit, stream: &Stream, tab: &str, content: &Markup) -> Response {
    let name = &*stream.arn.name;
    let content = html! {
        (head(visit, stream))
        nav class="tabs" aria-label="Parts of the stream" {
            @for (label, path) in TABS {
                a href=(visit.link(&stream_path(name, path)))
                    aria-current=[(*path == tab).then_some("page")] { (label) }
            }
        }
        (content)
    };
    page::respond(visit, Section::Streams, name, content)
}

fn head(visit: &Visit, stream: &Stream) -> Markup {
    let now = visit.admin.engine.world.clock.now();
    let properties = stream.properties();
    let (records, bytes) = stream.amount(now);
    let history = visit.rates.of_stream(stream, now);
    html! {
        div class="title" {
            h1 { a class="up" href=(visit.link("/_minikin/")) { "Streams" } " / " (stream.arn.name) }
        }
        p class="arn mono" { (stream.arn) }
        dl class="figures" id="figures" data-live {
            (figure("Status", &status(properties.status.as_str())))
            (figure("Mode", &html! { (mode(properties.mode.as_str())) }))
            (figure("Open shards", &html! { (properties.open_shards) }))
            (figure("Records", &html! { (numbers::count(records)) }))
            (figure("Size", &html! { (numbers::bytes(bytes)) }))
            (figure("Put records/s", &rate_line("put", &history)))
            (figure("Get records/s", &rate_line("get", &history)))
        }
    }
}

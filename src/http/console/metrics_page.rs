//! The page with the most important metrics of this process.

use super::numbers;
use super::page::{self, Section};
use super::parts::{self, Tone, badge, figure};
use super::visit::Visit;
use crate::http::metrics::CallFigures;
use axum::response::Response;
use maud::{Markup, html};

/// Answers with the page of the most important metrics: figures of the whole process, and a table
/// of the operations that were called.
pub(super) async fn page(visit: Visit) -> Response {
    let content = html! {
        h1 { "Metrics" }
        div id="figures" data-live { (figures(&visit)) }
        section {
            h2 { "Operations" }
            div id="operations" data-live { (operations(&visit)) }
        }
        p { a href="/_minikin/metrics" { "All metrics for Prometheus" } }
    };
    page::respond(&visit, Section::Metrics, "Metrics", content)
}

fn figures(visit: &Visit) -> Markup {
    let engine = &visit.admin.engine;
    let traffic = engine.traffic.figures();
    let store = engine.store_figures();
    let amount = |(records, bytes): (u64, u64)| {
        html! { (numbers::count(records)) " " span class="muted" { (numbers::bytes(bytes)) } }
    };
    let health = match engine.check_store() {
        Ok(()) => badge(Tone::Good, "serving"),
        Err(reason) => badge(Tone::Bad, &format!("read-only: {reason}")),
    };
    html! {
        dl class="figures" {
            (figure("Records put", &amount(traffic.written)))
            (figure("Records got", &amount(traffic.read)))
            (figure("Records pushed", &amount(traffic.pushed)))
            (figure("Records throttled", &html! { (numbers::count(traffic.throttled)) }))
            (figure("Store", &health))
            (figure("Records lost", &html! { (numbers::count(store.records_lost)) }))
        }
        dl class="figures" {
            (figure("In memory", &html! { (numbers::bytes(store.memory_bytes)) }))
            (figure("On disk", &html! { (numbers::bytes(store.disk_bytes)) }))
            (figure("Commits", &html! { (numbers::count(store.commits)) }))
            (figure("Connections", &html! { (numbers::count(visit.admin.metrics.open_connections())) }))
            (figure("Subscriptions", &html! { (engine.subscriptions()) }))
            (figure("Tails", &html! { (engine.open_tails()) }))
            (figure("In flight", &html! { (numbers::bytes(engine.admission.held_bytes())) }))
        }
    }
}

fn operations(visit: &Visit) -> Markup {
    let calls = visit.admin.metrics.call_figures();
    html! {
        @if calls.is_empty() { p class="muted" { "No operation was called yet." } }
        @else {
            (parts::table("Operations", &html! {
                th scope="col" { "Operation" } th scope="col" class="num" { "Done" }
                th scope="col" class="num" { "Refused" } th scope="col" class="num" { "Throttled" }
                th scope="col" class="num" { "Failed" } th scope="col" class="num" { "Mean ms" }
            }, &html! { @for call in &calls { (row(call)) } }))
        }
    }
}

fn row(call: &CallFigures) -> Markup {
    html! {
        tr id={ "op-" (call.operation) } {
            th scope="row" { (call.operation) }
            td class="num" { (numbers::count(call.done)) }
            td class="num" { (numbers::count(call.refused)) }
            td class="num" { (numbers::count(call.throttled)) }
            td class="num" { (numbers::count(call.failed)) }
            td class="num" { (format!("{:.2}", call.mean_ms)) }
        }
    }
}

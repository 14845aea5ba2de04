//! The page of the limits in force.

use super::page::{self, Section};
use super::parts;
use super::visit::Visit;
use crate::limits::Row;
use axum::response::Response;
use maud::{Markup, html};

/// Answers with the page of the limits in force: a table with the value, unit, meaning and source
/// of each limit.
pub(super) async fn page(visit: Visit) -> Response {
    let rows = visit.admin.engine.limits.rows();
    let content = html! {
        h1 { "Limits" }
        p class="muted" {
            "The values in force. Start minikin with " code { "--limit NAME=VALUE" } " or "
            code { "--profile fast" } " to change them."
        }
        (parts::table("Limits", &html! {
            th scope="col" { "Name" } th scope="col" class="num" { "Value" } th scope="col" { "Unit" }
            th scope="col" { "Meaning" } th scope="col" { "Source" }
        }, &html! { @for row in &rows { (line(row)) } }))
    };
    page::respond(&visit, Section::Limits, "Limits", content)
}

fn line(row: &Row) -> Markup {
    let value = row
        .value
        .parse()
        .map_or_else(|_| row.value.clone(), super::numbers::count);
    html! {
        tr {
            th scope="row" class="mono" { (row.name) }
            td class="num" { (value) }
            td { (row.unit) }
            td class="wrap" { (row.meaning) }
            td class="wrap muted" { (row.source) }
        }
    }
}

//! Renders a record as a row of an HTML table.

use crate::engine::RecordView;
use crate::http::console::characters::visible;
use crate::http::console::numbers;
use crate::http::console::parts::{self, short_shard};
use crate::http::console::payload::{self, Payload};
use crate::limits;
use crate::model::ShardId;
use maud::{Markup, html};

/// Number of digits at the end of a sequence number that a row shows.
const SHOWN_DIGITS: usize = 12;

/// The address of the page of one record, relative to the page of the stream's records. `suffix` is
/// the part of the query string that names the account and the region.
fn address(suffix: &str, shard: ShardId, record: &RecordView<'_>) -> String {
    format!("record?shard={shard}&number={}{suffix}", record.number)
}

/// Renders a record as a row. `suffix` is the part of the query string that names the account and
/// the region.
pub(super) fn row(suffix: &str, shard: ShardId, record: &RecordView<'_>) -> Markup {
    let number = record.number.to_string();
    let last_digits = &number[number.len().saturating_sub(SHOWN_DIGITS)..];
    let key = record.partition_key.unwrap_or_default();
    let shown = payload::first(record.data, limits::CONSOLE_ROW_BYTES);
    html! {
        tr id={ "r" (number) } {
            td class="when" { (parts::time(record.arrival)) }
            td class="key mono" { bdi { (visible(key)) } }
            td class="more" { (short_shard(shard)) }
            td class="mono more" { a href=(address(suffix, shard, record)) title=(number) { "…" (last_digits) } }
            td class="num more" { (numbers::bytes(record.data.len() as u64)) }
            td class="more" { span class="form" { (Payload::of(shown).form()) } }
            td class="preview" {
                details {
                    summary class="mono" { bdi { (payload::preview(record.data)) } }
                    (payload::whole(record.data, limits::CONSOLE_ROW_BYTES))
                    p { a href=(address(suffix, shard, record)) { "The whole record" } ", " (shard) }
                }
            }
        }
    }
}

/// Renders a table of records. `rows` are its rendered rows.
pub(super) fn table(rows: &[Markup]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Records" {
            table class="grid records" {
                thead { tr {
                    th scope="col" { "Time (UTC)" }
                    th scope="col" { "Key" }
                    th scope="col" class="more" { "Shard" }
                    th scope="col" class="more" { "Sequence number" }
                    th scope="col" class="num more" { "Size" }
                    th scope="col" class="more" { "Form" }
                    th scope="col" { "Data" }
                } }
                tbody id="rows" { @for row in rows { (row) } }
            }
        }
    }
}

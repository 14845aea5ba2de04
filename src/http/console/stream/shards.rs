//! The page of a stream's shards: a drawing of the shards over time, and a table of the shards with
//! rates and actions.

use super::frame;
use crate::engine::{Shard, Stream};
use crate::http::console::forms::Form;
use crate::http::console::lineage::{self, Cell, LAST, Layout};
use crate::http::console::numbers;
use crate::http::console::page::problem;
use crate::http::console::parts::{self, Tone, badge, bar, drawer, short_shard, time};
use crate::http::console::visit::Visit;
use crate::http::rates::Rate;
use crate::limits;
use crate::model::{self, HashKey, ShardId};
use crate::world::Timestamp;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use std::collections::HashMap;
use std::sync::Arc;

/// Number of bytes per second that a shard accepts. The value is the limit of AWS.
const BYTES: f64 = 1_048_576.0;
/// Number of records per second that a shard accepts. The value is the limit of AWS.
const RECORDS: f64 = 1_000.0;

/// The load of an open shard. The rate is None until the counters of the shard have been read
/// twice.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    rate: Option<Rate>,
}

impl Load {
    fn of_bytes(&self) -> f64 {
        self.rate.map_or(0.0, |rate| rate.put_bytes / BYTES)
    }

    fn of_records(&self) -> f64 {
        self.rate.map_or(0.0, |rate| rate.put_records / RECORDS)
    }

    fn share(&self) -> f64 {
        self.of_bytes().max(self.of_records())
    }

    fn throttled(&self) -> f64 {
        self.rate.map_or(0.0, |rate| rate.throttled)
    }

    fn tone(&self) -> Tone {
        match self.throttled() > 0.0 {
            true => Tone::Bad,
            false => Tone::of_share(self.share()),
        }
    }
}

/// The shards that the page shows, and the load of each open shard.
struct Shown {
    shards: Vec<model::Shard>,
    loads: HashMap<ShardId, Load>,
}

impl Shown {
    fn of(visit: &Visit, stream: &Stream, now: Timestamp) -> Self {
        let shards = stream.listed_shards(now);
        let (open, _) = stream.routes();
        let rates = visit.rates.of_shards(stream, &open);
        let load = |(shard, rate): (&Arc<Shard>, _)| (shard.id, Load { rate });
        Self {
            loads: open.iter().zip(rates).map(load).collect(),
            shards,
        }
    }

    fn load(&self, id: ShardId) -> Load {
        self.loads.get(&id).copied().unwrap_or_default()
    }
}

/// Answers with the page of a stream's shards: a drawing of the shards over time, and a table of
/// the shards.
pub(in crate::http::console) async fn page(visit: Visit, Path(name): Path<String>) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let now = visit.admin.engine.world.clock.now();
    let shown = Shown::of(&visit, &stream, now);
    let content = html! {
        div class="buttons" { (scale(&visit, &stream)) (mode(&visit, &stream)) }
        div id="fullest" data-live { (fullest(&shown)) }
        section id="lineage" data-live {
            h2 { "Lineage" }
            p class="muted" { "Hash keys from top to bottom, time from left to right. The bar is the load of an open shard." }
            (drawing(&visit, &shown))
        }
        section id="shards" data-live {
            h2 { "Shards" }
            (table(&visit, &stream, &shown))
        }
    };
    frame::respond(&visit, &stream, "shards", &content)
}

/// A sentence about the open shard whose load is closest to the limits of a shard.
fn fullest(shown: &Shown) -> Markup {
    let fullest = shown.loads.iter().max_by(|one, other| {
        let key = |load: &Load| (load.throttled() > 0.0, load.share());
        let (one, other) = (key(one.1), key(other.1));
        one.partial_cmp(&other).unwrap_or(std::cmp::Ordering::Equal)
    });
    let Some((id, load)) = fullest.filter(|(_, load)| load.share() > 0.0 || load.throttled() > 0.0)
    else {
        return html! { p class="muted" { "Nothing is being put into the shards." } };
    };
    let percent = (load.share() * 100.0).round();
    html! {
        p {
            "Fullest: " b { (short_shard(*id)) } ", " (percent) " % of its limits "
            @if load.throttled() > 0.0 {
                (badge(Tone::Bad, &format!("throttled, {} records/s refused", numbers::rate(load.throttled()))))
            } @else if load.tone() != Tone::Good {
                (badge(load.tone(), if load.share() >= 0.95 { "full" } else { "busy" }))
            }
        }
    }
}

fn drawing(visit: &Visit, shown: &Shown) -> Markup {
    if shown.shards.is_empty() {
        return parts::empty("The shards appear when the stream is ACTIVE.", "");
    }
    let layout = lineage::layout(&shown.shards);
    let Layout { width, height, .. } = layout;
    let full_height = height + 22.0;
    html! {
        div class="lineage" tabindex="0" role="region" aria-label="Drawing of the shards" {
            svg width=(width) height=(full_height) viewBox={ "0 -20 " (width) " " (full_height) }
                role="group" aria-label={ "Lineage of " (numbers::plural(shown.shards.len() as u64, "shard")) } {
                (axis(&layout))
                @for cell in &layout.cells { (drawn(visit, cell, shown.load(cell.id))) }
            }
        }
    }
}

/// Renders the times at which the columns of the drawing begin. Leaves out the time of a column
/// whose edge is too close to the text of the previous time.
fn axis(layout: &Layout) -> Markup {
    let mut free_from = 0.0;
    let mut labels = Vec::new();
    for (x, time_s) in &layout.columns {
        if *x >= free_from {
            labels.push((*x, *time_s));
            free_from = *x + 64.0;
        }
    }
    html! {
        @for (x, time_s) in labels {
            @let moment = Timestamp::from_millis(i64::try_from(time_s * 1000).unwrap_or(i64::MAX));
            @let text = numbers::moment(moment);
            text class="axis" x=(x + 2.0) y="-7" {
                (text.get(11..19).unwrap_or_default()) title { (text) }
            }
        }
    }
}

fn drawn(visit: &Visit, cell: &Cell, load: Load) -> Markup {
    let Cell { id, x, y, .. } = *cell;
    let (width, height) = ((cell.width - 2.0).max(1.0), (cell.height - 1.0).max(1.0));
    let class = if cell.is_open { "open" } else { "closed" };
    let percent = numbers::percent(cell.share);
    let full = (load.share() * 100.0).round();
    let label = format!("{id}, {class}, {percent} of the hash keys, load {full} %");
    let has_text = height >= 11.0 && width >= 22.0;
    let place = x + width - LAST + 90.0;
    let base = y + height.min(18.0) - 4.0;
    let level = (load.share().clamp(0.0, 1.0) * 200.0).round();
    html! {
        a class=(class) href=(visit.link(&format!("records?shard={id}"))) aria-label=(label) {
            title { (label) }
            rect class="body" x=(x) y=(y) width=(width) height=(height) rx="2" {}
        }
        g class="words" aria-hidden="true" {
            @if has_text { text x=(x + 5.0) y=(base) { (id.index()) } }
            @if cell.is_open && has_text {
                text x=(place - 48.0) y=(base) { (percent) }
                rect class={ "load " (load.tone().class()) } x=(place) y=(y + 4.0) rx="1"
                    width=(level) height=((height - 8.0).clamp(2.0, 9.0)) {}
                text x=(place + 208.0) y=(base) { (full) " %" }
            }
        }
    }
}

fn table(visit: &Visit, stream: &Stream, shown: &Shown) -> Markup {
    let most = limits::CONSOLE_ROWS;
    // Show the open shards first, because only open shards have buttons for actions.
    let mut shards: Vec<&model::Shard> = shown.shards.iter().collect();
    shards.sort_by_key(|shard| (!shard.is_open(), shard.hash_key_range.start.value()));
    html! {
        (parts::table("Table of the shards", &html! {
            th scope="col" { "Shard" }
            th scope="col" { "State" }
            th scope="col" class="num" { "Hash keys" }
            th scope="col" { "Put records/s of 1,000" }
            th scope="col" { "Put bytes/s of 1 MiB" }
            th scope="col" class="num" { "Throttled/s" }
            th scope="col" class="num" { "Get records/s" }
            th scope="col" { "Parents" }
            th scope="col" { "Created (UTC)" }
            th scope="col" { span class="unseen" { "Actions" } }
        }, &html! {
            @for (at, shard) in shards.iter().take(most).enumerate() {
                (row(visit, stream, shard, shown.load(shard.id), shards.get(at + 1).copied()))
            }
        }))
        @if shards.len() > most { p class="muted" { "The first " (most) " shards are shown." } }
    }
}

fn row(
    visit: &Visit,
    stream: &Stream,
    shard: &model::Shard,
    load: Load,
    next: Option<&model::Shard>,
) -> Markup {
    let created = i64::try_from(shard.created_s).unwrap_or_default() * 1000;
    let created = Timestamp::from_millis(created);
    let parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
    let parents: Vec<String> = parents.map(|parent| parent.index().to_string()).collect();
    let records = format!(
        "{} records/s",
        numbers::rate(load.rate.unwrap_or_default().put_records)
    );
    let bytes = format!(
        "{}/s",
        numbers::bytes(load.rate.unwrap_or_default().put_bytes as u64)
    );
    html! {
        tr id={ "shard-" (shard.id.index()) } {
            th scope="row" { a href=(visit.link(&format!("records?shard={}", shard.id))) { (short_shard(shard.id)) } }
            td {
                @if !shard.is_open() { (badge(Tone::Quiet, "closed")) }
                @else if load.throttled() > 0.0 { (badge(Tone::Bad, "throttled")) }
                @else if load.share() >= 0.95 { (badge(Tone::Bad, "full")) }
                @else { (badge(Tone::Good, "open")) }
            }
            td class="num" { (numbers::percent(lineage::share(shard))) }
            @if shard.is_open() {
                td { (bar(load.of_records(), &records)) " " (records) }
                td { (bar(load.of_bytes(), &bytes)) " " (bytes) }
                td class="num" { (numbers::rate(load.throttled())) }
                td class="num" { (numbers::rate(load.rate.unwrap_or_default().get_records)) }
            } @else { td {} td {} td {} td {} }
            td { (parents.join(", ")) }
            td { (time(created)) }
            td class="end" { @if shard.is_open() { div class="buttons nowrap" {
                (split(visit, stream, shard))
                @if let Some(next) = next.filter(|next| next.is_open() && shard.can_merge_with(next)) {
                    (merge(visit, stream, shard, next))
                }
            } } }
        }
    }
}

fn split(visit: &Visit, stream: &Stream, shard: &model::Shard) -> Markup {
    let range = shard.hash_key_range;
    let middle = range.start.value() + (range.end.value() - range.start.value()).div_ceil(2);
    let id = shard.id.index();
    let form = Form::operation(visit, "SplitShard").open(&html! {
        p class="muted mono" { (range.start.value()) " to " (range.end.value()) }
        input type="hidden" name="StreamName" value=(stream.arn.name);
        input type="hidden" name="ShardToSplit" value=(shard.id);
        label { span { "First hash key of the upper child" }
            input class="mono" name="NewStartingHashKey" value=(HashKey::new(middle).value()); }
        button class="primary" { "Split shard " (id) }
    });
    drawer(&format!("split-{id}"), "Split…", &form)
}

fn merge(visit: &Visit, stream: &Stream, lower: &model::Shard, upper: &model::Shard) -> Markup {
    let (id, next) = (lower.id.index(), upper.id.index());
    let form = Form::operation(visit, "MergeShards").open(&html! {
        input type="hidden" name="StreamName" value=(stream.arn.name);
        input type="hidden" name="ShardToMerge" value=(lower.id);
        input type="hidden" name="AdjacentShardToMerge" value=(upper.id);
        p { "Merge shard " (id) " with its neighbour, shard " (next) "?" }
        button class="primary" { "Merge shards " (id) " and " (next) }
    });
    drawer(&format!("merge-{id}"), "Merge…", &form)
}

fn scale(visit: &Visit, stream: &Stream) -> Markup {
    let form = Form::operation(visit, "UpdateShardCount").open(&html! {
        input type="hidden" name="StreamName" value=(stream.arn.name);
        input type="hidden" name="ScalingType" value="UNIFORM_SCALING";
        label { span { "Number of shards" }
            input name="TargetShardCount:int" type="number" min="1" max="10000" required
                value=(stream.properties().open_shards * 2); }
        button class="primary" { "Scale" }
    });
    drawer("scale", "Scale…", &form)
}

fn mode(visit: &Visit, stream: &Stream) -> Markup {
    let is_on_demand = stream.properties().mode.as_str() == "ON_DEMAND";
    let (other, name) = match is_on_demand {
        true => ("PROVISIONED", "provisioned"),
        false => ("ON_DEMAND", "on-demand"),
    };
    let form = Form::operation(visit, "UpdateStreamMode").open(&html! {
        input type="hidden" name="StreamARN" value=(stream.arn);
        input type="hidden" name="StreamModeDetails.StreamMode" value=(other);
        p { "Change the stream to the mode " (name) "?" }
        button class="primary" { "Change to " (name) }
    });
    drawer("mode", "Change the mode…", &form)
}

//! The pages of event source mappings: a page of all mappings, and a page of one mapping.

use super::actions::{Action, Outcome};
use super::fields::{Fields, bad};
use super::forms::Form;
use super::page::{self, Section, problem};
use super::parts::{self, Tone, badge, drawer, figure, status, time};
use super::visit::{Visit, stream_path};
use super::{json_tree, numbers};
use crate::engine::event_source::{DrainRequest, Failure, Mapping, Origin};
use crate::http::admin::{Refused, mapping_details, mapping_event};
use crate::limits;
use crate::model::StreamArn;
use crate::model::event_source::{Changes, CreateRequest};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Path of the page of all event source mappings.
const PATH: &str = "/_minikin/console/mappings";

/// Answers with the page of all event source mappings: a table of the mappings, and a form for a
/// new mapping.
pub(super) async fn page(visit: Visit) -> Response {
    let all = visit.admin.engine.event_sources.all();
    let content = html! {
        div class="title" { h1 { "Event source mappings" } (create(&visit)) }
        div id="mappings" data-live {
            @if all.is_empty() {
                (parts::empty("No mapping delivers records to a function. Start minikin with a function and map it:",
                    "minikin --function worker=http://localhost:9000/2015-03-31/functions/function/invocations\n\
                     aws lambda create-event-source-mapping --function-name worker --starting-position TRIM_HORIZON \\\n    \
                     --event-source-arn arn:aws:kinesis:us-east-1:000000000000:stream/orders \\\n    \
                     --endpoint-url http://localhost:4567"))
            } @else {
                (parts::table("Mappings", &html! {
                    th scope="col" { "Function" } th scope="col" { "State" } th scope="col" { "Source" }
                    th scope="col" { "Health" } th scope="col" class="num" { "Behind" }
                    th scope="col" class="num" { "Discarded" } th scope="col" { "Last result" }
                }, &html! { @for mapping in all.iter().take(limits::CONSOLE_ROWS) { (row(&visit, mapping)) } }))
            }
        }
    };
    page::respond(&visit, Section::Mappings, "Mappings", content)
}

fn row(visit: &Visit, mapping: &Mapping) -> Markup {
    let engine = &visit.admin.engine;
    let now = engine.world.clock.now();
    let view = mapping.view(now);
    let details = mapping_details(&engine.event_sources, mapping, now);
    let stream = &*mapping.source.stream().name;
    let failures = mapping.failures().len();
    html! {
        tr id={ "mapping-" (mapping.uuid) } {
            th scope="row" { a href=(visit.link(&format!("{PATH}/{}", mapping.uuid))) { (view.function.name) } }
            td { (status(view.state)) }
            td { a href=(visit.link(&stream_path(stream, "records"))) { (stream) } }
            td class="wrap" { (health(&details)) }
            td class="num" { (numbers::duration(behind_ms(&details))) }
            td class="num" { @if failures > 0 { (badge(Tone::Bad, &failures.to_string())) } @else { "0" } }
            td class="wrap" { (view.result) }
        }
    }
}

/// The longest delay of a mapping in milliseconds, over all its shards. `details` is the JSON
/// object of the mapping, and its member `MillisBehind` is the delay in one shard.
fn behind_ms(details: &Value) -> i64 {
    let shards = details["Shards"].as_array().into_iter().flatten();
    shards
        .filter_map(|shard| shard["MillisBehind"].as_i64())
        .max()
        .unwrap_or(0)
}

/// Renders the state of a mapping as a badge. If an error prevents the progress of the mapping in a
/// shard, the error follows the badge.
fn health(details: &Value) -> Markup {
    if details["Status"] != "reading" {
        return badge(Tone::Busy, "waiting for the stream");
    }
    let shards = details["Shards"].as_array().into_iter().flatten();
    let stuck = shards
        .filter_map(|shard| stuck(shard).map(|why| (shard, why)))
        .next();
    match stuck {
        Some((shard, why)) => html! {
            (badge(Tone::Bad, "stuck")) " " (shard["ShardId"].as_str().unwrap_or_default()) ": " (why)
        },
        None => match details["LastProcessingResult"].as_str() {
            Some(result) if result.starts_with("PROBLEM") => html! {
                (badge(Tone::Bad, "failing")) " " (result)
            },
            _ => badge(Tone::Good, "running"),
        },
    }
}

/// The error that prevents the progress of a mapping in a shard. None if there is no such error.
fn stuck(shard: &Value) -> Option<String> {
    let lanes = shard["Lanes"].as_array()?;
    lanes.iter().find_map(|lane| {
        let batch = &lane["Batch"];
        let error = batch["LastError"].as_str()?;
        let attempt = batch["Attempt"].as_u64().unwrap_or(0);
        Some(format!("attempt {attempt} failed: {error}"))
    })
}

fn find(visit: &Visit, uuid: &str) -> Result<Arc<Mapping>, Refused> {
    let uuid = Uuid::try_parse(uuid).ok();
    let found = uuid.and_then(|uuid| visit.admin.engine.event_sources.find(&uuid));
    found.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "There is no such mapping."))
}

/// Answers with the page of one event source mapping: its figures, its shards, its discarded
/// batches and its event log.
pub(super) async fn mapping_page(visit: Visit, Path(uuid): Path<String>) -> Response {
    let mapping = match find(&visit, &uuid) {
        Ok(mapping) => mapping,
        Err(refused) => return problem(&visit, &refused),
    };
    let engine = &visit.admin.engine;
    let now = engine.world.clock.now();
    let details = mapping_details(&engine.event_sources, &mapping, now);
    let view = mapping.view(now);
    let content = html! {
        div class="title" {
            h1 { a class="up" href=(visit.link(PATH)) { "Mappings" } " / " (view.function.name) }
            (buttons(&visit, &mapping, view.state))
        }
        p class="arn mono" { (mapping.source) " → " (view.function) }
        (figures(&mapping, &details, view.state))
        section { h2 { "Shards" } div id="shards" data-live { (shards(&details)) } }
        section { h2 { "Discarded batches" } div id="failures" data-live { (failures(&visit, &mapping)) } }
        section { h2 { "Event log" } div id="events" data-live { (events(&mapping)) } }
    };
    page::respond(&visit, Section::Mappings, &view.function.name, content)
}

fn figures(mapping: &Mapping, details: &Value, state: &str) -> Markup {
    use std::sync::atomic::Ordering::Relaxed;
    let counters = &mapping.counters;
    let [success, partial, error, unreached] =
        std::array::from_fn(|at| counters.invocations[at].load(Relaxed));
    html! {
        dl class="figures" id="figures" data-live {
            (figure("State", &status(state)))
            (figure("Health", &health(details)))
            (figure("Behind", &html! { (numbers::duration(behind_ms(details))) }))
            (figure("Invocations", &html! { (numbers::count(success + partial + error + unreached)) }))
            (figure("Failed", &html! { (numbers::count(error + unreached)) }))
            (figure("Records read", &html! { (numbers::count(counters.polled.load(Relaxed))) }))
            (figure("Filtered out", &html! { (numbers::count(counters.filtered.load(Relaxed))) }))
        }
    }
}

fn shards(details: &Value) -> Markup {
    let empty = Vec::new();
    let shards = details["Shards"].as_array().unwrap_or(&empty);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    html! {
        (parts::table("Shards", &html! {
            th scope="col" { "Shard" } th scope="col" { "Status" } th scope="col" class="num" { "Behind" }
            th scope="col" class="num" { "Read ahead" } th scope="col" { "Position" } th scope="col" { "Why" }
        }, &html! {
            @for shard in shards.iter().take(limits::CONSOLE_ROWS) {
                tr id={ "s" (text(&shard["ShardId"])) } {
                    th scope="row" { (text(&shard["ShardId"])) }
                    td { @if stuck(shard).is_some() { (badge(Tone::Bad, &text(&shard["Status"]))) }
                         @else { (badge(Tone::Quiet, &text(&shard["Status"]))) } }
                    td class="num" { (numbers::duration(shard["MillisBehind"].as_i64().unwrap_or(0))) }
                    td class="num" { (shard["Undone"].as_u64().unwrap_or(0)) }
                    td class="mono" { (text(&shard["Position"])) }
                    td class="wrap" { (stuck(shard).unwrap_or_default()) (next_try(shard)) }
                }
            }
        }))
    }
}

fn next_try(shard: &Value) -> Markup {
    let lanes = shard["Lanes"].as_array().into_iter().flatten();
    let next = lanes
        .filter_map(|lane| lane["Batch"]["NextTryMs"].as_i64())
        .min();
    html! { @if let Some(next) = next {
        " · next try at " (time(crate::world::Timestamp::from_millis(next)))
    } }
}

fn failures(visit: &Visit, mapping: &Mapping) -> Markup {
    let failures = mapping.failures();
    if failures.is_empty() {
        return html! { p class="muted" { "No batch was discarded." } };
    }
    html! { @for failure in failures.iter().rev() { (failure_card(visit, mapping, failure)) } }
}

fn failure_card(visit: &Visit, mapping: &Mapping, failure: &Failure) -> Markup {
    let path = format!("redeliver/{}/{}", mapping.uuid, failure.number);
    html! {
        article class="card" id={ "failure-" (failure.number) } {
            div class="title" {
                h3 { "Batch " (failure.number) " · " (failure.record["requestContext"]["condition"].as_str().unwrap_or("discarded")) }
                @if failure.payload.is_some() {
                    (Form::new(visit, &path).open(&html! { button { "Redeliver batch " (failure.number) } }))
                } @else { span class="muted" { "The event is not kept any more." } }
            }
            details { summary { "Record of the failure" } (json_tree::tree(&failure.record, limits::CONSOLE_VALUES)) }
            @if let Some(payload) = &failure.payload {
                details { summary { "Event that the function got" } (event_tree(payload)) }
            }
        }
    }
}

fn event_tree(payload: &str) -> Markup {
    let shown = super::payload::first(payload.as_bytes(), limits::CONSOLE_RECORD_BYTES);
    match serde_json::from_str::<Value>(payload) {
        Ok(value) if shown.len() == payload.len() => {
            json_tree::tree(&value, limits::CONSOLE_VALUES)
        }
        _ => super::payload::whole(payload.as_bytes(), limits::CONSOLE_RECORD_BYTES),
    }
}

fn events(mapping: &Mapping) -> Markup {
    let mut entries = mapping.events(0, limits::EVENT_SOURCE_LOG_ENTRIES);
    let older = entries.len().saturating_sub(limits::CONSOLE_EVENTS);
    entries.drain(..older);
    html! {
        div class="scroll tall" tabindex="0" role="region" aria-label="Event log" {
            table class="grid" {
                thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Event" } th scope="col" { "Shard" }
                    th scope="col" class="num" { "Records" } th scope="col" class="num" { "Attempt" }
                    th scope="col" class="num" { "ms" } th scope="col" { "Detail" } } }
                tbody { @for entry in entries.iter().rev() {
                    @let shown = mapping_event(entry);
                    tr id={ "e" (entry.number) } {
                        td class="when" { (time(entry.time)) }
                        td { (entry.kind.as_str()) }
                        td { (entry.shard.map(parts::short_shard).unwrap_or_default()) }
                        td class="num" { (entry.records.map(|records| records.to_string()).unwrap_or_default()) }
                        td class="num" { (entry.attempt.map(|attempt| attempt.to_string()).unwrap_or_default()) }
                        td class="num" { (shown["DurationMs"].as_i64().map(|ms| ms.to_string()).unwrap_or_default()) }
                        td class="wrap" {
                            (super::characters::visible(entry.detail.as_deref().unwrap_or_default()))
                            @if let Some(error) = &entry.error { ": " (super::characters::visible(error)) }
                        }
                    }
                } }
            }
        }
    }
}

fn buttons(visit: &Visit, mapping: &Mapping, state: &str) -> Markup {
    let path = |action: &str| format!("mapping/{}/{action}", mapping.uuid);
    let button = |action: &str, label: &str| {
        Form::new(visit, &path(action)).open(&html! { button { (label) } })
    };
    let delete = Form::new(visit, &path("delete")).back(PATH).open(&html! {
        p { "Delete this mapping?" }
        button class="danger" { "Delete the mapping" }
    });
    html! {
        div class="buttons" {
            (button("drain", "Drain"))
            (button("reset", "Start over"))
            @if state == "Disabled" { (button("enable", "Enable")) } @else { (button("disable", "Disable")) }
            (drawer("delete-mapping", "Delete…", &delete))
        }
    }
}

fn create(visit: &Visit) -> Markup {
    let (streams, _) = visit
        .admin
        .engine
        .list(&visit.scope, None, limits::CONSOLE_ROWS);
    let form = Form::new(visit, "mappings").open(&html! {
        label { span { "Function (its address is an option: --function NAME=URL)" }
            input name="function" required autocomplete="off"; }
        label { span { "Stream" }
            select name="stream" required { @for stream in &streams {
                option value=(stream.arn) { (stream.arn.name) }
            } } }
        label { span { "Records in a batch" } input name="batch" type="number" min="1" max="10000" value="100"; }
        label { span { "Retries before a batch is discarded (empty: until the records expire)" }
            input name="retries" type="number" min="0" max="10000"; }
        button class="primary" { "Create mapping" }
    });
    drawer("create-mapping", "Create mapping", &form)
}

/// Creates the event source mapping that the form describes.
pub(super) async fn create_mapping(visit: Visit, mut action: Action) -> Response {
    let outcome = create_by(&visit, &mut action.fields).await;
    action.answer(&visit, outcome)
}

async fn create_by(visit: &Visit, fields: &mut Fields) -> Outcome {
    let mut request = json!({
        "FunctionName": fields.need("function")?,
        "EventSourceArn": fields.need("stream")?,
        "StartingPosition": "TRIM_HORIZON",
    });
    for (field, member) in [("batch", "BatchSize"), ("retries", "MaximumRetryAttempts")] {
        if let Some(text) = fields.take(field) {
            let number: u32 = text
                .parse()
                .map_err(|_| bad(&format!("{field} is a whole number")))?;
            request[member] = json!(number);
        }
    }
    let engine = &visit.admin.engine;
    let find = |arn: &StreamArn| engine.find(&arn.scope, &arn.name);
    let request = CreateRequest::read(&request).map_err(|refusal| bad(&refusal.to_string()))?;
    let sources = &engine.event_sources;
    let found = sources.create_by_request(&visit.scope, &request, (Origin::Api, None), &find);
    let found = found.map_err(|refusal| bad(&refusal.to_string()))?;
    found
        .ticket
        .durable()
        .await
        .map_err(|error| bad(&error.to_string()))?;
    Ok("The mapping is created.".to_owned())
}

/// Runs an action on a mapping: drain, reset, enable, disable or delete.
pub(super) async fn change(
    visit: Visit,
    Path((uuid, action)): Path<(String, String)>,
    form: Action,
) -> Response {
    let outcome = match find(&visit, &uuid) {
        Ok(mapping) => act(&visit, &mapping, &action).await,
        Err(refused) => Err(refused),
    };
    form.answer(&visit, outcome)
}

async fn act(visit: &Visit, mapping: &Arc<Mapping>, action: &str) -> Outcome {
    let sources = &visit.admin.engine.event_sources;
    let found = match action {
        "drain" => return drain(visit, mapping).await,
        "reset" => {
            sources.reset(mapping, None);
            return Ok("The mapping starts over.".to_owned());
        }
        "enable" | "disable" => {
            let changes = json!({ "Enabled": action == "enable" });
            let changes = Changes::read(&changes).map_err(|refusal| bad(&refusal.to_string()))?;
            sources.update_by_request(mapping, &changes)
        }
        "delete" => sources.delete(mapping),
        _ => {
            return Err(Refused::new(
                StatusCode::NOT_FOUND,
                "there is no such action",
            ));
        }
    };
    let found = found.map_err(|refusal| bad(&refusal.to_string()))?;
    found
        .ticket
        .durable()
        .await
        .map_err(|error| bad(&error.to_string()))?;
    Ok("The mapping is changed.".to_owned())
}

/// Waits until the mapping is done with all records of its stream, for up to ten seconds.
async fn drain(visit: &Visit, mapping: &Arc<Mapping>) -> Outcome {
    let request = DrainRequest {
        timeout: Duration::from_secs(10),
        ..DrainRequest::default()
    };
    let drained = visit
        .admin
        .engine
        .event_sources
        .drain(Some(mapping), request)
        .await;
    match drained {
        Ok(()) => Ok("The mapping has processed all records.".to_owned()),
        Err(_) => Err(bad("the mapping has work left: see its shards below")),
    }
}

/// Invokes the function of a mapping again with one of the mapping's discarded batches.
pub(super) async fn redeliver(
    visit: Visit,
    Path((uuid, number)): Path<(String, u64)>,
    action: Action,
) -> Response {
    let outcome = match find(&visit, &uuid) {
        Ok(mapping) => {
            let sources = &visit.admin.engine.event_sources;
            match sources.redeliver(&mapping, number).await {
                Ok(done) => Ok(format!("The function answered: {}.", done.outcome)),
                Err(_) => Err(bad("the event of this batch is not kept any more")),
            }
        }
        Err(refused) => Err(refused),
    };
    action.answer(&visit, outcome)
}

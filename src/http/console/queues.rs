//! The pages of queues: a page of all queues, and a page of one queue.

use super::actions::{self, Action, Outcome};
use super::characters::visible;
use super::fields::{Fields, bad};
use super::forms::{Form, hidden};
use super::page::{self, Section, problem};
use super::parts::{self, Tone, badge, drawer, figure, short_shard, status, time};
use super::streams::mode;
use super::visit::{Visit, stream_path};
use super::{numbers, payload};
use crate::engine::queue::{Peek, PeekedRecord, Queue, QueueFigures};
use crate::http::admin::Refused;
use crate::limits;
use crate::model::{PeekState, ReceiptHandle, RecordPlace};
use crate::world::Timestamp;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;
use std::sync::Arc;

/// Path of the page of the queue `name`.
pub(super) fn queue_path(name: &str) -> String {
    format!("/_minikin/console/queues/{name}")
}

/// Number of records of a queue that can be received now. Dead-letter records are not counted.
pub(super) fn receivable(figures: &QueueFigures) -> u64 {
    figures.unread + figures.counts.visible as u64
}

fn dead(figures: &QueueFigures) -> usize {
    figures.counts.dead_visible + figures.counts.dead_in_flight
}

/// Answers with the page of all queues: a table of the queues, and a form for a new queue.
pub(super) async fn page(visit: Visit) -> Response {
    let now = visit.admin.engine.world.clock.now();
    let most = limits::CONSOLE_ROWS;
    let (queues, is_cut) = visit
        .admin
        .engine
        .list_queues(&visit.scope, None, most, |_| true);
    let content = html! {
        div class="title" { h1 { "Queues" } (create(&visit)) }
        div id="queues" data-live {
            @if queues.is_empty() {
                (parts::empty("There is no queue in this account and region. Create one here; a queue gives each record of a stream to one of its receivers.", ""))
            } @else {
                (parts::table("Queues", &html! {
                    th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "Stream" }
                    th scope="col" class="num" { "Visible" } th scope="col" class="num" { "In flight" }
                    th scope="col" class="num" { "Dead letters" } th scope="col" class="num" { "Received" }
                    th scope="col" class="num" { "Acknowledged" }
                }, &html! { @for queue in &queues { (row(&visit, queue, now)) } }))
            }
            @if is_cut { p class="muted" { "The first " (most) " queues are shown." } }
        }
    };
    page::respond(&visit, Section::Queues, "Queues", content)
}

fn row(visit: &Visit, queue: &Queue, now: Timestamp) -> Markup {
    let figures = queue.figures(now);
    let stream = &*queue.stream.arn.name;
    html! {
        tr id={ "queue-" (queue.name) } {
            th scope="row" { a href=(visit.link(&queue_path(&queue.name))) { (queue.name) } }
            td { (status(queue.describe().status.as_str())) }
            td { a href=(visit.link(&stream_path(stream, "records"))) { (stream) } }
            td class="num" { (numbers::count(receivable(&figures))) }
            td class="num" { (figures.counts.in_flight) }
            td class="num" { (dead_letters(&figures)) }
            td class="num" { (numbers::count(figures.received)) }
            td class="num" { (numbers::count(figures.acknowledged)) }
        }
    }
}

fn dead_letters(figures: &QueueFigures) -> Markup {
    match dead(figures) {
        0 => html! { "0" },
        count => badge(Tone::Bad, &count.to_string()),
    }
}

fn create(visit: &Visit) -> Markup {
    let most = limits::CONSOLE_ROWS;
    let (streams, _) = visit.admin.engine.list(&visit.scope, None, most);
    let form = Form::new(visit, "queue").open(&html! {
        label { span { "Name" }
            input name="name" required pattern="[a-zA-Z0-9_.\\-]+" maxlength="128" autocomplete="off"; }
        label { span { "Stream (a queue needs an on-demand stream)" }
            select name="stream" required { @for stream in &streams {
                option value=(stream.arn) {
                    (stream.arn.name) " (" (mode(stream.properties().mode.as_str())) ")"
                }
            } } }
        label { span { "Receives before a record is a dead letter" }
            input name="receives" type="number" min="1" placeholder="empty: the default"; }
        button class="primary" { "Create queue" }
    });
    drawer("create-queue", "Create queue", &form)
}

/// Creates the queue that the form describes.
pub(super) async fn create_queue(visit: Visit, mut action: Action) -> Response {
    let outcome = create_by(&visit, &mut action.fields).await;
    action.answer(&visit, outcome)
}

async fn create_by(visit: &Visit, fields: &mut Fields) -> Outcome {
    let mut members = json!({
        "QueueName": fields.need("name")?,
        "StreamConfigurationList": [{ "StreamARN": fields.need("stream")? }],
    });
    if let Some(receives) = fields.take("receives") {
        let receives: u32 = receives
            .parse()
            .map_err(|_| bad("receives is a whole number"))?;
        members["QueueAttributes"] = json!({
            "DeadLetterConfiguration": { "TargetType": "BUILT_IN", "MaxReceiveCount": receives },
        });
    }
    actions::operation(visit, "CreateQueue", &members).await?;
    Ok("The queue is being created.".to_owned())
}

/// Answers with the page of one queue: its figures, and its records in the state that the query
/// parameter `state` selects.
pub(super) async fn queue_page(mut visit: Visit, Path(name): Path<String>) -> Response {
    let queue = match find(&visit, &name) {
        Ok(queue) => queue,
        Err(refused) => return problem(&visit, &refused),
    };
    let state = visit.query.take("state").unwrap_or_default();
    let rows = match peek(&visit, &queue, &state).await {
        Ok(rows) => rows,
        Err(refused) => return problem(&visit, &refused),
    };
    let content = content(&visit, &queue, &state, &rows);
    page::respond(&visit, Section::Queues, &name, content)
}

fn find(visit: &Visit, name: &str) -> Result<Arc<Queue>, Refused> {
    let queue = visit.admin.engine.find_queue_named(&visit.scope, name);
    queue.ok_or_else(|| {
        let text = format!("There is no queue {name} in this account and region.");
        Refused::new(StatusCode::NOT_FOUND, &text)
    })
}

/// The values of the query parameter `state`: the text of each value, its label on the page, and
/// the state of the records that it selects.
const STATES: [(&str, &str, PeekState); 3] = [
    ("visible", "Visible", PeekState::Visible),
    ("in-flight", "In flight", PeekState::InFlight),
    ("dead-letter", "Dead letters", PeekState::DeadLetter),
];

async fn peek(visit: &Visit, queue: &Queue, state: &str) -> Result<Vec<Markup>, Refused> {
    let state = STATES.iter().find(|(word, ..)| *word == state);
    let state = state.map_or(PeekState::Visible, |(.., state)| *state);
    let peek = Peek {
        state,
        from: RecordPlace { index: 0, shard: 0 },
        limit: limits::CONSOLE_RECORDS,
    };
    let mut rows = Vec::new();
    let peeked = queue.peek(&visit.admin.engine, peek, |record| {
        rows.push(record_row(visit, queue, record));
        record.record.data.len()
    });
    peeked
        .await
        .map_err(|error| Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    Ok(rows)
}

fn record_row(visit: &Visit, queue: &Queue, peeked: &PeekedRecord<'_>) -> Markup {
    let record = &peeked.record;
    let entry = peeked.entry;
    let is_dead = entry.is_some_and(|entry| entry.standing.is_dead());
    html! {
        tr id={ "q" (record.number) } {
            td class="when" { (time(record.arrival)) }
            td class="key mono" { bdi { (visible(record.partition_key.unwrap_or_default())) } }
            td { (short_shard(peeked.shard.id)) }
            td class="num" { (entry.map_or(0, |entry| entry.count)) }
            td {
                @if let Some(entry) = entry.filter(|entry| entry.standing.is_in_flight()) {
                    "until " (time(Timestamp::from_millis(entry.due_ms)))
                }
            }
            td class="preview" { details {
                summary class="mono" { bdi { (payload::preview(record.data)) } }
                (payload::whole(record.data, limits::CONSOLE_ROW_BYTES))
            } }
            td class="end" { @if is_dead {
                (Form::new(visit, &format!("restore/{}", queue.name)).open(&html! {
                    input type="hidden" name="record" value=(place(peeked));
                    button { "Restore" }
                }))
            } }
        }
    }
}

fn content(visit: &Visit, queue: &Queue, state: &str, rows: &[Markup]) -> Markup {
    let now = visit.admin.engine.world.clock.now();
    let figures = queue.figures(now);
    let described = queue.describe();
    let stream = &*queue.stream.arn.name;
    let counts = [
        receivable(&figures),
        figures.counts.in_flight as u64,
        dead(&figures) as u64,
    ];
    html! {
        div class="title" {
            h1 { a class="up" href=(visit.link("/_minikin/console/queues")) { "Queues" } " / " (queue.name) }
            div class="buttons" { (restore_all(visit, queue)) (purge(visit, queue)) (delete(visit, queue)) }
        }
        p class="arn mono" { (queue.arn) }
        dl class="figures" id="figures" data-live {
            (figure("Status", &status(described.status.as_str())))
            (figure("Stream", &html! { a href=(visit.link(&stream_path(stream, "records"))) { (stream) } }))
            (figure("Visible", &html! { (numbers::count(counts[0])) }))
            (figure("In flight", &html! { (counts[1]) }))
            (figure("Dead letters", &dead_letters(&figures)))
            (figure("Received", &html! { (numbers::count(figures.received)) }))
            (figure("Acknowledged", &html! { (numbers::count(figures.acknowledged)) }))
            (figure("Visibility timeout", &html! { (described.attributes.visibility_timeout_s) " s" }))
        }
        nav class="tabs" aria-label="Records by state" id="states" data-live {
            @for ((word, name, _), count) in STATES.iter().zip(counts) {
                @let is_current = *word == state || state.is_empty() && *word == "visible";
                a href=(visit.link(&format!("{}?state={word}", queue_path(&queue.name))))
                    aria-current=[is_current.then_some("page")] { (name) " " (numbers::count(count)) }
            }
        }
        p class="muted" { "A preview of the records. Showing them does not receive them." }
        div id="records" data-live {
            @if rows.is_empty() { (parts::empty("There is no record in this state.", "")) }
            @else { (table(rows)) }
        }
    }
}

fn table(rows: &[Markup]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Records" {
            table class="grid records" {
                thead { tr {
                    th scope="col" { "Time (UTC)" } th scope="col" { "Key" } th scope="col" { "Shard" }
                    th scope="col" class="num" { "Receives" } th scope="col" { "In flight" }
                    th scope="col" { "Data" } th scope="col" { span class="unseen" { "Actions" } }
                } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

fn restore_all(visit: &Visit, queue: &Queue) -> Markup {
    Form::new(visit, &format!("restore/{}", queue.name))
        .open(&html! { button { "Restore all dead letters" } })
}

fn purge(visit: &Visit, queue: &Queue) -> Markup {
    let form = Form::new(visit, &format!("purge/{}", queue.name)).open(&html! {
        p { "Acknowledge every record of " b { (queue.name) } "?" }
        button class="danger" { "Purge" }
    });
    drawer("purge", "Purge…", &form)
}

fn delete(visit: &Visit, queue: &Queue) -> Markup {
    let form = Form::operation(visit, "DeleteQueue").back("/_minikin/console/queues");
    let form = form.open(&html! {
        p { "Delete the queue " b { (queue.name) } "? The records of the stream stay." }
        (hidden(visit))
        input type="hidden" name="QueueARN" value=(queue.arn);
        button class="danger" { "Delete " (queue.name) }
    });
    drawer("delete-queue", "Delete…", &form)
}

/// Acknowledges all records of a queue. The queue is empty afterwards.
pub(super) async fn purge_queue(
    visit: Visit,
    Path(name): Path<String>,
    action: Action,
) -> Response {
    let outcome = match find(&visit, &name) {
        Ok(queue) => match queue.purge(&visit.admin.engine).await {
            Ok(true) => Ok("The queue is empty.".to_owned()),
            Ok(false) => Err(bad("the queue is not ACTIVE")),
            Err(error) => Err(bad(&error.to_string())),
        },
        Err(refused) => Err(refused),
    };
    action.answer(&visit, outcome)
}

/// Restores the dead-letter record that the form names, or all dead-letter records of a queue.
pub(super) async fn restore_queue(
    visit: Visit,
    Path(name): Path<String>,
    mut action: Action,
) -> Response {
    let only = action.fields.take("record");
    let outcome = match find(&visit, &name) {
        Ok(queue) => restore(&visit, &queue, only.as_deref()).await,
        Err(refused) => Err(refused),
    };
    action.answer(&visit, outcome)
}

/// Restores the dead-letter record at the position `only`, or all dead-letter records of the queue.
/// To restore a record, the queue needs the receipt handle of the record's newest delivery. A user
/// of the console has no such handle, so this function makes the handles from the state of the
/// queue.
async fn restore(visit: &Visit, queue: &Arc<Queue>, only: Option<&str>) -> Outcome {
    let engine = &visit.admin.engine;
    let peek = Peek {
        state: PeekState::DeadLetter,
        from: RecordPlace { index: 0, shard: 0 },
        limit: limits::CONSOLE_RESTORED_RECORDS,
    };
    let mut handles = Vec::new();
    let peeked = queue.peek(engine, peek, |peeked| {
        if only.is_none_or(|only| only == place(peeked)) {
            handles.extend(handle(queue, peeked));
        }
        // No byte of the record's data is shown, so the function returns 0.
        0
    });
    peeked.await.map_err(|error| bad(&error.to_string()))?;
    let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
    let restored = queue.restore(engine, &handles).await;
    let restored = restored.map_err(|_| bad("the queue is not ACTIVE"))?;
    match restored.iter().filter(|restored| restored.is_ok()).count() {
        0 => Err(bad("there is no such dead letter any more")),
        count => Ok(format!(
            "{} restored.",
            numbers::plural(count as u64, "dead letter")
        )),
    }
}

/// The position of a record in its stream as text: the index of its shard, and its index in the
/// shard's log.
fn place(peeked: &PeekedRecord<'_>) -> String {
    format!("{}-{}", peeked.shard.id.index(), peeked.record.number.index)
}

/// The receipt handle of a dead-letter record's newest delivery. None if the queue has no saved
/// state of the record.
fn handle(queue: &Queue, peeked: &PeekedRecord<'_>) -> Option<String> {
    let entry = peeked.entry?;
    let handle = ReceiptHandle {
        dead: true,
        shard: peeked.shard.id.index(),
        index: peeked.record.number.index,
        delivery: entry.delivery,
    };
    Some(queue.seal.encode(&handle))
}

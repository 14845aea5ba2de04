//! The pages of queues.

use super::actions::{self, Fields, Outcome, bad};
use super::forms::{Form, hidden};
use super::page::{Page, Section, problem};
use super::parts::{self, Tone, badge, drawer, figure, short_shard, status, time};
use super::visit::{Visit, stream_path};
use super::{numbers, payload};
use crate::engine::queue::{Peek, PeekedRecord, Queue, QueueFigures};
use crate::http::admin::{OwnBody, Refused};
use crate::limits;
use crate::model::{PeekState, RecordPlace};
use crate::world::Timestamp;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};
use std::sync::Arc;

/// Path of the page of a queue.
pub(super) fn queue_path(name: &str) -> String {
    format!("/_minikin/console/queues/{name}")
}

/// Number of records that a receive can return, without dead-letter records.
pub(super) fn visible(figures: &QueueFigures) -> u64 {
    figures.unread + figures.counts.visible as u64
}

fn dead(figures: &QueueFigures) -> usize {
    figures.counts.dead_visible + figures.counts.dead_in_flight
}

/// Answers with the page of all queues.
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
                div class="scroll" tabindex="0" role="region" aria-label="Queues" {
                    table class="grid" {
                        thead { tr {
                            th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "Stream" }
                            th scope="col" class="num" { "Visible" } th scope="col" class="num" { "In flight" }
                            th scope="col" class="num" { "Dead letters" } th scope="col" class="num" { "Received" }
                            th scope="col" class="num" { "Acknowledged" }
                        } }
                        tbody { @for queue in &queues { (row(&visit, queue, now)) } }
                    }
                }
            }
            @if is_cut { p class="muted" { "The first " (most) " queues are shown." } }
        }
    };
    let page = Page {
        visit: &visit,
        section: Section::Queues,
        title: "Queues",
        content,
    };
    page.respond()
}

fn row(visit: &Visit, queue: &Queue, now: Timestamp) -> Markup {
    let figures = queue.figures(now);
    let stream = &*queue.stream.arn.name;
    html! {
        tr id={ "queue-" (queue.name) } {
            th scope="row" { a href=(visit.link(&queue_path(&queue.name))) { (queue.name) } }
            td { (status(queue.describe().status.as_str())) }
            td { a href=(visit.link(&stream_path(stream, "records"))) { (stream) } }
            td class="num" { (numbers::count(visible(&figures))) }
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
        label { span { "Stream" }
            select name="stream" required { @for stream in &streams {
                option value=(stream.arn) { (stream.arn.name) }
            } } }
        label { span { "Receives before a record is a dead letter" }
            input name="receives" type="number" min="1" placeholder="empty: the default"; }
        button class="primary" { "Create queue" }
    });
    drawer("create-queue", "Create queue", &form)
}

/// Creates a queue.
pub(super) async fn create_queue(visit: Visit, headers: HeaderMap, body: OwnBody) -> Response {
    let mut fields = Fields::read(&body.bytes);
    let back = fields.take("back");
    let outcome = create_by(&visit, &mut fields).await;
    actions::answer(&visit, &headers, back, outcome)
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

/// Answers with the page of one queue.
pub(super) async fn queue_page(mut visit: Visit, Path(name): Path<String>) -> Response {
    let queue = match find(&visit, &name) {
        Ok(queue) => queue,
        Err(refused) => return problem(&visit, refused.status, &refused.text),
    };
    let state = visit.query.take("state").unwrap_or_default();
    let rows = match peek(&visit, &queue, &state).await {
        Ok(rows) => rows,
        Err(refused) => return problem(&visit, refused.status, &refused.text),
    };
    let content = content(&visit, &queue, &state, &rows);
    let page = Page {
        visit: &visit,
        section: Section::Queues,
        title: &name,
        content,
    };
    page.respond()
}

fn find(visit: &Visit, name: &str) -> Result<Arc<Queue>, Refused> {
    let queue = visit.admin.engine.find_queue_named(&visit.scope, name);
    queue.ok_or_else(|| {
        let text = format!("There is no queue {name} in this account and region.");
        Refused::new(StatusCode::NOT_FOUND, &text)
    })
}

/// The states of records with their names in the parameter `state`.
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
    });
    peeked
        .await
        .map_err(|error| Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    Ok(rows)
}

fn record_row(visit: &Visit, queue: &Queue, peeked: &PeekedRecord<'_>) -> Markup {
    let record = &peeked.record;
    let entry = peeked.entry;
    let id = queue.ids.id(record.number);
    let id = String::from_utf8_lossy(&id).into_owned();
    let is_dead =
        entry.is_some_and(|entry| entry.standing.is_dead() && !entry.standing.is_in_flight());
    html! {
        tr id={ "q" (record.number) } {
            td class="when" { (time(record.arrival)) }
            td class="key mono" { bdi { (payload::visible(record.partition_key.unwrap_or_default())) } }
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
                    input type="hidden" name="record" value=(id);
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
        visible(&figures),
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
        p class="muted" { "A look at the records: none is received by it." }
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

/// Acknowledges every record of a queue.
pub(super) async fn purge_queue(
    visit: Visit,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: OwnBody,
) -> Response {
    let back = Fields::read(&body.bytes).take("back");
    let outcome = match find(&visit, &name) {
        Ok(queue) => match queue.purge(&visit.admin.engine).await {
            Ok(true) => Ok("The queue is empty.".to_owned()),
            Ok(false) => Err(bad("the queue is not ACTIVE")),
            Err(error) => Err(bad(&error.to_string())),
        },
        Err(refused) => Err(refused),
    };
    actions::answer(&visit, &headers, back, outcome)
}

/// Restores one dead-letter record of a queue, or all of them.
pub(super) async fn restore_queue(
    visit: Visit,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: OwnBody,
) -> Response {
    let mut fields = Fields::read(&body.bytes);
    let back = fields.take("back");
    let only = fields.take("record");
    let outcome = match find(&visit, &name) {
        Ok(queue) => restore(&visit, &queue, only.as_deref()).await,
        Err(refused) => Err(refused),
    };
    actions::answer(&visit, &headers, back, outcome)
}

/// Receives dead-letter records and restores them. A restore needs receipt handles, which only a
/// receive returns. Records that are not meant become visible again.
async fn restore(visit: &Visit, queue: &Queue, only: Option<&str>) -> Outcome {
    let arn = queue.arn.to_string();
    let mut restored = 0;
    let mut others: Vec<Value> = Vec::new();
    while restored + others.len() < limits::CONSOLE_RESTORED_RECORDS {
        let receive = json!({ "QueueARN": arn, "Limit": 10, "WaitTimeSeconds": 0,
                              "VisibilityTimeoutSeconds": 30 });
        let received = actions::operation(visit, "ReceiveDeadLetterQueueRecords", &receive).await?;
        let records = received["QueueRecords"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if records.is_empty() {
            break;
        }
        let is_meant = |record: &&Value| only.is_none_or(|only| record["RecordId"] == only);
        let (meant, rest): (Vec<_>, Vec<_>) = records.iter().partition(is_meant);
        let handle = |record: &&Value| json!({ "ReceiptHandle": record["ReceiptHandle"] });
        others.extend(rest.iter().map(handle));
        if !meant.is_empty() {
            let entries: Vec<Value> = meant.iter().map(handle).collect();
            let members = json!({ "QueueARN": arn, "Entries": entries });
            actions::operation(visit, "RestoreDeadLetterQueueRecords", &members).await?;
            restored += meant.len();
        }
        if only.is_some() && restored > 0 {
            break;
        }
    }
    for entries in others.chunks(10) {
        let entries = entries.iter().cloned().map(|mut entry| {
            entry["VisibilityTimeoutSeconds"] = json!(0);
            entry
        });
        let members = json!({ "QueueARN": arn, "Entries": entries.collect::<Vec<_>>() });
        actions::operation(visit, "UpdateDeadLetterQueueRecordsVisibility", &members).await?;
    }
    match restored {
        0 => Err(bad("no dead letter is visible: it may be in flight")),
        count => Ok(format!(
            "{} restored.",
            numbers::plural(count as u64, "dead letter")
        )),
    }
}

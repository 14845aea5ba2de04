//! The page of the readers of a stream: queues, event source mappings, and registered consumers
//! with their subscriptions.

use super::frame;
use crate::engine::{OpenSubscription, Stream, consumer_status};
use crate::http::console::forms::Form;
use crate::http::console::page::problem;
use crate::http::console::parts::{self, drawer, empty, short_shard, status, time};
use crate::http::console::visit::Visit;
use crate::http::console::{numbers, queues};
use crate::model::ShardId;
use crate::store::Consumer;
use crate::world::Timestamp;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

/// Answers with the page of the readers of a stream.
pub(in crate::http::console) async fn page(visit: Visit, Path(name): Path<String>) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let content = html! {
        section {
            div class="title" {
                h2 { "Consumers with enhanced fan-out" }
                (register(&visit, &stream))
            }
            div id="consumers" data-live { (consumers(&visit, &stream)) }
        }
        section {
            h2 { "Queues and event source mappings" }
            div id="readers" data-live { (readers(&visit, &stream)) }
        }
        p class="muted" {
            "A consumer that polls with GetRecords keeps its position itself, so that it is not listed. "
            "Its reads count in the get rate."
        }
    };
    frame::respond(&visit, &stream, "consumers", &content)
}

fn consumers(visit: &Visit, stream: &Stream) -> Markup {
    let consumers = stream.look(|state| state.consumers.clone());
    let open = visit.admin.engine.subscriptions_of(stream);
    if consumers.is_empty() {
        return empty(
            "No consumer is registered. Register one here, or with the AWS CLI:",
            &format!(
                "aws kinesis register-stream-consumer --consumer-name app \\\n    --stream-arn {} \\\n    \
                 --endpoint-url http://localhost:4567",
                stream.arn
            ),
        );
    }
    html! {
        (parts::table("Consumers", &html! {
            th scope="col" { "Consumer" }
            th scope="col" { "Status" }
            th scope="col" { "Created (UTC)" }
            th scope="col" { "Subscriptions" }
            th scope="col" class="num" { "Lag" }
            th scope="col" { span class="unseen" { "Actions" } }
        }, &html! {
            @for (name, consumer) in &consumers {
                @let open: Vec<_> = open.iter().filter(|open| open.consumer == *name).collect();
                (consumer_row(visit, stream, name, consumer, &open))
            }
        }))
    }
}

fn consumer_row(
    visit: &Visit,
    stream: &Stream,
    name: &str,
    consumer: &Consumer,
    open: &[&OpenSubscription],
) -> Markup {
    let lags: Vec<(ShardId, u64)> = open
        .iter()
        .map(|open| (open.shard, lag(visit, stream, open)))
        .collect();
    let sum: u64 = lags.iter().map(|(_, lag)| lag).sum();
    html! {
        tr id={ "consumer-" (name) } {
            th scope="row" { (name) }
            td { (status(consumer_status(consumer).as_str())) }
            td { (time(Timestamp::from_millis(consumer.created_ms))) }
            td class="wrap" {
                @if lags.is_empty() { span class="muted" { "none" } }
                @for (shard, lag) in &lags {
                    (short_shard(*shard)) " (" (numbers::count(*lag)) " behind) "
                }
            }
            td class="num" { @if !lags.is_empty() { (numbers::plural(sum, "record")) } }
            td class="end" { (deregister(visit, stream, name)) }
        }
    }
}

/// Number of records that the subscription `open` has not sent to its consumer yet.
fn lag(visit: &Visit, stream: &Stream, open: &OpenSubscription) -> u64 {
    let now = visit.admin.engine.world.clock.now();
    let shard = stream.readable_shard(open.shard, now);
    shard.map_or(0, |shard| {
        shard.records_from(open.next, stream.horizon(now))
    })
}

fn readers(visit: &Visit, stream: &Stream) -> Markup {
    let engine = &visit.admin.engine;
    let now = engine.world.clock.now();
    let queues = engine.all_queues();
    let queues: Vec<_> = queues
        .iter()
        .filter(|queue| queue.stream.incarnation == stream.incarnation)
        .collect();
    let mappings = engine.event_sources.all();
    let mappings: Vec<_> = mappings
        .iter()
        .filter(|mapping| *mapping.source.stream() == stream.arn)
        .collect();
    if queues.is_empty() && mappings.is_empty() {
        return html! { p class="muted" { "No queue or mapping reads this stream." } };
    }
    html! {
        ul {
            @for queue in queues {
                li {
                    "Queue " a href=(visit.link(&queues::queue_path(&queue.name))) { (queue.name) } ": "
                    (numbers::count(queues::receivable(&queue.figures(now)))) " visible, "
                    (queue.figures(now).counts.in_flight) " in flight"
                }
            }
            @for mapping in mappings {
                li {
                    "Mapping to "
                    a href=(visit.link(&format!("/_minikin/console/mappings/{}", mapping.uuid))) {
                        (mapping.view(now).function.name)
                    }
                    " " (status(mapping.view(now).state)) " " span class="muted" { (mapping.view(now).result) }
                }
            }
        }
    }
}

fn register(visit: &Visit, stream: &Stream) -> Markup {
    let form = Form::operation(visit, "RegisterStreamConsumer").open(&html! {
        input type="hidden" name="StreamARN" value=(stream.arn);
        label { span { "Name" }
            input name="ConsumerName" required pattern="[a-zA-Z0-9_.\\-]+" maxlength="128" autocomplete="off"; }
        button class="primary" { "Register consumer" }
    });
    drawer("register", "Register consumer", &form)
}

fn deregister(visit: &Visit, stream: &Stream, name: &str) -> Markup {
    let form = Form::operation(visit, "DeregisterStreamConsumer").open(&html! {
        input type="hidden" name="StreamARN" value=(stream.arn);
        input type="hidden" name="ConsumerName" value=(name);
        p { "Deregister " b { (name) } "? Its subscriptions end." }
        button class="danger" { "Deregister " (name) }
    });
    drawer(&format!("deregister-{name}"), "Deregister…", &form)
}

//! The page of the last requests to the Kinesis API.

use super::numbers;
use super::page::{self, Section};
use super::parts::{self, Tone, badge, time};
use super::visit::{Visit, stream_path};
use crate::http::recent::Seen;
use crate::limits;
use axum::response::Response;
use maud::{Markup, html};

/// The names of errors whose own messages suggest no remedy, each with advice for the user.
const ADVICE: &[(&str, &str)] = &[
    (
        "ResourceNotFoundException",
        "The service requires a stream, shard or consumer that exists in the account and region of the credential. Compare the name, the region and the account with the list of streams.",
    ),
    (
        "ResourceInUseException",
        "The service requires the resource to be ACTIVE and its name to be free. Wait for ACTIVE, or use another name.",
    ),
    (
        "ProvisionedThroughputExceededException",
        "The service accepts at most 1,000 records and 1 MiB a second for each shard. Retry with a pause, spread the partition keys, or add shards. In tests: --limit shard-write-records=off, or --profile fast.",
    ),
    (
        "ExpiredIteratorException",
        "An iterator lives for five minutes. Take a new one with GetShardIterator from the last sequence number.",
    ),
    (
        "LimitExceededException",
        "A quota of the account is used up. The text names the limit; --limit changes it.",
    ),
    (
        "SerializationException",
        "The body does not fit the operation: a member has another type, or the JSON or CBOR does not parse.",
    ),
    (
        "ValidationException",
        "A member of the request violates its constraint. The text names the member and the constraint.",
    ),
    (
        "MissingAuthenticationTokenException",
        "The service requires a signature. Give the SDK any credentials, such as AWS_ACCESS_KEY_ID=test and AWS_SECRET_ACCESS_KEY=test.",
    ),
    (
        "IncompleteSignatureException",
        "The Authorization header lacks a part of a Signature Version 4.",
    ),
    (
        "InvalidSignatureException",
        "The secret key of the client differs from the one in --credential, or the clocks differ by more than five minutes.",
    ),
    (
        "UnrecognizedClientException",
        "The access key is not one of --credential.",
    ),
    (
        "AccessDeniedException",
        "The policies do not allow it, or the request names no operation.",
    ),
    (
        "UnknownOperationException",
        "There is no such operation, or the content type is none of the service's.",
    ),
];

/// Answers with the page of the last requests to the Kinesis API. If the query parameter `show` is
/// `failed`, the page lists only the failed requests.
pub(super) async fn page(mut visit: Visit) -> Response {
    let only_failed = visit.query.take("show").as_deref() == Some("failed");
    let mut requests = visit.admin.metrics.recent().newest();
    if only_failed {
        requests.retain(|request| request.error.is_some());
    }
    let path = "/_minikin/console/requests";
    let tab = |label: &str, query: &str, is_current: bool| {
        html! { a href=(visit.link(&format!("{path}{query}"))) aria-current=[is_current.then_some("page")] { (label) } }
    };
    let content = html! {
        h1 { "Requests" }
        nav class="tabs" aria-label="Which requests" {
            (tab("All", "", !only_failed)) (tab("Failed", "?show=failed", only_failed))
        }
        p class="muted" {
            "The last " (limits::RECENT_REQUESTS) " requests to the Kinesis API. Requests that succeed are remembered while a page of the console is open, and for a minute after; those that fail always. Of the requests that succeed in a tenth of a second, the first " (limits::RECENT_REQUESTS_AN_INTERVAL) " are remembered."
        }
        div id="requests" data-live {
            @if requests.is_empty() {
                (parts::empty("No request was seen yet. Send one:",
                    "aws kinesis list-streams --endpoint-url http://localhost:4567"))
            } @else { (table(&visit, &requests)) }
        }
    };
    page::respond(&visit, Section::Requests, "Requests", content)
}

fn table(visit: &Visit, requests: &[Seen]) -> Markup {
    html! {
        (parts::table("Requests", &html! {
            th scope="col" { "Time (UTC)" } th scope="col" { "Operation" } th scope="col" { "Stream" }
            th scope="col" { "Status" } th scope="col" class="num" { "ms" } th scope="col" { "Error" }
        }, &html! { @for request in requests { (row(visit, request)) } }))
    }
}

fn row(visit: &Visit, request: &Seen) -> Markup {
    let tone = if request.error.is_some() {
        Tone::Bad
    } else {
        Tone::Good
    };
    let stream = request.stream().unwrap_or_default();
    let exists = visit.admin.engine.find(&visit.scope, &stream).is_some();
    html! {
        tr id={ "request-" (request.number) } {
            td class="when" { (time(request.time)) }
            td { (super::characters::visible(&request.operation)) }
            td { @if exists { a href=(visit.link(&stream_path(&stream, "records"))) { (stream) } }
                 @else { (super::characters::visible(&stream)) } }
            td { (badge(tone, &request.status.to_string())) }
            td class="num" { (milliseconds(request.took)) }
            td class="wrap" { @if let Some(error) = &request.error {
                p class="error-text" { (super::characters::visible(error)) }
                @if let Some(advice) = advice(error) { p class="muted" { (advice) } }
            } }
        }
    }
}

fn milliseconds(took: std::time::Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms < 9.95 {
        true => format!("{ms:.2}"),
        false => numbers::rate(ms),
    }
}

/// The advice about an error whose text begins with the error's name. None for an error without
/// advice.
fn advice(error: &str) -> Option<&'static str> {
    let found = ADVICE.iter().find(|(name, _)| error.starts_with(name));
    found.map(|(_, advice)| *advice)
}

//! The console: its pages, without the script.

mod access;
mod actions;
mod bounds;

use crate::lab::{Answer, Lab, Request};

/// The pages that are not about a single stream, queue or channel.
const PAGES: [&str; 9] = [
    "",
    "console/queues",
    "console/mappings",
    "console/channels",
    "console/requests",
    "console/faults",
    "console/clock",
    "console/limits",
    "console/metrics",
];

/// The parts of the page of a stream.
const PARTS: [&str; 4] = ["records", "shards", "consumers", "settings"];

async fn get(lab: &Lab, path: &str) -> Answer {
    lab.send(&Request::bare("GET", &format!("/_minikin/{path}")))
        .await
}

/// The text of a page.
async fn page(lab: &Lab, path: &str) -> String {
    let answer = get(lab, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

/// The page of a part of the stream `orders`.
async fn part(lab: &Lab, part: &str) -> String {
    page(lab, &format!("console/streams/orders/{part}")).await
}

/// Sends a form as the script does.
async fn send(lab: &Lab, action: &str, form: &str) -> Answer {
    let request = Request::bare("POST", &format!("/_minikin/console/do/{action}"))
        .header("Accept", "application/json")
        .body(form.as_bytes());
    lab.send(&request).await
}

//! Hostile and broken clients. They occupy only bounded memory and get clear refusals, and other
//! clients are served. `tests/long/hostile` runs thousands of hostile clients against the program.

mod bodies;
mod frames;
mod metrics;
mod panics;
mod silence;

use crate::lab::{Lab, Request};

/// A request of another client during the attack.
fn list() -> Request {
    Request::json("ListStreams", "{}")
}

/// Checks that other clients are served.
async fn check_served(lab: &Lab) {
    let answer = lab.connect().await.exchange(&list()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The value of a counter. `name` includes the labels of the counter. A counter that is not listed
/// has the value 0.
pub(crate) async fn counter(lab: &Lab, name: &str) -> u64 {
    let page = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
    let text = page.text();
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(known, _)| *known == format!("minikin_{name}"));
    found.map_or(0, |(_, value)| value.parse().unwrap())
}

/// Waits until a counter has this value.
async fn until(lab: &Lab, name: &str, value: u64) {
    let what = format!("the counter {name} to be {value}");
    crate::lab::until(&what, async || {
        (counter(lab, name).await == value).then_some(())
    })
    .await;
}

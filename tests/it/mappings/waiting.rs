//! Batches that wait for an address of their function, or for the in-flight budget.

use super::bench::{Say, bench_with};
use crate::lab::server::{Got, Reply, Server};
use crate::lab::{Lab, Place, Stream, block_on, ms, within};
use crate::looking::own;
use minikin::internals::engine::event_source::{
    DrainRequest, LanePhase, Mapping, NewMapping, Origin,
};
use minikin::internals::model::event_source::{FunctionArn, Settings, StartingPosition};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn held(_: &Got, number: usize) -> Reply {
    Reply {
        held: number == 1,
        ..Reply::new(200, "null")
    }
}

/// A request for a mapping of `stream` to the function `function`.
fn mapped(stream: &Stream, function: &str, settings: &serde_json::Value) -> serde_json::Value {
    let mut request = json!({
        "EventSourceArn": stream.arn(), "FunctionName": function,
        "StartingPosition": "TRIM_HORIZON",
    });
    for (name, value) in settings.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

async fn put_into_two_shards(stream: &Stream) {
    stream.put_at("0", "a").await;
    let upper = 1_u128 << 127;
    stream.put_at(&upper.to_string(), "b").await;
}

async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(crate::lab::WAIT_LIMIT, waiting).await;
    waited.unwrap();
}

/// Waits until a lane of the mapping waits for an address.
async fn until_blocked(mapping: &Mapping) {
    until(|| {
        let shards = mapping.shards();
        let mut lanes = shards.values().flat_map(|shard| &shard.lanes);
        lanes.any(|lane| lane.phase == LanePhase::Blocked)
    })
    .await;
}

async fn drain(lab: &Lab) {
    let sources = lab.event_sources();
    sources.drain(None, DrainRequest::default()).await.unwrap();
}

/// A function with one address, which holds its first answer, and a stream with two shards. The
/// batch of the other shard waits for the address.
async fn blocked() -> (Server, Lab, Arc<Mapping>) {
    let server = Server::start(held).await;
    let function = format!("f={}", server.url());
    let lab = Lab::start(Place::Memory, &["--function", &function]).await;
    let stream = lab.stream("s").shards(2).create().await;
    let mapping = lab.map(&mapped(&stream, "f", &json!({}))).unwrap();
    put_into_two_shards(&stream).await;
    until_blocked(&mapping).await;
    until(|| server.running() == 1).await;
    (server, lab, mapping)
}

#[test]
fn a_batch_that_waits_for_an_address_is_dropped_when_its_mapping_is_disabled() {
    block_on(async {
        let (server, lab, mapping) = blocked().await;
        let sources = lab.event_sources();
        let enable = |enabled: bool| {
            let changes = json!({ "Enabled": enabled });
            let changes = minikin::internals::model::event_source::Changes::read(&changes);
            sources
                .update_by_request(&mapping, &changes.unwrap())
                .unwrap();
        };
        enable(false);
        server.release();
        drain(&lab).await;
        assert_eq!(server.got().len(), 1);
        enable(true);
        drain(&lab).await;
        assert_eq!(server.got().len(), 2);
        lab.stop().await;
    });
}

#[test]
fn a_batch_that_waits_for_an_address_is_dropped_when_its_mapping_is_deleted() {
    block_on(async {
        let (server, lab, mapping) = blocked().await;
        lab.event_sources().delete(&mapping).unwrap();
        server.release();
        until(|| mapping.shards().is_empty()).await;
        assert_eq!(server.got().len(), 1);
        lab.stop().await;
    });
}

/// The API permits a maximum record age of 60 s or more.
#[test]
fn a_record_that_becomes_too_old_while_it_waits_for_an_address_is_not_sent() {
    block_on(async {
        let server = Server::start(held).await;
        let function = format!("f={}", server.url());
        let flags = ["--clock", "system", "--function", &function];
        let lab = Lab::start(Place::Memory, &flags).await;
        let stream = lab.stream("s").shards(2).create().await;
        let disabled = json!({ "Enabled": false });
        let other = lab.map(&mapped(&stream, "f:other", &disabled)).unwrap();
        let new = NewMapping {
            scope: other.scope.clone(),
            source: other.source.clone(),
            position: StartingPosition::TrimHorizon,
            function: FunctionArn::resolve("f", &other.scope).unwrap(),
            settings: Settings {
                max_age_s: Some(1),
                ..Settings::default()
            },
            enabled: true,
            tags: BTreeMap::new(),
            origin: Origin::Api,
            uuid: None,
        };
        let sources = lab.event_sources();
        let made = sources.create(new, other.stream(), sources.replacements());
        let made = made.unwrap().unwrap();
        put_into_two_shards(&stream).await;
        until_blocked(&made.mapping).await;
        until(|| server.running() == 1).await;
        std::thread::sleep(Duration::from_millis(1_100));
        server.release();
        drain(&lab).await;
        assert_eq!(server.got().len(), 1);
        let failures = made.mapping.failures();
        let context = &failures[0].record["requestContext"];
        assert_eq!(context["condition"], "RecordAgeExceeded");
        lab.stop().await;
    });
}

/// The event of the first function is larger than the part of the budget for all functions.
#[test]
fn a_function_that_never_answers_delays_no_other_stream() {
    bench_with(
        Place::Memory,
        &["--limit", "in-flight-bytes=1048576"],
        1,
        |seen, _| match seen.texts[0].as_str() {
            "b" => Say::ok(),
            _ => Say::Hold(Box::new(Say::ok())),
        },
        |bench| async move {
            bench.map(json!({}));
            bench.stream.put("k", vec![b'x'; 200_000]).await;
            bench.until_seen(1).await;
            let other = bench.lab.stream("other").create().await;
            let request = mapped(&other, "g", &json!({}));
            bench.lab.map(&request).unwrap();
            other.put("k", "b").await;
            bench.until_seen(2).await;
            assert_eq!(bench.script.batches(), ["<200000>", "b"]);
            bench.script.release();
        },
    );
}

#[test]
fn functions_with_the_same_address_take_turns() {
    block_on(async {
        let server = Server::start(|_, _| Reply::new(200, "null")).await;
        let (url, same) = (server.url(), format!("{}/", server.url()));
        let (f, g) = (format!("f={url},{same}"), format!("g={same}"));
        let flags = ["--function", &f, "--function", &g];
        let lab = Lab::start(Place::Memory, &flags).await;
        let stream = lab.stream("s").shards(2).create().await;
        for function in ["f", "g"] {
            let request = mapped(&stream, function, &json!({ "BatchSize": 1 }));
            lab.map(&request).unwrap();
        }
        for _ in 0..5 {
            put_into_two_shards(&stream).await;
        }
        drain(&lab).await;
        assert_eq!((server.got().len(), server.most_at_once()), (20, 1));
        lab.stop().await;
    });
}

/// Lets the next invocation begin 5 s late.
async fn delay_one(lab: &Lab) {
    let rule = r#"{"kind": "invoke", "delay_ms": 5000, "times": 1}"#;
    let (status, answer) = own(lab, "POST", "faults", rule).await;
    assert_eq!(status, 200, "{answer}");
}

/// Number of invocations that the fault rule has delayed.
async fn delayed(lab: &Lab) -> u64 {
    let (_, listed) = own(lab, "GET", "faults", "").await;
    listed["faults"][0]["hits"].as_u64().unwrap()
}

#[test]
fn a_batch_does_not_wait_for_the_address_of_a_delayed_invocation() {
    block_on(async {
        let server = Server::start(|_, _| Reply::new(200, "null")).await;
        let function = format!("f={}", server.url());
        let lab = Lab::start(Place::Memory, &["--function", &function]).await;
        delay_one(&lab).await;
        let stream = lab.stream("s").shards(2).create().await;
        lab.map(&mapped(&stream, "f", &json!({}))).unwrap();
        put_into_two_shards(&stream).await;
        lab.clock.advance(ms(4_999)).await;
        assert_eq!((server.got().len(), delayed(&lab).await), (1, 1));
        lab.clock.advance(ms(1)).await;
        assert_eq!((server.got().len(), server.most_at_once()), (2, 1));
        drain(&lab).await;
        lab.stop().await;
    });
}

#[test]
fn a_batch_does_not_wait_for_the_address_of_a_delayed_redelivery() {
    block_on(async {
        let failed = |_: &Got, number| Reply {
            headers: match number {
                1 => vec![("x-amz-function-error", "Unhandled")],
                _ => Vec::new(),
            },
            ..Reply::new(200, "null")
        };
        let server = Server::start(failed).await;
        let function = format!("f={}", server.url());
        let lab = Lab::start(Place::Memory, &["--function", &function]).await;
        let stream = lab.stream("s").create().await;
        let settings = json!({"MaximumRetryAttempts": 0});
        let mapping = lab.map(&mapped(&stream, "f", &settings)).unwrap();
        stream.put("k", "a").await;
        drain(&lab).await;
        assert_eq!(mapping.failures().len(), 1);
        delay_one(&lab).await;
        let path = format!("event-sources/{}/failures/1/redeliver", mapping.uuid);
        let moving = async {
            while delayed(&lab).await == 0 {
                tokio::task::yield_now().await;
            }
            stream.put("k", "b").await;
            lab.clock.advance(ms(4_999)).await;
            assert_eq!(server.got().len(), 2);
            lab.clock.advance(ms(1)).await;
        };
        let redelivering = own(&lab, "POST", &path, "");
        let both = async { tokio::join!(redelivering, moving) };
        let ((status, answer), ()) = within("the redelivery", both).await;
        assert_eq!((status, &answer["Outcome"]), (200, &json!("success")));
        assert_eq!(server.got().len(), 3);
        lab.stop().await;
    });
}

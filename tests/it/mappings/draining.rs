//! Cases 61 to 64: waits until no work is left, and the cost of idle mappings.

use super::bench::{Say, bench, bench_with};
use crate::lab::server::{Reply, Server};
use crate::lab::{Lab, Place, block_on, hours};
use crate::looking::own;
use minikin::internals::engine::event_source::{DrainError, DrainRequest};
use minikin::internals::world::Stopwatch;
use serde_json::json;
use std::time::Duration;

#[test]
fn case_61_a_drain_moves_the_clock_through_all_waits() {
    bench(
        |_, number| if number <= 30 { Say::Fail } else { Say::ok() },
        |bench| async move {
            bench.map(json!({ "MaximumRetryAttempts": 30 }));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.seen().len(), 31);
            let doubled: i64 = (0..9).map(|doubling| 200 << doubling).sum();
            let waited = bench.lab.clock.now_ms() - crate::lab::START_MS;
            assert_eq!(waited, doubled + 21 * 60_000);
        },
    );
}

#[test]
fn case_62_a_drain_ends_with_what_is_left() {
    bench(
        |_, _| Say::Hold(Box::new(Say::ok())),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.until_seen(1).await;
            let request = DrainRequest {
                timeout: Duration::from_millis(50),
                advance: true,
                ..DrainRequest::default()
            };
            let sources = bench.lab.event_sources();
            let Err(DrainError::TimedOut(left)) = sources.drain(Some(&mapping), request).await
            else {
                panic!("the function holds its answer");
            };
            assert_eq!(left.len(), 1);
            assert!(
                left[0].description.contains(&bench.script.seen()[0].id),
                "{left:?}"
            );
            bench.script.release();
            bench.drain().await;
        },
    );
}

#[test]
fn case_62_a_drain_names_the_batch_that_a_function_never_answers() {
    block_on(async {
        let server = Server::start(|_, _| Reply {
            held: true,
            ..Reply::new(200, "null")
        })
        .await;
        let function = format!("f={};timeout=1", server.url());
        let lab = Lab::start(Place::Memory, &["--function", &function]).await;
        let stream = lab.stream("s").create().await;
        let request = json!({
            "EventSourceArn": stream.arn(), "FunctionName": "f", "StartingPosition": "TRIM_HORIZON",
        });
        lab.map(&request).unwrap();
        stream.put("k", "a").await;
        let body = r#"{"timeout_ms":2500,"advance":true}"#;
        let (status, answer) = own(&lab, "POST", "event-sources/drain", body).await;
        assert_eq!(status, 408, "{answer}");
        let id = server.got()[0]
            .header("x-amzn-requestid")
            .unwrap()
            .to_owned();
        let what = answer["left"][0].to_string();
        assert!(
            what.contains(&id) && what.contains(crate::lab::SHARD_0),
            "{what}"
        );
        assert!(server.got().len() > 1, "the function is asked again");
        server.release();
        lab.stop().await;
    });
}

#[test]
fn case_63_a_drain_that_only_lacks_time_says_so() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "MaximumBatchingWindowInSeconds": 5 }));
            bench.put("a").await;
            let sources = bench.lab.event_sources();
            let Err(DrainError::NeedsTime(left)) =
                sources.drain(None, DrainRequest::default()).await
            else {
                panic!("the window is open");
            };
            let deadline = left[0].deadline.unwrap().millis();
            assert_eq!(deadline, crate::lab::START_MS + 5_000);
            let (status, answer) = own(&bench.lab, "POST", "event-sources/drain", "{}").await;
            assert_eq!(status, 409, "{answer}");
            let named = answer["left"][0].to_string();
            assert!(named.contains(&deadline.to_string()), "{named}");
        },
    );
}

#[test]
fn case_64_an_idle_mapping_wakes_for_nothing() {
    bench_with(
        Place::Memory,
        &[],
        100,
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            let turns = || {
                let shards = mapping.shards();
                assert_eq!(shards.len(), 100);
                shards.values().map(|shard| shard.turns).sum::<u64>()
            };
            let before = (turns(), mapping.events(0, usize::MAX).len());
            let mut quickest = Duration::MAX;
            for _ in 0..5 {
                let watch = Stopwatch::start();
                bench.lab.clock.advance(hours(24)).await;
                quickest = quickest.min(watch.elapsed());
            }
            assert_eq!((turns(), mapping.events(0, usize::MAX).len()), before);
            assert!(quickest < Duration::from_millis(100), "{quickest:?}");
        },
    );
}

/// Records that were put before a mapping begins to deliver count as remaining work.
#[test]
fn a_drain_waits_until_a_mapping_is_enabled() {
    bench_with(
        Place::Memory,
        &["--transition-ms", "500"],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            bench.advance_ms(500).await;
            bench.put("a").await;
            let mapping = bench.map(json!({}));
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            bench.enable(&mapping, false);
            bench.advance_ms(500).await;
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(
                bench.script.batches(),
                ["a"],
                "a disabled mapping has no work"
            );
            bench.enable(&mapping, true);
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
        },
    );
}

#[test]
fn a_drain_moves_the_clock_to_the_end_of_an_injected_delay() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let rule = r#"{"kind": "invoke", "delay_ms": 5000, "times": 1}"#;
            let (status, answer) = own(&bench.lab, "POST", "faults", rule).await;
            assert_eq!(status, 200, "{answer}");
            bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [5_000]);
        },
    );
}

/// The own paths show how many records a mapping has still to read, also while it is disabled.
#[test]
fn a_disabled_mapping_is_idle_and_behind() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({ "Enabled": false }));
            let numbers = bench.put_all(&["a", "b"]).await;
            let path = format!("event-sources/{}", mapping.uuid);
            let (_, shown) = own(&bench.lab, "GET", &path, "").await;
            let shard = &shown["Shards"][0];
            assert_eq!(
                (&shard["Status"], &shard["RecordsBehind"]),
                (&json!("idle"), &json!(2))
            );
            assert_eq!(shard["NewestSequenceNumber"], numbers[1].as_str());
            let request = crate::lab::Request::bare("GET", "/_minikin/metrics");
            let page = bench.lab.send(&request).await.body;
            let page = String::from_utf8(page.to_vec()).unwrap();
            let mut lines = page.lines();
            let line = lines.find(|line| line.starts_with("minikin_esm_behind_records{"));
            assert!(line.unwrap().ends_with(" 2"), "{line:?}");
            let request = crate::lab::Request::bare("GET", "/_minikin/event-sources");
            let request = request.header("accept", "text/html,*/*;q=0.8");
            let answer = bench.lab.send(&request).await;
            assert_eq!(answer.status, 303);
        },
    );
}

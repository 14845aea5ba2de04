//! Cases 80 to 86: tumbling windows.

use super::bench::{Bench, Say, Seen, bench, bench_with};
use super::destinations::server;
use crate::lab::server::Reply;
use crate::lab::{Place, SHARD_0, seconds};
use serde_json::{Value, json};

/// Answers with the number of records that the window has had.
fn counts(seen: &Seen) -> Say {
    let before = seen.body["state"]["n"].as_u64().unwrap_or(0);
    let state = json!({ "n": before + seen.texts.len() as u64 });
    Say::Answer(json!({ "state": state }).to_string())
}

fn is_final(seen: &Seen) -> bool {
    seen.body["isFinalInvokeForWindow"].as_bool().unwrap()
}

const WINDOW: i64 = 10;

#[test]
fn case_80_a_window_carries_its_state_to_a_last_invocation() {
    bench(
        |seen, _| counts(seen),
        |bench| async move {
            bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
            bench.advance_ms(1_000).await;
            bench.put("1").await;
            bench.settle().await;
            bench.advance_ms(4_000).await;
            bench.put("5").await;
            bench.settle().await;
            bench.advance_ms(7_000).await;
            bench.put("12").await;
            bench.settle().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["1", "5", "", "12"]);
            let states: Vec<Value> = seen.iter().map(|seen| seen.body["state"].clone()).collect();
            assert_eq!(
                states,
                [json!({}), json!({"n": 1}), json!({"n": 2}), json!({})]
            );
            assert_eq!(
                seen.iter().map(is_final).collect::<Vec<_>>(),
                [false, false, true, false]
            );
            assert_eq!(seen[2].at, 12_000);
            // The clock begins at 22:13:20, so this is the first window.
            let first = json!({ "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:30Z" });
            assert_eq!(seen[2].body["window"], first);
            assert_eq!(seen[3].body["window"]["start"], "2023-11-14T22:13:30Z");
            assert_eq!(seen[0].body["shardId"], "shardId-000000000000");
        },
    );
}

#[test]
fn case_81_an_idle_window_ends_after_a_while() {
    for (profile, end) in [("standard", 130_000), ("fast", 10_000)] {
        bench_with(
            Place::Memory,
            &["--profile", profile],
            1,
            |seen, _| counts(seen),
            |bench| async move {
                bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
                bench.put("a").await;
                bench.settle().await;
                bench.lab.clock.advance(seconds(200)).await;
                assert_eq!(bench.script.times(), [0, end]);
                assert!(is_final(&bench.script.seen()[1]));
            },
        );
    }
}

#[test]
fn case_82_an_answer_without_state_is_a_failure() {
    bench(
        |seen, number| {
            if number == 2 {
                Say::Answer("{}".to_owned())
            } else {
                counts(seen)
            }
        },
        |bench| async move {
            bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
            bench.put("a").await;
            bench.settle().await;
            bench.put("b").await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["a", "b", "b"]);
            assert_eq!(seen[2].body["state"], json!({ "n": 1 }));
            assert_eq!(seen[1].id, seen[2].id);
        },
    );
}

/// Puts two records into one window, one after the other. Returns the invocations.
async fn two_in_a_window(bench: &Bench) -> Vec<Seen> {
    bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
    for text in ["a", "b"] {
        bench.put(text).await;
        bench.settle().await;
    }
    bench.script.seen()
}

/// An answer with a state of this number of bytes.
fn large_state(bytes: usize) -> Say {
    let text = "x".repeat(bytes - r#"{"n":""}"#.len());
    Say::Answer(json!({ "state": { "n": text } }).to_string())
}

#[test]
fn case_83_a_state_of_a_mebibyte_is_carried_on() {
    bench(
        |seen, number| match number {
            1 => large_state(1_048_576),
            _ => counts(seen),
        },
        |bench| async move {
            let seen = two_in_a_window(&bench).await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
            assert_eq!(seen[1].body["state"].to_string().len(), 1_048_576);
        },
    );
}

#[test]
fn case_83_a_large_state_ends_the_window_early() {
    bench(
        |seen, number| match number {
            1 => large_state(1_048_577),
            _ => counts(seen),
        },
        |bench| async move {
            let seen = two_in_a_window(&bench).await;
            assert_eq!(bench.script.batches(), ["a", "", "b"]);
            assert!(is_final(&seen[1]) && seen[1].body["isWindowTerminatedEarly"] == true);
            assert_eq!(seen[1].body["state"].to_string().len(), 1_048_577);
            assert_eq!(seen[2].body["state"], json!({}));
            assert_eq!(seen[2].body["window"], seen[0].body["window"]);
        },
    );
}

#[test]
fn case_84_a_last_invocation_that_fails_is_discarded() {
    bench(
        |seen, _| {
            if is_final(seen) {
                Say::Fail
            } else {
                counts(seen)
            }
        },
        |bench| async move {
            let mapping =
                bench.map(json!({ "TumblingWindowInSeconds": WINDOW, "MaximumRetryAttempts": 0 }));
            bench.put("a").await;
            bench.settle().await;
            bench.lab.clock.advance(seconds(11)).await;
            bench.put("b").await;
            bench.settle().await;
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            assert_eq!(
                failures[0]["KinesisBatchInfo"].as_object().unwrap().len(),
                2
            );
            assert_eq!(
                failures[0]["timeWindowInfo"]["isFinalInvokeForWindow"],
                true
            );
            let seen = bench.script.seen();
            assert_eq!(seen.last().unwrap().body["state"], json!({}));
            assert_eq!(bench.script.batches(), ["a", "", "b"]);
        },
    );
}

#[test]
fn case_84_a_bucket_gets_the_record_about_a_window() {
    let (server, _ends) = server(|_, _| Reply::new(200, ""));
    let option = format!("s3={}", server.url());
    bench_with(
        Place::Memory,
        &["--destination", &option],
        1,
        |seen, _| {
            if is_final(seen) {
                Say::Fail
            } else {
                counts(seen)
            }
        },
        |bench| async move {
            bench.map(json!({
                "TumblingWindowInSeconds": WINDOW, "MaximumRetryAttempts": 0,
                "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::dead" } },
            }));
            bench.put("a").await;
            bench.settle().await;
            bench.lab.clock.advance(seconds(200)).await;
            bench.drain().await;
            let record: Value = serde_json::from_str(&server.got()[0].body).unwrap();
            let info = json!({ "shardId": SHARD_0, "streamArn": bench.stream.arn() });
            assert_eq!(record["KinesisBatchInfo"], info);
            let window = json!({
                "window": { "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:30Z" },
                "isFinalInvokeForWindow": true,
                "isWindowTerminatedEarly": false,
            });
            assert_eq!(record["timeWindowInfo"], window);
            let payload: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
            assert_eq!(payload, bench.script.seen()[1].body);
        },
    );
}

#[test]
fn case_85_state_and_position_survive_together() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |seen, _| counts(seen),
        |bench| async move {
            bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
            bench.put("a").await;
            bench.settle().await;
            bench.lab.restart().await;
            crate::lab::Stream::existing(&bench.lab, "s")
                .put("k", "b")
                .await;
            bench.settle().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["a", "b"]);
            assert_eq!(seen[1].body["state"], json!({ "n": 1 }));
        },
    );
}

#[test]
fn case_86_a_split_ends_the_window() {
    bench(
        |seen, _| counts(seen),
        |bench| async move {
            bench.map(json!({ "TumblingWindowInSeconds": WINDOW }));
            bench.put("a").await;
            bench.settle().await;
            let body = r#"{"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"170141183460469231731687303715884105728"}"#;
            bench.lab.json("SplitShard", body).await;
            bench.settle().await;
            for hash_key in ["0", "170141183460469231731687303715884105728"] {
                bench.stream.put_at(hash_key, "b").await;
            }
            bench.settle().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["a", "", "b", "b"]);
            assert!(is_final(&seen[1]));
            assert_eq!(seen[1].body["state"], json!({ "n": 1 }));
            for child in &seen[2..] {
                assert_eq!(child.body["state"], json!({}));
            }
        },
    );
}

/// Events of up to 6,291,456 bytes are sent. This size includes the members about the window.
#[test]
fn the_largest_event_counts_the_members_of_its_window() {
    const MOST: usize = 6_291_456;
    bench_with(
        Place::Memory,
        &["--profile", "fast"],
        1,
        |seen, _| counts(seen),
        |mut bench| async move {
            bench.stream = bench.lab.stream("large").record_kib(10_240).create().await;
            let mapping = bench.map(json!({ "TumblingWindowInSeconds": 900 }));
            bench.stream.put("k", vec![b'x'; 300]).await;
            bench.settle().await;
            let state_bytes = r#"{"n":1}"#.len() - r#"{}"#.len();
            let frame = bench.script.seen()[0].bytes - 400 + state_bytes;
            let largest = (MOST - frame) / 4 * 3;
            let mapped = bench.script.seen().len();
            bench.stream.put("k", vec![b'x'; largest]).await;
            bench.settle().await;
            assert_eq!(bench.script.seen()[mapped].bytes, frame + largest / 3 * 4);
            bench.lab.event_sources().delete(&mapping).unwrap();
            bench.advance_ms(1_000).await;
            // No window is open now. An event with both records would be 100 bytes too large.
            let first = &bench.script.seen()[0];
            let record = first.body["Records"][0].to_string().len() - 400;
            let second = MOST - first.bytes - record + 100;
            let second = vec![b'y'; second / 4 * 3];
            let records = [("k", vec![b'x'; 300]), ("k", second)];
            bench.stream.put_records(&records).await;
            bench.map(json!({
                "TumblingWindowInSeconds": 900, "StartingPosition": "AT_TIMESTAMP",
                "StartingPositionTimestamp": crate::lab::START_MS / 1000 + 1,
            }));
            bench.settle().await;
            let texts = bench.script.seen().into_iter().map(|seen| seen.texts.len());
            assert_eq!(texts.collect::<Vec<_>>(), [1; 4]);
        },
    );
}

#[test]
fn a_failed_last_invocation_is_discarded_at_its_greatest_age() {
    bench(
        |seen, _| {
            if is_final(seen) {
                Say::Fail
            } else {
                counts(seen)
            }
        },
        |bench| async move {
            let mapping = bench.map(json!({
                "TumblingWindowInSeconds": WINDOW, "MaximumRecordAgeInSeconds": 60,
            }));
            bench.put("a").await;
            bench.settle().await;
            bench.advance_ms(10_000).await;
            bench.put("b").await;
            bench.drain().await;
            let failures = Bench::failures(&mapping);
            assert_eq!(failures[0]["timestamp"], "2023-11-14T22:14:20.000Z");
        },
    );
}

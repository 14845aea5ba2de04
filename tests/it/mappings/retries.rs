//! Cases 12 to 18 and 29 to 31: retries, ages, and functions that are not reached.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::{Place, hours, seconds};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

#[test]
fn case_12_a_failed_batch_is_tried_again() {
    bench(
        |_, number| if number < 3 { Say::Fail } else { Say::ok() },
        |bench| async move {
            bench.map(json!({}));
            bench.put_all(&["a", "b"]).await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.times(), [0, 200, 600]);
            assert_eq!(
                seen.iter().map(|seen| seen.attempt).collect::<Vec<_>>(),
                [1, 2, 3]
            );
            assert!(
                seen.iter()
                    .all(|next| next.id == seen[0].id && next.body == seen[0].body)
            );
        },
    );
}

#[test]
fn a_function_that_panics_has_failed() {
    bench(
        |_, number| {
            assert!(number > 2, "invocation {number}");
            Say::ok()
        },
        |bench| async move {
            bench.map(json!({}));
            bench.put_all(&["a"]).await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [0, 200, 600]);
            let attempts: Vec<_> = bench
                .script
                .seen()
                .iter()
                .map(|seen| seen.attempt)
                .collect();
            assert_eq!(attempts, [1, 2, 3]);
        },
    );
}

#[test]
fn case_13_a_batch_without_retries_left_goes_to_its_destination() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("failed.jsonl");
    let option = format!(
        "s=f?BatchSize=10&MaximumRetryAttempts=2&OnFailure=file:{}",
        file.display()
    );
    bench_with(
        Place::Memory,
        &["--event-source", &option],
        1,
        |seen, _| {
            if seen.texts.contains(&"bad".to_owned()) {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let number = bench.put("bad").await;
            bench.drain().await;
            bench.put("good").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["bad", "bad", "bad", "good"]);
            let line = fs::read_to_string(&file).unwrap();
            let record: Value = serde_json::from_str(&line).unwrap();
            let context = &record["requestContext"];
            assert_eq!(context["condition"], "RetryAttemptsExhausted");
            assert_eq!(context["approximateInvokeCount"], 3);
            assert_eq!(context["requestId"], bench.script.seen()[0].id);
            assert_eq!(record["responseContext"]["functionError"], "Unhandled");
            assert_eq!(record["KinesisBatchInfo"]["startSequenceNumber"], number);
            let payload: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
            assert_eq!(payload, bench.script.seen()[0].body);
        },
    );
}

#[test]
fn case_14_without_retries_there_is_one_request() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRetryAttempts": 0 }));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert_eq!(Bench::failures(&mapping).len(), 1);
            assert_eq!(bench.result(&mapping), "PROBLEM: Function call failed");
        },
    );
}

#[test]
fn case_15_retention_ends_endless_retries() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            let times = bench.script.times();
            let waits: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert_eq!(
                waits[..9],
                [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200]
            );
            assert!(waits.len() > 1_400 && waits[9..].iter().all(|wait| *wait == 60_000));
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            assert_eq!(
                failures[0]["requestContext"]["condition"],
                "RecordAgeExceeded"
            );
            let day = i64::try_from(hours(24).as_millis()).unwrap();
            assert_eq!(bench.lab.clock.now_ms() - crate::lab::START_MS, day);
        },
    );
}

#[test]
fn a_shorter_retention_period_ends_retries_at_once() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let hours_of =
                |hours| format!(r#"{{"StreamName":"s","RetentionPeriodHours":{hours}}}"#);
            let lab = &bench.lab;
            lab.json("IncreaseStreamRetentionPeriod", &hours_of(48))
                .await;
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.settle().await;
            bench.lab.clock.advance(hours(30)).await;
            bench.settle().await;
            assert!(Bench::failures(&mapping).is_empty());
            lab.json("DecreaseStreamRetentionPeriod", &hours_of(24))
                .await;
            bench.settle().await;
            let failures = Bench::failures(&mapping);
            assert_eq!(
                failures[0]["requestContext"]["condition"],
                "RecordAgeExceeded"
            );
        },
    );
}

#[test]
fn case_16_a_batch_that_is_too_old_is_given_up_at_that_moment() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRecordAgeInSeconds": 60 }));
            bench.put("a").await;
            bench.drain().await;
            let expected = [0, 200, 600, 1_400, 3_000, 6_200, 12_600, 25_400, 51_000];
            assert_eq!(bench.script.times(), expected);
            let failures = Bench::failures(&mapping);
            let context = &failures[0]["requestContext"];
            assert_eq!(context["condition"], "RecordAgeExceeded");
            assert_eq!(context["approximateInvokeCount"], 9);
            assert_eq!(failures[0]["timestamp"], "2023-11-14T22:14:20.000Z");
            assert!(failures[0].get("responseContext").is_none());
        },
    );
}

#[test]
fn case_17_records_that_are_too_old_are_discarded_before_the_first_invocation() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRecordAgeInSeconds": 60, "Enabled": false }));
            let first = bench.put("a").await;
            bench.lab.clock.advance(seconds(80)).await;
            bench.put_all(&["1", "2", "3", "4", "5"]).await;
            bench.lab.clock.advance(seconds(1)).await;
            bench.enable(&mapping, true);
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["12345"]);
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            let info = &failures[0]["KinesisBatchInfo"];
            assert_eq!(info["batchSize"], 1);
            assert_eq!(info["startSequenceNumber"], first);
            assert_eq!(
                failures[0]["requestContext"]["condition"],
                "RecordAgeExceeded"
            );
            assert_eq!(failures[0]["requestContext"]["approximateInvokeCount"], 1);
            assert!(failures[0].get("responseContext").is_none());
        },
    );
}

#[test]
fn case_18_expiry_says_nothing_about_the_last_processing() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.put("a").await;
            bench.lab.clock.advance(seconds(80)).await;
            let mapping = bench.map(json!({ "MaximumRecordAgeInSeconds": 60 }));
            bench.drain().await;
            assert_eq!(bench.script.batches(), Vec::<String>::new());
            assert_eq!(bench.result(&mapping), "No records processed");
            assert_eq!(Bench::failures(&mapping).len(), 1);
        },
    );
}

#[test]
fn case_29_a_batch_that_does_not_reach_the_function_is_not_bisected() {
    bench(
        |_, number| {
            if number < 3 {
                Say::NotReached(None)
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            bench.map(json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 0 }));
            bench.put_all(&["a", "b"]).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["ab", "ab", "ab"]);
        },
    );
}

#[test]
fn case_30_throttles_spend_no_retry_and_name_their_wait() {
    bench(
        |_, number| match number {
            1..=4 => Say::NotReached(None),
            5 => Say::NotReached(Some(7)),
            _ => Say::ok(),
        },
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRetryAttempts": 0 }));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [0, 200, 600, 1_400, 3_000, 10_000]);
            assert_eq!(Bench::failures(&mapping), Vec::<Value>::new());
            assert!(bench.script.seen().iter().all(|seen| seen.attempt == 1));
        },
    );
}

/// The batch in progress keeps its retries, its function and its other settings.
#[test]
fn an_update_applies_from_the_next_batch_on() {
    bench(
        |seen, _| {
            if seen.texts == ["a"] {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let mapping = bench.map(json!({ "BatchSize": 1, "MaximumRetryAttempts": 2 }));
            bench.put_all(&["a", "b", "c"]).await;
            bench.settle().await;
            let changes = json!({
                "BatchSize": 2, "MaximumRetryAttempts": 0, "FunctionName": "g",
            });
            bench.update(&mapping, &changes);
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "a", "a", "bc"]);
            let record = &Bench::failures(&mapping)[0];
            let context = &record["requestContext"];
            let function = context["functionArn"].as_str().unwrap();
            assert!(function.ends_with(":f"), "{function}");
            assert_eq!(context["approximateInvokeCount"], 3);
        },
    );
}

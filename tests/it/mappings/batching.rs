//! Cases 1 to 11: positions, batches and batching windows.

use super::api::request;
use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::{Place, START_MS, seconds};
use serde_json::{Value, json};

#[test]
fn case_1_three_records_are_one_event() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({}));
            let numbers = bench.put_all(&["a", "b", "c"]).await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["abc"]);
            assert_eq!(seen[0].numbers, numbers);
            assert_eq!(Bench::position(&mapping), numbers.last().cloned());
            let expected: Vec<Value> = numbers.iter().zip(["YQ==", "Yg==", "Yw=="]).map(|(number, data)| json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0", "partitionKey": "k", "sequenceNumber": number,
                    "data": data, "approximateArrivalTimestamp": START_MS as f64 / 1000.0,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": format!("shardId-000000000000:{number}"),
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::000000000000:role/minikin",
                "awsRegion": "us-east-1",
                "eventSourceARN": bench.stream.arn(),
            })).collect();
            assert_eq!(seen[0].body, json!({ "Records": expected }));
            assert_eq!(bench.result(&mapping), "OK");
        },
    );
}

#[test]
fn case_2_batches_of_one_come_one_after_another() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "BatchSize": 1 }));
            bench.put_all(&["a", "b", "c"]).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b", "c"]);
            assert_eq!(bench.script.most_at_once(), 1);
        },
    );
}

#[test]
fn case_3_a_backlog_comes_in_full_batches() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let texts: Vec<String> = (0..25).map(|number| format!("{number},")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            bench.put_all(&texts).await;
            bench.map(json!({}));
            bench.drain().await;
            let sizes: Vec<usize> = bench
                .script
                .seen()
                .iter()
                .map(|seen| seen.texts.len())
                .collect();
            assert_eq!(sizes, [10, 10, 5]);
            assert_eq!(bench.script.batches().concat(), texts.concat());
        },
    );
}

#[test]
fn case_4_latest_begins_after_what_is_there() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.put("a").await;
            bench.map(json!({ "StartingPosition": "LATEST" }));
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["b"]);
        },
    );
}

#[test]
fn case_5_a_time_is_cut_to_its_second() {
    for (time, expected) in [(2.0, vec!["b"]), (1.9, vec!["ab"])] {
        bench(
            |_, _| Say::ok(),
            |bench| async move {
                bench.lab.clock.advance(seconds(1)).await;
                bench.put("a").await;
                bench.lab.clock.advance(seconds(2)).await;
                bench.put("b").await;
                let time = START_MS as f64 / 1000.0 + time;
                let mapping = bench.map(json!({
                    "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": time,
                }));
                bench.drain().await;
                assert_eq!(bench.script.batches(), expected);
                let kept = minikin::internals::model::event_source::StartingPosition::AtTimestamp(
                    time as i64,
                );
                let now = minikin::Timestamp::from_millis(bench.lab.clock.now_ms());
                assert_eq!(mapping.view(now).position, kept);
                let path = format!("/2015-03-31/event-source-mappings/{}", mapping.uuid);
                let shown = bench.lab.send(&request("GET", &path, None)).await.value();
                assert_eq!(shown["StartingPositionTimestamp"], time.floor());
            },
        );
    }
}

#[test]
fn case_6_a_batching_window_gathers_for_its_time() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "MaximumBatchingWindowInSeconds": 5 }));
            bench.put("a").await;
            bench.lab.clock.advance(seconds(3)).await;
            bench.put("b").await;
            bench.advance_ms(1_999).await;
            assert_eq!(bench.script.times(), Vec::<i64>::new());
            bench.advance_ms(1).await;
            bench.settle().await;
            assert_eq!(bench.script.times(), [5_000]);
            assert_eq!(bench.script.batches(), ["ab"]);
        },
    );
}

#[test]
fn case_7_a_full_batch_does_not_wait_for_its_window() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "MaximumBatchingWindowInSeconds": 300 }));
            bench
                .put_all(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
                .await;
            bench.settle().await;
            assert_eq!(bench.script.times(), [0]);
        },
    );
}

#[test]
fn case_8_the_next_window_begins_when_the_last_invocation_ended() {
    bench(
        |_, number| if number == 1 { Say::Fail } else { Say::ok() },
        |bench| async move {
            bench.map(json!({ "MaximumBatchingWindowInSeconds": 5 }));
            bench.put("a").await;
            bench.advance_ms(5_000).await;
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [5_000, 5_200, 10_200]);
            assert_eq!(bench.script.batches(), ["a", "a", "b"]);
        },
    );
}

#[test]
fn case_9_an_event_has_at_most_six_mebibytes() {
    bench_with(
        Place::Memory,
        &["--profile", "fast"],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let record = vec![b'x'; (1 << 20) - 1];
            for _ in 0..7 {
                bench.stream.put("k", &record).await;
            }
            bench.map(json!({}));
            bench.drain().await;
            let seen = bench.script.seen();
            let sizes: Vec<usize> = seen.iter().map(|seen| seen.texts.len()).collect();
            assert_eq!(sizes, [4, 3]);
            assert!(seen.iter().all(|seen| seen.bytes <= 6_291_456));
        },
    );
}

fn oversized(retries: u32, count: u32) {
    bench_with(
        Place::Memory,
        &["--profile", "fast"],
        1,
        |_, _| Say::ok(),
        |mut bench| async move {
            bench.stream = bench.lab.stream("large").record_kib(10_240).create().await;
            let large = bench.stream.put("k", vec![b'x'; 5 << 20]).await;
            bench.put("small").await;
            let mapping = bench.map(json!({ "MaximumRetryAttempts": retries }));
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["small"]);
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            assert_eq!(
                failures[0]["requestContext"]["approximateInvokeCount"],
                count
            );
            assert_eq!(
                failures[0]["requestContext"]["condition"],
                "RetryAttemptsExhausted"
            );
            assert_eq!(
                failures[0]["KinesisBatchInfo"]["startSequenceNumber"],
                large.number
            );
            assert!(failures[0].get("responseContext").is_none());
        },
    );
}

#[test]
fn case_10_a_record_that_fits_no_event_spends_its_retries() {
    oversized(2, 3);
}

#[test]
fn case_11_without_retries_it_is_given_up_at_once() {
    oversized(0, 1);
}

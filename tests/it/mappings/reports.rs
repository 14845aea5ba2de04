//! Cases 19 to 28: partial success, and bisecting.

use super::bench::{Bench, Say, Seen, bench};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Reports a failure of the record with this text, if the batch has the record.
fn fails_at(seen: &Seen, text: &str) -> Say {
    match seen.texts.iter().position(|found| found == text) {
        Some(at) => Say::failures(&[&seen.numbers[at]]),
        None => Say::ok(),
    }
}

const REPORT: [&str; 1] = ["ReportBatchItemFailures"];

#[test]
fn case_19_the_rest_of_a_batch_is_a_new_one() {
    bench(
        |seen, _| fails_at(seen, "2"),
        |bench| async move {
            let mapping =
                bench.map(json!({ "FunctionResponseTypes": REPORT, "MaximumRetryAttempts": 1 }));
            let numbers = bench.put_all(&["1", "2", "3", "4"]).await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["1234", "234", "234"]);
            assert_eq!(bench.script.times(), [0, 0, 200]);
            assert!(seen[0].id != seen[1].id && seen[1].id == seen[2].id);
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            let info = &failures[0]["KinesisBatchInfo"];
            assert_eq!(info["batchSize"], 3);
            assert_eq!(info["startSequenceNumber"], numbers[1]);
            assert_eq!(failures[0]["requestContext"]["approximateInvokeCount"], 2);
            assert_eq!(failures[0]["responseContext"]["functionError"], Value::Null);
            assert_eq!(failures[0]["responseContext"]["statusCode"], 200);
        },
    );
}

#[test]
fn case_20_the_rest_is_bisected() {
    bench(
        |seen, _| fails_at(seen, "2"),
        |bench| async move {
            let mapping = bench.map(json!({
                "FunctionResponseTypes": REPORT, "MaximumRetryAttempts": 1,
                "BisectBatchOnFunctionError": true,
            }));
            let numbers = bench.put_all(&["1", "2", "3", "4"]).await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["1234", "234", "2", "2", "34"]);
            assert_eq!(bench.script.times(), [0, 0, 0, 200, 200]);
            assert_eq!(seen[2].id, seen[3].id);
            let ids: BTreeSet<&str> = seen.iter().map(|seen| seen.id.as_str()).collect();
            assert_eq!(ids.len(), 4);
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            assert_eq!(
                failures[0]["KinesisBatchInfo"]["startSequenceNumber"],
                numbers[1]
            );
            assert_eq!(failures[0]["KinesisBatchInfo"]["batchSize"], 1);
        },
    );
}

#[test]
fn case_65_the_event_log_lists_case_20_in_order() {
    bench(
        |seen, _| fails_at(seen, "2"),
        |bench| async move {
            let mapping = bench.map(json!({
                "FunctionResponseTypes": REPORT, "MaximumRetryAttempts": 1,
                "BisectBatchOnFunctionError": true,
            }));
            bench.put_all(&["1", "2", "3", "4"]).await;
            bench.drain().await;
            let words = Bench::words(&mapping);
            let expected = [
                "state",
                "read",
                "batch",
                "invoke",
                "outcome",
                "partial",
                "position",
                "invoke",
                "outcome",
                "split",
                "invoke",
                "outcome",
                "retry",
                "invoke",
                "outcome",
                "discarded",
                "position",
                "invoke",
                "outcome",
                "position",
            ];
            assert_eq!(words, expected);
        },
    );
}

#[test]
fn case_21_the_lowest_of_several_counts() {
    bench(
        |seen, number| match number {
            1 => Say::failures(&[&seen.numbers[3], &seen.numbers[1]]),
            _ => Say::ok(),
        },
        |bench| async move {
            bench.map(json!({ "FunctionResponseTypes": REPORT }));
            bench.put_all(&["1", "2", "3", "4"]).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["1234", "234"]);
        },
    );
}

#[test]
fn case_22_an_empty_report_is_success() {
    for body in [
        "\"\"",
        "[]",
        "null",
        "{}",
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
        "",
    ] {
        bench(
            move |_, _| Say::Answer(body.to_owned()),
            |bench| async move {
                let mapping = bench.map(json!({ "FunctionResponseTypes": REPORT }));
                bench.put("a").await;
                bench.drain().await;
                assert_eq!(bench.script.batches(), ["a"], "{body}");
                assert_eq!(bench.result(&mapping), "OK");
            },
        );
    }
}

#[test]
fn case_23_a_wrong_identifier_fails_the_whole_batch() {
    let of = |identifier: Value| json!({ "itemIdentifier": identifier });
    for failures in [
        json!([of(json!(123))]),
        json!([of(json!(""))]),
        json!([of(Value::Null)]),
        json!([{ "foo": 1 }]),
        json!([of(json!("4967"))]),
        json!([of(json!("SECOND")), of(json!("garbage"))]),
        json!(["SECOND"]),
    ] {
        bench(
            move |seen, _| {
                let report = json!({ "batchItemFailures": failures }).to_string();
                Say::Answer(report.replace("SECOND", &seen.numbers[1]))
            },
            |bench| async move {
                let mapping = bench
                    .map(json!({ "FunctionResponseTypes": REPORT, "MaximumRetryAttempts": 1 }));
                bench.put_all(&["a", "b"]).await;
                bench.drain().await;
                assert_eq!(bench.script.batches(), ["ab", "ab"]);
                let failures = Bench::failures(&mapping);
                assert_eq!(failures[0]["requestContext"]["approximateInvokeCount"], 2);
                assert_eq!(failures[0]["responseContext"]["functionError"], Value::Null);
            },
        );
    }
}

#[test]
fn case_24_a_report_that_the_mapping_does_not_expect_is_success() {
    bench(
        |seen, _| Say::failures(&[&seen.numbers[0]]),
        |bench| async move {
            bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
        },
    );
}

#[test]
fn case_25_progress_spends_no_retry() {
    bench(
        |seen, number| match number {
            1 => fails_at(seen, "2"),
            2 => fails_at(seen, "3"),
            _ => Say::ok(),
        },
        |bench| async move {
            let mapping =
                bench.map(json!({ "FunctionResponseTypes": REPORT, "MaximumRetryAttempts": 0 }));
            bench.put_all(&["1", "2", "3"]).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["123", "23", "3"]);
            assert!(Bench::failures(&mapping).is_empty());
        },
    );
}

fn eight() -> [&'static str; 8] {
    ["1", "2", "3", "4", "5", "6", "7", "8"]
}

#[test]
fn case_26_bisecting_finds_the_one_bad_record() {
    bench(
        |seen, _| {
            if seen.texts.contains(&"6".to_owned()) {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let mapping =
                bench.map(json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 0 }));
            let numbers = bench.put_all(&eight()).await;
            bench.drain().await;
            assert_eq!(
                bench.script.batches(),
                ["12345678", "1234", "5678", "56", "5", "6", "78"]
            );
            let failures = Bench::failures(&mapping);
            assert_eq!(failures.len(), 1);
            assert_eq!(
                failures[0]["KinesisBatchInfo"]["startSequenceNumber"],
                numbers[5]
            );
        },
    );
}

#[test]
fn case_27_every_bad_record_is_tried_alone() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let mapping =
                bench.map(json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 1 }));
            let numbers = bench.put_all(&eight()).await;
            bench.drain().await;
            let alone = bench.script.batches();
            for text in eight() {
                assert_eq!(
                    alone.iter().filter(|batch| *batch == text).count(),
                    2,
                    "{text}"
                );
            }
            let discarded: Vec<Value> = Bench::failures(&mapping)
                .into_iter()
                .map(|record| record["KinesisBatchInfo"]["startSequenceNumber"].clone())
                .collect();
            assert_eq!(discarded, numbers);
            // Only batches of a single record wait before a retry. Eight such batches waited 200 ms
            // each.
            assert_eq!(bench.lab.clock.now_ms() - crate::lab::START_MS, 1_600);
        },
    );
}

#[test]
fn case_28_one_record_cannot_be_bisected() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            bench.map(json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 2 }));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [0, 200, 600]);
        },
    );
}

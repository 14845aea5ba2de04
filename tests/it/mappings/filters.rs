//! Cases 70 to 75: filters.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::{Place, seconds};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;

fn filter(pattern: &str) -> Value {
    json!({ "FilterCriteria": { "Filters": [{ "Pattern": pattern }] } })
}

const KEEPS_A: &str = r#"{"data":{"t":["a"]}}"#;

#[test]
fn case_70_only_records_that_match_are_delivered() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(filter(KEEPS_A));
            let kept = r#"{"t":"a"}"#;
            let texts = ["{}", kept, "1", "[]", "x", kept, "{}", "{}", "{}", "{}"];
            let numbers = bench.put_all(&texts).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), [format!("{kept}{kept}")]);
            assert_eq!(Bench::position(&mapping), numbers.last().cloned());
            assert_eq!(mapping.counters.filtered.load(Relaxed), 8);
            assert_eq!(mapping.counters.polled.load(Relaxed), 10);
        },
    );
}

#[test]
fn case_71_dropped_records_move_the_position() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(filter(KEEPS_A));
            let numbers = bench.put_all(&["{}", "x"]).await;
            bench.drain().await;
            assert_eq!(Bench::position(&mapping), numbers.last().cloned());
            assert_eq!(bench.result(&mapping), "No records processed");
            bench.lab.restart().await;
            bench.drain().await;
            let mapping = &bench.lab.event_sources().all()[0];
            assert_eq!(mapping.counters.polled.load(Relaxed), 0);
            assert_eq!(bench.script.batches(), Vec::<String>::new());
        },
    );
}

#[test]
fn case_72_data_that_is_no_json_passes_where_no_pattern_looks_at_data() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(filter(r#"{"partitionKey":["k"]}"#));
            bench.put("no json").await;
            bench.stream.put("l", "other key").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["no json"]);
        },
    );
}

#[test]
fn case_74_invalid_patterns_are_refused() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            for pattern in ["\"x\"", r#"{"data":"x"}"#, "x"] {
                let refusal = bench.lab.map(&bench.request(filter(pattern))).unwrap_err();
                assert_eq!(refusal.message, "Invalid filter pattern definition.");
            }
            assert!(bench.lab.event_sources().all().is_empty());
        },
    );
}

#[test]
fn case_75_a_dropped_record_opens_no_window() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mut settings = filter(KEEPS_A);
            settings["MaximumBatchingWindowInSeconds"] = 5.into();
            bench.map(settings);
            bench.put("{}").await;
            bench.lab.clock.advance(seconds(4)).await;
            bench.put(r#"{"t":"a"}"#).await;
            bench.drain().await;
            assert_eq!(bench.script.times(), [9_000]);
        },
    );
}

/// A batch that was formed with the old filters ends first.
#[test]
fn new_filters_choose_the_records_after_a_failing_batch() {
    for is_held in [false, true] {
        bench(
            move |_, number| match number {
                1 if is_held => Say::Hold(Box::new(Say::Fail)),
                1 => Say::Fail,
                _ => Say::ok(),
            },
            |bench| async move {
                let mapping = bench.map(filter(KEEPS_A));
                let records = [r#"{"t":"a","n":1}"#, r#"{"t":"b","n":2}"#];
                bench.put_all(&records).await;
                bench.until_seen(1).await;
                if !is_held {
                    bench.settle().await;
                }
                bench.update(&mapping, &filter(r#"{"data":{"t":["b"]}}"#));
                let (a, b) = (r#"{"t":"a","n":1}"#, r#"{"t":"b","n":3}"#);
                let number = bench.put(b).await;
                bench.script.release();
                bench.drain().await;
                assert_eq!(bench.script.batches(), [a, a, b]);
                assert_eq!(Bench::position(&mapping), Some(number));
            },
        );
    }
}

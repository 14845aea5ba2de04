//! Cases 43 to 49: mappings that are disabled, deleted, restarted, and lose their stream.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::Place;
use minikin::internals::engine::event_source::Mapping;
use minikin::internals::model::event_source::Changes;
use serde_json::json;
use std::sync::Arc;

fn enable(bench: &Bench, mapping: &Arc<Mapping>, enabled: bool) {
    let changes = Changes::read(&json!({ "Enabled": enabled })).unwrap();
    bench
        .lab
        .event_sources()
        .update_by_request(mapping, &changes)
        .unwrap();
}

#[test]
fn case_43_invocations_in_progress_end_when_a_mapping_is_disabled() {
    bench(
        |_, number| {
            if number == 1 {
                Say::Hold(Box::new(Say::ok()))
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let mapping = bench.map(json!({}));
            let number = bench.put("a").await;
            bench.until_seen(1).await;
            enable(&bench, &mapping, false);
            bench.put("b").await;
            bench.script.release();
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert_eq!(Bench::position(&mapping), Some(number));
            enable(&bench, &mapping, true);
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
        },
    );
}

/// The tasks of a stopping emulator are aborted after ten seconds.
#[test]
fn a_disabled_mapping_does_not_hold_a_stop_up() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            enable(&bench, &mapping, false);
            bench.settle().await;
            let stopping = bench.lab.stop();
            let stopped = tokio::time::timeout(crate::lab::seconds(5), stopping).await;
            assert!(stopped.is_ok(), "a task does not end");
        },
    );
}

#[test]
fn case_44_a_batch_that_waits_is_formed_anew() {
    bench(
        |_, number| if number == 1 { Say::Fail } else { Say::ok() },
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.settle().await;
            enable(&bench, &mapping, false);
            bench.advance_ms(10_000).await;
            bench.put("b").await;
            enable(&bench, &mapping, true);
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["a", "ab"]);
            assert_ne!(seen[0].id, seen[1].id);
            assert_eq!((seen[1].attempt, seen[1].at), (1, 10_000));
        },
    );
}

#[test]
fn case_45_a_deleted_mapping_sends_its_last_failure_and_leaves_no_position() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, number| {
            if number == 1 {
                Say::Hold(Box::new(Say::Fail))
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRetryAttempts": 0 }));
            bench.put("a").await;
            bench.until_seen(1).await;
            let sources = bench.lab.event_sources();
            sources.delete(&mapping).unwrap();
            assert!(sources.find(&mapping.uuid).is_none());
            bench.script.release();
            bench.advance_ms(1).await;
            assert_eq!(Bench::failures(&mapping).len(), 1);
            bench.map(json!({}));
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "a"]);
            let left = bench.lab.left().await;
            let uuid = mapping.uuid.into_bytes();
            assert!(!left.mappings.contains_key(&uuid) && left.mappings.len() == 1);
            assert!(left.positions.keys().all(|(of, ..)| *of != uuid));
            assert!(!left.positions.is_empty());
        },
    );
}

#[test]
fn case_47_a_mapping_goes_on_after_a_restart() {
    bench_with(
        Place::Disk,
        &["--event-source", "s=f?BatchSize=10"],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            bench.put("a").await;
            bench.drain().await;
            let uuid = bench.lab.event_sources().all()[0].uuid;
            bench.lab.restart().await;
            let all = bench.lab.event_sources().all();
            assert_eq!(
                all.iter().map(|mapping| mapping.uuid).collect::<Vec<_>>(),
                [uuid]
            );
            let stream = crate::lab::Stream::existing(&bench.lab, "s");
            stream.put("k", "b").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
        },
    );
}

#[test]
fn case_48_a_stream_of_the_same_name_is_read_from_its_start() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({ "StartingPosition": "LATEST" }));
            bench.put("a").await;
            bench.drain().await;
            bench.lab.ok("DeleteStream", r#"{"StreamName":"s"}"#).await;
            bench.drain().await;
            assert_eq!(bench.result(&mapping), "PROBLEM: Stream not found");
            bench.lab.stream("s").create().await;
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
            assert_eq!(bench.result(&mapping), "OK");
        },
    );
}

#[test]
fn case_49_two_mappings_do_not_know_of_each_other() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let one = bench.map(json!({}));
            let other = bench.map(json!({ "FunctionName": "g", "BatchSize": 1 }));
            let numbers = bench.put_all(&["a", "b"]).await;
            bench.drain().await;
            let mut batches = bench.script.batches();
            batches.sort();
            assert_eq!(batches, ["a", "ab", "b"]);
            for mapping in [one, other] {
                assert_eq!(Bench::position(&mapping), numbers.last().cloned());
            }
        },
    );
}

//! Cases 43 to 49: mappings that are disabled, deleted or restarted, or whose stream is deleted.

use super::api::{MAPPINGS, send};
use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::{Place, hours};
use crate::looking::own;
use serde_json::{Value, json};

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
            bench.enable(&mapping, false);
            bench.put("b").await;
            bench.script.release();
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert_eq!(Bench::position(&mapping), Some(number));
            bench.enable(&mapping, true);
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
        },
    );
}

/// A stop of the emulator aborts its tasks after ten seconds.
#[test]
fn a_disabled_mapping_does_not_hold_a_stop_up() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            bench.enable(&mapping, false);
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
            bench.enable(&mapping, false);
            bench.advance_ms(10_000).await;
            bench.put("b").await;
            bench.enable(&mapping, true);
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
            let dead = bench.lab.stream("dead").create().await;
            let mapping = bench.map(json!({
                "MaximumRetryAttempts": 0,
                "DestinationConfig": { "OnFailure": { "Destination": dead.arn() } },
            }));
            bench.put("a").await;
            bench.until_seen(1).await;
            let sources = bench.lab.event_sources();
            sources.delete(&mapping).unwrap();
            assert!(sources.find(&mapping.uuid).is_none());
            bench.script.release();
            bench.advance_ms(1).await;
            let records = dead.read_all().await;
            assert_eq!(records.len(), 1);
            let record: Value = serde_json::from_slice(records[0].data.as_ref()).unwrap();
            assert_eq!(record, Bench::failures(&mapping)[0]);
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
            let before = Bench::words(&mapping).len();
            bench.lab.clock.advance(hours(1)).await;
            assert_eq!(Bench::words(&mapping).len(), before, "no loop of errors");
        },
    );
}

/// If a batch is in flight when its stream is deleted, no position of the batch stays.
#[test]
fn the_last_batch_of_a_deleted_stream_leaves_no_position() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, _| Say::Hold(Box::new(Say::ok())),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.until_seen(1).await;
            bench.lab.ok("DeleteStream", r#"{"StreamName":"s"}"#).await;
            bench.script.release();
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert!(mapping.positions().is_empty());
            let left = bench.lab.left().await;
            assert_eq!((left.mappings.len(), left.positions.len()), (1, 0));
        },
    );
}

#[test]
fn case_49_two_mappings_do_not_know_of_each_other() {
    bench(
        |seen, _| {
            if seen.texts == ["a"] {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let one = bench.map(json!({}));
            let other = bench.map(json!({
                "FunctionName": "g", "BatchSize": 1, "MaximumRetryAttempts": 1,
            }));
            let numbers = bench.put_all(&["a", "b"]).await;
            bench.settle().await;
            assert_eq!(Bench::position(&one), numbers.last().cloned());
            assert_eq!(Bench::position(&other), None);
            bench.drain().await;
            let mut batches = bench.script.batches();
            batches.sort();
            assert_eq!(batches, ["a", "a", "ab", "b"]);
            assert_eq!(Bench::position(&other), numbers.last().cloned());
            let failures = [one, other].map(|mapping| Bench::failures(&mapping).len());
            assert_eq!(failures, [0, 1]);
        },
    );
}

/// A reset without a body starts at the last starting position. A body sets another starting
/// position.
#[test]
fn a_reset_names_a_position() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let uuid = bench.map(json!({})).uuid;
            let reset = async |body: &str| {
                let path = format!("event-sources/{uuid}/reset");
                let (status, _) = own(&bench.lab, "POST", &path, body).await;
                bench.drain().await;
                status
            };
            bench.put("a").await;
            bench.advance_ms(2_000).await;
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a", "b"]);
            let second = crate::lab::START_MS / 1000 + 2;
            let at = json!({
                "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": second,
            });
            assert_eq!(reset(&at.to_string()).await, 204);
            assert_eq!(bench.script.batches()[2..], ["b"]);
            assert_eq!(reset("").await, 204);
            assert_eq!(bench.script.batches()[3..], ["b"]);
            assert_eq!(reset(r#"{"StartingPosition":"LATEST"}"#).await, 204);
            assert_eq!(bench.script.batches().len(), 4);
            bench.lab.restart().await;
            let stream = crate::lab::Stream::existing(&bench.lab, "s");
            stream.put("k", "c").await;
            bench.drain().await;
            assert_eq!(bench.script.batches()[4..], ["c"]);
            assert_eq!(reset(r#"{"StartingPosition":"TRIM_HORIZON"}"#).await, 204);
            assert_eq!(bench.script.batches()[5..], ["abc"]);
            for wrong in [
                r#"{"StartingPosition":"x"}"#,
                r#"{"StartingPosition":"AT_TIMESTAMP"}"#,
                r#"{"StartingPositionTimestamp":1}"#,
                r#"{"StartingPosition":7}"#,
            ] {
                assert_eq!(reset(wrong).await, 400, "{wrong}");
            }
            assert_eq!(bench.script.batches().len(), 6);
        },
    );
}

/// The emulator checks the definition in an option at every start. The function of the definition
/// replaces a function that the API has set.
#[test]
fn the_definition_in_an_option_is_checked_and_applied_after_a_restart() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let restart = async |settings: &str| {
                let mapping = format!("s=f{settings}");
                let flags = ["--event-source", &mapping];
                bench.lab.restart_with(&flags).await
            };
            restart("").await.unwrap();
            let mapping = bench.lab.event_sources().all()[0].clone();
            bench.update(&mapping, &json!({ "FunctionName": "g" }));
            restart("?BatchSize=3").await.unwrap();
            let now = minikin::Timestamp::from_millis(bench.lab.clock.now_ms());
            let view = bench.lab.event_sources().all()[0].view(now);
            assert_eq!((&*view.function.name, view.settings.batch_size), ("f", 3));
            let itself = format!("?OnFailure={}", bench.stream.arn());
            let fifo = "?OnFailure=arn:aws:sqs:us-east-1:000000000000:dead.fifo";
            for refused in [&itself, fifo, "?OnFailure=garbage"] {
                assert!(restart(refused).await.is_err(), "{refused}");
            }
            restart("").await.unwrap();
        },
    );
}

#[test]
fn the_list_omits_a_mapping_whose_stream_does_not_exist_yet() {
    bench_with(
        Place::Memory,
        &["--event-source", "later=f"],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            let listed = async || {
                let answer = send(&bench, "GET", MAPPINGS, None).await.value();
                answer["EventSourceMappings"].as_array().unwrap().len()
            };
            assert_eq!(listed().await, 0);
            bench.lab.stream("later").create().await;
            assert_eq!(listed().await, 1);
            let delete = r#"{"StreamName":"later"}"#;
            bench.lab.ok("DeleteStream", delete).await;
            bench.settle().await;
            assert_eq!(listed().await, 1);
        },
    );
}

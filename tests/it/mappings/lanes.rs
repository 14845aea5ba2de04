//! Cases 76 to 79: lanes of a shard by partition key.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::Place;
use crate::looking::own;
use minikin::internals::model::event_source::lane_of;
use serde_json::json;

/// Keys for `count` lanes, one key for each lane.
fn keys(count: u32) -> Vec<String> {
    (0..count as usize)
        .map(|lane| {
            let keys = (0..).map(|number| format!("key{number}"));
            keys.into_iter()
                .find(|key| lane_of(key, count) == lane)
                .unwrap()
        })
        .collect()
}

#[test]
fn case_76_a_failing_lane_stops_only_itself() {
    bench_with(
        Place::Disk,
        &[],
        1,
        |seen, _| {
            if seen.texts[0].starts_with('b') {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let keys = keys(3);
            let mapping = bench.map(json!({ "ParallelizationFactor": 3, "BatchSize": 1 }));
            let mut first_bad = None;
            let mut before = None;
            for round in 0..3 {
                for (key, name) in keys.iter().zip(["a", "b", "c"]) {
                    let placed = bench.stream.put(key, format!("{name}{round}")).await;
                    if name == "b" {
                        first_bad.get_or_insert(placed.number);
                    } else if first_bad.is_none() {
                        before = Some(placed.number);
                    }
                }
            }
            bench.settle().await;
            let of = |bench: &Bench, name: char| -> Vec<String> {
                let mut batches = bench.script.batches();
                batches.retain(|batch| batch.starts_with(name));
                batches
            };
            assert_eq!(of(&bench, 'a'), ["a0", "a1", "a2"]);
            assert_eq!(of(&bench, 'c'), ["c0", "c1", "c2"]);
            assert_eq!(of(&bench, 'b'), ["b0"]);
            assert_eq!(Bench::position(&mapping), before);
            bench.lab.restart().await;
            bench.settle().await;
            assert_eq!(of(&bench, 'a').len() + of(&bench, 'c').len(), 6);
            assert_eq!(of(&bench, 'b'), ["b0", "b0"]);
        },
    );
}

#[test]
fn case_77_another_number_of_lanes_loses_nothing() {
    bench(
        |_, number| {
            if number <= 2 {
                Say::Hold(Box::new(Say::ok()))
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let keys = keys(2);
            let mapping = bench.map(json!({ "ParallelizationFactor": 2, "BatchSize": 1 }));
            for round in 0..4 {
                for (key, name) in keys.iter().zip(["a", "b"]) {
                    bench.stream.put(key, format!("{name}{round}")).await;
                }
            }
            bench.until_seen(2).await;
            bench.update(&mapping, &json!({ "ParallelizationFactor": 1 }));
            bench.script.release();
            bench.drain().await;
            for name in ['a', 'b'] {
                let mut batches = bench.script.batches();
                batches.retain(|batch| batch.starts_with(name));
                batches.dedup();
                let expected: Vec<String> = (0..4).map(|round| format!("{name}{round}")).collect();
                assert_eq!(batches, expected);
            }
        },
    );
}

#[test]
fn case_78_one_key_has_one_request_at_a_time() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "ParallelizationFactor": 10, "BatchSize": 1 }));
            bench.put_all(&["1", "2", "3", "4", "5"]).await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["1", "2", "3", "4", "5"]);
            assert_eq!(bench.script.most_at_once(), 1);
        },
    );
}

#[test]
fn case_79_a_failing_lane_that_fills_the_read_ahead_stops_the_others() {
    bench_with(
        Place::Memory,
        &["--profile", "fast"],
        1,
        |seen, _| {
            if seen.texts[0].starts_with('b') {
                Say::Fail
            } else {
                Say::ok()
            }
        },
        |bench| async move {
            let keys = keys(2);
            let mapping = bench.map(json!({ "ParallelizationFactor": 2, "BatchSize": 1 }));
            let bad: Vec<_> = (0..500).map(|_| (keys[1].as_str(), "b")).collect();
            for _ in 0..21 {
                bench.stream.put_records(&bad).await;
            }
            bench.settle().await;
            bench.stream.put(&keys[0], "a").await;
            bench.settle().await;
            assert!(!bench.script.batches().contains(&"a".to_owned()));
            let shards = mapping.shards();
            let (_, shard) = shards.first_key_value().unwrap();
            assert!(shard.is_full && shard.undone >= 10_000, "{}", shard.undone);
            let path = format!("event-sources/{}", mapping.uuid);
            let (_, page) = own(&bench.lab, "GET", &path, "").await;
            assert_eq!(page["Shards"][0]["ReadAheadFull"], true, "{page}");
            bench.lab.event_sources().delete(&mapping).unwrap();
        },
    );
}

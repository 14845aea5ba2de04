//! Cases 39 to 42: shards that are split and merged.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::{Place, hours};
use serde_json::json;

const MIDDLE: &str = "170141183460469231731687303715884105728";

async fn split(bench: &Bench, shard: &str) {
    let body =
        format!(r#"{{"StreamName":"s","ShardToSplit":"{shard}","NewStartingHashKey":"{MIDDLE}"}}"#);
    bench.lab.json("SplitShard", &body).await;
}

#[test]
fn case_39_children_come_after_all_of_their_parent() {
    bench(
        |seen, number| match () {
            () if seen.texts.contains(&"p".to_owned()) && number < 3 => Say::Fail,
            () => Say::ok(),
        },
        |bench| async move {
            bench.map(json!({}));
            bench.put("p").await;
            split(&bench, "shardId-000000000000").await;
            bench.stream.put_at("0", "l").await;
            bench.stream.put_at(MIDDLE, "u").await;
            bench.drain().await;
            let batches = bench.script.batches();
            assert_eq!(batches[..3], ["p", "p", "p"]);
            let mut children = batches[3..].to_vec();
            children.sort();
            assert_eq!(children, ["l", "u"]);
            assert_eq!(bench.script.times(), [0, 200, 600, 600, 600]);
        },
    );
}

#[test]
fn case_39_both_children_are_read_at_once() {
    bench(
        |seen, _| match seen.texts[0].as_str() {
            "l" | "u" => Say::Hold(Box::new(Say::ok())),
            _ => Say::ok(),
        },
        |bench| async move {
            bench.map(json!({}));
            split(&bench, "shardId-000000000000").await;
            bench.stream.put_at("0", "l").await;
            bench.stream.put_at(MIDDLE, "u").await;
            bench.until_seen(2).await;
            assert_eq!(bench.script.running(), 2);
            bench.script.release();
            bench.drain().await;
        },
    );
}

#[test]
fn case_40_a_merged_shard_waits_for_both_parents() {
    bench_with(
        Place::Memory,
        &[],
        2,
        |seen, number| match seen.texts[0].as_str() {
            "u" if number < 6 => Say::Fail,
            _ => Say::ok(),
        },
        |bench| async move {
            bench.map(json!({}));
            bench.stream.put_at("0", "l").await;
            bench.stream.put_at(MIDDLE, "u").await;
            bench.settle().await;
            let body = r#"{"StreamName":"s","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001"}"#;
            bench.lab.json("MergeShards", body).await;
            bench.stream.put_at("0", "c").await;
            bench.settle().await;
            assert!(!bench.script.batches().contains(&"c".to_owned()));
            bench.drain().await;
            assert_eq!(bench.script.batches().last().unwrap(), "c");
            assert_eq!(
                bench
                    .script
                    .batches()
                    .iter()
                    .filter(|batch| *batch == "c")
                    .count(),
                1
            );
        },
    );
}

#[test]
fn case_41_children_of_a_latest_mapping_are_read_from_their_first_record() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.put("old").await;
            bench.map(json!({ "StartingPosition": "LATEST" }));
            split(&bench, "shardId-000000000000").await;
            bench.stream.put_at("0", "new").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["new"]);
        },
    );
}

#[test]
fn case_42_children_go_on_where_retention_took_the_parent() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.put("gone").await;
            split(&bench, "shardId-000000000000").await;
            bench.lab.clock.advance(hours(25)).await;
            bench.stream.put_at("0", "child").await;
            bench.map(json!({}));
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["child"]);
        },
    );
}

//! Writers and readers of a stream that is resharded at the same time.

use super::{HALF, not_active, ok, open_indexes, shard_id, shards, status};
use crate::lab::{Lab, Rounds, kinesis_test, ms, seconds};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

const WRITERS: usize = 4;
const ROUNDS: usize = 30;
const BATCH: usize = 5;
/// Number of records of all writers.
const RECORDS: usize = WRITERS * ROUNDS * (1 + BATCH);

/// The key, data, shard and sequence number of a record.
type Seen = (String, String, String, String);

/// Puts records one after the other. The data of a record is the next number of its key. Returns
/// the records with their shards and sequence numbers.
async fn write(lab: Lab, writer: usize) -> Vec<Seen> {
    let mut put = Vec::new();
    let key = |at: usize| format!("key-{writer}-{}", at % 3);
    let mut counts = [0; 3];
    let mut next = |at: usize| {
        counts[at % 3] += 1;
        (key(at), counts[at % 3].to_string())
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for round in 0..ROUNDS {
        let (key, data) = next(round);
        let body = json!({
            "StreamName": "s", "PartitionKey": key, "Data": STANDARD.encode(&data)
        });
        let got = ok(&lab, "PutRecord", body).await;
        put.push((
            key,
            data,
            text(&got["ShardId"]),
            text(&got["SequenceNumber"]),
        ));
        let batch: Vec<_> = (0..BATCH).map(|at| next(round + at)).collect();
        let entry = |(key, data): &(String, String)| json!({"PartitionKey": key, "Data": STANDARD.encode(data)});
        let records: Vec<_> = batch.iter().map(entry).collect();
        let got = ok(
            &lab,
            "PutRecords",
            json!({"StreamName": "s", "Records": records}),
        )
        .await;
        assert_eq!(got["FailedRecordCount"], 0, "{got}");
        let results = got["Records"].as_array().unwrap();
        for ((key, data), result) in batch.into_iter().zip(results) {
            put.push((
                key,
                data,
                text(&result["ShardId"]),
                text(&result["SequenceNumber"]),
            ));
        }
    }
    put
}

async fn horizon(lab: &Lab, shard: &str) -> String {
    let body = json!({"StreamName": "s", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let got = ok(lab, "GetShardIterator", body).await;
    got["ShardIterator"].as_str().unwrap().to_owned()
}

/// Reads the first shards, their children, and all later descendants. Reads a child only after all
/// of its parents were read to their end. Ends when the writers are done and no records are left.
async fn follow(lab: Lab, first: Vec<String>, written: Arc<AtomicBool>) -> Vec<Seen> {
    let mut reading = BTreeMap::new();
    for shard in first {
        let iterator = horizon(&lab, &shard).await;
        reading.insert(shard, iterator);
    }
    let (mut ended, mut children) = (BTreeSet::new(), BTreeMap::new());
    let mut seen = Vec::new();
    let mut rounds = Rounds::of(100_000, "the last record of all shards");
    loop {
        rounds.next();
        let (all_written, before) = (written.load(Ordering::SeqCst), seen.len());
        for (shard, iterator) in reading.clone() {
            let got = ok(
                &lab,
                "GetRecords",
                json!({"ShardIterator": iterator, "Limit": 7}),
            )
            .await;
            seen.extend(got["Records"].as_array().unwrap().iter().map(|record| {
                let data = STANDARD.decode(record["Data"].as_str().unwrap()).unwrap();
                let text = |member: &str| record[member].as_str().unwrap().to_owned();
                let data = String::from_utf8(data).unwrap();
                (
                    text("PartitionKey"),
                    data,
                    shard.clone(),
                    text("SequenceNumber"),
                )
            }));
            if let Some(next) = got.get("NextShardIterator") {
                reading.insert(shard, next.as_str().unwrap().to_owned());
                continue;
            }
            reading.remove(&shard);
            ended.insert(shard);
            for child in got["ChildShards"].as_array().unwrap() {
                let id = child["ShardId"].as_str().unwrap().to_owned();
                children.insert(id, child["ParentShards"].as_array().unwrap().clone());
            }
        }
        let ready = |parents: &Vec<Value>| {
            parents
                .iter()
                .all(|of| ended.contains(of.as_str().unwrap()))
        };
        let (start, wait) = children
            .into_iter()
            .partition::<Vec<_>, _>(|(_, of)| ready(of));
        children = wait.into_iter().collect();
        if all_written && seen.len() == before && start.is_empty() {
            return seen;
        }
        for (shard, _) in start {
            let iterator = horizon(&lab, &shard).await;
            reading.insert(shard, iterator);
        }
    }
}

/// Runs writers and a follower while `reshard` runs. Compares the written records with the read
/// ones.
async fn check<F: Future<Output = ()>>(lab: &Lab, first: usize, reshard: F) {
    let (mut writers, mut follower) = (JoinSet::new(), JoinSet::new());
    for writer in 0..WRITERS {
        writers.spawn(write(lab.clone(), writer));
    }
    let first: Vec<_> = (0..first).map(shard_id).collect();
    let written = Arc::new(AtomicBool::new(false));
    follower.spawn(follow(lab.clone(), first.clone(), written.clone()));
    reshard.await;
    let mut put: Vec<Seen> = writers.join_all().await.concat();
    written.store(true, Ordering::SeqCst);
    assert_eq!(put.len(), RECORDS);
    let followed = follower.join_all().await.remove(0);
    let read_afterwards = follow(lab.clone(), first, written).await;
    put.sort();
    for seen in [followed, read_afterwards] {
        for writer in 0..WRITERS {
            for key in (0..3).map(|key| format!("key-{writer}-{key}")) {
                let of_key = seen.iter().filter(|record| record.0 == key);
                let order: Vec<usize> = of_key.map(|record| record.1.parse().unwrap()).collect();
                let expected: Vec<usize> = (1..=order.len()).collect();
                assert_eq!(order, expected, "{key}");
            }
        }
        let mut seen = seen;
        seen.sort();
        assert_eq!(
            seen, put,
            "each record once, where and as it was acknowledged"
        );
    }
}

async fn until_active(lab: &Lab) {
    let active = async || (status(lab, "s").await == "ACTIVE").then_some(());
    lab.until_by_clock("an ACTIVE stream", ms(100), seconds(60), active)
        .await;
}

kinesis_test!(
    no_record_is_lost_doubled_or_reordered_by_splits_and_merges,
    [
        "--limit",
        "shard-write-records=off",
        "--transition-ms",
        "300"
    ],
    |lab| async move {
        lab.stream("s").create().await;
        until_active(&lab).await;
        check(&lab, 1, async {
            let split = |shard: usize, key: &str| {
                json!({
                    "StreamName": "s", "ShardToSplit": shard_id(shard), "NewStartingHashKey": key
                })
            };
            let merge = |lower: usize, upper: usize| {
                json!({
                    "StreamName": "s", "ShardToMerge": shard_id(lower),
                    "AdjacentShardToMerge": shard_id(upper),
                })
            };
            for (operation, body) in [
                ("SplitShard", split(0, HALF)),
                (
                    "SplitShard",
                    split(1, "85070591730234615865843651857942052864"),
                ),
                ("MergeShards", merge(4, 2)),
                ("MergeShards", merge(3, 5)),
                ("SplitShard", split(6, HALF)),
            ] {
                ok(&lab, operation, body).await;
                until_active(&lab).await;
            }
        })
        .await;
        assert_eq!(shards(&lab, "s").await.len(), 9);
    }
);

kinesis_test!(
    no_record_is_lost_doubled_or_reordered_by_scaling,
    ["--limit", "shard-write-records=off"],
    |lab| async move {
        lab.stream("s").shards(2).create().await;
        check(&lab, 2, async {
            for target in [3, 5, 3, 2, 4, 2, 1] {
                let body = json!({
                    "StreamName": "s", "TargetShardCount": target,
                    "ScalingType": "UNIFORM_SCALING",
                });
                ok(&lab, "UpdateShardCount", body).await;
                lab.clock.advance(ms(700)).await;
            }
        })
        .await;
    }
);

kinesis_test!(
    of_two_parallel_splits_of_a_shard_one_wins,
    ["--transition-ms", "100"],
    |lab| async move {
        lab.stream("s").create().await;
        until_active(&lab).await;
        let mut splits = JoinSet::new();
        for _ in 0..8 {
            let lab = lab.clone();
            let body = json!({
                "StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": HALF
            });
            splits.spawn(async move { lab.json("SplitShard", &body.to_string()).await });
        }
        let mut won = 0;
        for answer in splits.join_all().await {
            if answer.status == 200 {
                won += 1;
            } else {
                let got = answer.refusal().to_string();
                assert_eq!(got, not_active("s", "UPDATING"));
            }
        }
        assert_eq!(won, 1);
        until_active(&lab).await;
        assert_eq!(open_indexes(&lab, "s").await, [1, 2]);
    }
);

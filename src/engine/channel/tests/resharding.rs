//! Tests of deliveries across splits and merges, restarts and snapshots.

use super::bench::{Bench, Memory, Plan};
use crate::engine::snapshot::{Loading, Saving};
use crate::model::ShardId;
use crate::model::channel::ChannelPosition;
use crate::store::{ReshardingOrder, SimulatedDisk};

fn texts(of: &str) -> Vec<String> {
    (0..100).map(|number| format!("{of} {number:03}")).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[tokio::test]
async fn parents_are_delivered_before_their_children() {
    let bench = Bench::start(Plan {
        max_object_bytes: 300,
        ..Plan::default()
    })
    .await;
    bench.put(texts("a")).await;
    bench.reshard(ReshardingOrder::Scale { count: 3 }).await;
    bench.put(texts("b")).await;
    bench.reshard(ReshardingOrder::Scale { count: 1 }).await;
    bench.put(texts("c")).await;
    bench.channel.flush().await.unwrap();
    let lines = bench.memory.lines("records");
    let generations: Vec<&str> = lines.iter().map(|line| &line[..1]).collect();
    assert!(generations.is_sorted(), "{lines:?}");
    let all = [texts("a"), texts("b"), texts("c")].concat();
    assert_eq!(sorted(lines), all);
    let positions = bench.channel.progress().positions;
    let last = positions.last_key_value().unwrap();
    for (shard, position) in &positions {
        assert_eq!(position.finished, shard != last.0, "{shard}: {position:?}");
        assert_eq!(position.planned, None);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_restart_goes_on_where_the_delivery_stood() {
    let (disk, memory) = (SimulatedDisk::new(), Memory::default());
    let mut expected = Vec::new();
    let mut now_ms = super::bench::START_MS;
    for round in 0..5 {
        let plan = Plan::default();
        let bench = Bench::start_on(&disk, memory.clone(), plan, now_ms).await;
        let before = texts(&format!("{round} before"));
        bench.put(&before).await;
        bench.advance_ms(300_000).await;
        let after = texts(&format!("{round} after"));
        bench.put(&after).await;
        bench
            .reshard(ReshardingOrder::Scale {
                count: 1 + round % 3,
            })
            .await;
        expected.extend(before);
        expected.extend(after);
        now_ms = bench.now_ms();
        bench.stop().await;
    }
    let bench = Bench::start_on(&disk, memory.clone(), Plan::default(), now_ms).await;
    bench.advance_ms(300_000).await;
    assert_eq!(sorted(memory.lines("records")), sorted(expected));
    let keys: Vec<String> = memory.puts().into_iter().map(|(key, _)| key).collect();
    let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "no object was repeated");
    bench.stop().await;
}

#[tokio::test]
async fn a_snapshot_keeps_the_positions() {
    let bench = Bench::start(Plan::default()).await;
    bench.put(["delivered"]).await;
    bench.channel.flush().await.unwrap();
    bench.put(["waiting"]).await;
    let mut snapshot = Vec::new();
    let mut saving = Saving::begin(&bench.engine).unwrap();
    while let Some(part) = saving.next().await.unwrap() {
        snapshot.extend_from_slice(&part);
    }
    drop(saving);
    let other = Bench::start(Plan::default()).await;
    let mut loading = Loading::begin(&other.engine).unwrap();
    loading.push(&snapshot).await.unwrap();
    loading.end().await.unwrap();
    let channel = other.engine.all_channels().pop().unwrap();
    channel.flush().await.unwrap();
    assert_eq!(other.memory.lines("records"), ["waiting"]);
    bench.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_closed_shard_without_new_records_is_finished_at_the_start() {
    let bench = Bench::start(Plan::default()).await;
    let position = bench.channel.progress().positions[&ShardId::new(0)].clone();
    assert_eq!(position, ChannelPosition::at_end(position.next, true));
    bench.stop().await;
}

//! Tests with kills between the write of an object and the save of the positions.

use super::bench::{Bench, Memory, Plan, START_MS};
use crate::model::channel::{RecordFormat, S3Compression};
use crate::store::{Durability, ReshardingOrder, SimulatedDisk};
use crate::world::{Fault, Point, Random, Rule};
use std::collections::BTreeMap;

/// Number of kills in each test.
const KILLS: u32 = 50;

/// Kills the engine `KILLS` times, each time after the channel wrote an object. Checks that the
/// channel then writes the object again with the same bytes. Returns the delivered records.
async fn killed(plan: Plan) -> Vec<Vec<u8>> {
    let (disk, memory) = (SimulatedDisk::new(), Memory::default());
    let chance = Random::seeded(7);
    let (mut now_ms, mut expected) = (START_MS, Vec::new());
    for round in 0..KILLS {
        let before = memory.puts().len();
        let bench = Bench::start_on(&disk, memory.clone(), plan.clone(), now_ms).await;
        let kill = Rule::new(Point::Checkpoint, Fault::Drop).unwrap();
        let records: Vec<Vec<u8>> = (0..20)
            .map(|number| format!("{{\"round\": {round}, \"number\": {number}}}").into_bytes())
            .collect();
        bench.put(&records).await;
        bench.engine.store.make_durable().await.unwrap();
        expected.extend(records);
        if round % 7 == 3 {
            let count = 1 + round % 3;
            bench.reshard(ReshardingOrder::Scale { count }).await;
        }
        bench.world.faults.set(vec![kill]);
        bench.advance_ms(300_000).await;
        assert!(
            memory.puts().len() > before,
            "an object was written in round {round}"
        );
        now_ms = bench.now_ms();
        // The crash loses nothing, because the records and the plan of their object are durable.
        disk.crash(&chance);
        let _failed = bench.engine.close().await;
    }
    let bench = Bench::start_on(&disk, memory.clone(), plan.clone(), now_ms).await;
    bench.advance_ms(300_000).await;
    let mut objects: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (key, body) in memory.puts() {
        let first = objects.entry(key).or_insert_with(|| body.clone());
        assert!(*first == body, "a repetition has the same bytes");
    }
    assert!(
        memory.puts().len() > objects.len(),
        "some objects were repeated"
    );
    assert_eq!(objects.len(), memory.objects("records").len());
    bench.stop().await;
    let mut delivered: Vec<Vec<u8>> = Vec::new();
    for (_, body) in memory.objects("records") {
        let body = match plan.compression {
            S3Compression::Zstd => zstd::decode_all(&body[..]).unwrap(),
            _ => body,
        };
        let lines = body.split(|byte| *byte == b'\n');
        delivered.extend(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
    }
    delivered.sort();
    expected.sort();
    assert_eq!(delivered.len(), expected.len());
    assert!(delivered == expected);
    delivered
}

#[tokio::test]
async fn fifty_kills_neither_lose_nor_repeat_a_record() {
    killed(Plan {
        shards: 2,
        ..Plan::default()
    })
    .await;
}

#[tokio::test]
async fn fifty_kills_repeat_the_same_objects_without_durability() {
    killed(Plan {
        durability: Durability::None,
        ..Plan::default()
    })
    .await;
}

#[tokio::test]
async fn fifty_kills_repeat_the_same_compressed_bytes() {
    killed(Plan {
        format: RecordFormat::Json,
        compression: S3Compression::Zstd,
        max_object_bytes: 700,
        segment_bytes: 300,
        ..Plan::default()
    })
    .await;
}

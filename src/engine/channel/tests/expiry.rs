//! Tests with records that expire, or that a clear of the stream removes, before they are
//! delivered.

use super::bench::{Bench, Memory, Plan, START_MS};
use super::retries::DOWN;
use crate::model::channel::ChannelStatus;
use crate::store::SimulatedDisk;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[tokio::test]
async fn a_channel_fails_when_its_records_expire() {
    let bench = Bench::start(Plan::default()).await;
    bench.memory.set_down(true);
    bench.put(["lost", "lost, too"]).await;
    bench.advance_ms(HOUR_MS).await;
    bench.put(["younger"]).await;
    bench.advance_ms(DAY_MS - HOUR_MS - 1).await;
    assert_eq!(bench.channel.describe().status, ChannelStatus::Active);
    assert_eq!(bench.figures().expired_records, 0);
    bench.advance_ms(1).await;
    let description = bench.channel.describe();
    assert_eq!(description.status, ChannelStatus::Failed);
    let reason = format!("2 records expired before they could be delivered. {DOWN}");
    assert_eq!(description.reason, Some(reason));
    assert_eq!(bench.figures().expired_records, 2);
    bench.memory.set_down(false);
    bench.advance_ms(DAY_MS).await;
    assert_eq!(bench.memory.puts(), []);
    bench.stop().await;
}

#[tokio::test]
async fn the_last_attempt_is_made_in_the_last_moment_of_a_record() {
    let bench = Bench::start(Plan::default()).await;
    bench.memory.set_down(true);
    bench.put(["kept"]).await;
    bench.advance_ms(DAY_MS - 2).await;
    bench.memory.set_down(false);
    bench.advance_ms(1).await;
    assert_eq!(bench.memory.lines("records"), ["kept"]);
    bench.stop().await;
}

#[tokio::test]
async fn a_shorter_retention_fails_a_channel_that_cannot_deliver() {
    let bench = Bench::start(Plan {
        shards: 2,
        ..Plan::default()
    })
    .await;
    bench.retain_hours(48).await;
    bench.memory.set_down(true);
    bench
        .put((0..20).map(|number| format!("text {number}")))
        .await;
    bench.advance_ms(30 * HOUR_MS).await;
    bench.put(["younger"]).await;
    assert_eq!(bench.channel.describe().status, ChannelStatus::Active);
    bench.retain_hours(24).await;
    assert_eq!(bench.channel.describe().status, ChannelStatus::Failed);
    assert_eq!(bench.figures().expired_records, 20);
    bench.stop().await;
}

#[tokio::test]
async fn a_shorter_retention_delivers_at_once() {
    let bench = Bench::start(Plan {
        flush_interval_ms: Some(40 * HOUR_MS.unsigned_abs()),
        ..Plan::default()
    })
    .await;
    bench.retain_hours(48).await;
    bench.put(["waiting"]).await;
    bench.advance_ms(30 * HOUR_MS).await;
    assert_eq!(bench.memory.puts(), []);
    bench.retain_hours(24).await;
    assert_eq!(bench.memory.lines("records"), ["waiting"]);
    bench.put(["second"]).await;
    bench.advance_ms(DAY_MS - 2).await;
    assert_eq!(bench.memory.puts().len(), 1);
    bench.advance_ms(1).await;
    assert_eq!(
        bench.memory.lines("records"),
        ["waiting", "second"],
        "a long interval does not let records expire"
    );
    assert_eq!(bench.figures().expired_records, 0);
    bench.stop().await;
}

#[tokio::test]
async fn records_that_a_longer_retention_does_not_bring_back_are_counted() {
    let bench = Bench::start(Plan::default()).await;
    bench.put(["delivered"]).await;
    bench.channel.flush().await.unwrap();
    bench.put(["expired"]).await;
    // The clock jumps without a wait for the tasks. Therefore the channel sees the expiry and the
    // longer retention period together.
    bench
        .clock
        .jump_to(bench.world.clock.now().plus_millis(DAY_MS));
    bench.retain_hours(48).await;
    bench.put(["kept"]).await;
    bench.advance_ms(300_000).await;
    assert_eq!(bench.memory.lines("records"), ["delivered", "kept"]);
    assert_eq!(bench.figures().expired_records, 1);
    assert_eq!(bench.channel.describe().status, ChannelStatus::Active);
    bench.stop().await;
}

/// Clears the stream while an object cannot be written and later records wait for the next object.
/// Checks that only the later records are lost. `segment_bytes` is the maximum size of a segment,
/// in bytes.
async fn cleared(segment_bytes: usize) {
    let (disk, memory) = (SimulatedDisk::new(), Memory::default());
    let plan = Plan {
        segment_bytes,
        shards: 3,
        ..Plan::default()
    };
    let bench = Bench::start_on(&disk, memory.clone(), plan.clone(), START_MS).await;
    memory.set_down(true);
    let planned: Vec<String> = (0..30).map(|number| format!("planned {number}")).collect();
    bench.put(&planned).await;
    bench.advance_ms(300_000).await;
    bench
        .put((0..40).map(|number| format!("removed {number}")))
        .await;
    bench.engine.clear(&bench.stream).await.unwrap();
    bench.put(["kept"]).await;
    bench.advance_ms(700_000).await;
    let now_ms = bench.now_ms();
    bench.stop().await;
    let bench = Bench::start_on(&disk, memory.clone(), plan, now_ms).await;
    memory.set_down(false);
    bench.advance_ms(700_000).await;
    let mut lines = memory.lines("records");
    assert_eq!(lines.pop().as_deref(), Some("kept"));
    lines.sort();
    let mut expected = planned;
    expected.sort();
    assert_eq!(lines, expected, "an object in progress is written whole");
    assert_eq!(bench.figures().expired_records, 40);
    assert_eq!(bench.channel.describe().status, ChannelStatus::Active);
    bench.stop().await;
}

#[tokio::test]
async fn removed_records_are_counted() {
    cleared(1 << 16).await;
}

#[tokio::test]
async fn removed_records_in_many_segments_are_counted() {
    cleared(100).await;
}

#[tokio::test]
async fn records_that_expire_while_the_emulator_is_stopped_are_delivered() {
    let (disk, memory) = (SimulatedDisk::new(), Memory::default());
    let bench = Bench::start_on(&disk, memory.clone(), Plan::default(), START_MS).await;
    bench.put(["old"]).await;
    bench.stop().await;
    let now_ms = START_MS + 3 * DAY_MS;
    let bench = Bench::start_on(&disk, memory.clone(), Plan::default(), now_ms).await;
    bench.advance_ms(0).await;
    assert_eq!(memory.lines("records"), ["old"]);
    bench.advance_ms(DAY_MS).await;
    let (_, shards) = bench.stream.all_shards(bench.world.clock.now());
    let every = crate::world::Timestamp::from_millis(i64::MIN);
    let left = shards.iter().map(|shard| shard.records_from(0, every));
    assert_eq!(left.sum::<u64>(), 0, "a delivered record is freed");
    bench.stop().await;
}

//! Tests of the delivery times of objects, and of flush requests.

use super::bench::{Bench, Plan, START_MS};
use crate::engine::channel::item::FlushError;
use crate::model::channel::ChannelStatus;

#[tokio::test]
async fn an_object_is_written_when_its_oldest_record_is_300_seconds_old() {
    let bench = Bench::start(Plan::default()).await;
    bench.put(["one"]).await;
    bench.advance_ms(200_000).await;
    bench.put(["two"]).await;
    bench.advance_ms(99_999).await;
    assert_eq!(bench.memory.puts(), []);
    bench.advance_ms(1).await;
    let objects = bench.memory.objects("records");
    let [(key, body)] = &objects[..] else {
        panic!("one object, not {objects:?}");
    };
    assert_eq!(String::from_utf8_lossy(body), "one\ntwo\n");
    let start = format!(
        "kinesis-channel/archive/{id}/2026/09/19/09/archive-{id}-2026-09-19-09-10-",
        id = bench.channel.arn.id
    );
    assert!(key.starts_with(&start) && key.ends_with(".txt"), "{key}");
    bench.put(["three"]).await;
    bench.advance_ms(299_999).await;
    assert_eq!(bench.memory.puts().len(), 1);
    bench.advance_ms(1).await;
    assert_eq!(bench.memory.lines("records"), ["one", "two", "three"]);
    let figures = bench.figures();
    assert_eq!(
        (figures.records, figures.objects, figures.bytes),
        (3, 2, 14)
    );
    assert_eq!((figures.buffered, figures.lag_ms), (0, 0));
    bench.stop().await;
}

#[tokio::test]
async fn the_interval_of_the_options_replaces_the_freshness() {
    let bench = Bench::start(Plan {
        flush_interval_ms: Some(250),
        template: "!{yyyy}/!{mm}".to_owned(),
        ..Plan::default()
    })
    .await;
    bench.put(["one"]).await;
    bench.advance_ms(249).await;
    assert_eq!(bench.memory.puts(), []);
    bench.advance_ms(1).await;
    let objects = bench.memory.objects("records");
    assert!(objects[0].0.starts_with("2026/10-"), "{objects:?}");
    assert_eq!(bench.now_ms(), START_MS + 250);
    bench.stop().await;
}

#[tokio::test]
async fn a_flush_delivers_what_is_published() {
    let bench = Bench::start(Plan {
        max_object_bytes: 20,
        shards: 2,
        ..Plan::default()
    })
    .await;
    bench.channel.flush().await.unwrap();
    assert_eq!(bench.memory.puts(), []);
    let texts: Vec<String> = (0..50).map(|number| format!("text {number}")).collect();
    bench.put(&texts).await;
    bench.channel.flush().await.unwrap();
    let mut lines = bench.memory.lines("records");
    lines.sort();
    let mut expected = texts.clone();
    expected.sort();
    assert_eq!(lines, expected);
    assert_eq!(bench.now_ms(), START_MS);
    bench.stop().await;
}

#[tokio::test]
async fn records_from_before_the_channel_are_not_delivered() {
    let bench = Bench::start(Plan::default()).await;
    bench.put(["before"]).await;
    bench.engine.delete_channel(&bench.channel).await.unwrap();
    let refused = bench.channel.flush().await;
    let deleting = FlushError::NotDelivering(ChannelStatus::Deleting);
    assert_eq!(refused, Err(deleting));
    bench.advance_ms(1_000_000).await;
    assert_eq!(
        bench.memory.puts(),
        [],
        "a deleted channel delivers nothing"
    );
    bench.stop().await;
}

#[tokio::test]
async fn removed_records_are_not_delivered() {
    let bench = Bench::start(Plan::default()).await;
    bench.put(["removed"]).await;
    bench.engine.clear(&bench.stream).await.unwrap();
    bench.put(["kept"]).await;
    bench.advance_ms(300_010).await;
    assert_eq!(bench.memory.lines("records"), ["kept"]);
    assert_eq!(bench.figures().expired_records, 1);
    bench.stop().await;
}

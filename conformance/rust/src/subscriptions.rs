//! Checks of enhanced fan-out: over HTTP/1.1, and over HTTP/2 with TLS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{
    ScalingType, Shard, ShardFilter, ShardFilterType, ShardIteratorType, StartingPosition,
};

use crate::clients::{
    SHARD, advance_clock, arn_of, at, await_active, connect, connect_virtual, connect_with,
    create_stream, data_of, entry, over_tls, put, put_all,
};
use crate::events::{next_event, subscribe};
use crate::family::{Family, THE_END};
use crate::runner::{Check, check, long, until};

/// Every round puts one record for each key, so that no two records of a key are in one batch: of a
/// batch that is throttled in part, any record may be in before any other.
const KEYS: usize = 250;

fn rounds() -> usize {
    if long() { 400 } else { 20 }
}

pub fn checks() -> Vec<Check> {
    let many = format!(
        "is pushed {} records once and in order while their stream is written and resharded",
        KEYS * rounds()
    );
    vec![
        check(&many, fan_out_follows_reshards(connect())),
        check(
            format!("{many}, over HTTP/2 and TLS"),
            fan_out_follows_reshards(connect_with(over_tls)),
        ),
        check(
            "subscribes again after the five minutes, and loses and repeats nothing",
            subscriptions_are_renewed(),
        ),
        check(
            "meets ResourceInUseException as it subscribes again within five seconds",
            subscriptions_are_not_doubled(),
        ),
        check(
            "takes a subscription over after five seconds, which the old one meets as \
             ResourceInUseException",
            subscriptions_are_taken_over(),
        ),
    ]
}

async fn register_consumer(client: &Client, name: &str) -> String {
    let call = client
        .register_stream_consumer()
        .stream_arn(arn_of(client, name).await);
    call.consumer_name("reader")
        .send()
        .await
        .unwrap()
        .consumer
        .unwrap()
        .consumer_arn
}

async fn fan_out_follows_reshards(client: Client) {
    let name = create_stream(&client, 4).await;
    let mut family = Family::new(&client, &register_consumer(&client, &name).await);
    for shard in open_shards(&client, &name).await {
        family.read(shard.shard_id);
    }
    let (next, ()) = tokio::join!(family.follow_all(), async {
        let written = AtomicUsize::new(0);
        tokio::join!(
            write(&client, &name, &written),
            reshard(&client, &name, &written)
        );
        for shard in open_shards(&client, &name).await {
            let mut end = entry("end", THE_END);
            end.explicit_hash_key = shard.hash_key_range.map(|range| range.starting_hash_key);
            put_all(&client, &name, vec![end]).await;
        }
    });
    let next = next.lock().unwrap();
    assert_eq!(next.len(), KEYS);
    for (key, next) in next.iter() {
        assert_eq!(*next, rounds(), "records of {key}");
    }
}

/// Puts round after round and says how many are in.
async fn write(client: &Client, name: &str, written: &AtomicUsize) {
    for round in 0..rounds() {
        let batch = (0..KEYS).map(|key| entry(format!("key-{key}"), round.to_string()));
        put_all(client, name, batch.collect()).await;
        written.fetch_add(1, Ordering::Relaxed);
    }
}

/// Changes the shards in each way, after so many tenths of the writer's work.
async fn reshard(client: &Client, name: &str, written: &AtomicUsize) {
    for tenths in [2, 3, 4, 5, 7, 8] {
        until(async || written.load(Ordering::Relaxed) * 10 >= tenths * rounds()).await;
        let shards = open_shards(client, name).await;
        match tenths {
            2 => split(client, name, &shards[0]).await,
            3 => split(client, name, shards.last().unwrap()).await,
            4 => merge(client, name, &shards[1], &shards[2]).await,
            5 => scale(client, name, shards.len() + 2).await,
            7 => merge(client, name, &shards[0], &shards[1]).await,
            _ => scale(client, name, 4).await,
        }
        await_active(client, name).await;
    }
}

/// The open shards, in the order of their hash keys.
async fn open_shards(client: &Client, name: &str) -> Vec<Shard> {
    let open = ShardFilter::builder()
        .r#type(ShardFilterType::AtLatest)
        .build()
        .unwrap();
    let call = client.list_shards().stream_name(name).shard_filter(open);
    let mut shards = call.send().await.unwrap().shards.unwrap();
    shards.sort_by_key(|shard| hash_keys(shard).0);
    shards
}

fn hash_keys(shard: &Shard) -> (u128, u128) {
    let range = shard.hash_key_range.as_ref().unwrap();
    (
        range.starting_hash_key.parse().unwrap(),
        range.ending_hash_key.parse().unwrap(),
    )
}

async fn split(client: &Client, name: &str, shard: &Shard) {
    let (start, end) = hash_keys(shard);
    let call = client
        .split_shard()
        .stream_name(name)
        .shard_to_split(&shard.shard_id);
    let middle = (start + (end - start) / 2).to_string();
    call.new_starting_hash_key(middle).send().await.unwrap();
}

async fn merge(client: &Client, name: &str, lower: &Shard, upper: &Shard) {
    let call = client
        .merge_shards()
        .stream_name(name)
        .shard_to_merge(&lower.shard_id);
    call.adjacent_shard_to_merge(&upper.shard_id)
        .send()
        .await
        .unwrap();
}

async fn scale(client: &Client, name: &str, shards: usize) {
    let call = client
        .update_shard_count()
        .stream_name(name)
        .target_shard_count(shards as i32);
    call.scaling_type(ScalingType::UniformScaling)
        .send()
        .await
        .unwrap();
}

async fn subscriptions_are_renewed() {
    let client = connect_virtual();
    let name = create_stream(&client, 1).await;
    let consumer = register_consumer(&client, &name).await;
    put(&client, &name, "first").await;
    let mut records = Vec::new();
    let mut last = None;
    let start = at(ShardIteratorType::TrimHorizon);
    let mut stream = subscribe(&client, &consumer, SHARD, start).await.unwrap();
    while let Some(event) = next_event(&mut stream).await.unwrap() {
        if !event.records.is_empty() {
            advance_clock(Duration::from_secs(5 * 60)).await;
        }
        records.extend(event.records);
        last = Some(event.continuation_sequence_number);
    }
    put(&client, &name, "second").await;
    let after = StartingPosition::builder().r#type(ShardIteratorType::AfterSequenceNumber);
    let after = after.set_sequence_number(last).build().unwrap();
    let mut stream = subscribe(&client, &consumer, SHARD, after).await.unwrap();
    while records.len() < 2 {
        records.extend(
            next_event(&mut stream)
                .await
                .unwrap()
                .expect("no end yet")
                .records,
        );
    }
    assert_eq!(data_of(&records), ["first", "second"]);
}

fn taken(name: &str) -> String {
    format!(
        "Another active subscription exists for this consumer: 000000000000:{name}:{SHARD}:reader"
    )
}

async fn subscriptions_are_not_doubled() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let consumer = register_consumer(&client, &name).await;
    let tip = at(ShardIteratorType::Latest);
    let _first = subscribe(&client, &consumer, SHARD, tip.clone())
        .await
        .unwrap();
    let error = subscribe(&client, &consumer, SHARD, tip)
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_resource_in_use_exception(), "{error:?}");
    assert_eq!(error.meta().message(), Some(taken(&name).as_str()));
}

async fn subscriptions_are_taken_over() {
    let client = connect_virtual();
    let name = create_stream(&client, 1).await;
    let consumer = register_consumer(&client, &name).await;
    let tip = at(ShardIteratorType::Latest);
    let mut old = subscribe(&client, &consumer, SHARD, tip.clone())
        .await
        .unwrap();
    advance_clock(Duration::from_secs(5)).await;
    let mut stream = subscribe(&client, &consumer, SHARD, tip).await.unwrap();
    let error = loop {
        match next_event(&mut old).await {
            Ok(event) => assert_eq!(event.expect("no clean end").records, []),
            Err(error) => break error,
        }
    };
    assert!(error.is_resource_in_use_exception(), "{error:?}");
    put(&client, &name, "data").await;
    let mut records = Vec::new();
    while records.is_empty() {
        records = next_event(&mut stream)
            .await
            .unwrap()
            .expect("no end yet")
            .records;
    }
    assert_eq!(data_of(&records), ["data"]);
}

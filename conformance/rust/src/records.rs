use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_kinesis::client::Waiters;
use aws_sdk_kinesis::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::ShardIteratorType::{
    AfterSequenceNumber, AtSequenceNumber, AtTimestamp, Latest, TrimHorizon,
};
use aws_sdk_kinesis::types::{EncryptionType, ScalingType, StartingPosition, StreamStatus};

use crate::clients::{
    arn_of, at, await_active, connect, connect_with, create_stream, data_of, entry, over_tls,
    over_tls_as_a_stranger, put, put_all, read,
};
use crate::runner::{Check, check, until};

pub fn checks() -> Vec<Check> {
    vec![
        check(
            "takes a stream through its whole life, with the SDK's waiters",
            streams_live(),
        ),
        check(
            "reads from all five types of iterator",
            iterators_of_all_types_work(),
        ),
        check(
            "says when records arrived, to the millisecond",
            arrival_times_have_milliseconds(),
        ),
        check(
            "puts the throttled entries of PutRecords again until all are in",
            throttled_entries_are_put_again(),
        ),
        check(
            "retries a throttled put by itself",
            throttled_puts_are_retried(),
        ),
        check(
            "puts and reads a record of 10 MiB",
            ten_megabytes_come_back(),
        ),
        check(
            "speaks TLS that it verifies with minikin's certificate authority",
            tls_is_verified(),
        ),
    ]
}

async fn streams_live() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let arn = arn_of(&client, &name).await;
    assert_eq!(
        arn,
        format!("arn:aws:kinesis:us-east-1:000000000000:stream/{name}")
    );
    let retention = client.increase_stream_retention_period().stream_name(&name);
    retention.retention_period_hours(48).send().await.unwrap();
    let scaling = client
        .update_shard_count()
        .stream_name(&name)
        .target_shard_count(2);
    scaling
        .scaling_type(ScalingType::UniformScaling)
        .send()
        .await
        .unwrap();
    await_active(&client, &name).await;
    let encryption = client
        .start_stream_encryption()
        .stream_name(&name)
        .key_id("alias/key");
    encryption
        .encryption_type(EncryptionType::Kms)
        .send()
        .await
        .unwrap();
    await_active(&client, &name).await;
    client
        .add_tags_to_stream()
        .stream_name(&name)
        .tags("owner", "us")
        .send()
        .await
        .unwrap();
    let summary = client
        .describe_stream_summary()
        .stream_arn(&arn)
        .send()
        .await
        .unwrap();
    let summary = summary.stream_description_summary.unwrap();
    assert_eq!(summary.stream_status, StreamStatus::Active);
    assert_eq!(summary.retention_period_hours, 48);
    assert_eq!(summary.open_shard_count, 2);
    assert_eq!(summary.key_id.as_deref(), Some("alias/key"));
    // An SDK that has seen a StreamId no longer sends its requests to the endpoint it was given.
    assert_eq!(summary.stream_id, None);
    let tags = client
        .list_tags_for_stream()
        .stream_name(&name)
        .send()
        .await
        .unwrap()
        .tags;
    assert_eq!((tags[0].key(), tags[0].value()), ("owner", Some("us")));
    client
        .delete_stream()
        .stream_name(&name)
        .send()
        .await
        .unwrap();
    let waiter = client.wait_until_stream_not_exists().stream_name(&name);
    waiter.wait(Duration::from_secs(30)).await.unwrap();
}

async fn iterators_of_all_types_work() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let mut numbers = Vec::new();
    for data in ["0", "1", "2"] {
        numbers.push(put(&client, &name, data).await.sequence_number);
        // The next record is to be a later one by the clock, too, for AtTimestamp.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let all = read(&client, &name, at(TrimHorizon)).await;
    assert_eq!(data_of(&all), ["0", "1", "2"]);
    let time = all[1].approximate_arrival_timestamp.unwrap();
    let second = StartingPosition::builder()
        .sequence_number(&numbers[1])
        .timestamp(time);
    for (kind, expected) in [
        (AtSequenceNumber, vec!["1", "2"]),
        (AfterSequenceNumber, vec!["2"]),
        (AtTimestamp, vec!["1", "2"]),
        (Latest, vec![]),
    ] {
        let mut position = second.clone().r#type(kind.clone());
        match kind {
            AtTimestamp => position = position.set_sequence_number(None),
            Latest => position = StartingPosition::builder().r#type(Latest),
            _ => position = position.set_timestamp(None),
        }
        let records = read(&client, &name, position.build().unwrap()).await;
        assert_eq!(data_of(&records), expected, "{kind}");
    }
}

async fn arrival_times_have_milliseconds() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let before = DateTime::from(SystemTime::now()).to_millis().unwrap();
    for _ in 0..5 {
        put(&client, &name, "x").await;
    }
    let after = DateTime::from(SystemTime::now()).to_millis().unwrap();
    let records = read(&client, &name, at(TrimHorizon)).await;
    let mut fractions = 0;
    for record in &records {
        let time = record.approximate_arrival_timestamp.unwrap();
        // The SDK reads the number as a float and cuts what is left of it off.
        let arrived = (time.as_secs_f64() * 1000.0).round() as i64;
        assert!((before..=after).contains(&arrived), "{time} is not now");
        fractions += arrived % 1000;
    }
    assert_ne!(fractions, 0, "whole seconds");
}

async fn throttled_entries_are_put_again() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let batch = (0..500)
        .map(|key| entry(key.to_string(), vec![b'x'; 5000]))
        .collect();
    let throttled = put_all(&client, &name, batch).await;
    assert!(
        throttled > 0,
        "2.5 MB in less than a second were not throttled"
    );
    let records = read(&client, &name, at(TrimHorizon)).await;
    let mut keys: Vec<u32> = records
        .iter()
        .map(|record| record.partition_key.parse().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, Vec::from_iter(0..500));
}

async fn throttled_puts_are_retried() {
    let client = connect();
    let attempts = Attempts::default();
    let patient = connect_with(|config| {
        config
            .retry_config(RetryConfig::standard())
            .interceptor(attempts.clone())
    });
    let name = create_stream(&client, 1).await;
    // The timing decides if the put succeeds at once or after a retry: repeat until a retry.
    until(async || {
        put_all(&client, &name, vec![entry("key", vec![0; 10_000]); 105]).await;
        attempts.0.store(0, Ordering::Relaxed);
        put(&patient, &name, vec![0; 20_000]).await;
        attempts.0.load(Ordering::Relaxed) > 1
    })
    .await;
}

/// Counts how often the SDK sends a request.
#[derive(Clone, Debug, Default)]
struct Attempts(Arc<AtomicU32>);

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

async fn ten_megabytes_come_back() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    // The key counts, too.
    let data: Vec<u8> = (0..=255)
        .cycle()
        .take(10 * 1024 * 1024 - "key".len())
        .collect();
    let too_large = client.put_record().stream_name(&name).partition_key("key");
    let refusal = too_large
        .data(Blob::new(data.clone()))
        .send()
        .await
        .unwrap_err();
    let refusal = refusal.into_service_error();
    assert_eq!(
        refusal.meta().message(),
        Some(
            "1 validation error detected: Value at 'data' failed to satisfy constraint: Member \
             must have length less than or equal to 1048576"
        )
    );
    let arn = arn_of(&client, &name).await;
    let update = client.update_max_record_size().stream_arn(arn);
    update.max_record_size_in_kib(10240).send().await.unwrap();
    await_active(&client, &name).await;
    put(&client, &name, data.clone()).await;
    let records = read(&client, &name, at(TrimHorizon)).await;
    assert!(
        records.len() == 1 && records[0].data.as_ref() == data,
        "other data"
    );
}

async fn tls_is_verified() {
    let name = create_stream(&connect_with(over_tls), 1).await;
    // The same port, the same streams.
    arn_of(&connect(), &name).await;
    let stranger = connect_with(over_tls_as_a_stranger);
    let refusal = stranger.list_streams().send().await.unwrap_err();
    assert!(
        format!("{refusal:?}").contains("UnknownIssuer"),
        "{refusal:?}"
    );
}

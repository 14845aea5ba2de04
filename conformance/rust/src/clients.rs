//! Clients of both servers, and what checks do with them again and again.

use std::env::var;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_kinesis::client::Waiters;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::{Config, Credentials, Region};
use aws_sdk_kinesis::operation::put_record::PutRecordOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, Record, ShardIteratorType, StartingPosition};
use aws_sdk_kinesis::{Client, config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::runner::until;

pub const SHARD: &str = "shardId-000000000000";

/// A client of the server that has limits and time as users have them.
pub fn connect() -> Client {
    connect_with(|config| config)
}

/// A client of the server whose time the checks move.
pub fn connect_virtual() -> Client {
    connect_with(|config| config.endpoint_url(var("VIRTUAL_ENDPOINT").unwrap()))
}

/// A client with the changes of `change`. It does not retry unless `change` says so: retries would
/// hide errors of the server.
pub fn connect_with(change: impl FnOnce(config::Builder) -> config::Builder) -> Client {
    let key = var("AWS_ACCESS_KEY_ID").unwrap();
    let config = Config::builder()
        .behavior_version_latest()
        .endpoint_url(var("ENDPOINT").unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, "secret", None, None, "conformance"))
        .retry_config(RetryConfig::disabled())
        .http_client(Builder::new().build_http());
    Client::from_conf(change(config).build())
}

/// Speaks TLS and verifies minikin's certificate by the authority that it hands out.
pub fn over_tls(config: config::Builder) -> config::Builder {
    let authority = std::fs::read(var("CA_FILE").unwrap()).unwrap();
    trusting(config, TrustStore::empty().with_pem_certificate(authority))
}

/// Speaks TLS and trusts those alone whom the machine trusts.
pub fn over_tls_as_a_stranger(config: config::Builder) -> config::Builder {
    trusting(config, TrustStore::default())
}

fn trusting(config: config::Builder, authorities: TrustStore) -> config::Builder {
    let tls = TlsContext::builder()
        .with_trust_store(authorities)
        .build()
        .unwrap();
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls);
    config
        .endpoint_url(var("TLS_ENDPOINT").unwrap())
        .http_client(http.build_https())
}

pub async fn advance_clock(duration: Duration) {
    let address = var("VIRTUAL_ENDPOINT").unwrap();
    let address = address.trim_start_matches("http://");
    let body = format!(r#"{{"advance_ms": {}}}"#, duration.as_millis());
    let request = format!(
        "POST /_minikin/clock HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// The name of no stream yet.
pub fn new_name() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // The process is part of it, so that the checks can be run twice.
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    format!("stream-{}-{number}", std::process::id())
}

/// Makes a new stream and waits until it is ACTIVE; its name.
pub async fn create_stream(client: &Client, shards: i32) -> String {
    let name = new_name();
    client
        .create_stream()
        .stream_name(&name)
        .shard_count(shards)
        .send()
        .await
        .unwrap();
    await_active(client, &name).await;
    name
}

pub async fn await_active(client: &Client, name: &str) {
    let waiter = client.wait_until_stream_exists().stream_name(name);
    waiter.wait(Duration::from_secs(30)).await.unwrap();
}

pub async fn arn_of(client: &Client, name: &str) -> String {
    let answer = client
        .describe_stream_summary()
        .stream_name(name)
        .send()
        .await
        .unwrap();
    answer.stream_description_summary.unwrap().stream_arn
}

pub async fn put(client: &Client, name: &str, data: impl Into<Vec<u8>>) -> PutRecordOutput {
    let put = client.put_record().stream_name(name).partition_key("key");
    put.data(Blob::new(data)).send().await.unwrap()
}

pub fn entry(key: impl Into<String>, data: impl Into<Vec<u8>>) -> PutRecordsRequestEntry {
    let entry = PutRecordsRequestEntry::builder()
        .partition_key(key)
        .data(Blob::new(data));
    entry.build().unwrap()
}

/// Puts a batch, and again what was throttled; how much that was.
pub async fn put_all(
    client: &Client,
    name: &str,
    mut waiting: Vec<PutRecordsRequestEntry>,
) -> usize {
    let mut throttled = 0;
    until(async || {
        let put = client
            .put_records()
            .stream_name(name)
            .set_records(Some(waiting.clone()));
        let answer = put.send().await.unwrap();
        let mut results = answer.records.iter();
        waiting.retain(|_| results.next().unwrap().error_code.is_some());
        assert_eq!(answer.failed_record_count, Some(waiting.len() as i32));
        throttled += waiting.len();
        waiting.is_empty()
    })
    .await;
    throttled
}

pub fn at(kind: ShardIteratorType) -> StartingPosition {
    StartingPosition::builder().r#type(kind).build().unwrap()
}

/// Reads the first shard from a position to its tip, or to its end if it is closed.
pub async fn read(client: &Client, name: &str, position: StartingPosition) -> Vec<Record> {
    let iterator = client
        .get_shard_iterator()
        .stream_name(name)
        .shard_id(SHARD);
    let iterator = iterator
        .shard_iterator_type(position.r#type)
        .set_starting_sequence_number(position.sequence_number)
        .set_timestamp(position.timestamp);
    let mut next = iterator.send().await.unwrap().shard_iterator;
    let mut records = Vec::new();
    loop {
        let page = client
            .get_records()
            .set_shard_iterator(next)
            .send()
            .await
            .unwrap();
        records.extend(page.records);
        next = page.next_shard_iterator;
        if page.millis_behind_latest == Some(0) || next.is_none() {
            return records;
        }
    }
}

pub fn data_of(records: &[Record]) -> Vec<&str> {
    records
        .iter()
        .map(|record| std::str::from_utf8(record.data.as_ref()).unwrap())
        .collect()
}

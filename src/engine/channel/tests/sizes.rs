//! Tests of the sizes of objects, of their compression, and of records that do not have the
//! channel's format.

use super::bench::{Bench, Plan};
use crate::model::channel::{RecordFormat, S3Compression};
use std::io::Read as _;

fn unpacked(compression: S3Compression, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match compression {
        S3Compression::None => bytes.extend_from_slice(body),
        S3Compression::Gzip => {
            let mut decoder = flate2::read::GzDecoder::new(body);
            decoder.read_to_end(&mut bytes).unwrap();
        }
        S3Compression::Zstd => bytes = zstd::decode_all(body).unwrap(),
    }
    bytes
}

#[tokio::test]
async fn objects_have_at_most_their_size_and_all_records() {
    for compression in [
        S3Compression::None,
        S3Compression::Gzip,
        S3Compression::Zstd,
    ] {
        for (most, segment_bytes) in [(500, 1 << 16), (4_000, 1_000), (30_000, 1_000)] {
            let bench = Bench::start(Plan {
                format: RecordFormat::ByteArray,
                compression,
                max_object_bytes: most,
                segment_bytes,
                ..Plan::default()
            })
            .await;
            let records =
                (0..2_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes());
            let records: Vec<_> = records.collect();
            for part in records.chunks(300) {
                bench.put(part).await;
            }
            bench.advance_ms(300_000).await;
            let mut together = Vec::new();
            for (key, body) in bench.memory.puts() {
                assert!(body.len() as u64 <= most, "{key}: {} of {most}", body.len());
                together.extend(unpacked(compression, &body));
            }
            assert!(together == records.concat(), "{compression:?}, {most}");
            bench.stop().await;
        }
    }
}

#[tokio::test]
async fn a_full_object_does_not_wait() {
    let bench = Bench::start(Plan {
        max_object_bytes: 300_000,
        ..Plan::default()
    })
    .await;
    for number in 0..5 {
        bench.put([vec![b'0' + number; 100_000]]).await;
    }
    bench.advance_ms(0).await;
    let sizes = |bench: &Bench| {
        let puts = bench.memory.puts();
        puts.iter().map(|(_, body)| body.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&bench), [200_002, 200_002]);
    bench.advance_ms(300_000).await;
    assert_eq!(sizes(&bench), [200_002, 200_002, 100_001]);
    bench.stop().await;
}

#[tokio::test]
async fn a_record_larger_than_an_object_is_delivered_alone() {
    let bench = Bench::start(Plan {
        max_object_bytes: 1_000,
        ..Plan::default()
    })
    .await;
    bench
        .put([vec![b'a'; 10], vec![b'b'; 5_000], vec![b'c'; 10]])
        .await;
    bench.channel.flush().await.unwrap();
    let lengths = bench.memory.puts().into_iter().map(|(_, body)| body.len());
    assert_eq!(lengths.collect::<Vec<_>>(), [11, 5_001, 11]);
    bench.stop().await;
}

#[tokio::test]
async fn invalid_records_go_to_the_dead_letter_bucket() {
    let bench = Bench::start(Plan {
        format: RecordFormat::Json,
        max_object_bytes: 1_000,
        ..Plan::default()
    })
    .await;
    let records: [&[u8]; 7] = [b"{\"a\": 1}", b"{", b"[2]", b"\"\xff\"", b"", b"nul", b"3"];
    bench.put(records).await;
    bench.channel.flush().await.unwrap();
    assert_eq!(bench.memory.lines("records"), ["{\"a\": 1}", "[2]", "3"]);
    let letters = bench.memory.lines("failures");
    let letters = letters
        .iter()
        .map(|line| serde_json::from_str(line).unwrap());
    let letters: Vec<serde_json::Value> = letters.collect();
    let codes: Vec<_> = letters
        .iter()
        .map(|letter| letter["errorCode"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["InvalidJson", "InvalidUtf8", "InvalidJson", "InvalidJson"]
    );
    assert_eq!(letters[0]["channelArn"], bench.channel.arn.to_string());
    assert_eq!(letters[0]["streamArn"], bench.stream.arn.to_string());
    assert_eq!(letters[0]["shardId"], "shardId-000000000000");
    let numbers: std::collections::BTreeSet<_> = letters
        .iter()
        .map(|letter| letter["sequenceNumber"].as_str().unwrap())
        .collect();
    assert_eq!(numbers.len(), 4);
    let keys = bench.memory.objects("failures");
    assert!(
        keys.len() > 1,
        "four lines are longer than an object: {keys:?}"
    );
    for (key, body) in &keys {
        assert!(key.starts_with("errors/2026/09/19/09/archive-"), "{key}");
        assert!(body.len() <= 1_000);
    }
    let figures = bench.channel.figures(bench.world.clock.now());
    assert_eq!((figures.records, figures.failed_records), (3, 4));
    bench.put([b"{"]).await;
    let before = bench.memory.objects("records");
    bench.channel.flush().await.unwrap();
    assert_eq!(bench.memory.objects("records"), before, "no empty object");
    assert_eq!(bench.memory.lines("failures").len(), 5);
    bench.stop().await;
}

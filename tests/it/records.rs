//! Records: their shards and sequence numbers. No record is lost.

mod long;

use crate::lab::{Lab, Placed, SHARD_0, START_MS, Stream, kinesis_test, ms, until, wire_test};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

const SHARD_1: &str = "shardId-000000000001";
const SHARD_2: &str = "shardId-000000000002";
/// The first shards count as created a few seconds before their stream.
const SHARD_CREATED_S: i64 = START_MS / 1000 - 3;

/// The hexadecimal digits of a decimal number.
fn hex(decimal: &str) -> String {
    let mut digits: Vec<u32> = decimal
        .bytes()
        .map(|digit| u32::from(digit - b'0'))
        .collect();
    let mut hex = Vec::new();
    while digits.iter().any(|digit| *digit != 0) {
        let mut rest = 0;
        for digit in &mut digits {
            let value = rest * 10 + *digit;
            (*digit, rest) = (value / 16, value % 16);
        }
        hex.push(char::from_digit(rest, 16).unwrap());
    }
    hex.iter().rev().collect()
}

/// The fields of a sequence number: creation time, index, time and shard.
fn fields(number: &str) -> (i64, u64, i64, u32) {
    assert_eq!(number.len(), 56, "{number}");
    let hex = hex(number);
    assert_eq!(
        (hex.len(), &hex[..1], &hex[27..29], &hex[46..]),
        (47, "2", "00", "2"),
        "{hex}"
    );
    let shard = u32::from_str_radix(&hex[38..46], 16).unwrap();
    assert_eq!(
        u32::from_str_radix(&hex[10..11], 16).unwrap(),
        shard % 16,
        "{hex}"
    );
    (
        i64::from_str_radix(&hex[1..10], 16).unwrap(),
        u64::from_str_radix(&hex[11..27], 16).unwrap(),
        i64::from_str_radix(&hex[29..38], 16).unwrap(),
        shard,
    )
}

#[test]
fn the_documented_first_record_is_taken_apart() {
    let number = "49546986683135544286507457936321625675700192471156785154";
    assert_eq!(
        hex(number),
        "2054b6fffe000000000000001d500054b7009a000000002"
    );
    assert_eq!(fields(number), (0x054b6fffe, 469, 0x054b7009a, 0));
}

kinesis_test!(numbers_encode_shard_time_and_order, |lab| async move {
    let stream = lab.stream("s").shards(2).create().await;
    let mut last_index = 0;
    for step in 0..6 {
        lab.clock.advance(ms(700)).await;
        let (key, shard) = if step % 2 == 0 { ("0", 0) } else { (MIDDLE, 1) };
        let put = stream.put_at(key, "v").await;
        let (created_s, index, time_s, number_shard) = fields(&put.number);
        assert_eq!(created_s, SHARD_CREATED_S);
        assert_eq!(time_s, lab.clock.now_ms() / 1000);
        assert_eq!(number_shard, shard);
        assert_eq!(put.shard, format!("shardId-00000000000{shard}"));
        // Shards 0 to 4 share their indexes.
        assert!(
            step == 0 || index == last_index + 1,
            "{index} after {last_index}"
        );
        last_index = index;
    }
});

const MIDDLE: &str = "170141183460469231731687303715884105728";

wire_test!(
    starting_numbers_encode_the_creation_of_the_shard,
    |lab| async move {
        lab.stream("s").shards(18).create().await;
        let got = lab.ok("DescribeStream", r#"{"StreamName":"s"}"#).await;
        let shards = got["StreamDescription"]["Shards"].as_array().unwrap();
        for (at, shard) in (0..).zip(shards) {
            let start = shard["SequenceNumberRange"]["StartingSequenceNumber"]
                .as_str()
                .unwrap();
            assert_eq!(fields(start), (SHARD_CREATED_S, 0, SHARD_CREATED_S, at));
        }
    }
);

kinesis_test!(
    numbers_grow_within_a_shard_whatever_the_request,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut numbers = Vec::new();
        for round in 0..20 {
            lab.clock.advance(ms(round * 37)).await;
            numbers.push(stream.put("k", "v").await.number);
            let put = stream
                .put_records(&[("a", b"1"), ("b", b"2"), ("c", b"3")])
                .await;
            numbers.extend(
                put.records
                    .into_iter()
                    .map(|entry| entry.sequence_number.unwrap()),
            );
        }
        assert!(numbers.is_sorted_by(|one, two| one < two), "{numbers:?}");
        let read = stream.read(SHARD_0).await;
        assert!(
            read.iter()
                .map(|record| &record.sequence_number)
                .eq(&numbers)
        );
    }
);

kinesis_test!(a_partition_key_goes_where_its_md5_says, |lab| async move {
    let stream = lab.stream("s").shards(3).create().await;
    for (key, shard) in [
        ("a", SHARD_0),
        ("b", SHARD_1),
        ("e", SHARD_2),
        ("f", SHARD_1),
    ] {
        assert_eq!(stream.put(key, "v").await.shard, shard, "{key}");
    }
    let put = stream
        .put_records(&[("e", b""), ("a", b""), ("f", b""), ("a", b"")])
        .await;
    let shards: Vec<_> = put
        .records
        .iter()
        .map(|entry| entry.shard_id().unwrap())
        .collect();
    assert_eq!(shards, [SHARD_2, SHARD_0, SHARD_1, SHARD_0]);
});

kinesis_test!(
    an_explicit_hash_key_goes_to_the_shard_that_owns_it,
    |lab| async move {
        let stream = lab.stream("s").shards(3).create().await;
        for (key, shard) in [
            ("0", SHARD_0),
            ("113427455640312821154458202477256070484", SHARD_0),
            ("113427455640312821154458202477256070485", SHARD_1),
            ("226854911280625642308916404954512140969", SHARD_1),
            ("226854911280625642308916404954512140970", SHARD_2),
            ("340282366920938463463374607431768211455", SHARD_2),
        ] {
            assert_eq!(stream.put_at(key, "v").await.shard, shard, "{key}");
        }
        for shard in [SHARD_0, SHARD_1, SHARD_2] {
            assert_eq!(stream.read(shard).await.len(), 2);
        }
    }
);

kinesis_test!(records_come_back_as_they_were_put, |lab| async move {
    let stream = lab.stream("s").create().await;
    lab.clock.advance(ms(321)).await;
    let one = stream.put("key one", b"\0\xff data").await;
    lab.clock.advance(ms(1)).await;
    let two = stream.put_at("7", "").await;
    let read = stream.read(SHARD_0).await;
    assert_eq!(read.len(), 2);
    assert_eq!(
        (&read[0].sequence_number, &read[1].sequence_number),
        (&one.number, &two.number)
    );
    assert_eq!(read[0].data.as_ref(), b"\0\xff data");
    assert_eq!(read[1].data.as_ref(), b"");
    assert_eq!(
        (
            read[0].partition_key.as_str(),
            read[1].partition_key.as_str()
        ),
        ("key one", "key")
    );
    for (record, late) in read.iter().zip([321, 322]) {
        let arrival = record.approximate_arrival_timestamp.unwrap().as_secs_f64() * 1000.0;
        assert!(
            (arrival - (START_MS + late) as f64).abs() < 0.5,
            "{arrival}"
        );
        assert_eq!(record.encryption_type, None);
    }
});

kinesis_test!(
    records_of_a_request_keep_their_order_in_each_shard,
    |lab| async move {
        let stream = lab.stream("s").shards(2).create().await;
        let entry = |at: u32| {
            let key = if at.is_multiple_of(3) { "0" } else { MIDDLE };
            let entry = PutRecordsRequestEntry::builder()
                .partition_key("k")
                .explicit_hash_key(key);
            entry.data(Blob::new(at.to_string())).build().unwrap()
        };
        let put = stream.client.put_records().stream_name("s");
        let put = put
            .set_records(Some((0..500).map(entry).collect()))
            .send()
            .await
            .unwrap();
        assert_eq!((put.failed_record_count, put.records.len()), (Some(0), 500));
        let of = |rest: bool| -> Vec<String> {
            (0..500_u32)
                .filter(|at| at.is_multiple_of(3) != rest)
                .map(|at| at.to_string())
                .collect()
        };
        for (shard, rest) in [(SHARD_0, false), (SHARD_1, true)] {
            assert_eq!(
                crate::lab::stream::texts(&stream.read(shard).await),
                of(rest)
            );
        }
        for (at, entry) in (0..).zip(&put.records) {
            let shard = if u32::is_multiple_of(at, 3) {
                SHARD_0
            } else {
                SHARD_1
            };
            assert_eq!(entry.shard_id(), Some(shard), "{at}");
        }
    }
);

kinesis_test!(
    a_record_is_numbered_above_its_ordering_number,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut last = stream.put("k", "0").await.number;
        for _ in 0..5 {
            let put = stream
                .client
                .put_record()
                .stream_name("s")
                .partition_key("k");
            let put = put
                .data(Blob::new("n"))
                .sequence_number_for_ordering(&last)
                .send()
                .await
                .unwrap();
            assert!(put.sequence_number > last);
            last = put.sequence_number;
        }
    }
);

kinesis_test!(
    an_auto_stream_spreads_records_without_keys,
    |lab| async move {
        let create = r#"{"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"},
        "RecordDistributionStrategy":"AUTO"}"#;
        lab.ok("CreateStream", create).await;
        let mut shards = BTreeSet::new();
        for _ in 0..4 {
            let put = lab
                .ok("PutRecord", r#"{"StreamName":"s","Data":"QQ=="}"#)
                .await;
            shards.insert(put["ShardId"].to_string());
        }
        assert_eq!(shards.len(), 4);
        let puts = r#"{"StreamName":"s","Records":[{"Data":""},{"Data":"","PartitionKey":"k"}]}"#;
        assert_eq!(lab.ok("PutRecords", puts).await["FailedRecordCount"], 0);
        let read = Stream::existing(&lab, "s").read_all().await;
        let keyed = read
            .iter()
            .filter(|record| !record.partition_key.is_empty())
            .count();
        assert_eq!((read.len(), keyed), (6, 1));
    }
);

/// Puts records without keys in one request. Returns the number of records of each shard.
async fn put_keyless(lab: &Lab, count: usize) -> BTreeMap<String, usize> {
    let records = vec![json!({"Data": ""}); count];
    let puts = json!({"StreamName": "s", "Records": records}).to_string();
    let answer = lab.ok("PutRecords", &puts).await;
    let mut counts = BTreeMap::new();
    for record in answer["Records"].as_array().unwrap() {
        let shard = record["ShardId"].as_str().unwrap();
        *counts.entry(shard.to_owned()).or_default() += 1;
    }
    counts
}

kinesis_test!(the_shards_of_an_auto_stream_take_turns, |lab| async move {
    let create = r#"{"StreamName":"s","RecordDistributionStrategy":"AUTO"}"#;
    lab.ok("CreateStream", create).await;
    let enable = r#"{"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}}"#;
    lab.ok("UpdateAccountSettings", enable).await;
    for open in [4, 7] {
        if open > 4 {
            let warm = json!({"StreamName": "s", "WarmThroughputMiBps": open}).to_string();
            lab.ok("UpdateStreamWarmThroughput", &warm).await;
        }
        let mut sums: BTreeMap<String, usize> = BTreeMap::new();
        for count in [1, 2, 3, 5, 8, 13, 50] {
            for (shard, more) in put_keyless(&lab, count).await {
                *sums.entry(shard).or_default() += more;
            }
            // A dry run does not advance the distribution of records over the shards.
            let dry = r#"{"StreamName":"s","Data":"","DryRun":true}"#;
            lab.refusal("PutRecord", dry).await;
            let least = match sums.len() == open {
                true => *sums.values().min().unwrap(),
                false => 0,
            };
            assert!(sums.values().max().unwrap() - least <= 1, "{sums:?}");
        }
        assert_eq!((sums.len(), sums.values().sum()), (open, 82));
    }
});

/// Puts `count` records one after the other. Their data names the writer.
async fn write(stream: Stream, writer: usize, count: usize) -> Vec<(Placed, String)> {
    let mut acknowledged = Vec::new();
    for at in 0..count {
        let data = format!("{writer}/{at}");
        acknowledged.push((stream.put(&data, &data).await, data));
    }
    acknowledged
}

/// Follows the first shard until it has read `count` records.
async fn follow(stream: &Stream, count: usize) -> Vec<(String, String)> {
    let mut iterator = stream.horizon(SHARD_0).await;
    let mut seen = Vec::new();
    let reading = async || {
        let got = stream.get(&iterator).await;
        for record in got.records {
            let data = String::from_utf8(record.data.into_inner()).unwrap();
            seen.push((record.sequence_number, data));
        }
        iterator = got.next_shard_iterator.unwrap();
        (seen.len() >= count).then_some(())
    };
    until("the last acknowledged record", reading).await;
    seen
}

kinesis_test!(
    a_follower_sees_every_acknowledged_record_in_order,
    ["--profile", "fast"],
    |lab| {
        async move {
            let stream = lab.stream("orders").create().await;
            let mut writers = JoinSet::new();
            for writer in 0..8 {
                writers.spawn(write(Stream::existing(&lab, "orders"), writer, 40));
            }
            let (acknowledged, seen) = tokio::join!(writers.join_all(), follow(&stream, 320));
            let mut acknowledged: Vec<_> = acknowledged
                .concat()
                .into_iter()
                .map(|(placed, data)| (placed.number, data))
                .collect();
            acknowledged.sort();
            assert_eq!(seen, acknowledged);
            assert!(stream.data(&stream.latest(SHARD_0).await).await.is_empty());
        }
    }
);

#[test]
fn numbers_grow_through_restarts() {
    crate::lab::run(crate::lab::Place::Disk, &[], |lab| async move {
        lab.stream("s").create().await;
        let mut numbers = Vec::new();
        for _ in 0..4 {
            let stream = Stream::existing(&lab, "s");
            for _ in 0..3 {
                numbers.push(stream.put("k", "v").await.number);
            }
            lab.restart().await;
        }
        assert!(numbers.is_sorted_by(|one, two| one < two), "{numbers:?}");
        let read = Stream::existing(&lab, "s").read_all().await;
        assert!(
            read.iter()
                .map(|record| &record.sequence_number)
                .eq(&numbers)
        );
    });
}

kinesis_test!(
    a_record_of_ten_mebibytes_fits_a_stream_that_allows_it,
    |lab| async move {
        let stream = lab.stream("s").record_kib(10_240).create().await;
        let data: Vec<u8> = (0..10_485_759_u32).map(|at| (at % 251) as u8).collect();
        stream.put("k", &data).await;
        let read = stream.read(SHARD_0).await;
        assert!(read.len() == 1 && read[0].data.as_ref() == data);
    }
);

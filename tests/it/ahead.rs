//! Sequence numbers ahead of the clock. Shards that a split, a merge or a scaling creates begin in
//! a later second than the second in which their parents end. The numbers of their records have at
//! least this second.

use crate::lab::{Lab, Stream, kinesis_test, ms, wire_test};
use crate::looking::own;
use minikin::internals::model::SequenceNumber;
use serde_json::{Value, json};

/// Calls PutRecord with a hash key, and with a sequence number for ordering if `after` has one.
fn put(stream: &Stream, hash_key: u128, after: Option<&str>) -> String {
    let mut body = json!({
        "StreamName": stream.name, "PartitionKey": "k", "Data": "",
        "ExplicitHashKey": hash_key.to_string(),
    });
    if let Some(after) = after {
        body["SequenceNumberForOrdering"] = json!(after);
    }
    body.to_string()
}

async fn number_of(lab: &Lab, request: &str) -> (String, String) {
    let put = lab.ok("PutRecord", request).await;
    let text = |member: &str| put[member].as_str().unwrap().to_owned();
    (text("ShardId"), text("SequenceNumber"))
}

async fn shards(lab: &Lab, filter: Value) -> Vec<Value> {
    let body = json!({"StreamName": "orders", "ShardFilter": filter}).to_string();
    let listed = lab.ok("ListShards", &body).await;
    listed["Shards"].as_array().unwrap().clone()
}

async fn open_shards(lab: &Lab) -> Vec<Value> {
    shards(lab, json!({"Type": "AT_LATEST"})).await
}

/// The first hash key of a shard.
fn first_key(shard: &Value) -> u128 {
    let key = &shard["HashKeyRange"]["StartingHashKey"];
    key.as_str().unwrap().parse().unwrap()
}

/// A sequence number of the same shard, with fields that `change` has changed.
fn changed(number: &str, change: impl FnOnce(&mut SequenceNumber)) -> String {
    let parsed = SequenceNumber::parse(number).unwrap();
    let mut number = parsed.as_version_two().unwrap();
    change(&mut number);
    number.to_string()
}

async fn scale(lab: &Lab, count: u32) {
    let body = json!({
        "StreamName": "orders", "TargetShardCount": count, "ScalingType": "UNIFORM_SCALING",
    });
    lab.ok("UpdateShardCount", &body.to_string()).await;
}

kinesis_test!(
    a_number_just_given_out_orders_the_next_record,
    |lab| async move {
        let stream = lab.stream("orders").shards(2).create().await;
        // The clock does not move, so each scaling creates shards further ahead of the clock.
        for count in [3, 5, 3] {
            scale(&lab, count).await;
            for shard in open_shards(&lab).await {
                let key = first_key(&shard);
                let mut last = None;
                for _ in 0..3 {
                    let request = put(&stream, key, last.as_deref());
                    let (id, number) = number_of(&lab, &request).await;
                    assert_eq!(id, shard["ShardId"].as_str().unwrap());
                    assert!(last.as_ref() < Some(&number), "{last:?} {number}");
                    last = Some(number);
                }
            }
        }
    }
);

kinesis_test!(
    a_number_just_given_out_orders_the_next_record_of_another_stream,
    |lab| async move {
        let source = lab.stream("orders").shards(2).create().await;
        // The shards of both streams have the same indexes and are created in the same second.
        let copy = lab.stream("copies").shards(2).create().await;
        let relay = async || {
            for shard in open_shards(&lab).await {
                let request = put(&source, first_key(&shard), None);
                let (_, number) = number_of(&lab, &request).await;
                number_of(&lab, &put(&copy, 0, Some(&number))).await;
            }
        };
        relay().await;
        // The clock does not move, so each scaling creates shards further ahead of the clock.
        for count in [3, 5, 3] {
            scale(&lab, count).await;
            relay().await;
            relay().await;
        }
        let all = shards(&lab, json!({"Type": "FROM_TRIM_HORIZON"})).await;
        for shard in &all {
            let ending = shard["SequenceNumberRange"]["EndingSequenceNumber"].as_str();
            number_of(&lab, &put(&copy, 0, ending)).await;
        }
    }
);

wire_test!(
    a_number_of_a_cleared_stream_orders_under_a_standing_clock,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        lab.clock.advance(ms(999)).await;
        // Later records arrive a millisecond ahead of the clock, which is in the next second.
        assert_eq!(own(&lab, "POST", "streams/orders/clear", "").await.0, 204);
        let (_, number) = number_of(&lab, &put(&stream, 0, None)).await;
        number_of(&lab, &put(&stream, 0, Some(&number))).await;
    }
);

wire_test!(a_number_of_the_future_does_not_order, |lab| async move {
    let stream = lab.stream("orders").create().await;
    scale(&lab, 2).await;
    let key = first_key(&open_shards(&lab).await[0]);
    let (_, number) = number_of(&lab, &put(&stream, key, None)).await;
    for never in [
        changed(&number, |number| number.time_s += 100),
        changed(&number, |number| {
            number.created_s += 100;
            number.time_s += 100;
        }),
    ] {
        let message = lab
            .refusal("PutRecord", &put(&stream, key, Some(&never)))
            .await;
        let expected = format!(
            "InvalidArgumentException: ExclusiveMinimumSequenceNumber {never} used in PutRecord \
                 on stream orders under account 000000000000 is invalid."
        );
        assert_eq!(message, expected);
    }
    // The sequence numbers in listings were also given out.
    let all = shards(&lab, json!({"Type": "FROM_TRIM_HORIZON"})).await;
    let ranges = all.iter().map(|shard| &shard["SequenceNumberRange"]);
    let mut shown = 0;
    for range in ranges {
        for end in ["StartingSequenceNumber", "EndingSequenceNumber"] {
            if let Some(number) = range[end].as_str() {
                lab.ok("PutRecord", &put(&stream, key, Some(number))).await;
                shown += 1;
            }
        }
    }
    assert_eq!(shown, 4);
});

kinesis_test!(
    a_number_that_its_shard_never_gave_out_does_not_order,
    |lab| async move {
        let stream = lab.stream("orders").shards(2).create().await;
        lab.stream("copies").shards(2).create().await;
        for key in [0, u128::MAX] {
            let (id, number) = number_of(&lab, &put(&stream, key, None)).await;
            for ahead in [1, 1000, 1 << 40, 1 << 62] {
                let never = changed(&number, |number| number.index += ahead);
                let request = put(&stream, key, Some(&never));
                let message = lab.refusal("PutRecord", &request).await;
                let expected = format!(
                    "InvalidArgumentException: ExclusiveMinimumSequenceNumber {never} used in \
                     PutRecord on stream orders under account 000000000000 is invalid."
                );
                assert_eq!(message, expected, "{id}");
                // The record goes to another shard. Numbers of different shards are not compared.
                number_of(&lab, &put(&stream, !key, Some(&never))).await;
            }
            let (_, next) = number_of(&lab, &put(&stream, key, Some(&number))).await;
            assert!(number < next, "{number} {next}");
        }
    }
);

kinesis_test!(
    every_position_in_a_shard_ahead_of_the_clock_can_be_read,
    |lab| async move {
        let stream = lab.stream("orders").shards(2).create().await;
        scale(&lab, 3).await;
        scale(&lab, 5).await;
        let shard = open_shards(&lab).await.remove(1);
        let id = shard["ShardId"].as_str().unwrap();
        let request = put(&stream, first_key(&shard), None);
        let (_, first) = number_of(&lab, &request).await;
        let (_, second) = number_of(&lab, &request).await;
        let now_s = lab.clock.now_ms() / 1000;
        for (position, count) in [
            (json!({"ShardIteratorType": "TRIM_HORIZON"}), 2),
            (
                json!({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": now_s}),
                2,
            ),
            (json!({"ShardIteratorType": "LATEST"}), 0),
            (
                json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": first}),
                2,
            ),
            (
                json!({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": first}),
                1,
            ),
            (
                json!({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": second}),
                0,
            ),
        ] {
            let mut body = position.clone();
            body["StreamName"] = json!("orders");
            body["ShardId"] = json!(id);
            let got = lab.ok("GetShardIterator", &body.to_string()).await;
            let body = json!({"ShardIterator": got["ShardIterator"]}).to_string();
            let read = lab.ok("GetRecords", &body).await;
            assert_eq!(
                read["Records"].as_array().unwrap().len(),
                count,
                "{position}"
            );
            assert_eq!(read["MillisBehindLatest"], 0, "{position}");
        }
    }
);

wire_test!(
    nothing_comes_after_the_ending_number_of_a_shard,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        number_of(&lab, &put(&stream, 0, None)).await;
        scale(&lab, 2).await;
        let closed = shards(&lab, json!({"Type": "FROM_TRIM_HORIZON"}))
            .await
            .remove(0);
        let ending = &closed["SequenceNumberRange"]["EndingSequenceNumber"];
        assert!(ending.is_string(), "{closed}");
        let iterate = |kind: &str| {
            let body = json!({
                "StreamName": "orders", "ShardId": closed["ShardId"], "ShardIteratorType": kind,
                "StartingSequenceNumber": ending,
            });
            body.to_string()
        };
        let expected = "InvalidArgumentException: Invalid SequenceNumber for ShardIteratorType \
                        AFTER_SEQUENCE_NUMBER, SequenceNumber has reached max possible value for \
                        the shard.";
        let after = iterate("AFTER_SEQUENCE_NUMBER");
        assert_eq!(lab.refusal("GetShardIterator", &after).await, expected);

        let got = lab
            .ok("GetShardIterator", &iterate("AT_SEQUENCE_NUMBER"))
            .await;
        let body = json!({"ShardIterator": got["ShardIterator"]}).to_string();
        let read = lab.ok("GetRecords", &body).await;
        assert_eq!(read["Records"], json!([]));
        assert_eq!(read["NextShardIterator"], Value::Null);

        let register = json!({"StreamARN": stream.arn(), "ConsumerName": "reader"}).to_string();
        let registered = lab.ok("RegisterStreamConsumer", &register).await;
        let subscribe = json!({
            "ConsumerARN": registered["Consumer"]["ConsumerARN"], "ShardId": closed["ShardId"],
            "StartingPosition": {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": ending},
        });
        let message = lab
            .refusal("SubscribeToShard", &subscribe.to_string())
            .await;
        assert_eq!(message, expected);
    }
);

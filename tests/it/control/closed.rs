//! Closed shards: how they are read to their end, listed and removed.

use super::numbers::{end, start};
use super::{
    FIRST_S, HALF, LAST, START_S, indexes, ok, ok_cbor, refused, restart, shard_id, shards,
};
use crate::lab::stream::texts;
use crate::lab::{Lab, hours, kinesis_test, ms, seconds, wire_test};
use aws_sdk_kinesis::types::ShardIteratorType as Kind;
use serde_json::{Value, json};

fn split(shard: usize, key: &str) -> Value {
    json!({"StreamName": "s", "ShardToSplit": shard_id(shard), "NewStartingHashKey": key})
}

fn merge(lower: usize, upper: usize) -> Value {
    json!({
        "StreamName": "s", "ShardToMerge": shard_id(lower), "AdjacentShardToMerge": shard_id(upper)
    })
}

async fn get(lab: &Lab, iterator: &str) -> Value {
    ok(lab, "GetRecords", json!({"ShardIterator": iterator})).await
}

/// The members of an answer.
fn members(answer: &Value) -> Vec<&str> {
    let mut names: Vec<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

kinesis_test!(
    a_closed_shard_gives_its_records_and_then_one_answer_with_its_children,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("key", "a").await;
        stream.put("key", "b").await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        let with_records = get(&lab, &stream.horizon(&shard_id(0)).await).await;
        assert_eq!(with_records["Records"].as_array().unwrap().len(), 2);
        assert_eq!(
            members(&with_records),
            ["MillisBehindLatest", "NextShardIterator", "Records"]
        );
        let next = with_records["NextShardIterator"].as_str().unwrap();
        let expected = json!({
            "Records": [],
            "MillisBehindLatest": 0,
            "ChildShards": [
                {
                    "ShardId": shard_id(1),
                    "ParentShards": [shard_id(0)],
                    "HashKeyRange": {
                        "StartingHashKey": "0",
                        "EndingHashKey": "170141183460469231731687303715884105727",
                    },
                },
                {
                    "ShardId": shard_id(2),
                    "ParentShards": [shard_id(0)],
                    "HashKeyRange": {"StartingHashKey": HALF, "EndingHashKey": LAST},
                },
            ],
        });
        for _ in 0..2 {
            assert_eq!(
                get(&lab, next).await,
                expected,
                "also when it is asked again"
            );
        }
        let by_cbor = ok_cbor(&lab, "GetRecords", json!({"ShardIterator": next})).await;
        assert_eq!(by_cbor, expected);
    }
);

kinesis_test!(
    a_reader_of_a_closed_shard_is_behind_by_the_seconds_since_its_closing,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("key", "a").await;
        lab.clock.advance(seconds(40)).await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        let oldest = stream.horizon(&shard_id(0)).await;
        for behind_ms in [0, 8000, 16_000] {
            let with_record = get(&lab, &oldest).await;
            assert_eq!(with_record["Records"].as_array().unwrap().len(), 1);
            assert_eq!(with_record["MillisBehindLatest"], behind_ms);
            let next = with_record["NextShardIterator"].as_str().unwrap();
            assert_eq!(get(&lab, next).await["MillisBehindLatest"], behind_ms);
            let tip = get(&lab, &stream.latest(&shard_id(1)).await).await;
            assert_eq!(tip["MillisBehindLatest"], 0, "the tip of an open shard");
            lab.clock.advance(seconds(8)).await;
        }
    }
);

kinesis_test!(
    both_parents_of_a_merge_name_the_child_and_each_other,
    |lab| async move {
        let stream = lab.stream("s").shards(2).create().await;
        ok(&lab, "MergeShards", merge(0, 1)).await;
        for parent in [0, 1] {
            let got = get(&lab, &stream.horizon(&shard_id(parent)).await).await;
            let child = json!([{
                "ShardId": shard_id(2),
                "ParentShards": [shard_id(0), shard_id(1)],
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": LAST},
            }]);
            assert_eq!(got["ChildShards"], child, "{parent}");
            assert_eq!(
                members(&got),
                ["ChildShards", "MillisBehindLatest", "Records"]
            );
        }
    }
);

kinesis_test!(
    a_reader_at_the_tip_of_a_parent_misses_nothing_when_it_is_closed,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let waiting = stream.latest(&shard_id(0)).await;
        let waiting = stream.get(&waiting).await.next_shard_iterator.unwrap();
        stream.put("key", "last").await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        let got = stream.get(&waiting).await;
        assert_eq!(texts(&got.records), ["last"]);
        assert!(got.child_shards.is_none());
        let got = stream.get(&got.next_shard_iterator.unwrap()).await;
        assert!(got.records.is_empty() && got.next_shard_iterator.is_none());
        assert_eq!(got.child_shards.unwrap().len(), 2);
    }
);

kinesis_test!(
    every_type_of_iterator_works_on_a_closed_shard,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let first = stream.put("key", "a").await;
        lab.clock.advance(seconds(10)).await;
        stream.put("key", "b").await;
        lab.clock.advance(seconds(10)).await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        let now_ms = lab.clock.now_ms();
        let at = |number: String| crate::lab::stream::Placed {
            shard: shard_id(0),
            number,
        };
        let (begins, ends) = (start(FIRST_S, 0), end(FIRST_S, 0, START_S + 20));
        for (iterator, expected) in [
            (stream.horizon(&shard_id(0)).await, &["a", "b"][..]),
            (stream.latest(&shard_id(0)).await, &[]),
            (stream.iterator_at(now_ms).await, &[]),
            (stream.iterator_at(now_ms - 10_000).await, &["b"]),
            (stream.iterator_at(now_ms - 10_001).await, &["b"]),
            (stream.iterator_at(0).await, &["a", "b"]),
            (
                stream
                    .iterator_by_number(Kind::AtSequenceNumber, &first)
                    .await,
                &["a", "b"],
            ),
            (
                stream
                    .iterator_by_number(Kind::AfterSequenceNumber, &first)
                    .await,
                &["b"],
            ),
            (
                stream
                    .iterator_by_number(Kind::AtSequenceNumber, &at(begins.clone()))
                    .await,
                &["a", "b"],
            ),
            (
                stream
                    .iterator_by_number(Kind::AfterSequenceNumber, &at(begins))
                    .await,
                &["a", "b"],
            ),
            (
                stream
                    .iterator_by_number(Kind::AtSequenceNumber, &at(ends))
                    .await,
                &[],
            ),
        ] {
            let mut got = stream.get(&iterator).await;
            assert_eq!(texts(&got.records), expected);
            if !expected.is_empty() {
                got = stream.get(&got.next_shard_iterator.unwrap()).await;
            }
            assert!(
                got.next_shard_iterator.is_none(),
                "the shard ends: {expected:?}"
            );
            assert_eq!(got.child_shards.unwrap().len(), 2);
        }
    }
);

wire_test!(
    the_number_of_a_parent_is_none_of_its_child,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let put = stream.put("key", "a").await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        let body = json!({
            "StreamName": "s", "ShardId": shard_id(1), "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "StartingSequenceNumber": put.number,
        });
        assert_eq!(
            refused(&lab, "GetShardIterator", body).await,
            "InvalidArgumentException: Invalid StartingSequenceNumber. It encodes \
         shardId-000000000000, while it was used in a call to a shard with shardId-000000000001"
        );
    }
);

/// Creates a stream and splits its only shard 100 seconds later. Splits the upper half another 100
/// seconds later.
async fn twice_split(lab: &Lab) {
    lab.stream("s").create().await;
    lab.clock.advance(seconds(100)).await;
    ok(lab, "SplitShard", split(0, HALF)).await;
    lab.clock.advance(seconds(100)).await;
    ok(
        lab,
        "SplitShard",
        split(2, "255211775190703847597530955573826158592"),
    )
    .await;
    lab.clock.advance(seconds(100)).await;
}

kinesis_test!(shards_are_listed_by_time_and_position, |lab| async move {
    twice_split(&lab).await;
    let at = |kind: &str, time_s: u64| json!({"Type": kind, "Timestamp": time_s});
    for (filter, expected) in [
        (json!({"Type": "FROM_TRIM_HORIZON"}), &[0, 1, 2, 3, 4][..]),
        (json!({"Type": "AT_TRIM_HORIZON"}), &[0]),
        (json!({"Type": "AT_LATEST"}), &[1, 3, 4]),
        (
            json!({"Type": "AFTER_SHARD_ID", "ShardId": shard_id(1)}),
            &[2, 3, 4],
        ),
        (at("AT_TIMESTAMP", START_S + 50), &[0]),
        (at("AT_TIMESTAMP", START_S + 100), &[0]),
        (at("AT_TIMESTAMP", START_S + 101), &[1, 2]),
        (at("AT_TIMESTAMP", START_S + 200), &[1, 2]),
        (at("AT_TIMESTAMP", START_S + 300), &[1, 3, 4]),
        (at("AT_TIMESTAMP", START_S - 50), &[0]),
        (at("AT_LATEST", 0), &[1, 3, 4]),
        (
            json!({"Type": "AT_LATEST", "ShardId": shard_id(1)}),
            &[3, 4],
        ),
        (at("FROM_TIMESTAMP", START_S + 50), &[0, 1, 2, 3, 4]),
        (at("FROM_TIMESTAMP", START_S + 100), &[0, 1, 2, 3, 4]),
        (at("FROM_TIMESTAMP", START_S + 101), &[1, 2, 3, 4]),
        (at("FROM_TIMESTAMP", START_S + 201), &[1, 3, 4]),
        (at("FROM_TIMESTAMP", START_S - 50), &[0, 1, 2, 3, 4]),
    ] {
        let body = json!({"StreamName": "s", "ShardFilter": filter});
        for got in [
            ok(&lab, "ListShards", body.clone()).await,
            ok_cbor(&lab, "ListShards", body.clone()).await,
        ] {
            let found = indexes(got["Shards"].as_array().unwrap());
            assert_eq!(found, expected, "{filter}");
        }
    }
    let after = json!({"StreamName": "s", "ExclusiveStartShardId": shard_id(2)});
    let got = ok(&lab, "ListShards", after).await;
    assert_eq!(indexes(got["Shards"].as_array().unwrap()), [3, 4]);
});

wire_test!(a_filter_goes_on_from_page_to_page, |lab| async move {
    twice_split(&lab).await;
    let filter = json!({"Type": "FROM_TIMESTAMP", "Timestamp": START_S + 101});
    let body = json!({"StreamName": "s", "MaxResults": 3, "ShardFilter": filter});
    let first = ok(&lab, "ListShards", body).await;
    assert_eq!(indexes(first["Shards"].as_array().unwrap()), [1, 2, 3]);
    let body = json!({"NextToken": first["NextToken"], "MaxResults": 3});
    let second = ok(&lab, "ListShards", body).await;
    assert_eq!(indexes(second["Shards"].as_array().unwrap()), [4]);
    assert!(second.get("NextToken").is_none());
});

kinesis_test!(
    closed_shards_are_removed_once_all_their_records_have_expired,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        lab.clock.advance(seconds(100)).await;
        stream.put("key", "a").await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        lab.clock.advance(hours(24) - ms(1)).await;
        assert_eq!(indexes(&shards(&lab, "s").await), [0, 1, 2]);
        assert_eq!(stream.read(&shard_id(0)).await.len(), 1);
        // The shard may contain records of the whole second in which it was closed.
        lab.clock.advance(seconds(1)).await;
        assert_eq!(indexes(&shards(&lab, "s").await), [1, 2]);
        let got = ok(&lab, "DescribeStream", json!({"StreamName": "s"})).await;
        let described = got["StreamDescription"]["Shards"].as_array().unwrap();
        assert_eq!(indexes(described), [1, 2]);
        assert_eq!(described[0]["ParentShardId"], shard_id(0));
        // The retention task has removed the shard.
        lab.clock.advance(seconds(700)).await;
        let gone = format!(
            "ResourceNotFoundException: Shard {} in stream s under account 000000000000 does not \
             exist",
            shard_id(0)
        );
        let iterate = json!({
            "StreamName": "s", "ShardId": shard_id(0), "ShardIteratorType": "TRIM_HORIZON"
        });
        assert_eq!(
            refused(&lab, "GetShardIterator", iterate.clone()).await,
            gone
        );
        if restart(&lab).await {
            assert_eq!(refused(&lab, "GetShardIterator", iterate).await, gone);
            assert_eq!(indexes(&shards(&lab, "s").await), [1, 2]);
            ok(&lab, "MergeShards", merge(1, 2)).await;
            assert_eq!(indexes(&shards(&lab, "s").await), [1, 2, 3], "ids go on");
        }
    }
);

kinesis_test!(
    an_expired_record_of_a_closed_shard_is_not_read,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("key", "old").await;
        lab.clock.advance(hours(12)).await;
        stream.put("key", "new").await;
        ok(&lab, "SplitShard", split(0, HALF)).await;
        lab.clock.advance(hours(12)).await;
        let got = stream.get(&stream.horizon(&shard_id(0)).await).await;
        assert_eq!(texts(&got.records), ["new"]);
        let at_trim = json!({"StreamName": "s", "ShardFilter": {"Type": "AT_TRIM_HORIZON"}});
        let got = ok(&lab, "ListShards", at_trim).await;
        assert_eq!(indexes(got["Shards"].as_array().unwrap()), [0]);
        lab.clock.advance(hours(12) + seconds(1)).await;
        let at_trim = json!({"StreamName": "s", "ShardFilter": {"Type": "AT_TRIM_HORIZON"}});
        let got = ok(&lab, "ListShards", at_trim).await;
        assert_eq!(indexes(got["Shards"].as_array().unwrap()), [1, 2]);
    }
);

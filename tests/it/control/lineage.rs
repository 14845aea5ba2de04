//! Splits and merges: the shards afterwards, and the times at which they are visible.

use super::numbers::{end, start};
use super::{
    FIRST_S, HALF, LAST, START_S, indexes, is_open, not_active, ok, ok_cbor, open_indexes, refused,
    restart, shard_id, shards, status, summary,
};
use crate::lab::{kinesis_test, ms, seconds, wire_test};
use serde_json::{Value, json};

/// The last key of the lower half.
const BELOW: &str = "170141183460469231731687303715884105727";

fn split(shard: &str, key: &str) -> Value {
    json!({"StreamName": "s", "ShardToSplit": shard, "NewStartingHashKey": key})
}

fn merge(lower: &str, upper: &str) -> Value {
    json!({"StreamName": "s", "ShardToMerge": lower, "AdjacentShardToMerge": upper})
}

kinesis_test!(
    a_split_closes_the_parent_and_opens_two_children_a_second_later,
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(seconds(60)).await;
        assert_eq!(
            ok(&lab, "SplitShard", split("shardId-0", HALF)).await,
            Value::Null
        );
        let (closed_s, opened_s) = (START_S + 60, START_S + 61);
        let expected = json!([
            {
                "ShardId": shard_id(0),
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": LAST},
                "SequenceNumberRange": {
                    "StartingSequenceNumber": start(FIRST_S, 0),
                    "EndingSequenceNumber": end(FIRST_S, 0, closed_s),
                },
            },
            {
                "ShardId": shard_id(1),
                "ParentShardId": shard_id(0),
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": BELOW},
                "SequenceNumberRange": {"StartingSequenceNumber": start(opened_s, 1)},
            },
            {
                "ShardId": shard_id(2),
                "ParentShardId": shard_id(0),
                "HashKeyRange": {"StartingHashKey": HALF, "EndingHashKey": LAST},
                "SequenceNumberRange": {"StartingSequenceNumber": start(opened_s, 2)},
            },
        ]);
        assert_eq!(Value::from(shards(&lab, "s").await), expected);
        let got = ok_cbor(&lab, "DescribeStream", json!({"StreamName": "s"})).await;
        assert_eq!(got["StreamDescription"]["Shards"], expected);
        assert_eq!(got["StreamDescription"]["StreamStatus"], "ACTIVE");
        assert_eq!(summary(&lab, "s").await["OpenShardCount"], 2);
        if restart(&lab).await {
            assert_eq!(Value::from(shards(&lab, "s").await), expected);
        }
    }
);

kinesis_test!(
    a_merge_closes_two_neighbours_and_opens_one_child_a_second_later,
    |lab| async move {
        lab.stream("s").shards(2).create().await;
        lab.clock.advance(ms(1_999)).await;
        let merged = ok_cbor(&lab, "MergeShards", merge("shardId-0", "shardId-1")).await;
        assert_eq!(merged, Value::Null);
        let (closed_s, opened_s) = (START_S + 1, START_S + 2);
        let expected = json!([
            {
                "ShardId": shard_id(0),
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": BELOW},
                "SequenceNumberRange": {
                    "StartingSequenceNumber": start(FIRST_S, 0),
                    "EndingSequenceNumber": end(FIRST_S, 0, closed_s),
                },
            },
            {
                "ShardId": shard_id(1),
                "HashKeyRange": {"StartingHashKey": HALF, "EndingHashKey": LAST},
                "SequenceNumberRange": {
                    "StartingSequenceNumber": start(FIRST_S, 1),
                    "EndingSequenceNumber": end(FIRST_S, 1, closed_s),
                },
            },
            {
                "ShardId": shard_id(2),
                "ParentShardId": shard_id(0),
                "AdjacentParentShardId": shard_id(1),
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": LAST},
                "SequenceNumberRange": {"StartingSequenceNumber": start(opened_s, 2)},
            },
        ]);
        assert_eq!(Value::from(shards(&lab, "s").await), expected);
        if restart(&lab).await {
            assert_eq!(Value::from(shards(&lab, "s").await), expected);
        }
    }
);

kinesis_test!(
    along_a_lineage_made_in_one_moment_every_shard_starts_after_its_parent_ends,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut numbers = Vec::new();
        ok(&lab, "SplitShard", split("shardId-0", HALF)).await;
        numbers.push(stream.put_at("0", "a").await);
        ok(&lab, "SplitShard", split("shardId-1", "2")).await;
        numbers.push(stream.put_at("0", "b").await);
        ok(&lab, "MergeShards", merge("shardId-3", "shardId-4")).await;
        numbers.push(stream.put_at("0", "c").await);
        let listed = shards(&lab, "s").await;
        for (shard, created_s, closed_s) in [
            (0, FIRST_S, START_S),
            (1, START_S + 1, START_S + 1),
            (3, START_S + 2, START_S + 2),
            (4, START_S + 2, START_S + 2),
        ] {
            let expected = json!({
                "StartingSequenceNumber": start(created_s, shard),
                "EndingSequenceNumber": end(created_s, shard, closed_s),
            });
            assert_eq!(listed[shard]["SequenceNumberRange"], expected, "{shard}");
        }
        let expected = json!({"StartingSequenceNumber": start(START_S + 3, 5)});
        assert_eq!(listed[5]["SequenceNumberRange"], expected);
        for (put, shard) in numbers.iter().zip([1, 3, 5]) {
            assert_eq!(put.shard, shard_id(shard));
            let range = &listed[shard]["SequenceNumberRange"];
            assert!(*put.number > *range["StartingSequenceNumber"].as_str().unwrap());
            let end = range.get("EndingSequenceNumber");
            assert!(end.is_none_or(|end| *put.number < *end.as_str().unwrap()));
        }
        assert_eq!(stream.read(&shard_id(5)).await.len(), 1);
    }
);

kinesis_test!(
    until_a_reshard_is_done_only_the_old_shards_are_seen_and_written,
    ["--transition-ms", "500"],
    |lab| async move {
        let stream = lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let old = shards(&lab, "s").await;
        ok(&lab, "SplitShard", split("shardId-0", HALF)).await;
        for _ in 0..2 {
            assert_eq!(status(&lab, "s").await, "UPDATING");
            assert_eq!(shards(&lab, "s").await, old);
            assert_eq!(summary(&lab, "s").await["OpenShardCount"], 1);
            assert_eq!(stream.put_at(HALF, "early").await.shard, shard_id(0));
            lab.clock.advance(ms(249)).await;
        }
        lab.clock.advance(ms(2)).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
        let new = shards(&lab, "s").await;
        assert_eq!(indexes(&new), [0, 1, 2]);
        let closed_s = START_S + 1;
        assert_eq!(
            new[0]["SequenceNumberRange"]["EndingSequenceNumber"],
            end(FIRST_S, 0, closed_s)
        );
        for child in [1, 2] {
            assert_eq!(
                new[child]["SequenceNumberRange"],
                json!({"StartingSequenceNumber": start(closed_s + 1, child)})
            );
        }
        assert_eq!(stream.put_at(HALF, "late").await.shard, shard_id(2));
        assert_eq!(stream.read(&shard_id(0)).await.len(), 2);
    }
);

kinesis_test!(
    a_stream_that_is_being_resharded_is_changed_in_no_other_way,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").shards(2).create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, "MergeShards", merge("shardId-0", "shardId-1")).await;
        let scale = json!({
            "StreamName": "s", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"
        });
        for (operation, body) in [
            ("SplitShard", split("shardId-0", "2")),
            ("MergeShards", merge("shardId-0", "shardId-1")),
            ("UpdateShardCount", scale.clone()),
            ("DeleteStream", json!({"StreamName": "s"})),
        ] {
            let got = refused(&lab, operation, body).await;
            assert_eq!(got, not_active("s", "UPDATING"), "{operation}");
        }
        lab.clock.advance(ms(500)).await;
        assert_eq!(open_indexes(&lab, "s").await, [2]);
        let got = refused(&lab, "UpdateShardCount", scale).await;
        assert!(got.starts_with("InvalidArgumentException: "), "{got}");
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
    }
);

kinesis_test!(
    a_restart_in_the_middle_of_a_reshard_finishes_it,
    ["--transition-ms", "500"],
    |lab| async move {
        let stream = lab.stream("s").shards(2).create().await;
        lab.clock.advance(ms(500)).await;
        let early = stream.put_at("0", "early").await;
        ok(&lab, "MergeShards", merge("shardId-0", "shardId-1")).await;
        lab.clock.advance(ms(100)).await;
        if !restart(&lab).await {
            return;
        }
        let stream = crate::lab::Stream::existing(&lab, "s");
        assert_eq!(status(&lab, "s").await, "UPDATING");
        assert_eq!(indexes(&shards(&lab, "s").await), [0, 1]);
        assert_eq!(stream.put_at("0", "between").await.shard, shard_id(0));
        lab.clock.advance(ms(400)).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
        let listed = shards(&lab, "s").await;
        assert_eq!(indexes(&listed), [0, 1, 2]);
        assert_eq!(indexes(listed.iter().filter(|shard| is_open(shard))), [2]);
        assert_eq!(stream.put_at("0", "late").await.shard, shard_id(2));
        let read = stream.read(&shard_id(0)).await;
        assert_eq!(crate::lab::stream::texts(&read), ["early", "between"]);
        assert_eq!(read[0].sequence_number, early.number);
    }
);

wire_test!(
    shards_are_named_in_every_spelling_by_either_address,
    |lab| async move {
        lab.stream("s").shards(3).create().await;
        let arn = super::arn_of("s");
        let body = json!({
            "StreamARN": arn, "ShardToMerge": "anything-1-else", "AdjacentShardToMerge": "2"
        });
        ok(&lab, "MergeShards", body).await;
        let body = json!({
            "StreamARN": arn, "StreamName": "s", "ShardToSplit": "-00000", "NewStartingHashKey": "2"
        });
        ok(&lab, "SplitShard", body).await;
        assert_eq!(open_indexes(&lab, "s").await, [4, 5, 3]);
    }
);

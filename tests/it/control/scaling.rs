//! UpdateShardCount: the splits and merges in the order of the hash keys, and the limits.

use super::numbers::{end, start};
use super::{
    ACCOUNT, FIRST_S, START_S, arn_of, indexes, is_open, key_of, not_found, ok, ok_cbor,
    open_indexes, refused, restart, shard_id, shards, status, summary,
};
use crate::lab::{hours, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

fn scale(name: &str, target: usize) -> Value {
    json!({"StreamName": name, "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"})
}

/// The indexes of a shard's parents.
fn parents(shard: &Value) -> Vec<usize> {
    let parent = |member: &str| {
        let id = shard.get(member)?.as_str()?;
        id.strip_prefix("shardId-")?.parse().ok()
    };
    ["ParentShardId", "AdjacentParentShardId"]
        .into_iter()
        .filter_map(parent)
        .collect()
}

/// The number of open shards before and after the scaling, the number of all shards afterwards, and
/// the open shards in the order of their hash keys.
const TABLE: [(usize, usize, usize, &[usize]); 8] = [
    (3, 1, 5, &[4]),
    (1, 2, 3, &[1, 2]),
    (2, 3, 7, &[2, 6, 5]),
    (2, 4, 6, &[2, 3, 4, 5]),
    (4, 2, 6, &[4, 5]),
    (4, 3, 11, &[6, 9, 10]),
    (4, 5, 15, &[4, 8, 11, 14, 13]),
    (3, 6, 9, &[3, 4, 5, 6, 7, 8]),
];

wire_test!(scaling_makes_the_shards_of_the_table, |lab| async move {
    for (before, after, count, open) in TABLE {
        let name = format!("s{before}-{after}");
        lab.stream(&name).shards(before as i32).create().await;
        let got = ok(&lab, "UpdateShardCount", scale(&name, after)).await;
        let expected = json!({
            "StreamName": name,
            "StreamARN": arn_of(&name),
            "CurrentShardCount": before,
            "TargetShardCount": after,
        });
        assert_eq!(got, expected);
        let listed = shards(&lab, &name).await;
        let all: Vec<usize> = (0..count).collect();
        assert_eq!(indexes(&listed), all, "{name}");
        assert_eq!(open_indexes(&lab, &name).await, open, "{name}");
        assert_eq!(summary(&lab, &name).await["OpenShardCount"], after);
    }
});

wire_test!(
    scaled_shards_have_the_ranges_of_a_new_stream_but_for_rounding,
    |lab| async move {
        for (before, after, ..) in TABLE {
            let (name, new) = (format!("s{before}-{after}"), format!("n{before}-{after}"));
            lab.stream(&name).shards(before as i32).create().await;
            lab.stream(&new).shards(after as i32).create().await;
            ok(&lab, "UpdateShardCount", scale(&name, after)).await;
            let mut open = shards(&lab, &name).await;
            open.retain(is_open);
            open.sort_by_key(|shard| key_of(shard, "StartingHashKey"));
            let expected = shards(&lab, &new).await;
            assert_eq!(open.len(), expected.len());
            let mut next = 0;
            for (shard, new) in open.iter().zip(&expected) {
                assert_eq!(key_of(shard, "StartingHashKey"), next, "no gap in {name}");
                let (ends, wanted) = (key_of(shard, "EndingHashKey"), key_of(new, "EndingHashKey"));
                assert!(
                    ends.abs_diff(wanted) <= u128::MAX / 10_000_000_000,
                    "{name}"
                );
                next = ends.wrapping_add(1);
            }
            assert_eq!(next, 0, "{name} ends with the last key");
        }
    }
);

kinesis_test!(
    the_steps_of_a_scaling_are_splits_and_merges_one_after_the_other,
    |lab| async move {
        lab.stream("s").shards(4).create().await;
        ok_cbor(&lab, "UpdateShardCount", scale("s", 3)).await;
        let listed = shards(&lab, "s").await;
        let lineage: Vec<_> = listed.iter().map(parents).collect();
        let expected: [&[usize]; 11] = [
            &[],
            &[],
            &[],
            &[],
            &[1],
            &[1],
            &[0, 4],
            &[2],
            &[2],
            &[5, 7],
            &[8, 3],
        ];
        assert_eq!(lineage, expected);
        // The depth of a shard determines the second of its creation: parents end one second before
        // their child begins.
        let depth = [0, 0, 0, 0, 1, 1, 2, 1, 1, 2, 2];
        for (shard, described) in listed.iter().enumerate() {
            let created_s = if depth[shard] == 0 {
                FIRST_S
            } else {
                START_S + depth[shard]
            };
            let range = &described["SequenceNumberRange"];
            assert_eq!(range["StartingSequenceNumber"], start(created_s, shard));
            let child = lineage.iter().position(|of| of.contains(&shard));
            let ending = child.map(|child| end(created_s, shard, START_S + depth[child] - 1));
            assert_eq!(
                range.get("EndingSequenceNumber").and_then(Value::as_str),
                ending.as_deref(),
                "{shard}"
            );
        }
        if restart(&lab).await {
            assert_eq!(shards(&lab, "s").await, listed);
        }
    }
);

kinesis_test!(
    a_scaling_is_seen_in_one_step_and_goes_on_after_a_restart,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").shards(2).create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, "UpdateShardCount", scale("s", 3)).await;
        lab.clock.advance(ms(499)).await;
        if !restart(&lab).await {
            return;
        }
        assert_eq!(status(&lab, "s").await, "UPDATING");
        assert_eq!(indexes(&shards(&lab, "s").await), [0, 1]);
        lab.clock.advance(ms(1)).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
        assert_eq!(open_indexes(&lab, "s").await, [2, 6, 5]);
    }
);

wire_test!(
    scaling_to_the_present_count_changes_nothing_and_is_not_counted,
    ["--limit", "scalings-per-day=1"],
    |lab| async move {
        lab.stream("s").shards(2).create().await;
        for _ in 0..3 {
            let got = ok(&lab, "UpdateShardCount", scale("s", 2)).await;
            assert_eq!(
                (&got["CurrentShardCount"], &got["TargetShardCount"]),
                (&json!(2), &json!(2))
            );
        }
        assert_eq!(indexes(&shards(&lab, "s").await), [0, 1]);
        ok(&lab, "UpdateShardCount", scale("s", 4)).await;
    }
);

wire_test!(
    scaling_is_refused_beyond_double_and_half,
    |lab| async move {
        assert_eq!(
            refused(&lab, "UpdateShardCount", scale("s", 1)).await,
            not_found("s")
        );
        lab.stream("s").shards(4).create().await;
        for (target, expected) in [
            (
                9,
                "InvalidArgumentException: UpdateShardCount cannot scale up over double your current \
             open shard count. Current open shard count: 4 Target shard count: 9",
            ),
            (
                1,
                "InvalidArgumentException: UpdateShardCount cannot scale down below half your current \
             open shard count. Current open shard count: 4 Target shard count: 1",
            ),
            (
                10_001,
                "LimitExceededException: Target shard count or number of open shards cannot be \
             greater than 10000. Current open shard count: 4, Target shard count: 10001",
            ),
        ] {
            assert_eq!(
                refused(&lab, "UpdateShardCount", scale("s", target)).await,
                expected
            );
        }
        assert_eq!(indexes(&shards(&lab, "s").await), [0, 1, 2, 3]);
        ok(&lab, "UpdateShardCount", scale("s", 8)).await;
        ok(&lab, "UpdateShardCount", scale("s", 4)).await;
    }
);

wire_test!(
    a_stream_above_the_maximum_of_shards_may_only_go_below_it,
    ["--limit", "shards-per-stream=4"],
    |lab| async move {
        lab.stream("s").shards(6).create().await;
        for target in [5, 6, 7] {
            let expected = format!(
                "LimitExceededException: Target shard count or number of open shards cannot be \
                 greater than 4. Current open shard count: 6, Target shard count: {target}"
            );
            assert_eq!(
                refused(&lab, "UpdateShardCount", scale("s", target)).await,
                expected
            );
        }
        ok(&lab, "UpdateShardCount", scale("s", 4)).await;
        assert_eq!(summary(&lab, "s").await["OpenShardCount"], 4);
    }
);

wire_test!(
    scaling_is_bounded_by_the_shards_of_the_account,
    ["--limit", "shards-per-account=5"],
    |lab| async move {
        lab.stream("other").shards(2).create().await;
        lab.stream("s").shards(2).create().await;
        let got = refused(&lab, "UpdateShardCount", scale("s", 4)).await;
        let expected = format!(
            "LimitExceededException: This request would exceed the shard limit for the account \
             {ACCOUNT} in us-east-1. Current shard count for the account: 4. Limit: 5. Number of \
             additional shards that would have resulted from this request: 2. Refer to the AWS \
             Service Limits page \
             (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current \
             limits and how to request higher limits."
        );
        assert_eq!(got, expected);
        ok(&lab, "UpdateShardCount", scale("s", 3)).await;
        ok(&lab, "UpdateShardCount", scale("s", 2)).await;
        ok(&lab, "UpdateShardCount", scale("other", 3)).await;
    }
);

kinesis_test!(
    a_stream_is_scaled_ten_times_in_24_hours_also_over_restarts,
    |lab| async move {
        lab.stream("s").create().await;
        lab.stream("other").create().await;
        for round in 0..10 {
            ok(&lab, "UpdateShardCount", scale("s", 2 - round % 2)).await;
            lab.clock.advance(hours(1)).await;
        }
        if !restart(&lab).await {
            assert_eq!(
                ok(&lab, "ListStreams", json!({})).await["StreamNames"],
                json!([])
            );
            return;
        }
        let expected =
            format!("LimitExceededException: Rate exceeded for stream s under account {ACCOUNT}.");
        assert_eq!(
            refused(&lab, "UpdateShardCount", scale("s", 2)).await,
            expected
        );
        ok(&lab, "UpdateShardCount", scale("other", 2)).await;
        lab.clock.advance(hours(14) - ms(1)).await;
        assert_eq!(
            refused(&lab, "UpdateShardCount", scale("s", 2)).await,
            expected
        );
        lab.clock.advance(ms(1)).await;
        ok(&lab, "UpdateShardCount", scale("s", 2)).await;
        assert_eq!(
            refused(&lab, "UpdateShardCount", scale("s", 1)).await,
            expected
        );
        assert_eq!(open_indexes(&lab, "s").await.len(), 2);
        assert_eq!(shards(&lab, "other").await[1]["ShardId"], shard_id(1));
    }
);

//! An account's settings and limits, capacity modes, and warm throughput.

use super::{
    ACCOUNT, START_S, arn_of, indexes, is_open, not_active, not_found, ok, ok_cbor, refused,
    restart, shards, status, summary,
};
use crate::lab::{Lab, hours, kinesis_test, ms, seconds, wire_test};
use serde_json::{Value, json};

fn commitment(status: &str) -> Value {
    json!({"MinimumThroughputBillingCommitment": {"Status": status}})
}

/// The state of the commitment: its status, and the times of its start, earliest end and end, in
/// seconds since the start of the clock.
async fn settings(lab: &Lab) -> (String, [Option<i64>; 3]) {
    let got = ok(lab, "DescribeAccountSettings", json!({})).await;
    let by_cbor = ok_cbor(lab, "DescribeAccountSettings", json!({})).await;
    assert_eq!(read(&by_cbor), read(&got));
    read(&got)
}

fn read(got: &Value) -> (String, [Option<i64>; 3]) {
    assert_eq!(got.as_object().unwrap().len(), 1, "{got}");
    let got = &got["MinimumThroughputBillingCommitment"];
    let since = |member: &str| {
        let at = got.get(member)?.as_f64().unwrap();
        Some((at - START_S as f64) as i64)
    };
    let moments = ["StartedAt", "EarliestAllowedEndAt", "EndedAt"].map(since);
    (got["Status"].as_str().unwrap().to_owned(), moments)
}

fn is(status: &str, started: i64, may_end: i64) -> (String, [Option<i64>; 3]) {
    (status.to_owned(), [Some(started), Some(may_end), None])
}

const UNTIL: &str = "ENABLED_UNTIL_EARLIEST_ALLOWED_END";
const DAY: i64 = 86_400;

kinesis_test!(a_commitment_lasts_a_day_at_least, |lab| async move {
    let never = ("DISABLED".to_owned(), [None; 3]);
    assert_eq!(settings(&lab).await, never);
    let got = ok(&lab, "UpdateAccountSettings", commitment("DISABLED")).await;
    assert_eq!(read(&got), never);
    lab.clock.advance(seconds(10)).await;
    let got = ok_cbor(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    let enabled = is("ENABLED", 10, 10 + DAY);
    assert_eq!(read(&got), enabled);
    lab.clock.advance(seconds(10)).await;
    let got = ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    assert_eq!(read(&got), enabled, "unchanged");
    let got = ok(&lab, "UpdateAccountSettings", commitment("DISABLED")).await;
    assert_eq!(read(&got), is(UNTIL, 10, 10 + DAY));
    let got = ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    assert_eq!(read(&got), enabled, "the end is called off");
    ok(&lab, "UpdateAccountSettings", commitment("DISABLED")).await;
    if !restart(&lab).await {
        return;
    }
    lab.clock.advance(seconds(86_389)).await;
    assert_eq!(settings(&lab).await, is(UNTIL, 10, 10 + DAY));
    lab.clock.advance(seconds(1)).await;
    let ended = ("DISABLED".to_owned(), [Some(10), None, Some(10 + DAY)]);
    assert_eq!(settings(&lab).await, ended);
    lab.clock.advance(seconds(90)).await;
    let got = ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    assert_eq!(read(&got), is("ENABLED", DAY + 100, 2 * DAY + 100));
});

wire_test!(
    a_commitment_that_is_old_enough_ends_at_once,
    |lab| async move {
        ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
        lab.clock.advance(hours(30)).await;
        assert_eq!(settings(&lab).await, is("ENABLED", 0, DAY));
        let got = ok(&lab, "UpdateAccountSettings", commitment("DISABLED")).await;
        let ended = ("DISABLED".to_owned(), [Some(0), None, Some(108_000)]);
        assert_eq!(read(&got), ended);
        assert_eq!(settings(&lab).await, ended);
        let got = refused(&lab, "UpdateAccountSettings", json!({})).await;
        let expected = "ValidationException: 1 validation error detected: Value null at \
        'minimumThroughputBillingCommitment' failed to satisfy constraint: Member must not be null";
        assert_eq!(got, expected);
        let got = refused(&lab, "UpdateAccountSettings", commitment("ON")).await;
        let expected = "ValidationException: 1 validation error detected: Value 'ON' at \
        'minimumThroughputBillingCommitment.status' failed to satisfy constraint: Member must \
        satisfy enum value set: [ENABLED, DISABLED]";
        assert_eq!(got, expected);
    }
);

kinesis_test!(
    limits_are_described_from_what_there_is,
    [
        "--limit",
        "shards-per-account=9",
        "--limit",
        "on-demand-streams=3"
    ],
    |lab| async move {
        let limits = |open: u64, on_demand: u64| {
            json!({
                "ShardLimit": 9, "OpenShardCount": open,
                "OnDemandStreamCount": on_demand, "OnDemandStreamCountLimit": 3,
                "ChannelCount": 0, "ChannelCountLimit": 100,
            })
        };
        assert_eq!(ok(&lab, "DescribeLimits", json!({})).await, limits(0, 0));
        lab.stream("s").shards(2).create().await;
        ok(&lab, "CreateStream", json!({"StreamName": "d"})).await;
        assert_eq!(
            ok_cbor(&lab, "DescribeLimits", json!({})).await,
            limits(2, 1)
        );
        let split = json!({"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": "7"});
        ok(&lab, "SplitShard", split).await;
        assert_eq!(ok(&lab, "DescribeLimits", json!({})).await, limits(3, 1));
        if restart(&lab).await {
            assert_eq!(ok(&lab, "DescribeLimits", json!({})).await, limits(3, 1));
            ok(&lab, "DeleteStream", json!({"StreamName": "d"})).await;
            assert_eq!(ok(&lab, "DescribeLimits", json!({})).await, limits(3, 0));
        }
    }
);

wire_test!(
    the_default_limits_are_those_of_a_large_region,
    |lab| async move {
        let expected = json!({
            "ShardLimit": 20_000, "OpenShardCount": 0,
            "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50,
            "ChannelCount": 0, "ChannelCountLimit": 100,
        });
        assert_eq!(ok(&lab, "DescribeLimits", json!({})).await, expected);
    }
);

fn mode(mode: &str) -> Value {
    json!({"StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": mode}})
}

async fn switch(lab: &Lab, to: &str) {
    ok(lab, "UpdateStreamMode", mode(to)).await;
    assert_eq!(
        summary(lab, "s").await["StreamModeDetails"],
        json!({"StreamMode": to})
    );
}

kinesis_test!(
    a_mode_is_switched_twice_in_24_hours_and_keeps_the_shards,
    |lab| async move {
        let stream = lab.stream("s").shards(2).create().await;
        stream.put("k", "a").await;
        let before = shards(&lab, "s").await;
        switch(&lab, "ON_DEMAND").await;
        let summary_now = summary(&lab, "s").await;
        assert_eq!(
            summary_now["RecordDistributionStrategy"],
            "USER_PARTITION_KEY"
        );
        assert_eq!(summary_now["OpenShardCount"], 2);
        for _ in 0..3 {
            switch(&lab, "ON_DEMAND").await;
        }
        lab.clock.advance(hours(1)).await;
        switch(&lab, "PROVISIONED").await;
        assert!(
            summary(&lab, "s")
                .await
                .get("RecordDistributionStrategy")
                .is_none()
        );
        assert_eq!(shards(&lab, "s").await, before);
        let expected =
            "LimitExceededException: Rate exceeded for stream s under account 000000000000.";
        if restart(&lab).await {
            assert_eq!(
                refused(&lab, "UpdateStreamMode", mode("ON_DEMAND")).await,
                expected
            );
            lab.clock.advance(hours(23) - ms(1)).await;
            assert_eq!(
                refused(&lab, "UpdateStreamMode", mode("ON_DEMAND")).await,
                expected
            );
            lab.clock.advance(ms(1)).await;
            switch(&lab, "ON_DEMAND").await;
        }
    }
);

wire_test!(
    on_demand_streams_are_counted,
    ["--limit", "on-demand-streams=1"],
    |lab| async move {
        let expected = format!(
            "LimitExceededException: This request would exceed the limit on the number of \
             On-Demand streams for the account {ACCOUNT} in us-east-1. Current On-Demand streams \
             count: 1. Limit: 1."
        );
        lab.stream("s").create().await;
        ok(&lab, "CreateStream", json!({"StreamName": "d"})).await;
        assert_eq!(
            refused(&lab, "CreateStream", json!({"StreamName": "e"})).await,
            expected
        );
        assert_eq!(
            refused(&lab, "UpdateStreamMode", mode("ON_DEMAND")).await,
            expected
        );
        ok(&lab, "DeleteStream", json!({"StreamName": "d"})).await;
        switch(&lab, "ON_DEMAND").await;
        assert_eq!(
            refused(&lab, "CreateStream", json!({"StreamName": "e"})).await,
            expected
        );
    }
);

wire_test!(modes_are_refused_for_what_is_missing, |lab| async move {
    assert_eq!(
        refused(&lab, "UpdateStreamMode", mode("ON_DEMAND")).await,
        not_found("s")
    );
    let got = refused(&lab, "UpdateStreamMode", json!({"StreamModeDetails": {}})).await;
    let expected = "ValidationException: 2 validation errors detected: Value null at 'streamARN' \
        failed to satisfy constraint: Member must not be null; Value null at \
        'streamModeDetails.streamMode' failed to satisfy constraint: Member must not be null";
    assert_eq!(got, expected);
    lab.stream("s").create().await;
    let mut warm = mode("PROVISIONED");
    warm["WarmThroughputMiBps"] = 5.into();
    let got = refused(&lab, "UpdateStreamMode", warm.clone()).await;
    let expected = "InvalidArgumentException: WarmThroughputMiBps is not expected when \
                    StreamMode=PROVISIONED";
    assert_eq!(got, expected);
    warm["StreamModeDetails"] = json!({"StreamMode": "ON_DEMAND"});
    let got = refused(&lab, "UpdateStreamMode", warm.clone()).await;
    assert!(
        got.ends_with("is not enabled for minimum throughput billing commitment"),
        "{got}"
    );
    ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    ok_cbor(&lab, "UpdateStreamMode", warm).await;
    assert_eq!(summary(&lab, "s").await["WarmThroughput"]["TargetMiBps"], 5);
    switch(&lab, "PROVISIONED").await;
    assert!(summary(&lab, "s").await.get("WarmThroughput").is_none());
});

fn warm(mibps: u64) -> Value {
    json!({"StreamName": "s", "WarmThroughputMiBps": mibps})
}

kinesis_test!(
    warm_throughput_brings_shards_and_takes_none_away,
    |lab| async move {
        ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        assert_eq!(summary(&lab, "s").await["OpenShardCount"], 4);
        let got = ok(&lab, "UpdateStreamWarmThroughput", warm(6)).await;
        let expected = json!({
            "StreamName": "s", "StreamARN": arn_of("s"),
            "WarmThroughput": {"TargetMiBps": 6, "CurrentMiBps": 4},
        });
        assert_eq!(got, expected);
        let open = async || {
            let all = shards(&lab, "s").await;
            indexes(all.iter().filter(|shard| is_open(shard))).len()
        };
        assert_eq!(open().await, 6);
        let both = |mibps: u64| json!({"TargetMiBps": mibps, "CurrentMiBps": mibps});
        assert_eq!(summary(&lab, "s").await["WarmThroughput"], both(6));
        let got = ok_cbor(&lab, "UpdateStreamWarmThroughput", warm(2)).await;
        assert_eq!(
            got["WarmThroughput"],
            json!({"TargetMiBps": 2, "CurrentMiBps": 6})
        );
        assert_eq!(open().await, 6);
        if restart(&lab).await {
            assert_eq!(summary(&lab, "s").await["WarmThroughput"], both(2));
        }
    }
);

wire_test!(
    warm_throughput_is_shown_as_it_is_reached,
    ["--transition-ms", "500"],
    |lab| async move {
        ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
        ok(
            &lab,
            "CreateStream",
            json!({"StreamName": "s", "WarmThroughputMiBps": 7}),
        )
        .await;
        lab.clock.advance(ms(500)).await;
        assert_eq!(summary(&lab, "s").await["OpenShardCount"], 7);
        ok(&lab, "UpdateStreamWarmThroughput", warm(9)).await;
        let now = summary(&lab, "s").await;
        assert_eq!(
            now["WarmThroughput"],
            json!({"TargetMiBps": 9, "CurrentMiBps": 7})
        );
        assert_eq!(
            (&now["StreamStatus"], &now["OpenShardCount"]),
            (&json!("UPDATING"), &json!(7))
        );
        assert_eq!(
            refused(&lab, "UpdateStreamWarmThroughput", warm(10)).await,
            not_active("s", "UPDATING")
        );
        lab.clock.advance(ms(500)).await;
        let now = summary(&lab, "s").await;
        assert_eq!(
            now["WarmThroughput"],
            json!({"TargetMiBps": 9, "CurrentMiBps": 9})
        );
        assert_eq!(now["OpenShardCount"], 9);
        ok(&lab, "UpdateStreamWarmThroughput", warm(9)).await;
        assert_eq!(
            status(&lab, "s").await,
            "ACTIVE",
            "the same value changes nothing"
        );
    }
);

wire_test!(warm_throughput_is_refused_step_by_step, |lab| async move {
    let operation = "UpdateStreamWarmThroughput";
    assert_eq!(refused(&lab, operation, warm(1)).await, not_found("s"));
    let got = refused(&lab, operation, json!({"WarmThroughputMiBps": 1})).await;
    assert!(
        got.ends_with("Stream arn and stream name can't be empty at the same time"),
        "{got}"
    );
    let got = refused(
        &lab,
        operation,
        json!({"StreamName": "s", "WarmThroughputMiBps": -1}),
    )
    .await;
    assert!(
        got.ends_with("Member must have value greater than or equal to 0"),
        "{got}"
    );
    lab.stream("s").create().await;
    // The live service was recorded to check the commitment before the mode (radkawar/stackd,
    // testdata/aws/kinesis/controls.json).
    let expected = format!(
        "ValidationException: Account {ACCOUNT} is not enabled for minimum throughput billing \
         commitment"
    );
    assert_eq!(refused(&lab, operation, warm(99_999)).await, expected);
    ok(&lab, "UpdateAccountSettings", commitment("ENABLED")).await;
    let expected = format!(
        "ValidationException: Request is invalid. Stream s under account {ACCOUNT} is in \
         Provisioned mode."
    );
    assert_eq!(refused(&lab, operation, warm(1)).await, expected);
    switch(&lab, "ON_DEMAND").await;
    let expected = "InvalidArgumentException: WarmThroughputMiBps cannot be greater than 10240.";
    assert_eq!(refused(&lab, operation, warm(10_241)).await, expected);
});

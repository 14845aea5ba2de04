//! Quotas: limits of calls per second, limits of the number of items, and the setting of limits.

use super::{ACCOUNT, REGION, arn_of, ok, refused};
use crate::channels::to_bucket;
use crate::lab::{Lab, Request, ms, seconds, wire_test};
use minikin::internals::limits::CALL_RATES;
use minikin::internals::operation::OPERATIONS;
use serde_json::{Value, json};

/// A request of each operation that has a limit of calls, on stream `s`, its consumer `c`, queue
/// `q` and channel `n`. The answer does not matter.
fn call(operation: &str) -> Value {
    let resource = |more: Value| {
        let mut body = more;
        body["ResourceARN"] = arn_of("s").into();
        body
    };
    match operation {
        "DescribeAccountSettings"
        | "DescribeLimits"
        | "ListChannels"
        | "ListQueues"
        | "ListStreams" => json!({}),
        "UpdateAccountSettings" => {
            json!({"MinimumThroughputBillingCommitment": {"Status": "DISABLED"}})
        }
        "PutResourcePolicy" => resource(json!({"Policy": "{}"})),
        "TagResource" => resource(json!({"Tags": {"a": "b"}})),
        "UntagResource" => resource(json!({"TagKeys": ["a"]})),
        "GetResourcePolicy" | "DeleteResourcePolicy" | "ListTagsForResource" => resource(json!({})),
        "DescribeStreamConsumer" | "DeregisterStreamConsumer" => {
            json!({"ConsumerARN": format!("{}/consumer/c:1", arn_of("s"))})
        }
        "RegisterStreamConsumer" => json!({"StreamARN": arn_of("s"), "ConsumerName": "c"}),
        "ListStreamConsumers" => json!({"StreamARN": arn_of("s")}),
        "UpdateMaxRecordSize" => json!({"StreamARN": arn_of("s"), "MaxRecordSizeInKiB": 1024}),
        "UpdateStreamRecordDistributionStrategy" => {
            json!({"StreamARN": arn_of("s"), "RecordDistributionStrategy": "AUTO"})
        }
        "CreateQueue" => {
            json!({"QueueName": "q", "StreamConfigurationList": [{"StreamARN": arn_of("s")}]})
        }
        "CreateChannel" => to_bucket("n", "s"),
        "DescribeChannel" | "DeleteChannel" => json!({"ChannelARN": channel_arn()}),
        "UpdateChannel" => json!({
            "ChannelARN": channel_arn(),
            "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": false}},
        }),
        "DescribeQueue" | "DeleteQueue" => json!({"QueueARN": queue_arn()}),
        "UpdateQueue" => json!({"QueueARN": queue_arn(), "QueueAttributes": {}}),
        "UpdateStreamMode" => {
            json!({"StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": "ON_DEMAND"}})
        }
        _ => by_name(operation),
    }
}

fn channel_arn() -> String {
    format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:channel/n")
}

fn queue_arn() -> String {
    format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:queue/q")
}

fn by_name(operation: &str) -> Value {
    let mut body = match operation {
        "AddTagsToStream" => json!({"Tags": {"a": "b"}}),
        "RemoveTagsFromStream" => json!({"TagKeys": ["a"]}),
        "IncreaseStreamRetentionPeriod" | "DecreaseStreamRetentionPeriod" => {
            json!({"RetentionPeriodHours": 24})
        }
        "EnableEnhancedMonitoring" | "DisableEnhancedMonitoring" => {
            json!({"ShardLevelMetrics": ["ALL"]})
        }
        "StartStreamEncryption" | "StopStreamEncryption" => {
            json!({"EncryptionType": "KMS", "KeyId": "k"})
        }
        "SplitShard" => json!({"ShardToSplit": "0", "NewStartingHashKey": "0"}),
        "MergeShards" => json!({"ShardToMerge": "0", "AdjacentShardToMerge": "0"}),
        "UpdateShardCount" => json!({"TargetShardCount": 1, "ScalingType": "UNIFORM_SCALING"}),
        "UpdateStreamWarmThroughput" => json!({"WarmThroughputMiBps": 1}),
        "CreateStream" => json!({"ShardCount": 1}),
        "DeleteStream"
        | "DescribeStream"
        | "DescribeStreamSummary"
        | "ListShards"
        | "ListTagsForStream" => json!({}),
        other => panic!("write a call of {other} here"),
    };
    body["StreamName"] = "s".into();
    body
}

/// The number of calls per second, and true if this limit applies to each stream separately.
fn published(operation: &str) -> (usize, bool) {
    match operation {
        "DescribeLimits" => (1, false),
        "DescribeStream" | "UpdateShardCount" => (10, false),
        "DescribeStreamSummary" => (20, false),
        "DescribeStreamConsumer" => (20, true),
        "ListShards" => (1000, true),
        "DeregisterStreamConsumer" | "ListStreamConsumers" => (5, true),
        _ => (5, false),
    }
}

const WHOLE_ACCOUNT: [&str; 14] = [
    "CreateChannel",
    "CreateQueue",
    "DeleteChannel",
    "DeleteQueue",
    "DescribeAccountSettings",
    "DescribeChannel",
    "DescribeLimits",
    "DescribeQueue",
    "ListChannels",
    "ListQueues",
    "ListStreams",
    "UpdateAccountSettings",
    "UpdateChannel",
    "UpdateQueue",
];

fn rate_of(operation: &str) -> String {
    if WHOLE_ACCOUNT.contains(&operation) {
        format!("LimitExceededException: Rate exceeded for account {ACCOUNT}.")
    } else {
        format!("LimitExceededException: Rate exceeded for stream s under account {ACCOUNT}.")
    }
}

async fn got(lab: &Lab, operation: &str, body: &Value) -> String {
    let answer = lab.json(operation, &body.to_string()).await;
    if answer.status == 200 {
        String::new()
    } else {
        answer.refusal().to_string()
    }
}

async fn calls_until_refused(lab: &Lab, operation: &str, body: &Value, most: usize) -> usize {
    let rate = rate_of(operation);
    for made in 0..=most {
        if got(lab, operation, body).await == rate {
            return made;
        }
    }
    panic!("{operation} is not refused after {most} calls");
}

wire_test!(
    every_operation_of_the_control_plane_has_its_rate,
    ["--profile", "strict"],
    |lab| async move {
        let data = [
            "GetRecords",
            "GetShardIterator",
            "PutRecord",
            "PutRecords",
            "SubscribeToShard",
        ];
        let rated: Vec<_> = CALL_RATES.iter().map(|rate| rate.operation).collect();
        for entry in OPERATIONS
            .iter()
            .filter(|entry| !data.contains(&entry.name) && !entry.name.contains("QueueRecords"))
        {
            assert!(rated.contains(&entry.name), "{} has no rate", entry.name);
        }
        for operation in rated {
            let (rate, _) = published(operation);
            let body = call(operation);
            let made = calls_until_refused(&lab, operation, &body, rate).await;
            assert_eq!(made, rate, "{operation}");
            lab.clock.advance(ms(999 / rate as u64)).await;
            assert_eq!(
                got(&lab, operation, &body).await,
                rate_of(operation),
                "{operation}"
            );
            lab.clock.advance(ms(2)).await;
            assert_ne!(
                got(&lab, operation, &body).await,
                rate_of(operation),
                "{operation}"
            );
        }
    }
);

wire_test!(
    a_rate_is_of_the_stream_or_of_the_account,
    ["--profile", "strict"],
    |lab| async move {
        for (operation, by_stream) in [
            ("ListStreamConsumers", true),
            ("DescribeStreamConsumer", true),
            ("AddTagsToStream", false),
            ("DescribeStreamSummary", false),
        ] {
            let (rate, _) = published(operation);
            calls_until_refused(&lab, operation, &call(operation), rate).await;
            let other = call(operation).to_string().replace("stream/s", "stream/t");
            let other = other.replace(r#""StreamName":"s""#, r#""StreamName":"t""#);
            let refusal = got(&lab, operation, &serde_json::from_str(&other).unwrap()).await;
            assert_eq!(
                !refusal.contains("Rate exceeded"),
                by_stream,
                "{operation}: {refusal}"
            );
            if !by_stream {
                assert!(refusal.contains("for stream t under"), "{refusal}");
            }
        }
    }
);

wire_test!(
    broken_requests_and_other_accounts_do_not_count,
    ["--profile", "strict"],
    |lab| async move {
        for _ in 0..10 {
            refused(&lab, "ListStreams", json!({"Limit": 0})).await;
        }
        let made = calls_until_refused(&lab, "ListStreams", &json!({}), 5).await;
        assert_eq!(made, 5);
        let authorization =
            crate::lab::request::AUTHORIZATION.replace("AKIAIOSFODNN7EXAMPLE", "111122223333");
        let other = Request::json("ListStreams", "{}").header("Authorization", &authorization);
        assert_eq!(lab.send(&other).await.status, 200);
        let elsewhere = crate::lab::request::AUTHORIZATION.replace("us-east-1", "eu-west-1");
        let other = Request::json("ListStreams", "{}").header("Authorization", &elsewhere);
        assert_eq!(lab.send(&other).await.status, 200);
        let encoded = crate::lab::cbor::write(&ciborium::Value::Map(Vec::new()));
        let answer = lab.cbor("ListStreams", &encoded).await;
        assert_eq!(
            answer.refusal().to_string(),
            rate_of("ListStreams"),
            "formats share a rate"
        );
    }
);

wire_test!(
    no_rate_is_in_force_unless_the_profile_is_strict,
    |lab| async move {
        for _ in 0..30 {
            ok(&lab, "ListStreams", json!({})).await;
            ok(&lab, "DescribeLimits", json!({})).await;
        }
    }
);

wire_test!(
    a_rate_is_set_and_switched_off_alone,
    [
        "--profile",
        "strict",
        "--limit",
        "calls-list-streams=2,calls-describe-limits=off"
    ],
    |lab| async move {
        let made = calls_until_refused(&lab, "ListStreams", &json!({}), 5).await;
        assert_eq!(made, 2);
        for _ in 0..30 {
            ok(&lab, "DescribeLimits", json!({})).await;
        }
    }
);

wire_test!(
    counts_are_set_and_switched_off_alone,
    [
        "--limit",
        "tags=2",
        "--limit",
        "consumers-per-stream=1",
        "--limit",
        "mode-switches-per-day=off",
        "--limit",
        "streams-in-transition=1",
        "--transition-ms",
        "100"
    ],
    |lab| async move {
        lab.stream("s").create().await;
        let got = refused(&lab, "CreateStream", json!({"StreamName": "t"})).await;
        assert!(got.ends_with("Limit: 1."), "{got}");
        lab.clock.advance(ms(100)).await;
        let tags = json!({"StreamName": "s", "Tags": {"a": "", "b": "", "c": ""}});
        assert!(
            refused(&lab, "AddTagsToStream", tags)
                .await
                .contains("more than 10 tags")
        );
        ok(
            &lab,
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {"a": "", "b": ""}}),
        )
        .await;
        ok(
            &lab,
            "RegisterStreamConsumer",
            call("RegisterStreamConsumer"),
        )
        .await;
        let more = json!({"StreamARN": arn_of("s"), "ConsumerName": "d"});
        assert!(
            refused(&lab, "RegisterStreamConsumer", more)
                .await
                .ends_with("Limit: 1.")
        );
        for mode in ["ON_DEMAND", "PROVISIONED"].into_iter().cycle().take(6) {
            let details = json!({"StreamMode": mode});
            let body = json!({"StreamARN": arn_of("s"), "StreamModeDetails": details});
            ok(&lab, "UpdateStreamMode", body).await;
            lab.clock.advance(ms(100)).await;
        }
    }
);

wire_test!(
    deleting_counts_among_the_streams_in_transition,
    ["--transition-ms", "500"],
    |lab| async move {
        for name in ["a", "b", "c", "d", "e"] {
            lab.stream(name).create().await;
        }
        let expected = format!(
            "LimitExceededException: This request would have exceed the limit on the number  of \
             streams that can simultaneously be in CREATING or DELETING for the account \
             {ACCOUNT}. Limit: 5."
        );
        assert_eq!(
            refused(&lab, "CreateStream", json!({"StreamName": "f"})).await,
            expected
        );
        ok(&lab, "DeleteStream", json!({"StreamName": "a"})).await;
        lab.clock.advance(ms(500)).await;
        lab.stream("f").create().await;
        lab.clock.advance(ms(500)).await;
        for name in ["b", "c", "d", "e", "f"] {
            ok(&lab, "DeleteStream", json!({"StreamName": name})).await;
        }
        assert_eq!(
            refused(&lab, "CreateStream", json!({"StreamName": "g"})).await,
            expected
        );
        lab.clock.advance(ms(500)).await;
        lab.stream("g").create().await;
        lab.stream("h").create().await;
        lab.clock.advance(seconds(1)).await;
        let names = ok(&lab, "ListStreams", json!({})).await["StreamNames"].clone();
        assert_eq!(names, json!(["g", "h"]));
    }
);

//! Accounts and regions. One process serves all of them, and the streams of each are separate.

use super::{ok, restart, summary};
use crate::lab::{ACCOUNT, Lab, Request, kinesis_test, request::AUTHORIZATION};
use serde_json::{Value, json};

/// Another account in the same region, and the same account in another region.
const OTHERS: [(&str, &str); 2] = [("111122223333", "us-east-1"), (ACCOUNT, "eu-central-1")];

async fn call(lab: &Lab, who: (&str, &str), operation: &str, body: Value) -> (u16, Value) {
    let credential = AUTHORIZATION.replace("AKIAIOSFODNN7EXAMPLE", who.0);
    let credential = credential.replace("us-east-1", who.1);
    let request = Request::json(operation, &body.to_string());
    let answer = lab
        .send(&request.header("Authorization", &credential))
        .await;
    let value = if answer.body.is_empty() {
        Value::Null
    } else {
        answer.value()
    };
    (answer.status, value)
}

async fn done(lab: &Lab, who: (&str, &str), operation: &str, body: Value) -> Value {
    let (status, value) = call(lab, who, operation, body).await;
    assert_eq!(status, 200, "{operation} {value}");
    value
}

fn arn(who: (&str, &str)) -> String {
    format!("arn:aws:kinesis:{}:{}:stream/s", who.1, who.0)
}

kinesis_test!(
    each_account_and_region_has_its_own,
    ["--limit", "shards-per-account=2"],
    |lab| {
        async move {
            ok(
                &lab,
                "CreateStream",
                json!({"StreamName": "s", "ShardCount": 2}),
            )
            .await;
            let mine = (ACCOUNT, "us-east-1");
            for (at, who) in OTHERS.into_iter().enumerate() {
                let none = done(&lab, who, "ListStreams", json!({})).await;
                assert_eq!(none["StreamNames"], json!([]));
                let limits = done(&lab, who, "DescribeLimits", json!({})).await;
                assert_eq!(limits["OpenShardCount"], 0);
                let (status, got) = call(
                    &lab,
                    who,
                    "DescribeStreamSummary",
                    json!({"StreamName": "s"}),
                )
                .await;
                let expected = format!("Stream s under account {} not found.", who.0);
                assert_eq!((status, &got["message"]), (400, &json!(expected)));
                let shards = at + 1;
                let tags = json!({"who": who.0});
                let create = json!({"StreamName": "s", "ShardCount": shards, "Tags": tags});
                done(&lab, who, "CreateStream", create).await;
                let got = done(
                    &lab,
                    who,
                    "DescribeStreamSummary",
                    json!({"StreamName": "s"}),
                )
                .await;
                let summary = &got["StreamDescriptionSummary"];
                assert_eq!(summary["StreamARN"], arn(who));
                assert_eq!(summary["OpenShardCount"], shards);
                let (_, got) = call(
                    &lab,
                    who,
                    "CreateStream",
                    json!({"StreamName": "t", "ShardCount": 2}),
                )
                .await;
                let expected = format!(
                    "for the account {} in {}. Current shard count for the account: {shards}.",
                    who.0, who.1
                );
                assert!(
                    got["message"].as_str().unwrap().contains(&expected),
                    "{got}"
                );
                let enabled = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
                done(&lab, who, "UpdateAccountSettings", enabled).await;
            }
            restart(&lab).await;
            if ok(&lab, "ListStreams", json!({})).await["StreamNames"] == json!([]) {
                return;
            }
            let got = done(&lab, mine, "DescribeAccountSettings", json!({})).await;
            assert_eq!(
                got["MinimumThroughputBillingCommitment"]["Status"],
                "DISABLED"
            );
            for who in OTHERS {
                let got = done(&lab, who, "DescribeAccountSettings", json!({})).await;
                assert_eq!(
                    got["MinimumThroughputBillingCommitment"]["Status"],
                    "ENABLED"
                );
                done(&lab, who, "DeleteStream", json!({"StreamName": "s"})).await;
            }
            let got = done(&lab, mine, "ListStreams", json!({})).await;
            assert_eq!(got["StreamSummaries"][0]["StreamARN"], arn(mine));
            let got = done(&lab, mine, "ListTagsForStream", json!({"StreamName": "s"})).await;
            assert_eq!(got["Tags"], json!([]));
        }
    }
);

kinesis_test!(
    an_arn_addresses_the_stream_of_its_account,
    |lab| async move {
        let owner = ("444455556666", "us-east-1");
        let arn = arn(owner);
        done(
            &lab,
            owner,
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 1}),
        )
        .await;
        ok(
            &lab,
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 3}),
        )
        .await;
        let resource = |more: Value| {
            let mut body = more;
            body["ResourceARN"] = arn.clone().into();
            body
        };
        let stream = |more: Value| {
            let mut body = more;
            body["StreamARN"] = arn.clone().into();
            body
        };
        for (operation, body) in [
            ("TagResource", resource(json!({"Tags": {"a": "b"}}))),
            ("AddTagsToStream", stream(json!({"Tags": {"c": "d"}}))),
            (
                "PutResourcePolicy",
                resource(json!({"Policy": r#"{"Statement":{"Principal":"*"}}"#})),
            ),
            (
                "IncreaseStreamRetentionPeriod",
                stream(json!({"RetentionPeriodHours": 25})),
            ),
            (
                "EnableEnhancedMonitoring",
                stream(json!({"ShardLevelMetrics": ["IncomingBytes"]})),
            ),
            (
                "StartStreamEncryption",
                stream(json!({"EncryptionType": "KMS", "KeyId": "k"})),
            ),
            (
                "UpdateMaxRecordSize",
                stream(json!({"MaxRecordSizeInKiB": 2048})),
            ),
            (
                "SplitShard",
                stream(json!({"ShardToSplit": "0", "NewStartingHashKey": "9"})),
            ),
            (
                "MergeShards",
                stream(json!({"ShardToMerge": "1", "AdjacentShardToMerge": "2"})),
            ),
            (
                "UpdateShardCount",
                stream(json!({"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"})),
            ),
            (
                "UpdateStreamMode",
                stream(json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}})),
            ),
            (
                "RegisterStreamConsumer",
                stream(json!({"ConsumerName": "c"})),
            ),
        ] {
            ok(&lab, operation, body).await;
        }
        let got = done(
            &lab,
            owner,
            "DescribeStreamSummary",
            json!({"StreamName": "s"}),
        )
        .await;
        let theirs = &got["StreamDescriptionSummary"];
        for (member, expected) in [
            ("RetentionPeriodHours", json!(25)),
            ("EncryptionType", json!("KMS")),
            ("MaxRecordSizeInKiB", json!(2048)),
            ("OpenShardCount", json!(2)),
            ("ConsumerCount", json!(1)),
            ("StreamModeDetails", json!({"StreamMode": "ON_DEMAND"})),
            (
                "EnhancedMonitoring",
                json!([{"ShardLevelMetrics": ["IncomingBytes"]}]),
            ),
        ] {
            assert_eq!(theirs[member], expected, "{member}");
        }
        let got = done(&lab, owner, "ListTagsForStream", json!({"StreamName": "s"})).await;
        assert_eq!(got["Tags"].as_array().unwrap().len(), 2);
        let mine = summary(&lab, "s").await;
        assert_eq!(
            (&mine["OpenShardCount"], &mine["ConsumerCount"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(mine["RetentionPeriodHours"], 24);
        let by_arn = stream(json!({"EnforceConsumerDeletion": true}));
        ok(&lab, "DeleteStream", by_arn).await;
        let got = done(&lab, owner, "ListStreams", json!({})).await;
        assert_eq!(got["StreamNames"], json!([]));
        assert_eq!(
            ok(&lab, "ListStreams", json!({})).await["StreamNames"],
            json!(["s"])
        );
    }
);

//! The operations that each status of a stream allows.

use super::{arn_of, not_active, not_found, ok, refused, restart, status};
use crate::lab::{Lab, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

/// Calls that change nothing if they are refused, and only little if they succeed.
fn calls() -> Vec<(&'static str, Value)> {
    let name = || json!({"StreamName": "s"});
    let arn = || json!({"StreamARN": arn_of("s")});
    let with = |mut value: Value, more: Value| {
        let members = value.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        value
    };
    let resource = |more: Value| with(json!({"ResourceARN": arn_of("s")}), more);
    let kms = json!({"EncryptionType": "KMS", "KeyId": "k"});
    vec![
        ("DescribeStream", name()),
        ("DescribeStreamSummary", name()),
        ("ListTagsForStream", name()),
        ("ListTagsForResource", resource(json!({}))),
        ("GetResourcePolicy", resource(json!({}))),
        ("ListStreamConsumers", arn()),
        ("AddTagsToStream", with(name(), json!({"Tags": {"a": "b"}}))),
        (
            "RemoveTagsFromStream",
            with(name(), json!({"TagKeys": ["a"]})),
        ),
        ("TagResource", resource(json!({"Tags": {"a": "b"}}))),
        ("UntagResource", resource(json!({"TagKeys": ["a"]}))),
        (
            "PutResourcePolicy",
            resource(json!({"Policy": r#"{"Statement":{"Principal":"*"}}"#})),
        ),
        ("DeleteResourcePolicy", resource(json!({}))),
        (
            "RegisterStreamConsumer",
            with(arn(), json!({"ConsumerName": "c"})),
        ),
        (
            "IncreaseStreamRetentionPeriod",
            with(name(), json!({"RetentionPeriodHours": 24})),
        ),
        (
            "DecreaseStreamRetentionPeriod",
            with(name(), json!({"RetentionPeriodHours": 24})),
        ),
        ("StartStreamEncryption", with(name(), kms.clone())),
        ("StopStreamEncryption", with(name(), kms)),
        (
            "EnableEnhancedMonitoring",
            with(name(), json!({"ShardLevelMetrics": ["IncomingBytes"]})),
        ),
        (
            "DisableEnhancedMonitoring",
            with(name(), json!({"ShardLevelMetrics": ["IncomingBytes"]})),
        ),
        (
            "UpdateMaxRecordSize",
            with(arn(), json!({"MaxRecordSizeInKiB": 1024})),
        ),
        (
            "UpdateStreamMode",
            with(
                arn(),
                json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
            ),
        ),
        (
            "UpdateStreamRecordDistributionStrategy",
            with(
                arn(),
                json!({"RecordDistributionStrategy": "USER_PARTITION_KEY"}),
            ),
        ),
    ]
}

/// Number of read-only operations at the start of the list. They are permitted in every status of
/// an existing stream.
const LOOKING: usize = 6;
/// Number of operations at the start of the list that are permitted while a stream is UPDATING:
/// reads, tags, policies, consumers.
const SETTLED: usize = 13;

async fn check(lab: &Lab, state: &str, allowed: usize) {
    for (at, (operation, body)) in calls().into_iter().enumerate() {
        assert_eq!(status(lab, "s").await, state, "before {operation}");
        if at < allowed {
            lab.ok(operation, &body.to_string()).await;
        } else {
            let got = refused(lab, operation, body).await;
            assert_eq!(got, not_active("s", state), "{operation}");
        }
    }
}

wire_test!(
    a_stream_that_is_being_created_is_only_looked_at,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        check(&lab, "CREATING", LOOKING).await;
        let got = ok(&lab, "DescribeStream", json!({"StreamName": "s"})).await;
        let described = &got["StreamDescription"];
        assert_eq!(
            (&described["Shards"], &described["HasMoreShards"]),
            (&json!([]), &json!(false))
        );
        lab.clock.advance(ms(500)).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
    }
);

wire_test!(
    a_stream_that_is_being_updated_takes_tags_policies_and_consumers,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let body = json!({"StreamName": "s", "RetentionPeriodHours": 48});
        ok(&lab, "IncreaseStreamRetentionPeriod", body).await;
        // Leave out the changes of the retention period, because their value is refused before the
        // status is checked.
        let mut calls = calls();
        calls.retain(|(operation, _)| !operation.contains("Retention"));
        for (at, (operation, body)) in calls.into_iter().enumerate() {
            if at < SETTLED {
                lab.ok(operation, &body.to_string()).await;
            } else {
                let got = refused(&lab, operation, body).await;
                assert_eq!(got, not_active("s", "UPDATING"), "{operation}");
            }
        }
        let got = refused(
            &lab,
            "IncreaseStreamRetentionPeriod",
            json!({"StreamName": "s", "RetentionPeriodHours": 49}),
        )
        .await;
        assert_eq!(got, not_active("s", "UPDATING"));
        lab.clock.advance(ms(500)).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
    }
);

wire_test!(
    a_stream_that_is_being_deleted_is_only_looked_at_and_then_gone,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        check(&lab, "DELETING", LOOKING).await;
        lab.clock.advance(ms(500)).await;
        for (operation, body) in calls() {
            assert_eq!(
                refused(&lab, operation, body).await,
                not_found("s"),
                "{operation}"
            );
        }
    }
);

kinesis_test!(
    a_stream_is_deleted_while_it_is_being_created,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(300)).await;
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        lab.clock.advance(ms(300)).await;
        let got = ok(&lab, "DescribeStream", json!({"StreamName": "s"})).await;
        assert_eq!(got["StreamDescription"]["StreamStatus"], "DELETING");
        let refusal = refused(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let expected =
            "ResourceInUseException: Stream s under account 000000000000 already exists.";
        assert_eq!(refusal, expected);
        if restart(&lab).await {
            assert_eq!(status(&lab, "s").await, "DELETING");
        }
        lab.clock.advance(ms(500)).await;
        let none = json!([]);
        assert_eq!(
            ok(&lab, "ListStreams", json!({})).await["StreamNames"],
            none
        );
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
    }
);

disk_test!(
    every_change_passes_through_updating_and_shows_when_it_is_done,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let arn = arn_of("s");
        for (operation, body, member, before, after) in [
            (
                "IncreaseStreamRetentionPeriod",
                json!({"StreamName": "s", "RetentionPeriodHours": 72}),
                "RetentionPeriodHours",
                json!(24),
                json!(72),
            ),
            (
                "DecreaseStreamRetentionPeriod",
                json!({"StreamName": "s", "RetentionPeriodHours": 36}),
                "RetentionPeriodHours",
                json!(72),
                json!(36),
            ),
            (
                "StartStreamEncryption",
                json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/a"}),
                "EncryptionType",
                json!("NONE"),
                json!("KMS"),
            ),
            (
                "StopStreamEncryption",
                json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/a"}),
                "EncryptionType",
                json!("KMS"),
                json!("NONE"),
            ),
            (
                "EnableEnhancedMonitoring",
                json!({"StreamName": "s", "ShardLevelMetrics": ["IncomingBytes"]}),
                "EnhancedMonitoring",
                json!([{"ShardLevelMetrics": []}]),
                json!([{"ShardLevelMetrics": ["IncomingBytes"]}]),
            ),
            (
                "UpdateMaxRecordSize",
                json!({"StreamARN": arn, "MaxRecordSizeInKiB": 2048}),
                "MaxRecordSizeInKiB",
                json!(1024),
                json!(2048),
            ),
            (
                "UpdateStreamMode",
                json!({"StreamARN": arn, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
                "StreamModeDetails",
                json!({"StreamMode": "PROVISIONED"}),
                json!({"StreamMode": "ON_DEMAND"}),
            ),
        ] {
            ok(&lab, operation, body).await;
            restart(&lab).await;
            let summary = super::summary(&lab, "s").await;
            assert_eq!(summary["StreamStatus"], "UPDATING", "{operation}");
            assert_eq!(summary[member], before, "{operation}");
            lab.clock.advance(ms(500)).await;
            let summary = super::summary(&lab, "s").await;
            assert_eq!(summary["StreamStatus"], "ACTIVE", "{operation}");
            assert_eq!(summary[member], after, "{operation}");
        }
    }
);

//! Shard-level metrics, which are enabled and disabled one by one or all together.

use super::{arn_of, not_found, ok, ok_cbor, refused, restart, status, summary};
use crate::lab::{Lab, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

/// All metrics, in the order in which the live service lists them (radkawar/stackd,
/// testdata/aws/kinesis/metric_depth.json).
const ALL: [&str; 7] = [
    "IncomingBytes",
    "OutgoingRecords",
    "IteratorAgeMilliseconds",
    "IncomingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
    "OutgoingBytes",
];

fn body(metrics: &[&str]) -> Value {
    json!({"StreamName": "s", "ShardLevelMetrics": metrics})
}

async fn enabled(lab: &Lab) -> Value {
    let got = summary(lab, "s").await["EnhancedMonitoring"].clone();
    let described = ok(lab, "DescribeStream", json!({"StreamName": "s"})).await;
    assert_eq!(described["StreamDescription"]["EnhancedMonitoring"], got);
    assert_eq!(got.as_array().unwrap().len(), 1);
    got[0]["ShardLevelMetrics"].clone()
}

fn change(before: &[&str], after: &[&str]) -> Value {
    json!({
        "StreamName": "s",
        "StreamARN": arn_of("s"),
        "CurrentShardLevelMetrics": before,
        "DesiredShardLevelMetrics": after,
    })
}

kinesis_test!(metrics_are_added_and_removed, |lab| async move {
    lab.stream("s").create().await;
    assert_eq!(enabled(&lab).await, json!([]));
    let two = ["IncomingBytes", "OutgoingRecords"];
    let got = ok(
        &lab,
        "EnableEnhancedMonitoring",
        body(&["OutgoingRecords", "IncomingBytes", "IncomingBytes"]),
    )
    .await;
    assert_eq!(got, change(&[], &two));
    assert_eq!(enabled(&lab).await, json!(two));
    let got = ok_cbor(&lab, "EnableEnhancedMonitoring", body(&["ALL"])).await;
    assert_eq!(got, change(&two, &ALL));
    assert_eq!(enabled(&lab).await, json!(ALL));
    let got = ok_cbor(
        &lab,
        "DisableEnhancedMonitoring",
        body(&["IncomingRecords"]),
    )
    .await;
    let six: Vec<_> = ALL
        .into_iter()
        .filter(|name| *name != "IncomingRecords")
        .collect();
    assert_eq!(got, change(&ALL, &six));
    let got = ok(
        &lab,
        "DisableEnhancedMonitoring",
        body(&["IncomingRecords"]),
    )
    .await;
    assert_eq!(got, change(&six, &six), "what is not enabled is ignored");
    if restart(&lab).await {
        assert_eq!(enabled(&lab).await, json!(six));
        let got = ok(&lab, "DisableEnhancedMonitoring", body(&["ALL"])).await;
        assert_eq!(got, change(&six, &[]));
        assert_eq!(enabled(&lab).await, json!([]));
    }
});

wire_test!(
    metrics_that_are_enabled_already_leave_the_stream_active,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, "EnableEnhancedMonitoring", body(&["IncomingBytes"])).await;
        assert_eq!(enabled(&lab).await, json!([]), "not before it is done");
        lab.clock.advance(ms(500)).await;
        ok(&lab, "EnableEnhancedMonitoring", body(&["IncomingBytes"])).await;
        ok(&lab, "DisableEnhancedMonitoring", body(&["OutgoingBytes"])).await;
        assert_eq!(status(&lab, "s").await, "ACTIVE");
    }
);

wire_test!(metrics_are_named_by_the_model, |lab| async move {
    for operation in ["EnableEnhancedMonitoring", "DisableEnhancedMonitoring"] {
        assert_eq!(
            refused(&lab, operation, body(&["ALL"])).await,
            not_found("s")
        );
        let got = refused(&lab, operation, body(&["Latency", "ALL"])).await;
        let expected = "ValidationException: 1 validation error detected: Value '[Latency, ALL]' \
            at 'shardLevelMetrics' failed to satisfy constraint: Member must satisfy constraint: \
            [Member must satisfy enum value set: [ALL, IteratorAgeMilliseconds, IncomingBytes, \
            WriteProvisionedThroughputExceeded, OutgoingRecords, \
            ReadProvisionedThroughputExceeded, IncomingRecords, OutgoingBytes]]";
        assert_eq!(got, expected);
        for (metrics, rule) in [
            (vec![], "greater than or equal to 1"),
            (vec!["ALL"; 8], "less than or equal to 7"),
        ] {
            let got = refused(&lab, operation, body(&metrics)).await;
            assert!(
                got.ends_with(&format!("Member must have length {rule}")),
                "{got}"
            );
        }
        let got = refused(&lab, operation, json!({"StreamName": "s"})).await;
        assert!(got.ends_with("Value null at 'shardLevelMetrics' failed to satisfy constraint: Member must not be null"), "{got}");
    }
});

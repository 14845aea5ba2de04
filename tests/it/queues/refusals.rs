//! Requests that are refused, in the order of their checks.

use super::*;
use crate::lab::wire_test;

fn starts(refusal: &str, kind: &str, text: &str) {
    assert!(
        refusal.starts_with(&format!("{kind}: ")) && refusal.contains(text),
        "{refusal}"
    );
}

fn queue_arn(id: &str) -> String {
    format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:queue/{id}")
}

wire_test!(a_creation_is_checked_member_by_member, |lab| async move {
    create_stream(&lab, "s").await;
    ok(
        &lab,
        "CreateStream",
        json!({"StreamName": "p", "ShardCount": 1}),
    )
    .await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = queue_at("q", "s", "LATEST");
        change(&mut body);
        body
    };
    let position = |kind: &str, at: Value| {
        with(&|body| {
            body["StreamConfigurationList"][0]["StartingPosition"] =
                json!({"Type": kind, "Timestamp": at});
        })
    };
    let validation = "ValidationException";
    let at_timestamp = queue_at("q", "s", "AT_TIMESTAMP");
    for (body, kind, text) in [
        (
            with(&|b| b["QueueName"] = json!("a b")),
            validation,
            "regular expression pattern",
        ),
        (
            with(&|b| b["QueueName"] = json!("a".repeat(129))),
            validation,
            "less than or equal",
        ),
        (
            with(&|b| b["StreamConfigurationList"] = json!([])),
            validation,
            "greater than or equal",
        ),
        (queue_at("q", "s", "EARLIEST"), validation, "enum value set"),
        (
            with(&|b| b["QueueAttributes"] = json!({"VisibilityTimeoutSeconds": 43_201})),
            validation,
            "less than or equal to 43200",
        ),
        (
            with(&|b| b["QueueAttributes"] = json!({"VisibilityTimeoutSeconds": -1})),
            validation,
            "greater than or equal to 0",
        ),
        (
            with(&|b| {
                b["QueueAttributes"] = json!({"DeadLetterConfiguration": {
            "TargetType": "BUILT_IN", "MaxReceiveCount": 1_001}})
            }),
            validation,
            "1000",
        ),
        (
            with(&|b| {
                let stream = b["StreamConfigurationList"][0].clone();
                b["StreamConfigurationList"] = json!([stream.clone(), stream]);
            }),
            validation,
            "exactly one stream configuration, not 2",
        ),
        (at_timestamp, validation, "is required"),
        (position("LATEST", json!(1.5)), validation, "only expected"),
        (
            position("TRIM_HORIZON", json!(1.5)),
            validation,
            "only expected",
        ),
        (
            with(&|b| {
                b["QueueAttributes"] = json!({"DeadLetterConfiguration": {
            "TargetType": "BUILT_IN"}})
            }),
            validation,
            "MaxReceiveCount is required",
        ),
        (
            queue_at("q", "gone", "LATEST"),
            "ResourceNotFoundException",
            "Stream gone",
        ),
        (
            queue_at("q", "p", "LATEST"),
            validation,
            "Stream p under account 000000000000 is in Provisioned",
        ),
        (
            position("AT_TIMESTAMP", json!(4_000_000_000.0)),
            "InvalidArgumentException",
            "cannot be greater than the currentTimestampInMillis",
        ),
        (
            with(&|b| b["Tags"] = json!({"ä!": ""})),
            "InvalidArgumentException",
            "tags",
        ),
    ] {
        starts(&refused(&lab, "CreateQueue", body).await, kind, text);
    }
    let listed = ok(&lab, "ListQueues", json!({})).await;
    assert_eq!(
        listed["QueueSummaries"],
        json!([]),
        "a refused call changes nothing"
    );
});

wire_test!(
    a_stream_has_to_be_there_before_its_queue,
    ["--transition-ms", "500"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let refusal = refused(&lab, "CreateQueue", queue_at("q", "s", "LATEST")).await;
        starts(
            &refusal,
            "ResourceInUseException",
            "not ACTIVE, instead in state CREATING",
        );
        lab.clock.advance(crate::lab::ms(500)).await;
        let body = json!({"StreamName": "s", "RetentionPeriodHours": 48});
        ok(&lab, "IncreaseStreamRetentionPeriod", body).await;
        create_queue(&lab, "q", "s").await;
        create_stream(&lab, "t").await;
        lab.clock.advance(crate::lab::ms(500)).await;
        ok(&lab, "DeleteStream", json!({"StreamName": "t"})).await;
        let refusal = refused(&lab, "CreateQueue", queue_at("r", "t", "LATEST")).await;
        starts(
            &refusal,
            "ResourceInUseException",
            "not ACTIVE, instead in state DELETING",
        );
    }
);

wire_test!(
    an_unknown_queue_is_not_found_by_any_operation,
    |lab| async move {
        let entry = json!([{"ReceiptHandle": "x", "VisibilityTimeoutSeconds": 1}]);
        for arn in [
            queue_arn("gone"),
            format!("arn:aws:kinesis:{REGION}:12345678901x1:queue/q").replace("x1", ""),
            format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:queue/a/b"),
        ] {
            for operation in [
                "DescribeQueue",
                "UpdateQueue",
                "DeleteQueue",
                "ReceiveQueueRecords",
                "AcknowledgeQueueRecords",
                "UpdateQueueRecordsVisibility",
                "ReceiveDeadLetterQueueRecords",
                "AcknowledgeDeadLetterQueueRecords",
                "UpdateDeadLetterQueueRecordsVisibility",
                "RestoreDeadLetterQueueRecords",
            ] {
                let body = json!({"QueueARN": arn, "Entries": entry, "QueueAttributes": {}});
                let message = lab.json(operation, &body.to_string()).await.refusal();
                let known = ["ResourceNotFoundException", "ValidationException"];
                assert!(
                    known.contains(&message.kind.as_str()),
                    "{operation} {arn}: {message}"
                );
            }
        }
        let resource = json!({"ResourceARN": queue_arn("gone")});
        let refusal = refused(&lab, "ListTagsForResource", resource).await;
        starts(
            &refusal,
            "ResourceNotFoundException",
            "queue/gone not found.",
        );
    }
);

wire_test!(
    requests_that_no_sdk_sends_are_refused_too,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        let handle = |count: usize| vec![json!({"ReceiptHandle": "x"}); count];
        let timeout = |s: i64| json!([{"ReceiptHandle": "x", "VisibilityTimeoutSeconds": s}]);
        for (operation, members) in [
            ("ReceiveQueueRecords", json!({"Limit": 0})),
            ("ReceiveQueueRecords", json!({"Limit": 11})),
            ("ReceiveQueueRecords", json!({"WaitTimeSeconds": 0})),
            (
                "ReceiveDeadLetterQueueRecords",
                json!({"WaitTimeSeconds": 21}),
            ),
            (
                "ReceiveQueueRecords",
                json!({"VisibilityTimeoutSeconds": 43_201}),
            ),
            ("AcknowledgeQueueRecords", json!({"Entries": []})),
            ("AcknowledgeQueueRecords", json!({"Entries": handle(11)})),
            ("AcknowledgeDeadLetterQueueRecords", json!({})),
            ("RestoreDeadLetterQueueRecords", json!({"Entries": [{}]})),
            (
                "AcknowledgeQueueRecords",
                json!({"Entries": [{"ReceiptHandle": "x".repeat(1_025)}]}),
            ),
            (
                "UpdateQueueRecordsVisibility",
                json!({"Entries": handle(1)}),
            ),
            (
                "UpdateQueueRecordsVisibility",
                json!({"Entries": timeout(43_201)}),
            ),
            (
                "UpdateDeadLetterQueueRecordsVisibility",
                json!({"Entries": timeout(-1)}),
            ),
            ("UpdateQueue", json!({})),
        ] {
            let mut body = members.clone();
            body["QueueARN"] = json!(arn);
            let refusal = refused(&lab, operation, body).await;
            starts(
                &refusal,
                "ValidationException",
                "1 validation error detected",
            );
        }
        let body = json!({"QueueARN": arn_of("s")});
        starts(
            &refused(&lab, "DescribeQueue", body).await,
            "ValidationException",
            "queueARN",
        );
    }
);

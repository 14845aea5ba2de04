//! Errors about streams.

use super::refused_in_both;
use crate::lab::{kinesis_test, ms, wire_test};
use serde_json::json;

const NOT_FOUND: &str =
    "ResourceNotFoundException: Stream orders under account 000000000000 not found.";

kinesis_test!(
    a_missing_stream_is_named_with_its_account,
    |lab| async move {
        for (operation, body) in [
            ("DeleteStream", r#"{"StreamName":"orders"}"#),
            ("DescribeStream", r#"{"StreamName":"orders"}"#),
            ("DescribeStreamSummary", r#"{"StreamName":"orders"}"#),
            ("ListShards", r#"{"StreamName":"orders"}"#),
            (
                "PutRecord",
                r#"{"StreamName":"orders","PartitionKey":"k","Data":""}"#,
            ),
            (
                "PutRecords",
                r#"{"StreamName":"orders","Records":[{"PartitionKey":"k","Data":""}]}"#,
            ),
        ] {
            assert_eq!(
                refused_in_both(&lab, operation, body).await,
                NOT_FOUND,
                "{operation}"
            );
        }
    }
);

wire_test!(
    a_stream_missed_by_its_arn_is_named_with_the_account_of_the_arn,
    |lab| async move {
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/orders";
        let expected =
            "ResourceNotFoundException: Stream orders under account 123456789012 not found.";
        for (operation, rest) in [
            ("DeleteStream", ""),
            ("DescribeStream", ""),
            ("DescribeStreamSummary", ""),
            ("ListShards", ""),
            ("PutRecord", r#","PartitionKey":"k","Data":"""#),
            (
                "PutRecords",
                r#","Records":[{"PartitionKey":"k","Data":""}]"#,
            ),
        ] {
            let body = format!(r#"{{"StreamARN":"{arn}"{rest}}}"#);
            assert_eq!(
                refused_in_both(&lab, operation, &body).await,
                expected,
                "{operation}"
            );
        }
    }
);

wire_test!(a_stream_has_to_be_given_by_name_or_arn, |lab| async move {
    let expected =
        "InvalidArgumentException: Stream arn and stream name can't be empty at the same time";
    for (operation, body) in [
        ("DeleteStream", "{}"),
        ("DescribeStream", "{}"),
        ("DescribeStreamSummary", "{}"),
        (
            "GetShardIterator",
            r#"{"ShardId":"shardId-0","ShardIteratorType":"LATEST"}"#,
        ),
        ("PutRecord", r#"{"PartitionKey":"k","Data":""}"#),
        (
            "PutRecords",
            r#"{"Records":[{"PartitionKey":"k","Data":""}]}"#,
        ),
    ] {
        assert_eq!(
            refused_in_both(&lab, operation, body).await,
            expected,
            "{operation}"
        );
    }
});

// The live service was recorded with this message (radkawar/stackd,
// testdata/aws/kinesis/controls.json).
wire_test!(an_arn_is_in_the_region_of_the_request, |lab| async move {
    lab.stream("orders").create().await;
    let arn = "arn:aws:kinesis:us-west-2:000000000000:stream/orders";
    let expected = format!(
        "InvalidArgumentException: The region specified in the ARN '{arn}' does not match the \
         endpoint region"
    );
    for (operation, rest) in [
        ("DescribeStreamSummary", json!({})),
        ("PutRecord", json!({"PartitionKey": "k", "Data": ""})),
        ("RegisterStreamConsumer", json!({"ConsumerName": "c"})),
        ("ListStreamConsumers", json!({})),
    ] {
        let mut body = rest;
        body["StreamARN"] = json!(arn);
        let got = refused_in_both(&lab, operation, &body.to_string()).await;
        assert_eq!(got, expected, "{operation}");
    }
});

wire_test!(a_name_and_an_arn_have_to_agree, |lab| async move {
    lab.stream("orders").create().await;
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
    let got = lab
        .refusal(
            "DescribeStream",
            &json!({"StreamName": "other", "StreamARN": arn}).to_string(),
        )
        .await;
    let expected = "InvalidArgumentException: Input stream name other doesn't match the inferred \
                    name in stream arn orders";
    assert_eq!(got, expected);
    let both = json!({"StreamName": "orders", "StreamARN": arn}).to_string();
    lab.ok("DescribeStream", &both).await;
});

kinesis_test!(
    a_taken_name_is_refused_before_the_limits,
    ["--limit", "shards-per-account=2"],
    |lab| {
        async move {
            lab.stream("orders").create().await;
            let body = r#"{"StreamName":"orders","ShardCount":5}"#;
            assert_eq!(
                refused_in_both(&lab, "CreateStream", body).await,
                "ResourceInUseException: Stream orders under account 000000000000 already exists."
            );
        }
    }
);

wire_test!(
    open_shards_of_an_account_are_counted_and_shown,
    ["--limit", "shards-per-account=50"],
    |lab| {
        async move {
            lab.stream("one").shards(3).create().await;
            let body = r#"{"StreamName":"orders","ShardCount":1000}"#;
            let expected = "LimitExceededException: This request would exceed the shard limit for the \
             account 000000000000 in us-east-1. Current shard count for the account: 3. Limit: 50. \
             Number of additional shards that would have resulted from this request: 1000. Refer \
             to the AWS Service Limits page \
             (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current \
             limits and how to request higher limits.";
            assert_eq!(refused_in_both(&lab, "CreateStream", body).await, expected);
            lab.stream("rest").shards(47).create().await;
            let got = lab
                .refusal("CreateStream", r#"{"StreamName":"more","ShardCount":1}"#)
                .await;
            assert!(
                got.contains("Current shard count for the account: 50. Limit: 50."),
                "{got}"
            );
        }
    }
);

wire_test!(
    a_huge_shard_count_is_clamped_and_runs_into_the_limit,
    |lab| async move {
        let body = r#"{"StreamName":"orders","ShardCount":4294967296}"#;
        let got = refused_in_both(&lab, "CreateStream", body).await;
        assert!(got.starts_with("LimitExceededException: "), "{got}");
        assert!(
            got.contains("resulted from this request: 2147483647. Refer"),
            "{got}"
        );
    }
);

wire_test!(
    too_many_streams_in_transition_are_refused_in_the_services_spelling,
    [
        "--limit",
        "streams-in-transition=5",
        "--transition-ms",
        "500"
    ],
    |lab| async move {
        for name in ["a", "b", "c", "d", "e"] {
            lab.stream(name).create().await;
        }
        let expected = "LimitExceededException: This request would have exceed the limit on the \
             number  of streams that can simultaneously be in CREATING or DELETING for the account \
             000000000000. Limit: 5.";
        let create = r#"{"StreamName":"f","ShardCount":1}"#;
        assert_eq!(
            refused_in_both(&lab, "CreateStream", create).await,
            expected
        );
        lab.clock.advance(ms(500)).await;
        lab.ok("CreateStream", create).await;
    }
);

kinesis_test!(
    states_that_forbid_an_operation_are_named,
    ["--transition-ms", "1000"],
    |lab| {
        async move {
            lab.stream("orders").create().await;
            let named = r#"{"StreamName":"orders"}"#;
            let not_active = |state: &str| {
                format!(
                    "ResourceInUseException: Stream orders under account 000000000000 not ACTIVE, \
                 instead in state {state}"
                )
            };
            assert_eq!(
                lab.refusal("ListShards", named).await,
                not_active("CREATING")
            );
            let put = r#"{"StreamName":"orders","PartitionKey":"k","Data":""}"#;
            assert_eq!(lab.refusal("PutRecord", put).await, NOT_FOUND);
            let puts = r#"{"StreamName":"orders","Records":[{"PartitionKey":"k","Data":""}]}"#;
            assert_eq!(lab.refusal("PutRecords", puts).await, NOT_FOUND);
            let iterate =
                r#"{"StreamName":"orders","ShardId":"shardId-0","ShardIteratorType":"LATEST"}"#;
            assert_eq!(
                lab.refusal("GetShardIterator", iterate).await,
                "ResourceNotFoundException: Shard shardId-000000000000 in stream orders under account \
             000000000000 does not exist"
            );
            lab.clock.advance(ms(1000)).await;
            lab.ok("PutRecord", put).await;
            lab.ok("DeleteStream", named).await;
            assert_eq!(
                lab.refusal("DeleteStream", named).await,
                not_active("DELETING")
            );
            assert_eq!(
                lab.refusal("ListShards", named).await,
                not_active("DELETING")
            );
            assert_eq!(lab.refusal("PutRecord", put).await, NOT_FOUND);
            assert_eq!(lab.refusal("PutRecords", puts).await, NOT_FOUND);
            lab.clock.advance(ms(1000)).await;
            assert_eq!(lab.refusal("DescribeStream", named).await, NOT_FOUND);
        }
    }
);

wire_test!(mode_and_shard_count_have_to_fit, |lab| async move {
    let create = |rest: &str| format!(r#"{{"StreamName":"s",{rest}}}"#);
    let on_demand = r#""StreamModeDetails":{"StreamMode":"ON_DEMAND"}"#;
    let provisioned = r#""StreamModeDetails":{"StreamMode":"PROVISIONED"}"#;
    let warm_and_shards = "InvalidArgumentException: Either 'warmThroughputMiBps' or 'shardCount' \
         can be set but not both";
    for (rest, expected) in [
        (
            format!(r#""ShardCount":1,{on_demand}"#),
            "InvalidArgumentException: ShardCount is not expected when StreamMode=ON_DEMAND",
        ),
        (
            provisioned.to_owned(),
            "InvalidArgumentException: ShardCount is expected when StreamMode=PROVISIONED",
        ),
        (
            r#""ShardCount":1,"WarmThroughputMiBps":10"#.to_owned(),
            warm_and_shards,
        ),
        (
            format!(r#""ShardCount":1,"WarmThroughputMiBps":10,{on_demand}"#),
            warm_and_shards,
        ),
        (
            format!(r#""WarmThroughputMiBps":10,{provisioned}"#),
            "InvalidArgumentException: WarmThroughputMiBps cannot be set while creating stream in \
             Provisioned StreamMode",
        ),
        (
            format!(r#"{on_demand},"WarmThroughputMiBps":10"#),
            "ValidationException: Account 000000000000 is not enabled for minimum throughput \
             billing commitment",
        ),
        (
            r#""ShardCount":1,"RecordDistributionStrategy":"AUTO""#.to_owned(),
            "InvalidArgumentException: Record distribution strategy AUTO is only supported for \
             streams in On-Demand mode.",
        ),
    ] {
        assert_eq!(
            refused_in_both(&lab, "CreateStream", &create(&rest)).await,
            expected
        );
    }
    assert_eq!(lab.everything().await, json!([]));
});

wire_test!(tags_are_refused_in_three_ways, |lab| async move {
    let characters = "InvalidArgumentException: Some tags contain invalid characters. Valid \
         characters: Unicode letters, digits, white space, _ . / = + - % @.";
    let illegal = "InvalidArgumentException: Failed to add tags to stream s under account \
         000000000000 because some tags contained illegal characters. The allowed characters are \
         Unicode letters, white-spaces, '_',',','/','=','+','-','@'.";
    let reserved = "InvalidArgumentException: Some tag keys in the request started with 'aws:'. \
         System tags cannot be modified.";
    let too_many = "InvalidArgumentException: Failed to add tags to stream s under account \
         000000000000 because a given stream cannot have more than 10 tags associated with it.";
    let many = |count: usize| {
        (0..count)
            .map(|at| (format!("k{at}"), "v".into()))
            .collect()
    };
    let create = |tags: serde_json::Value| {
        json!({"StreamName": "s", "ShardCount": 1, "Tags": tags}).to_string()
    };
    for (tags, expected) in [
        (json!({"a;b": "v"}), characters),
        (json!({"a": "b\tc"}), characters),
        (json!({"a": "b,c"}), characters),
        (json!({"a\n": ""}), characters),
        (json!({"a": "\u{2190}"}), characters),
        (json!({"a%": "v"}), illegal),
        (json!({"a": "100%"}), illegal),
        (json!({"aws:owner": "me"}), reserved),
        (serde_json::Value::Object(many(51)), too_many),
        (json!({"a%": ";"}), characters),
    ] {
        assert_eq!(
            refused_in_both(&lab, "CreateStream", &create(tags)).await,
            expected
        );
    }
    assert_eq!(lab.everything().await, json!([]), "nothing is created");
    let fine = json!({"a b": "", "_./=+-@:": "é\u{2C00}", "ключ": "9"});
    lab.ok("CreateStream", &create(fine)).await;
    let fifty = json!({"StreamName": "t", "ShardCount": 1, "Tags": many(50)}).to_string();
    lab.ok("CreateStream", &fifty).await;
});

wire_test!(a_taken_name_is_refused_before_its_tags, |lab| async move {
    lab.stream("s").create().await;
    let got = lab
        .refusal(
            "CreateStream",
            r#"{"StreamName":"s","ShardCount":1,"Tags":{"a%":"b"}}"#,
        )
        .await;
    assert!(got.starts_with("ResourceInUseException: "), "{got}");
});

wire_test!(
    recorded_code_points_are_accepted_in_tags,
    |lab| async move {
        // The service was recorded to accept these characters whatever their class: U+00C0 to
        // U+1FFF and U+2C00 to U+D7FF.
        for (at, character) in [
            '\u{D7}', '\u{F7}', '\u{300}', '\u{37E}', '\u{1FFF}', '\u{2E00}', '\u{3000}',
            '\u{D7FF}',
        ]
        .into_iter()
        .enumerate()
        {
            let body = json!({
                "StreamName": format!("s{at}"), "ShardCount": 1, "Tags": {character.to_string(): "v"},
            });
            lab.ok("CreateStream", &body.to_string()).await;
        }
    }
);

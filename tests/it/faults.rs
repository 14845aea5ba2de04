//! Fault rules: over HTTP, by option and from Rust, with the AWS SDK as the client.

mod access;
mod rules;

use crate::lab::{
    ACCOUNT, Events, Lab, Pushed, Request, SHARD_0, Stream, arn_of, block_on, ms, ok, refused,
    seconds, wire_test,
};
use aws_sdk_kinesis::error::SdkError;
use serde_json::{Value, json};

const FAULTS: &str = "/_minikin/faults";

/// Sends a request to the path of the fault rules. Returns the status and the document.
async fn send(lab: &Lab, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = lab
        .send(&Request::bare(method, path).body(body.as_bytes()))
        .await;
    let value = match answer.body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&answer.body).unwrap(),
    };
    (answer.status, value)
}

/// Adds a rule, and returns its id.
async fn add(lab: &Lab, rule: Value) -> u64 {
    let (status, added) = send(lab, "POST", FAULTS, &rule).await;
    assert_eq!(status, 200, "{added}");
    added["faults"][0]["id"].as_u64().unwrap()
}

/// The hits of every rule.
async fn hits(lab: &Lab) -> Vec<u64> {
    let (_, listed) = send(lab, "GET", FAULTS, &Value::Null).await;
    let rules = listed["faults"].as_array().unwrap().iter();
    rules.map(|rule| rule["hits"].as_u64().unwrap()).collect()
}

async fn clear(lab: &Lab) {
    assert_eq!(send(lab, "DELETE", FAULTS, &Value::Null).await.0, 204);
}

const PUT: &str = r#"{"StreamName":"orders","PartitionKey":"key","Data":"AAAA"}"#;

wire_test!(each_kind_answers_as_the_service_does, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let iterator = stream.horizon(SHARD_0).await;
    let get = json!({ "ShardIterator": iterator }).to_string();
    for (rule, operation, body, expected) in [
        (
            json!({"kind": "throughput-exceeded"}),
            "PutRecord",
            PUT,
            "ProvisionedThroughputExceededException: Rate exceeded for shard \
                 shardId-000000000000 in stream orders under account 000000000000.",
        ),
        (
            json!({"kind": "throughput-exceeded"}),
            "GetRecords",
            &get,
            "ProvisionedThroughputExceededException: Rate exceeded for Shard - \
                 000000000000/orders/shardId-000000000000",
        ),
        (
            json!({"kind": "expired-iterator"}),
            "GetRecords",
            &get,
            "ExpiredIteratorException: Iterator expired. The iterator was created at time Tue \
                 Nov 14 22:08:19 UTC 2023 while right now it is Tue Nov 14 22:13:20 UTC 2023 which \
                 is further in the future than the tolerated delay of 300000 milliseconds.",
        ),
        (
            json!({"kind": "internal-error"}),
            "ListStreams",
            "{}",
            "500 InternalFailure",
        ),
        (
            json!({"kind": "unavailable"}),
            "PutRecord",
            PUT,
            "503 ServiceUnavailable: The request has failed due to a temporary failure of the \
                 server.",
        ),
        (
            json!({"kind": "throttle"}),
            "ListStreams",
            "{}",
            "ThrottlingException: Rate exceeded",
        ),
        (
            json!({"kind": "kms", "code": "KMSDisabledException"}),
            "PutRecord",
            PUT,
            "KMSDisabledException: arn:aws:kms:us-east-1:000000000000:alias/aws/kinesis is \
                 disabled.",
        ),
        (
            json!({"kind": "kms", "code": "KMSAccessDeniedException"}),
            "GetRecords",
            &get,
            "KMSAccessDeniedException: User arn:aws:iam::000000000000:root is not authorized \
                 to decrypt records in stream 000000000000:orders",
        ),
    ] {
        add(&lab, rule.clone()).await;
        for _ in 0..2 {
            assert_eq!(lab.refusal(operation, body).await, expected, "{rule}");
        }
        assert_eq!(hits(&lab).await, [2], "{rule}");
        clear(&lab).await;
        lab.ok(operation, body).await;
    }
    assert_eq!(
        stream.read_all().await.len(),
        3,
        "only the calls without a fault wrote"
    );
});

wire_test!(
    a_kms_rule_hits_the_calls_that_use_the_key,
    |lab| async move {
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let stream = json!({"StreamARN": arn_of("s")});
        let body = json!({"QueueName": "q", "StreamConfigurationList": [stream]});
        let created = ok(&lab, "CreateQueue", body).await;
        let queue = json!({"QueueARN": created["QueueDescription"]["QueueARN"]});
        let entries = json!([{"ReceiptHandle": "x"}]);
        let code = "KMSAccessDeniedException";
        let receives = ["ReceiveQueueRecords", "ReceiveDeadLetterQueueRecords"];
        for rule in [
            json!({"kind": "kms", "code": code}),
            json!({"kind": "kms", "code": code, "operations": receives, "stream": "s"}),
        ] {
            add(&lab, rule).await;
            for operation in receives {
                let refusal = refused(&lab, operation, queue.clone()).await;
                let expected = format!("decrypt records in stream {ACCOUNT}:s");
                assert!(
                    refusal.starts_with(code) && refusal.contains(&expected),
                    "{refusal}"
                );
            }
            // A request with a receipt handle needs no KMS key.
            let mut acknowledge = queue.clone();
            acknowledge["Entries"] = entries.clone();
            ok(&lab, "AcknowledgeQueueRecords", acknowledge).await;
            ok(&lab, "DescribeQueue", queue.clone()).await;
            assert_eq!(hits(&lab).await, [4], "two calls in two formats");
            clear(&lab).await;
        }
    }
);

wire_test!(a_kms_rule_hits_requests_that_name_a_key, |lab| async move {
    ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
    let operations = ["CreateChannel", "StartStreamEncryption"];
    add(
        &lab,
        json!({"kind": "kms", "code": "KMSDisabledException", "operations": operations,
                "stream": "s"}),
    )
    .await;
    let expected = |key: &str| {
        format!("KMSDisabledException: arn:aws:kms:us-east-1:{ACCOUNT}:{key} is disabled.")
    };
    let mut channel = crate::channels::to_bucket("n", "s");
    let refusal = refused(&lab, "CreateChannel", channel.clone()).await;
    assert_eq!(refusal, expected("alias/aws/kinesis"));
    channel["EncryptionConfiguration"] = json!({"EncryptionType": "KMS", "KeyId": "alias/own"});
    let refusal = refused(&lab, "CreateChannel", channel).await;
    assert_eq!(refusal, expected("alias/own"));
    let encrypt = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/own"});
    let refusal = refused(&lab, "StartStreamEncryption", encrypt).await;
    assert_eq!(refusal, expected("alias/own"));
    assert_eq!(hits(&lab).await, [6], "three calls in two formats");
    let listed = ok(&lab, "ListChannels", json!({})).await;
    assert_eq!(listed["ChannelSummaries"], json!([]));
});

wire_test!(
    a_rule_with_a_stream_hits_the_calls_about_its_queues,
    |lab| async move {
        for name in ["s", "t"] {
            ok(&lab, "CreateStream", json!({"StreamName": name})).await;
        }
        let create = |queue: &str, stream: &str| {
            let stream = json!({"StreamARN": arn_of(stream)});
            json!({"QueueName": queue, "StreamConfigurationList": [stream]})
        };
        add(&lab, json!({"kind": "throttle", "stream": "s"})).await;
        let refusal = refused(&lab, "CreateQueue", create("q", "s")).await;
        assert_eq!(refusal, "ThrottlingException: Rate exceeded");
        let stream = |name: &str| {
            let records = json!({"RecordFormatType": "JSON"});
            json!([{"StreamARN": arn_of(name), "RecordConfiguration": records}])
        };
        let channel = |name: &str| {
            let role = "arn:aws:iam::000000000000:role/r";
            json!({"ChannelName": "c", "ServiceExecutionRoleARN": role,
                "StreamConfigurationList": stream(name)})
        };
        let refusal = refused(&lab, "CreateChannel", channel("s")).await;
        assert_eq!(refusal, "ThrottlingException: Rate exceeded");
        let refusal = refused(&lab, "CreateChannel", channel("t")).await;
        assert!(!refusal.starts_with("ThrottlingException"), "{refusal}");
        let created = ok(&lab, "CreateQueue", create("other", "t")).await;
        let other = json!({"QueueARN": created["QueueDescription"]["QueueARN"]});
        ok(&lab, "DescribeQueue", other).await;
        assert_eq!(hits(&lab).await, [4], "two calls in two formats");
        clear(&lab).await;
        let created = ok(&lab, "CreateQueue", create("q", "s")).await;
        let queue = json!({"QueueARN": created["QueueDescription"]["QueueARN"]});
        add(&lab, json!({"kind": "throttle", "stream": arn_of("s")})).await;
        refused(&lab, "DescribeQueue", queue.clone()).await;
        refused(&lab, "DeleteQueue", queue).await;
        assert_eq!(hits(&lab).await, [4], "two calls in two formats");
    }
);

wire_test!(
    a_share_of_the_entries_of_a_put_records_fails_and_the_others_are_written,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let all: Vec<_> = (0..400).map(|at| ("key", at.to_string())).collect();
        for (rule, code, message) in [
            (
                json!({"kind": "throughput-exceeded", "operations": ["PutRecords"], "percent": 25, "seed": 7}),
                "ProvisionedThroughputExceededException",
                "Rate exceeded for shard shardId-000000000000 in stream orders under account 000000000000.",
            ),
            (
                json!({"kind": "fail-entries", "code": "InternalFailure", "percent": 25, "seed": 7}),
                "InternalFailure",
                "Internal Service Failure",
            ),
        ] {
            let mut patterns = Vec::new();
            for _ in 0..2 {
                // A rule that is added again starts its random choices from its seed again.
                add(&lab, rule.clone()).await;
                let put = stream.put_records(&all).await;
                clear(&lab).await;
                let mut failed = Vec::new();
                for (at, result) in put.records.iter().enumerate() {
                    if let Some(found) = &result.error_code {
                        assert_eq!(found, code);
                        assert_eq!(result.error_message.as_deref(), Some(message));
                        failed.push(at);
                    }
                }
                assert_eq!(
                    put.failed_record_count,
                    Some(i32::try_from(failed.len()).unwrap())
                );
                assert!((60..140).contains(&failed.len()), "{}", failed.len());
                patterns.push(failed);
            }
            assert_eq!(
                patterns[0], patterns[1],
                "the same seed fails the same entries"
            );
            let written = 2 * (all.len() - patterns[0].len());
            let read = stream.read_all().await;
            assert_eq!(read.len() % written, 0, "{} of {written}", read.len());
        }
    }
);

wire_test!(
    a_rule_hits_its_stream_and_its_shard_only,
    |lab| async move {
        let orders = lab.stream("orders").shards(2).create().await;
        let other = lab.stream("other").create().await;
        let rule = json!({
            "kind": "throughput-exceeded", "stream": "orders", "shard": "shardId-1", "times": 3
        });
        let (status, added) = send(&lab, "POST", FAULTS, &rule).await;
        assert_eq!(
            (status, &added["faults"][0]["shard"]),
            (200, &json!("shardId-000000000001"))
        );
        other.put("key", "0").await;
        orders.put_at("0", "0").await;
        let upper = "340282366920938463463374607431768211455";
        let record = |key: &str| json!({"PartitionKey": "k", "ExplicitHashKey": key, "Data": ""});
        let body = json!({"StreamName": "orders", "Records": [record("0"), record(upper)]});
        let put = lab.ok("PutRecords", &body.to_string()).await;
        assert_eq!(put["FailedRecordCount"], 1, "{put}");
        assert_eq!(put["Records"][0]["ShardId"], SHARD_0);
        let iterate = |shard: &str| {
            json!({"StreamName": "orders", "ShardId": shard, "ShardIteratorType": "LATEST"})
                .to_string()
        };
        lab.ok("GetShardIterator", &iterate(SHARD_0)).await;
        let refusal = lab
            .refusal("GetShardIterator", &iterate("shardId-000000000001"))
            .await;
        assert!(
            refusal.starts_with("ProvisionedThroughputExceeded"),
            "{refusal}"
        );
        assert_eq!(hits(&lab).await, [2]);
    }
);

wire_test!(
    calls_before_after_and_beyond_times_are_served,
    |lab| async move {
        add(
            &lab,
            json!({"kind": "internal-error", "after": 1, "times": 2}),
        )
        .await;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(lab.json("ListStreams", "{}").await.status);
        }
        assert_eq!(statuses, [200, 500, 500, 200, 200]);
        clear(&lab).await;
        let until = json!({"kind": "internal-error", "until": "2023-11-14T22:13:25Z"});
        add(&lab, until).await;
        assert_eq!(lab.json("ListStreams", "{}").await.status, 500);
        lab.clock.advance(seconds(5)).await;
        assert_eq!(lab.json("ListStreams", "{}").await.status, 200);
    }
);

wire_test!(
    a_delay_holds_a_call_until_the_clock_is_moved,
    |lab| async move {
        add(
            &lab,
            json!({"kind": "delay", "delay_ms": 5000, "operations": ["ListStreams"]}),
        )
        .await;
        let waiting = async {
            let answer = lab.json("ListStreams", "{}").await;
            (answer.status, lab.clock.now_ms())
        };
        let moving = async {
            // The hit of the rule shows that the call is waiting.
            crate::lab::until("the call to wait", async || {
                (hits(&lab).await == [1]).then_some(())
            })
            .await;
            lab.clock.advance(ms(4999)).await;
            lab.clock.advance(ms(1)).await;
        };
        let start = lab.clock.now_ms();
        let ((status, end), ()) = tokio::join!(waiting, moving);
        assert_eq!((status, end - start), (200, 5000));
    }
);

wire_test!(
    a_lost_answer_has_done_its_work_and_a_reset_connection_has_not,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        for (kind, written) in [("drop-answer", 1), ("reset-connection", 1)] {
            add(
                &lab,
                json!({"kind": kind, "operations": ["PutRecord"], "times": 1}),
            )
            .await;
            let mut connection = lab.connect().await;
            connection
                .send(&Request::json("PutRecord", PUT).bytes())
                .await;
            assert_eq!(
                connection.rest().await,
                b"",
                "{kind}: the connection closes"
            );
            assert_eq!(stream.read_all().await.len(), written, "{kind}");
            assert_eq!(hits(&lab).await, [1]);
            clear(&lab).await;
        }
        for kind in ["drop-answer", "reset-connection"] {
            add(
                &lab,
                json!({"kind": kind, "operations": ["PutRecord"], "times": 1}),
            )
            .await;
            let put = stream.client.put_record().stream_name("orders");
            let put = put
                .partition_key("k")
                .data(aws_sdk_kinesis::primitives::Blob::new("x"));
            let failed = put.send().await.unwrap_err();
            assert!(
                matches!(failed, SdkError::DispatchFailure(_)),
                "{kind}: {failed:?}"
            );
            clear(&lab).await;
        }
    }
);

wire_test!(
    a_subscription_ends_with_the_failure_of_its_rule,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("key", "0").await;
        let register = json!({"StreamARN": stream.arn(), "ConsumerName": "c"}).to_string();
        let consumer = lab.ok("RegisterStreamConsumer", &register).await;
        let body = json!({
            "ConsumerARN": consumer["Consumer"]["ConsumerARN"], "ShardId": SHARD_0,
            "StartingPosition": {"Type": "TRIM_HORIZON"}
        });
        add(
            &lab,
            json!({"kind": "end-subscription", "stream": stream.arn(), "after": 1}),
        )
        .await;
        let request = Request::json("SubscribeToShard", &body.to_string());
        let mut events = Events::begin(lab.connect().await, &request).await.unwrap();
        assert!(matches!(events.next().await, Pushed::Event(_)));
        lab.clock.advance(seconds(5)).await;
        let failure = "InternalFailureException".to_owned();
        assert_eq!(events.next().await, Pushed::Exception(failure));
        assert_eq!(events.next().await, Pushed::End);
        assert_eq!(hits(&lab).await, [1]);
    }
);

#[test]
fn options_set_rules_in_both_forms() {
    block_on(async {
        let short = "kind=internal-error,operations=ListStreams+PutRecord,times=1";
        let long = r#"{"kind": "unavailable", "operations": ["ListStreams"]}"#;
        let flags = ["--fault", short, "--fault", long];
        let lab = Lab::start(crate::lab::Place::Memory, &flags).await;
        let stream = lab.stream("orders").create().await;
        assert_eq!(lab.json("ListStreams", "{}").await.status, 500);
        assert_eq!(lab.json("ListStreams", "{}").await.status, 503);
        Stream::existing(&lab, &stream.name).put("key", "0").await;
        assert_eq!(hits(&lab).await, [1, 1]);
        lab.stop().await;
    });
}

//! Streams and consumers that resource policies share with other accounts.

use super::{
    ABROAD, BY_RESOURCE, NO_IDENTITY, NO_RESOURCE, OWNER, READER, READER_ARN, STRANGER,
    STRANGER_ARN, arn_of, by, denied, ok, policies, record, refusal, under,
};
use crate::lab::{Events, Lab, Place, Pushed, REGION, Request, SHARD_0, run, wire_test};
use aws_sdk_kinesis::error::ProvideErrorMetadata as _;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::ShardIteratorType;
use serde_json::{Value, json};

/// Sets a policy of one statement for a resource.
async fn share(lab: &Lab, arn: &str, effect: &str, principal: &str, actions: Value) {
    let statement = json!({
        "Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": arn,
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let body = json!({"ResourceARN": arn, "Policy": policy});
    ok(lab, OWNER, "PutResourcePolicy", body).await;
}

fn all() -> Value {
    json!({"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"})
}

#[test]
fn across_accounts_both_sides_have_to_allow() {
    let stranger = json!({"Effect": "Allow", "Action": "kinesis:Put*", "Resource": "*"});
    under(&policies(&Value::Null, &stranger), |lab| async move {
        let arn = lab.stream("s").create().await.arn();
        let client = lab.client_of(STRANGER, REGION);
        let put = || {
            let put = client.put_record().stream_arn(&arn).partition_key("k");
            put.data(Blob::new("v")).send()
        };
        let error = put().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("AccessDeniedException"));
        let outcome = refusal(&lab, STRANGER, "PutRecord", &record(&arn)).await;
        assert_eq!(
            outcome,
            Some(denied(STRANGER_ARN, "PutRecord", &arn, NO_RESOURCE))
        );
        share(
            &lab,
            &arn,
            "Allow",
            ABROAD,
            json!(["kinesis:PutRecord", "kinesis:ListShards"]),
        )
        .await;
        assert_eq!(put().await.unwrap().shard_id, SHARD_0);
        // The resource policy alone is not enough. A policy of the user's own account must permit
        // the request, too.
        let list = json!({"StreamARN": arn});
        let outcome = refusal(&lab, STRANGER, "ListShards", &list).await;
        assert_eq!(
            outcome,
            Some(denied(STRANGER_ARN, "ListShards", &arn, NO_IDENTITY))
        );
        // The root of that account needs no policy of its own.
        assert_eq!(refusal(&lab, ABROAD, "ListShards", &list).await, None);
        let root = format!("arn:aws:iam::{ABROAD}:root");
        let outcome = refusal(&lab, ABROAD, "DescribeStreamSummary", &list).await;
        assert_eq!(
            outcome,
            Some(denied(&root, "DescribeStreamSummary", &arn, NO_RESOURCE))
        );
        share(&lab, &arn, "Deny", STRANGER_ARN, json!("kinesis:PutRecord")).await;
        let outcome = refusal(&lab, STRANGER, "PutRecord", &record(&arn)).await;
        assert_eq!(
            outcome,
            Some(denied(STRANGER_ARN, "PutRecord", &arn, BY_RESOURCE))
        );
        ok(
            &lab,
            OWNER,
            "DeleteResourcePolicy",
            json!({"ResourceARN": arn}),
        )
        .await;
        let outcome = refusal(&lab, ABROAD, "PutRecord", &record(&arn)).await;
        assert_eq!(outcome, Some(denied(&root, "PutRecord", &arn, NO_RESOURCE)));
    });
}

#[test]
fn a_stream_is_shared_the_other_way_too() {
    under(&policies(&all(), &Value::Null), |lab| async move {
        ok(
            &lab,
            ABROAD,
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 1}),
        )
        .await;
        let arn = arn_of("s").replace("000000000000", ABROAD);
        let outcome = refusal(&lab, READER, "PutRecord", &record(&arn)).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutRecord", &arn, NO_RESOURCE))
        );
        let policy = json!({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "kinesis:PutRecord", "Resource": "*",
        }});
        let body = json!({"ResourceARN": arn, "Policy": policy.to_string()});
        // Only the owner's account may set the policy of the stream, whatever the policy permits.
        let outcome = refusal(&lab, READER, "PutResourcePolicy", &body).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutResourcePolicy", &arn, NO_RESOURCE))
        );
        ok(&lab, ABROAD, "PutResourcePolicy", body).await;
        assert_eq!(
            refusal(&lab, READER, "PutRecord", &record(&arn)).await,
            None
        );
    });
}

#[test]
fn only_data_is_shared_never_the_stream_itself() {
    under(&policies(&Value::Null, &all()), |lab| async move {
        let arn = lab.stream("s").create().await.arn();
        share(&lab, &arn, "Allow", ABROAD, json!("kinesis:*")).await;
        let named = json!({"StreamARN": arn});
        for operation in ["DescribeStream", "DescribeStreamSummary", "ListShards"] {
            assert_eq!(refusal(&lab, STRANGER, operation, &named).await, None);
        }
        for operation in ["DeleteStream", "ListTagsForStream", "ListStreamConsumers"] {
            let outcome = refusal(&lab, STRANGER, operation, &named).await;
            assert_eq!(
                outcome,
                Some(denied(STRANGER_ARN, operation, &arn, NO_RESOURCE))
            );
        }
        for operation in [
            "GetResourcePolicy",
            "DeleteResourcePolicy",
            "ListTagsForResource",
        ] {
            let outcome = refusal(&lab, STRANGER, operation, &json!({"ResourceARN": arn})).await;
            assert_eq!(
                outcome,
                Some(denied(STRANGER_ARN, operation, &arn, NO_RESOURCE))
            );
        }
    });
}

#[test]
fn within_an_account_the_policy_of_the_resource_is_enough() {
    under(&policies(&Value::Null, &Value::Null), |lab| async move {
        let arn = lab.stream("s").create().await.arn();
        let outcome = refusal(&lab, READER, "PutRecord", &record("s")).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutRecord", &arn, NO_IDENTITY))
        );
        // The resource policy permits the request to the account as a whole. The user also needs a
        // policy of the account.
        share(
            &lab,
            &arn,
            "Allow",
            "000000000000",
            json!("kinesis:PutRecord"),
        )
        .await;
        let outcome = refusal(&lab, READER, "PutRecord", &record("s")).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutRecord", &arn, NO_IDENTITY))
        );
        share(&lab, &arn, "Allow", READER_ARN, json!("kinesis:PutRecord")).await;
        assert_eq!(refusal(&lab, READER, "PutRecord", &record("s")).await, None);
        share(&lab, &arn, "Deny", "*", json!("kinesis:PutRecord")).await;
        let outcome = refusal(&lab, READER, "PutRecord", &record("s")).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutRecord", &arn, BY_RESOURCE))
        );
        let root = "arn:aws:iam::000000000000:root";
        let outcome = refusal(&lab, OWNER, "PutRecord", &record("s")).await;
        assert_eq!(outcome, Some(denied(root, "PutRecord", &arn, BY_RESOURCE)));
    });
}

#[test]
fn a_consumer_is_shared_apart_from_its_stream() {
    under(&policies(&Value::Null, &all()), |lab| async move {
        let stream = lab.stream("s").create().await;
        let register = json!({"StreamARN": stream.arn(), "ConsumerName": "c"});
        let registered = ok(&lab, OWNER, "RegisterStreamConsumer", register).await;
        let consumer = registered["Consumer"]["ConsumerARN"].as_str().unwrap();
        let body = json!({
            "ConsumerARN": consumer, "ShardId": SHARD_0,
            "StartingPosition": {"Type": "TRIM_HORIZON"},
        });
        let subscribe = by(
            STRANGER,
            Request::json("SubscribeToShard", &body.to_string()),
        );
        share(&lab, &stream.arn(), "Allow", "*", json!("*")).await;
        let message = Events::begin(lab.connect().await, &subscribe)
            .await
            .unwrap_err();
        let expected = denied(STRANGER_ARN, "SubscribeToShard", consumer, NO_RESOURCE);
        assert_eq!(message.refusal().to_string(), expected);
        let actions = json!(["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"]);
        share(&lab, consumer, "Allow", STRANGER_ARN, actions).await;
        stream.put("k", "shared").await;
        let mut events = Events::begin(lab.connect().await, &subscribe)
            .await
            .unwrap();
        let Pushed::Event(event) = events.next().await else {
            panic!("an event is pushed");
        };
        assert_eq!(event["Records"][0]["Data"], "c2hhcmVk");
        // The refusal for a consumer's name is the same as the refusal for its ARN.
        let by_name = json!({"StreamARN": stream.arn(), "ConsumerName": "c"});
        for body in [json!({"ConsumerARN": consumer}), by_name] {
            assert_eq!(
                refusal(&lab, STRANGER, "DescribeStreamConsumer", &body).await,
                None
            );
            let outcome = refusal(&lab, STRANGER, "DeregisterStreamConsumer", &body).await;
            let expected = denied(
                STRANGER_ARN,
                "DeregisterStreamConsumer",
                consumer,
                NO_RESOURCE,
            );
            assert_eq!(outcome, Some(expected));
        }
        let policy = json!({"ResourceARN": consumer});
        ok(&lab, OWNER, "DeleteResourcePolicy", policy).await;
        let message = Events::begin(lab.connect().await, &subscribe)
            .await
            .unwrap_err();
        assert_eq!(message.refusal().to_string(), expected);
    });
}

#[test]
fn the_sdk_reads_what_another_account_shares() {
    under(&policies(&Value::Null, &all()), |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("k", "v").await;
        let actions = json!(["kinesis:GetRecords", "kinesis:GetShardIterator"]);
        share(&lab, &stream.arn(), "Allow", STRANGER_ARN, actions).await;
        let client = lab.client_of(STRANGER, REGION);
        let iterator = client
            .get_shard_iterator()
            .stream_arn(stream.arn())
            .shard_id(SHARD_0);
        let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon);
        let iterator = iterator.send().await.unwrap().shard_iterator.unwrap();
        let get = client
            .get_records()
            .shard_iterator(iterator)
            .stream_arn(stream.arn());
        let read = get.send().await.unwrap();
        assert_eq!(read.records[0].data.as_ref(), b"v");
    });
}

#[test]
fn an_empty_file_enforces_the_policies_of_resources_alone() {
    under("", |lab| async move {
        let arn = lab.stream("s").create().await.arn();
        assert_eq!(
            refusal(&lab, STRANGER, "PutRecord", &record("s")).await,
            None
        );
        let root = format!("arn:aws:iam::{ABROAD}:root");
        let outcome = refusal(&lab, ABROAD, "PutRecord", &record(&arn)).await;
        assert_eq!(outcome, Some(denied(&root, "PutRecord", &arn, NO_RESOURCE)));
        share(&lab, &arn, "Allow", ABROAD, json!("kinesis:PutRecord")).await;
        assert_eq!(
            refusal(&lab, ABROAD, "PutRecord", &record(&arn)).await,
            None
        );
    });
}

wire_test!(without_the_option_no_policy_is_enforced, |lab| async move {
    let arn = lab.stream("s").create().await.arn();
    share(&lab, &arn, "Deny", "*", json!("*")).await;
    for key in [OWNER, ABROAD] {
        assert_eq!(refusal(&lab, key, "PutRecord", &record(&arn)).await, None);
    }
});

#[test]
fn a_policy_of_a_resource_counts_after_a_restart() {
    let file = super::written("{}");
    let flags = ["--policies", file.path().to_str().unwrap()];
    run(Place::Disk, &flags, |lab| async move {
        let arn = lab.stream("s").create().await.arn();
        share(&lab, &arn, "Deny", "*", json!("kinesis:PutRecord")).await;
        assert!(lab.restart().await);
        let message = refusal(&lab, OWNER, "PutRecord", &record(&arn))
            .await
            .unwrap();
        assert!(message.ends_with(BY_RESOURCE), "{message}");
    });
}

//! No operation is open to whom nothing is allowed, and each asks for its own action on what it is
//! about.

use super::{
    NO_IDENTITY, OWNER, READER, READER_ARN, arn_of, by, denied, ok, policies, refusal, under,
};
use crate::lab::{Lab, Request, SHARD_0};
use minikin::operation::OPERATIONS;
use serde_json::{Value, json};

/// What names the stream, by each operation's own member, and what it is about.
fn call(operation: &str, consumer: &str, iterator: &str) -> (Value, String) {
    let (arn, name) = (arn_of("s"), "s");
    let shard = json!({"StreamName": name, "ShardId": SHARD_0, "ShardIteratorType": "LATEST"});
    let by_name = json!({"StreamName": name});
    let by_arn = json!({"StreamARN": arn});
    let with = |mut base: Value, more: Value| {
        base.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        base
    };
    let on_stream = |body: Value| (body, arn.clone());
    let resource = json!({"ResourceARN": consumer});
    match operation {
        "DescribeAccountSettings" | "DescribeLimits" | "ListStreams" => (json!({}), "*".into()),
        "UpdateAccountSettings" => {
            let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
            (commitment, "*".into())
        }
        "AddTagsToStream" => on_stream(with(by_name, json!({"Tags": {"a": "b"}}))),
        "RemoveTagsFromStream" => on_stream(with(by_name, json!({"TagKeys": ["a"]}))),
        "CreateStream" => on_stream(with(by_name, json!({"ShardCount": 1}))),
        "IncreaseStreamRetentionPeriod" | "DecreaseStreamRetentionPeriod" => {
            on_stream(with(by_arn, json!({"RetentionPeriodHours": 48})))
        }
        "EnableEnhancedMonitoring" | "DisableEnhancedMonitoring" => {
            on_stream(with(by_arn, json!({"ShardLevelMetrics": ["ALL"]})))
        }
        "GetRecords" => on_stream(json!({"ShardIterator": iterator})),
        "GetShardIterator" => on_stream(shard),
        "MergeShards" => on_stream(with(
            by_name,
            json!({"ShardToMerge": SHARD_0, "AdjacentShardToMerge": "shardId-000000000001"}),
        )),
        "SplitShard" => on_stream(with(
            by_name,
            json!({"ShardToSplit": SHARD_0, "NewStartingHashKey": "5"}),
        )),
        "PutRecord" => on_stream(with(by_name, json!({"PartitionKey": "k", "Data": ""}))),
        "PutRecords" => on_stream(with(
            by_arn,
            json!({"Records": [{"PartitionKey": "k", "Data": ""}]}),
        )),
        "RegisterStreamConsumer" => on_stream(with(by_arn, json!({"ConsumerName": "d"}))),
        "StartStreamEncryption" | "StopStreamEncryption" => on_stream(with(
            by_name,
            json!({"EncryptionType": "KMS", "KeyId": "k"}),
        )),
        "UpdateMaxRecordSize" => on_stream(with(by_arn, json!({"MaxRecordSizeInKiB": 2048}))),
        "UpdateShardCount" => on_stream(with(
            by_name,
            json!({"TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"}),
        )),
        "UpdateStreamMode" => on_stream(with(
            by_arn,
            json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
        )),
        "UpdateStreamRecordDistributionStrategy" => {
            on_stream(with(by_arn, json!({"RecordDistributionStrategy": "AUTO"})))
        }
        "UpdateStreamWarmThroughput" => on_stream(with(by_name, json!({"WarmThroughputMiBps": 1}))),
        "DeleteStream"
        | "DescribeStream"
        | "DescribeStreamSummary"
        | "ListShards"
        | "ListTagsForStream" => on_stream(by_name),
        "ListStreamConsumers" => on_stream(by_arn),
        "DeregisterStreamConsumer" | "DescribeStreamConsumer" => {
            (with(by_arn, json!({"ConsumerName": "c"})), consumer.into())
        }
        "SubscribeToShard" => {
            let start = json!({"Type": "LATEST"});
            let body = json!({"ShardId": SHARD_0, "StartingPosition": start});
            (
                with(body, json!({"ConsumerARN": consumer})),
                consumer.into(),
            )
        }
        "PutResourcePolicy" => (with(resource, json!({"Policy": "{}"})), consumer.into()),
        "TagResource" => (with(resource, json!({"Tags": {"a": "b"}})), consumer.into()),
        "UntagResource" => (with(resource, json!({"TagKeys": ["a"]})), consumer.into()),
        "DeleteResourcePolicy" | "GetResourcePolicy" | "ListTagsForResource" => {
            (resource, consumer.into())
        }
        _ => panic!("{operation} is new: what is it about?"),
    }
}

/// A consumer and an iterator of the stream `s`, which is there.
async fn prepared(lab: &Lab) -> (String, String) {
    lab.stream("s").create().await;
    let register = json!({"StreamARN": arn_of("s"), "ConsumerName": "c"});
    let consumer = ok(lab, OWNER, "RegisterStreamConsumer", register).await;
    let consumer = consumer["Consumer"]["ConsumerARN"]
        .as_str()
        .unwrap()
        .to_owned();
    let (body, _) = call("GetShardIterator", "", "");
    let iterator = ok(lab, OWNER, "GetShardIterator", body).await;
    (
        consumer,
        iterator["ShardIterator"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn nothing_is_open_to_whom_nothing_is_allowed() {
    under(&policies(&Value::Null, &Value::Null), |lab| async move {
        let (consumer, iterator) = prepared(&lab).await;
        for entry in OPERATIONS {
            let (body, resource) = call(entry.name, &consumer, &iterator);
            let told = refusal(&lab, READER, entry.name, &body).await;
            let expected = denied(READER_ARN, entry.name, &resource, NO_IDENTITY);
            assert_eq!(told, Some(expected), "{}", entry.name);
        }
        ok(
            &lab,
            OWNER,
            "DeleteStream",
            json!({
                "StreamName": "s", "EnforceConsumerDeletion": true,
            }),
        )
        .await;
        // Whoever may not know is not told that it is gone.
        for entry in OPERATIONS {
            let (body, _) = call(entry.name, &consumer, &iterator);
            let told = refusal(&lab, READER, entry.name, &body).await.unwrap();
            assert!(
                told.starts_with("AccessDeniedException"),
                "{}: {told}",
                entry.name
            );
        }
        // Whoever may is, and a broken request is told as such to both.
        let named = json!({"StreamName": "s"});
        let told = refusal(&lab, OWNER, "DescribeStream", &named)
            .await
            .unwrap();
        assert!(told.starts_with("ResourceNotFoundException"), "{told}");
        for key in [OWNER, READER] {
            let told = refusal(&lab, key, "DescribeStream", &json!({"StreamName": ""})).await;
            assert!(told.unwrap().starts_with("ValidationException"));
            let told = refusal(&lab, key, "GetRecords", &json!({"ShardIterator": "x"})).await;
            assert_eq!(
                told.unwrap(),
                "InvalidArgumentException: Invalid ShardIterator."
            );
        }
    });
}

#[test]
fn each_operation_is_allowed_by_its_own_name() {
    let all: Vec<Value> = OPERATIONS
        .iter()
        .map(|entry| {
            let action = format!("kinesis:{}", entry.name);
            json!({"Effect": "Allow", "Action": action, "Resource": "*"})
        })
        .collect();
    under(&policies(&all.into(), &Value::Null), |lab| async move {
        let (consumer, iterator) = prepared(&lab).await;
        for entry in OPERATIONS {
            // What changes the stream would be in the way of what comes after it.
            if entry.name.starts_with("De") || entry.name == "SubscribeToShard" {
                continue;
            }
            let (body, _) = call(entry.name, &consumer, &iterator);
            let call = by(READER, Request::json(entry.name, &body.to_string()));
            let told = lab.send(&call).await.text();
            assert!(!told.contains("AccessDenied"), "{}: {told}", entry.name);
        }
    });
}

//! A caller without permissions can call no operation. Each operation needs permission for its own
//! action on the resource that the request names.

use super::{
    NO_IDENTITY, NO_RESOURCE, OWNER, READER, READER_ARN, arn_of, by, denied, ok, policies, refusal,
    under,
};
use crate::lab::{ACCOUNT, Lab, Request};
use minikin::internals::operation::OPERATIONS;
use serde_json::{Value, json};

/// The resource of an operation.
#[derive(Clone, Copy)]
enum About {
    Account,
    Channel,
    Consumer,
    /// A channel that does not exist yet.
    NewChannel,
    /// A queue that does not exist yet.
    NewQueue,
    Queue,
    Stream,
}

/// Members for the request of each operation. Words in capitals are placeholders for members that
/// name the stream `s` or its consumer.
#[rustfmt::skip]
const CALLS: &[(&str, &str, About)] = &[
    ("AcknowledgeDeadLetterQueueRecords", r#"QUEUE, "Entries": [{"ReceiptHandle": "x"}]"#, About::Queue),
    ("AcknowledgeQueueRecords", r#"QUEUE, "Entries": [{"ReceiptHandle": "x"}]"#, About::Queue),
    ("AddTagsToStream", r#"NAME, "Tags": {"a": "b"}"#, About::Stream),
    ("CreateChannel", r#""ChannelName": "n", "ServiceExecutionRoleARN": "arn:aws:iam::000000000000:role/r", "StreamConfigurationList": [{"StreamARN": "STREAM", "RecordConfiguration": {"RecordFormatType": "JSON"}}]"#, About::NewChannel),
    ("CreateQueue", r#""QueueName": "q", "StreamConfigurationList": [{"StreamARN": "STREAM"}]"#, About::NewQueue),
    ("CreateStream", r#"NAME, "ShardCount": 1"#, About::Stream),
    ("DecreaseStreamRetentionPeriod", r#"ARN, "RetentionPeriodHours": 48"#, About::Stream),
    ("DeleteChannel", r#"CHANNEL"#, About::Channel),
    ("DeleteQueue", r#"QUEUE"#, About::Queue),
    ("DeleteResourcePolicy", r#"RESOURCE"#, About::Consumer),
    ("DeleteStream", r#"NAME"#, About::Stream),
    ("DeregisterStreamConsumer", r#"ARN, "ConsumerName": "c""#, About::Consumer),
    ("DescribeAccountSettings", r#""#, About::Account),
    ("DescribeChannel", r#"CHANNEL"#, About::Channel),
    ("DescribeLimits", r#""#, About::Account),
    ("DescribeQueue", r#"QUEUE"#, About::Queue),
    ("DescribeStream", r#"NAME"#, About::Stream),
    ("DescribeStreamConsumer", r#"ARN, "ConsumerName": "c""#, About::Consumer),
    ("DescribeStreamSummary", r#"NAME"#, About::Stream),
    ("DisableEnhancedMonitoring", r#"ARN, "ShardLevelMetrics": ["ALL"]"#, About::Stream),
    ("EnableEnhancedMonitoring", r#"ARN, "ShardLevelMetrics": ["ALL"]"#, About::Stream),
    ("GetRecords", r#"ITERATOR"#, About::Stream),
    ("GetResourcePolicy", r#"RESOURCE"#, About::Consumer),
    ("GetShardIterator", r#"NAME, "ShardId": "0", "ShardIteratorType": "LATEST""#, About::Stream),
    ("IncreaseStreamRetentionPeriod", r#"ARN, "RetentionPeriodHours": 48"#, About::Stream),
    ("ListChannels", r#""#, About::Account),
    ("ListQueues", r#""#, About::Account),
    ("ListShards", r#"NAME"#, About::Stream),
    ("ListStreamConsumers", r#"ARN"#, About::Stream),
    ("ListStreams", r#""#, About::Account),
    ("ListTagsForResource", r#"RESOURCE"#, About::Consumer),
    ("ListTagsForStream", r#"NAME"#, About::Stream),
    ("MergeShards", r#"NAME, "ShardToMerge": "0", "AdjacentShardToMerge": "1""#, About::Stream),
    ("PutRecord", r#"NAME, "PartitionKey": "k", "Data": """#, About::Stream),
    ("PutRecords", r#"ARN, "Records": [{"PartitionKey": "k", "Data": ""}]"#, About::Stream),
    ("PutResourcePolicy", r#"RESOURCE, "Policy": "{}""#, About::Consumer),
    ("ReceiveDeadLetterQueueRecords", r#"QUEUE"#, About::Queue),
    ("ReceiveQueueRecords", r#"QUEUE"#, About::Queue),
    ("RegisterStreamConsumer", r#"ARN, "ConsumerName": "d""#, About::Stream),
    ("RemoveTagsFromStream", r#"NAME, "TagKeys": ["a"]"#, About::Stream),
    ("RestoreDeadLetterQueueRecords", r#"QUEUE, "Entries": [{"ReceiptHandle": "x"}]"#, About::Queue),
    ("SplitShard", r#"NAME, "ShardToSplit": "0", "NewStartingHashKey": "5""#, About::Stream),
    ("StartStreamEncryption", r#"NAME, "EncryptionType": "KMS", "KeyId": "k""#, About::Stream),
    ("StopStreamEncryption", r#"NAME, "EncryptionType": "KMS", "KeyId": "k""#, About::Stream),
    ("SubscribeToShard", r#"CONSUMER, "ShardId": "0", "StartingPosition": {"Type": "LATEST"}"#, About::Consumer),
    ("TagResource", r#"RESOURCE, "Tags": {"a": "b"}"#, About::Consumer),
    ("UntagResource", r#"RESOURCE, "TagKeys": ["a"]"#, About::Consumer),
    ("UpdateAccountSettings", r#""MinimumThroughputBillingCommitment": {"Status": "ENABLED"}"#, About::Account),
    ("UpdateChannel", r#"CHANNEL, "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": false}}"#, About::Channel),
    ("UpdateDeadLetterQueueRecordsVisibility", r#"QUEUE, "Entries": [{"ReceiptHandle": "x", "VisibilityTimeoutSeconds": 1}]"#, About::Queue),
    ("UpdateMaxRecordSize", r#"ARN, "MaxRecordSizeInKiB": 2048"#, About::Stream),
    ("UpdateQueue", r#"QUEUE, "QueueAttributes": {}"#, About::Queue),
    ("UpdateQueueRecordsVisibility", r#"QUEUE, "Entries": [{"ReceiptHandle": "x", "VisibilityTimeoutSeconds": 1}]"#, About::Queue),
    ("UpdateShardCount", r#"NAME, "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING""#, About::Stream),
    ("UpdateStreamMode", r#"ARN, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}"#, About::Stream),
    ("UpdateStreamRecordDistributionStrategy", r#"ARN, "RecordDistributionStrategy": "AUTO""#, About::Stream),
    ("UpdateStreamWarmThroughput", r#"NAME, "WarmThroughputMiBps": 1"#, About::Stream),
];

/// The ARN of a queue by its id.
fn queue_arn(id: &str) -> String {
    arn_of("s").replace("stream/s", &format!("queue/{id}"))
}

/// The ARN of a channel by its id.
fn channel_arn(id: &str) -> String {
    arn_of("s").replace("stream/s", &format!("channel/{id}"))
}

/// The request of an operation, and the resource that it names.
fn call(operation: &str, consumer: &str, iterator: &str) -> (Value, String) {
    let found = CALLS.iter().find(|(name, ..)| *name == operation);
    let (_, members, about) =
        found.unwrap_or_else(|| panic!("{operation} is new: what is it about?"));
    let mut text = format!("{{{members}}}").replace("STREAM", &arn_of("s"));
    for (word, name, value) in [
        ("NAME", "StreamName", "s"),
        ("RESOURCE", "ResourceARN", consumer),
        ("CONSUMER", "ConsumerARN", consumer),
        ("ITERATOR", "ShardIterator", iterator),
        ("QUEUE", "QueueARN", &queue_arn("q")),
        ("CHANNEL", "ChannelARN", &channel_arn("n")),
        ("ARN", "StreamARN", &arn_of("s")),
    ] {
        if text.starts_with(&format!("{{{word}")) {
            text = text.replacen(word, &format!(r#""{name}": "{value}""#), 1);
            break;
        }
    }
    let resource = match about {
        About::Account => "*".to_owned(),
        About::Channel => channel_arn("n"),
        About::NewChannel => channel_arn("*"),
        About::Consumer => consumer.to_owned(),
        About::NewQueue => queue_arn("*"),
        About::Queue => queue_arn("q"),
        About::Stream => arn_of("s"),
    };
    (serde_json::from_str(&text).unwrap(), resource)
}

/// Creates the stream `s`. Returns a consumer and an iterator of it.
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
fn a_caller_without_permissions_is_denied_every_operation() {
    under(&policies(&Value::Null, &Value::Null), |lab| async move {
        let (consumer, iterator) = prepared(&lab).await;
        for entry in OPERATIONS {
            let (body, resource) = call(entry.name, &consumer, &iterator);
            let outcome = refusal(&lab, READER, entry.name, &body).await;
            let expected = denied(READER_ARN, entry.name, &resource, NO_IDENTITY);
            assert_eq!(outcome, Some(expected), "{}", entry.name);
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
        // A caller without permission does not learn that the stream does not exist.
        for entry in OPERATIONS {
            let (body, _) = call(entry.name, &consumer, &iterator);
            let message = refusal(&lab, READER, entry.name, &body).await.unwrap();
            assert!(
                message.starts_with("AccessDeniedException"),
                "{}: {message}",
                entry.name
            );
        }
        // A caller with permission learns it. An invalid request gets its own error for both
        // callers.
        let named = json!({"StreamName": "s"});
        let message = refusal(&lab, OWNER, "DescribeStream", &named)
            .await
            .unwrap();
        assert!(
            message.starts_with("ResourceNotFoundException"),
            "{message}"
        );
        for key in [OWNER, READER] {
            let outcome = refusal(&lab, key, "DescribeStream", &json!({"StreamName": ""})).await;
            assert!(outcome.unwrap().starts_with("ValidationException"));
            let outcome = refusal(&lab, key, "GetRecords", &json!({"ShardIterator": "x"})).await;
            assert_eq!(
                outcome.unwrap(),
                "InvalidArgumentException: Invalid ShardIterator."
            );
        }
    });
}

#[test]
fn each_operation_is_allowed_by_its_own_name() {
    // The creation of a queue also needs a permission on its stream.
    let all = OPERATIONS.iter().map(|entry| entry.name);
    let all: Vec<Value> = all
        .chain(["AssociateStreamsWithQueue"])
        .map(|name| {
            let action = format!("kinesis:{name}");
            json!({"Effect": "Allow", "Action": action, "Resource": "*"})
        })
        .collect();
    under(&policies(&all.into(), &Value::Null), |lab| async move {
        let (consumer, iterator) = prepared(&lab).await;
        for entry in OPERATIONS {
            // Skip operations that change the stream so that later operations fail.
            if entry.name.starts_with("De") || entry.name == "SubscribeToShard" {
                continue;
            }
            let (body, _) = call(entry.name, &consumer, &iterator);
            let call = by(READER, Request::json(entry.name, &body.to_string()));
            let answer = lab.send(&call).await.text();
            assert!(!answer.contains("AccessDenied"), "{}: {answer}", entry.name);
        }
    });
}

/// A queue or a channel is created in the account of its stream, and its permission is checked
/// there. No policy of a resource can permit the creation to another account.
#[test]
fn a_queue_or_a_channel_is_judged_where_it_is_made() {
    let abroad = |arn: String| arn.replace(ACCOUNT, "111122223333");
    let stream = abroad(arn_of("s"));
    let all = json!({"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"});
    for (operation, here) in [
        ("CreateQueue", queue_arn("*")),
        ("CreateChannel", channel_arn("*")),
    ] {
        let there = abroad(here);
        let mut body = call(operation, "", "").0;
        body["StreamConfigurationList"][0]["StreamARN"] = json!(stream);
        under(&policies(&all, &Value::Null), |lab| async move {
            let outcome = refusal(&lab, READER, operation, &body).await;
            let denied = denied(READER_ARN, operation, &there, NO_RESOURCE);
            assert_eq!(outcome, Some(denied));
        });
    }
}

#[test]
fn a_queue_needs_permission_on_its_stream() {
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": format!("kinesis:{action}"), "Resource": resource});
    let create = allow("CreateQueue", &queue_arn("*"));
    let associate = allow("AssociateStreamsWithQueue", &arn_of("s"));
    let tag = allow("TagResource", &queue_arn("*"));
    let mut body = call("CreateQueue", "", "").0;
    body["Tags"] = json!({"a": "b"});
    for (statements, missing) in [
        (
            vec![&associate, &tag],
            Some(("CreateQueue", queue_arn("*"))),
        ),
        (
            vec![&create, &tag],
            Some(("AssociateStreamsWithQueue", arn_of("s"))),
        ),
        (
            vec![&create, &associate],
            Some(("TagResource", queue_arn("*"))),
        ),
        (vec![&create, &associate, &tag], None),
    ] {
        under(&policies(&json!(statements), &Value::Null), |lab| {
            let body = body.clone();
            async move {
                ok(&lab, OWNER, "CreateStream", json!({"StreamName": "s"})).await;
                let Some((name, on)) = missing else {
                    ok(&lab, READER, "CreateQueue", body).await;
                    return;
                };
                let outcome = refusal(&lab, READER, "CreateQueue", &body).await;
                assert_eq!(outcome, Some(denied(READER_ARN, name, &on, NO_IDENTITY)));
            }
        });
    }
}

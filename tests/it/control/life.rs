//! All operations on a stream, in the order in which a deployment tool calls them.

use super::{arn_of, not_found, ok, ok_cbor, refused, status};
use crate::channels::to_table;
use crate::lab::{Lab, Place, Shelf, block_on, kinesis_test, ms};
use aws_sdk_kinesis::client::Waiters as _;
use aws_sdk_kinesis::types::{MetricsName, ScalingType, StreamMode, StreamModeDetails};
use minikin::internals::operation::OPERATIONS;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

async fn settle(lab: &Lab) {
    lab.clock.advance(ms(200)).await;
    assert_eq!(status(lab, "s").await, "ACTIVE");
}

kinesis_test!(
    a_stream_is_created_read_back_changed_and_deleted,
    ["--transition-ms", "200"],
    |lab| async move {
        let client = lab.client();
        let tags = HashMap::from([("team".to_owned(), "a".to_owned())]);
        let mode = |mode| {
            StreamModeDetails::builder()
                .stream_mode(mode)
                .build()
                .unwrap()
        };
        let create = client.create_stream().stream_name("s").shard_count(1);
        let create = create.stream_mode_details(mode(StreamMode::Provisioned));
        create.set_tags(Some(tags)).send().await.unwrap();
        settle(&lab).await;
        let waiting = client.wait_until_stream_exists().stream_name("s");
        waiting.wait(Duration::from_secs(60)).await.unwrap();
        for hours in [48, 48] {
            let longer = client.increase_stream_retention_period().stream_name("s");
            longer.retention_period_hours(hours).send().await.unwrap();
            lab.clock.advance(ms(200)).await;
        }
        let scale = client
            .update_shard_count()
            .stream_name("s")
            .target_shard_count(2);
        let scaled = scale
            .scaling_type(ScalingType::UniformScaling)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (scaled.current_shard_count, scaled.target_shard_count),
            (Some(1), Some(2))
        );
        settle(&lab).await;
        let metrics = client.enable_enhanced_monitoring().stream_name("s");
        metrics
            .shard_level_metrics(MetricsName::IncomingBytes)
            .send()
            .await
            .unwrap();
        settle(&lab).await;
        let encrypt = client.start_stream_encryption().stream_name("s");
        let encrypt = encrypt.encryption_type(aws_sdk_kinesis::types::EncryptionType::Kms);
        encrypt.key_id("alias/aws/kinesis").send().await.unwrap();
        settle(&lab).await;
        client
            .add_tags_to_stream()
            .stream_name("s")
            .tags("team", "b")
            .send()
            .await
            .unwrap();
        let size = client.update_max_record_size().stream_arn(arn_of("s"));
        size.max_record_size_in_kib(2048).send().await.unwrap();
        settle(&lab).await;
        let on_demand = client.update_stream_mode().stream_arn(arn_of("s"));
        on_demand
            .stream_mode_details(mode(StreamMode::OnDemand))
            .send()
            .await
            .unwrap();
        settle(&lab).await;
        let got = client
            .describe_stream_summary()
            .stream_name("s")
            .send()
            .await
            .unwrap();
        let summary = got.stream_description_summary.unwrap();
        assert_eq!(summary.retention_period_hours, 48);
        assert_eq!(summary.open_shard_count, 2);
        assert_eq!(summary.key_id.as_deref(), Some("alias/aws/kinesis"));
        assert_eq!(summary.max_record_size_in_kib, Some(2048));
        assert_eq!(
            summary.stream_mode_details.unwrap().stream_mode,
            StreamMode::OnDemand
        );
        let got = client
            .list_tags_for_stream()
            .stream_name("s")
            .send()
            .await
            .unwrap();
        assert_eq!(got.tags[0].value.as_deref(), Some("b"));
        client
            .delete_stream()
            .stream_name("s")
            .enforce_consumer_deletion(true)
            .send()
            .await
            .unwrap();
        assert_eq!(status(&lab, "s").await, "DELETING");
        lab.clock.advance(ms(200)).await;
        let waiting = client.wait_until_stream_not_exists().stream_name("s");
        waiting.wait(Duration::from_secs(60)).await.unwrap();
        let got = refused(&lab, "DescribeStreamSummary", json!({"StreamName": "s"})).await;
        assert_eq!(got, not_found("s"));
    }
);

/// A sequence of calls that all succeed. It contains every operation that neither reads nor writes
/// a stream.
fn every_call() -> Vec<(&'static str, Value)> {
    let arn = arn_of("s");
    let kms = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "k"});
    let all = json!({"StreamName": "s", "ShardLevelMetrics": ["ALL"]});
    let commit = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
    let mut calls = vec![
        ("UpdateAccountSettings", commit),
        ("DescribeAccountSettings", json!({})),
        (
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 1, "Tags": {"a": "ü"}}),
        ),
        (
            "IncreaseStreamRetentionPeriod",
            json!({"StreamName": "s", "RetentionPeriodHours": 30}),
        ),
        (
            "DecreaseStreamRetentionPeriod",
            json!({"StreamName": "s", "RetentionPeriodHours": 25}),
        ),
        ("StartStreamEncryption", kms.clone()),
        ("StopStreamEncryption", kms),
        ("EnableEnhancedMonitoring", all.clone()),
        ("DisableEnhancedMonitoring", all),
        (
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {"b": "c", "d": "e"}}),
        ),
        (
            "RemoveTagsFromStream",
            json!({"StreamName": "s", "TagKeys": ["b"]}),
        ),
        ("ListTagsForStream", json!({"StreamName": "s"})),
        (
            "TagResource",
            json!({"ResourceARN": arn, "Tags": {"f": ""}}),
        ),
        (
            "UntagResource",
            json!({"ResourceARN": arn, "TagKeys": ["d"]}),
        ),
        ("ListTagsForResource", json!({"ResourceARN": arn})),
        (
            "PutResourcePolicy",
            json!({"ResourceARN": arn, "Policy": r#"{"Statement":{"Principal":"*"}}"#}),
        ),
        ("GetResourcePolicy", json!({"ResourceARN": arn})),
        ("DeleteResourcePolicy", json!({"ResourceARN": arn})),
    ];
    calls.extend(calls_of_capacity());
    calls.extend(calls_of_queues());
    calls.extend(calls_of_channels());
    calls.extend(last_calls());
    calls
}

/// The second part of the sequence.
fn calls_of_capacity() -> Vec<(&'static str, Value)> {
    let arn = arn_of("s");
    let scale = json!({"StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"});
    let on_demand = json!({"StreamARN": arn, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}});
    let split = json!({"StreamName": "s", "ShardToSplit": "1", "NewStartingHashKey": "7"});
    let merge = json!({"StreamName": "s", "ShardToMerge": "3", "AdjacentShardToMerge": "4"});
    vec![
        (
            "UpdateMaxRecordSize",
            json!({"StreamARN": arn, "MaxRecordSizeInKiB": 2000}),
        ),
        ("UpdateShardCount", scale),
        ("SplitShard", split),
        ("MergeShards", merge),
        ("UpdateStreamMode", on_demand),
    ]
}

/// Calls about a queue. One record is restored, and another record becomes a dead-letter record.
/// `QUEUE` and `HANDLE` stand for the ARN and the receipt handle in the last answers.
fn calls_of_queues() -> Vec<(&'static str, Value)> {
    let start = json!({"Type": "TRIM_HORIZON"});
    let streams = json!([{"StreamARN": arn_of("s"), "StartingPosition": start}]);
    let once = json!({"TargetType": "BUILT_IN", "MaxReceiveCount": 1});
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "YQ=="});
    let queue = json!({"QueueARN": "QUEUE"});
    let longer = json!({"QueueARN": "QUEUE", "QueueAttributes": {"VisibilityTimeoutSeconds": 9}});
    // A visibility timeout of 0 ends immediately, so the record becomes a dead-letter record.
    let fail = json!({"QueueARN": "QUEUE", "VisibilityTimeoutSeconds": 0});
    let handles = json!({"QueueARN": "QUEUE", "Entries": [{"ReceiptHandle": "HANDLE"}]});
    let mut visibilities = handles.clone();
    visibilities["Entries"][0]["VisibilityTimeoutSeconds"] = 9.into();
    vec![
        (
            "CreateQueue",
            json!({"QueueName": "q", "StreamConfigurationList": streams,
                   "QueueAttributes": {"DeadLetterConfiguration": once}, "Tags": {"a": "ü"}}),
        ),
        ("DescribeQueue", queue.clone()),
        ("ListQueues", json!({})),
        ("UpdateQueue", longer),
        ("PutRecord", put.clone()),
        ("ReceiveQueueRecords", fail.clone()),
        ("ReceiveDeadLetterQueueRecords", queue.clone()),
        (
            "UpdateDeadLetterQueueRecordsVisibility",
            visibilities.clone(),
        ),
        ("RestoreDeadLetterQueueRecords", handles.clone()),
        ("ReceiveQueueRecords", queue.clone()),
        ("UpdateQueueRecordsVisibility", visibilities),
        ("AcknowledgeQueueRecords", handles.clone()),
        ("PutRecord", put),
        ("ReceiveQueueRecords", fail),
        ("ReceiveDeadLetterQueueRecords", queue.clone()),
        ("AcknowledgeDeadLetterQueueRecords", handles),
        ("DeleteQueue", queue),
    ]
}

/// Calls about a channel. `CHANNEL` stands for its ARN.
fn calls_of_channels() -> Vec<(&'static str, Value)> {
    let channel = json!({"ChannelARN": "CHANNEL"});
    let fresher = json!({"DataFreshnessInSeconds": 400});
    vec![
        ("CreateChannel", to_table("n", "s")),
        ("DescribeChannel", channel.clone()),
        ("ListChannels", json!({})),
        (
            "UpdateChannel",
            json!({"ChannelARN": "CHANNEL", "S3TablesDestinationConfiguration": fresher}),
        ),
        ("DeleteChannel", channel),
    ]
}

/// The last part of the sequence.
fn last_calls() -> Vec<(&'static str, Value)> {
    let arn = arn_of("s");
    let consumer = format!("{arn}/consumer/c:1700000000");
    let auto = json!({"StreamARN": arn, "RecordDistributionStrategy": "AUTO"});
    vec![
        ("UpdateStreamRecordDistributionStrategy", auto),
        (
            "UpdateStreamWarmThroughput",
            json!({"StreamName": "s", "WarmThroughputMiBps": 3}),
        ),
        (
            "RegisterStreamConsumer",
            json!({"StreamARN": arn, "ConsumerName": "c"}),
        ),
        ("DescribeStreamConsumer", json!({"ConsumerARN": consumer})),
        ("ListStreamConsumers", json!({"StreamARN": arn})),
        ("DescribeLimits", json!({})),
        ("DescribeStream", json!({"StreamName": "s"})),
        ("DescribeStreamSummary", json!({"StreamARN": arn})),
        ("ListShards", json!({"StreamName": "s"})),
        ("ListStreams", json!({})),
        ("DeregisterStreamConsumer", json!({"ConsumerARN": consumer})),
        ("DeleteStream", json!({"StreamName": "s"})),
    ]
}

#[test]
fn every_operation_answers_the_same_in_json_and_in_cbor() {
    block_on(async {
        let [in_json, in_cbor] = [false, true].map(|in_cbor| async move {
            let there = Lab::start_to(Place::Memory, &[], Shelf::new()).await;
            let answers = live(&there, in_cbor).await;
            there.stop().await;
            answers
        });
        let (in_json, in_cbor) = (in_json.await, in_cbor.await);
        for ((operation, json), (_, cbor)) in in_json.into_iter().zip(in_cbor) {
            assert!(
                equal(&cbor, &json),
                "{operation}: {cbor} in CBOR, {json} in JSON"
            );
        }
        let called: BTreeSet<_> = every_call()
            .into_iter()
            .map(|(operation, _)| operation)
            .collect();
        let data = [
            "GetRecords",
            "GetShardIterator",
            "PutRecords",
            "SubscribeToShard",
        ];
        for entry in OPERATIONS
            .iter()
            .filter(|entry| !data.contains(&entry.name))
        {
            assert!(called.contains(entry.name), "{} is not called", entry.name);
        }
    });
}

/// Makes every call of the sequence. Returns the answers, in which placeholders stand for the ids
/// of queues and channels and for receipt handles, because these differ each time.
async fn live(lab: &Lab, in_cbor: bool) -> Vec<(&'static str, Value)> {
    let mut known = ["QUEUE", "HANDLE", "CHANNEL", "CHANNEL-ID"].map(|name| (name, String::new()));
    let mut answers = Vec::new();
    for (operation, body) in every_call() {
        let mut body = body.to_string();
        for (placeholder, value) in &known {
            body = body.replace(placeholder, value);
        }
        let body = serde_json::from_str(&body).unwrap();
        let answer = match in_cbor {
            true => ok_cbor(lab, operation, body).await,
            false => ok(lab, operation, body).await,
        };
        let queue = &answer["QueueDescription"]["QueueARN"];
        let handle = &answer["QueueRecords"][0]["ReceiptHandle"];
        let channel = &answer["ChannelDescription"];
        let (arn, id) = (&channel["ChannelARN"], &channel["ChannelId"]);
        for (at, found) in [queue, handle, arn, id].into_iter().enumerate() {
            known[at].1 = found.as_str().unwrap_or(&known[at].1).to_owned();
        }
        let mut text = answer.to_string();
        for (placeholder, value) in known.iter().filter(|(_, value)| !value.is_empty()) {
            text = text.replace(value, placeholder);
        }
        assert!(!text.contains(r#""Failed":[{"#), "{operation}: {text}");
        answers.push((operation, serde_json::from_str(&text).unwrap()));
    }
    answers
}

/// Compares two documents. A time may be a whole number in one of them and a decimal number in the
/// other.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| equal(value, other))
            };
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

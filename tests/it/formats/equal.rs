//! The same request in both formats has the same answer.

use crate::lab::{Lab, Place, Request, START_MS, block_on, cbor, ms};
use minikin::internals::operation::Entry;
use serde_json::{Value, json};

/// A request of the sequence. `%` stands for the iterator or token in the previous answer.
const STORY: &[(&str, &str)] = &[
    (
        "CreateStream",
        r#"{"StreamName":"a","ShardCount":3,"Tags":{"k":"v"},"MaxRecordSizeInKiB":2048}"#,
    ),
    ("CreateStream", r#"{"StreamName":"b"}"#),
    (
        "CreateStream",
        r#"{"StreamName":"c","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"RecordDistributionStrategy":"USER_PARTITION_KEY"}"#,
    ),
    ("CreateStream", r#"{"StreamName":"a","ShardCount":3}"#),
    ("DescribeStream", r#"{"StreamName":"a"}"#),
    (
        "DescribeStream",
        r#"{"StreamName":"b","Limit":2,"ExclusiveStartShardId":"shardId-000000000000"}"#,
    ),
    (
        "DescribeStreamSummary",
        r#"{"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/a"}"#,
    ),
    ("DescribeStreamSummary", r#"{"StreamName":"c"}"#),
    ("ListStreams", "{}"),
    ("ListStreams", r#"{"Limit":1}"#),
    ("ListStreams", r#"{"NextToken":"%"}"#),
    (
        "ListShards",
        r#"{"StreamName":"a","MaxResults":2,"StreamCreationTimestamp":1700000000}"#,
    ),
    ("ListShards", r#"{"NextToken":"%"}"#),
    (
        "ListShards",
        r#"{"StreamName":"a","ShardFilter":{"Type":"FROM_TIMESTAMP","Timestamp":1699999999.25}}"#,
    ),
    (
        "PutRecord",
        r#"{"StreamName":"a","PartitionKey":"é\"\u0001","Data":"AP8Q","ExplicitHashKey":"0"}"#,
    ),
    (
        "PutRecord",
        r#"{"StreamName":"a","PartitionKey":"k","Data":"","ExplicitHashKey":"1","SequenceNumberForOrdering":"0"}"#,
    ),
    (
        "PutRecords",
        r#"{"StreamName":"a","Records":[{"PartitionKey":"a","Data":"YQ=="},{"PartitionKey":"b","Data":"","ExplicitHashKey":"0"}]}"#,
    ),
    (
        "PutRecords",
        r#"{"StreamName":"a","Records":[{"PartitionKey":"a"},{"Data":""}]}"#,
    ),
    (
        "GetShardIterator",
        r#"{"StreamName":"a","ShardId":"shardId-0","ShardIteratorType":"TRIM_HORIZON"}"#,
    ),
    ("GetRecords", r#"{"ShardIterator":"%","Limit":2}"#),
    ("GetRecords", r#"{"ShardIterator":"%"}"#),
    (
        "GetShardIterator",
        r#"{"StreamName":"a","ShardId":"shardId-0","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000.0}"#,
    ),
    ("GetRecords", r#"{"ShardIterator":"%","DryRun":false}"#),
    ("GetRecords", r#"{"ShardIterator":"AAAA"}"#),
    (
        "PutRecord",
        r#"{"StreamName":"a","PartitionKey":"k","Data":"","DryRun":true}"#,
    ),
    (
        "DeleteStream",
        r#"{"StreamName":"a","EnforceConsumerDeletion":true}"#,
    ),
    ("DeleteStream", r#"{"StreamName":"a"}"#),
];

/// The answers of a lab to the requests of the sequence, with iterators and tokens replaced by
/// their lengths.
async fn answers(lab: &Lab, in_cbor: bool) -> Vec<Value> {
    let mut last = String::new();
    let mut answers = Vec::new();
    for (operation, body) in STORY {
        lab.clock.advance(ms(1)).await;
        let body = body.replace('%', &last);
        let request = if in_cbor {
            let shape = Entry::find(operation).unwrap().input;
            Request::cbor(operation, &cbor::of_json(&body, shape))
        } else {
            Request::json(operation, &body)
        };
        let answer = lab.send(&request).await;
        let mut value = if answer.body.is_empty() {
            Value::Null
        } else {
            answer.value()
        };
        for name in ["ShardIterator", "NextShardIterator", "NextToken"] {
            if let Some(text) = value.get(name).and_then(Value::as_str) {
                last = text.to_owned();
                value[name] = json!(text.len());
            }
        }
        answers.push(json!([operation, answer.status, value]));
    }
    answers
}

#[test]
fn each_operation_answers_the_same_in_both_formats() {
    block_on(async {
        let (one, two) = (
            Lab::start(Place::Memory, &[]).await,
            Lab::start(Place::Memory, &[]).await,
        );
        assert_eq!(one.clock.now_ms(), START_MS);
        let (json, cbor) = (answers(&one, false).await, answers(&two, true).await);
        for (json, cbor) in json.iter().zip(&cbor) {
            assert_eq!(cbor, json);
        }
        let statuses: Vec<_> = json
            .iter()
            .map(|answer| answer[1].as_u64().unwrap())
            .collect();
        let refused = statuses.iter().filter(|status| **status != 200).count();
        assert_eq!((statuses.len(), refused), (27, 5), "{json:#?}");
        one.stop().await;
        two.stop().await;
    });
}

//! Two concurrent requests, one of which waits at an injection point. The point is after the checks
//! of the request and before the lock under which it makes changes. Every change that the other
//! request makes during the wait must stay.

use crate::lab::{Lab, Stream, ms, wire_test, within};
use minikin::internals::world::{Fault, Point, Rule};
use serde_json::{Value, json};
use std::pin::pin;

/// Length of the wait at the injection point, in milliseconds.
const DELAY_MS: u32 = 50;

type Answer = Result<Value, String>;

/// Sends two requests. The request that reaches `point` first waits there until the other request
/// is answered and `meanwhile` is done.
async fn overlap(
    lab: &Lab,
    point: Point,
    (one, other): ((&str, &Value), (&str, &Value)),
    meanwhile: impl Future<Output = ()>,
) -> [Answer; 2] {
    let rule = Rule::new(point, Fault::Delay(DELAY_MS)).unwrap().at_most(1);
    lab.set_faults(vec![rule]);
    let mut one = pin!(answer(lab, one));
    let mut other = pin!(answer(lab, other));
    let (first, one_is_first) = within("the request that does not wait", async {
        tokio::select! {
            first = &mut one => (first, true),
            first = &mut other => (first, false),
        }
    })
    .await;
    meanwhile.await;
    // The clock has not moved since the requests were sent, so the request at the injection point
    // is still waiting.
    lab.clock.advance(ms(u64::from(DELAY_MS))).await;
    let what = "the request at the injection point";
    let second = match one_is_first {
        true => within(what, other).await,
        false => within(what, one).await,
    };
    lab.set_faults(Vec::new());
    [first, second]
}

async fn answer(lab: &Lab, (operation, body): (&str, &Value)) -> Answer {
    let answer = lab.json(operation, &body.to_string()).await;
    match answer.status {
        200 if answer.body.is_empty() => Ok(Value::Null),
        200 => Ok(answer.value()),
        _ => Err(answer.refusal().to_string()),
    }
}

async fn nothing() {}

/// A change of a stream or of its consumer, and the request that shows the change.
struct Change {
    operation: &'static str,
    body: Value,
    /// The request that shows the change, and the place and the value in its answer.
    look: (&'static str, Value),
    pointer: &'static str,
    expected: Value,
}

impl Change {
    fn new(operation: &'static str, body: Value) -> Self {
        Self {
            operation,
            body,
            look: ("DescribeStreamSummary", json!({"StreamName": "orders"})),
            pointer: "",
            expected: Value::Null,
        }
    }

    /// Sets that the answer of DescribeStreamSummary shows the change.
    fn shows(mut self, pointer: &'static str, expected: Value) -> Self {
        (self.pointer, self.expected) = (pointer, expected);
        self
    }

    /// Sets that the answer of another operation shows the change.
    fn shows_in(mut self, look: &'static str, pointer: &'static str, expected: Value) -> Self {
        self.look.0 = look;
        self.shows(pointer, expected)
    }
}

/// Every kind of change of a stream and its consumer.
fn changes(stream: &str, consumer: &str) -> Vec<Change> {
    let mut changes = tag_changes(stream);
    changes.extend(other_changes(stream, consumer));
    changes
}

fn tag_changes(stream: &str) -> Vec<Change> {
    vec![
        Change::new(
            "AddTagsToStream",
            json!({"StreamName": "orders", "Tags": {"other": "1"}}),
        )
        .shows_in("ListTagsForStream", "/Tags/1/Key", json!("other")),
        Change::new(
            "TagResource",
            json!({"ResourceARN": stream, "Tags": {"other": "2"}}),
        )
        .shows_in("ListTagsForStream", "/Tags/1/Value", json!("2")),
        Change::new(
            "RemoveTagsFromStream",
            json!({"StreamName": "orders", "TagKeys": ["old"]}),
        )
        .shows_in("ListTagsForStream", "/Tags/1", Value::Null),
        Change::new(
            "UntagResource",
            json!({"ResourceARN": stream, "TagKeys": ["old"]}),
        )
        .shows_in("ListTagsForStream", "/Tags/1", Value::Null),
    ]
}

/// Every other kind of change of a stream and its consumer.
fn other_changes(stream: &str, consumer: &str) -> Vec<Change> {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"kinesis:PutRecord","Resource":"{stream}"}}]}}"#
    );
    let mut changes = vec![
        Change::new(
            "EnableEnhancedMonitoring",
            json!({"StreamName": "orders", "ShardLevelMetrics": ["IncomingBytes"]}),
        )
        .shows(
            "/StreamDescriptionSummary/EnhancedMonitoring/0/ShardLevelMetrics/0",
            json!("IncomingBytes"),
        ),
        Change::new(
            "IncreaseStreamRetentionPeriod",
            json!({"StreamName": "orders", "RetentionPeriodHours": 48}),
        )
        .shows("/StreamDescriptionSummary/RetentionPeriodHours", json!(48)),
        Change::new(
            "StartStreamEncryption",
            json!({"StreamName": "orders", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}),
        )
        .shows("/StreamDescriptionSummary/EncryptionType", json!("KMS")),
        Change::new(
            "UpdateMaxRecordSize",
            json!({"StreamARN": stream, "MaxRecordSizeInKiB": 2048}),
        )
        .shows("/StreamDescriptionSummary/MaxRecordSizeInKiB", json!(2048)),
        Change::new(
            "UpdateStreamMode",
            json!({"StreamARN": stream, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
        )
        .shows(
            "/StreamDescriptionSummary/StreamModeDetails/StreamMode",
            json!("ON_DEMAND"),
        ),
        Change::new(
            "UpdateShardCount",
            json!({
                "StreamName": "orders", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING",
            }),
        )
        .shows("/StreamDescriptionSummary/OpenShardCount", json!(2)),
        Change::new(
            "RegisterStreamConsumer",
            json!({"StreamARN": stream, "ConsumerName": "new"}),
        )
        .shows("/StreamDescriptionSummary/ConsumerCount", json!(2)),
        Change::new("DeregisterStreamConsumer", json!({"ConsumerARN": consumer}))
            .shows("/StreamDescriptionSummary/ConsumerCount", json!(0)),
    ];
    let mut put_policy = Change::new(
        "PutResourcePolicy",
        json!({"ResourceARN": stream, "Policy": policy}),
    )
    .shows_in("GetResourcePolicy", "/Policy", json!(policy));
    put_policy.look.1 = json!({"ResourceARN": stream});
    changes.push(put_policy);
    changes
}

async fn consumer_of(stream: &Stream) -> String {
    let body = json!({"StreamARN": stream.arn(), "ConsumerName": "reader"}).to_string();
    let registered = stream.lab.ok("RegisterStreamConsumer", &body).await;
    registered["Consumer"]["ConsumerARN"]
        .as_str()
        .unwrap()
        .to_owned()
}

wire_test!(two_changes_at_once_are_both_made, |lab| async move {
    let count = changes("", "").len();
    for number in 0..count {
        let stream = lab.stream("orders").create().await;
        let consumer = consumer_of(&stream).await;
        let old = json!({"StreamName": "orders", "Tags": {"old": "0"}});
        lab.ok("AddTagsToStream", &old.to_string()).await;
        let change = changes(&stream.arn(), &consumer).swap_remove(number);
        let tag = json!({"StreamName": "orders", "Tags": {"zzz": "last"}});
        let requests = (("AddTagsToStream", &tag), (change.operation, &change.body));
        for answer in overlap(&lab, Point::Change, requests, nothing()).await {
            answer.unwrap_or_else(|refusal| panic!("{}: {refusal}", change.operation));
        }
        let seen = lab.ok(change.look.0, &change.look.1.to_string()).await;
        let found = seen.pointer(change.pointer).unwrap_or(&Value::Null);
        assert_eq!(*found, change.expected, "{}: {seen}", change.operation);
        let tags = lab
            .ok("ListTagsForStream", r#"{"StreamName":"orders"}"#)
            .await;
        let last = tags["Tags"].as_array().unwrap().last().unwrap();
        assert_eq!(last["Key"], "zzz", "{}: {tags}", change.operation);
        let delete = r#"{"StreamName":"orders","EnforceConsumerDeletion":true}"#;
        lab.ok("DeleteStream", delete).await;
    }
});

wire_test!(
    a_limit_holds_for_two_changes_at_once,
    [
        "--limit",
        "consumers-per-stream=1",
        "--limit",
        "scalings-per-day=1",
        "--limit",
        "tags=1",
        "--limit",
        "shards-per-account=3"
    ],
    |lab| async move {
        let stream = lab.stream("orders").shards(2).create().await;
        let split = |shard: u32, key: u128| {
            json!({
                "StreamName": "orders", "ShardToSplit": shard.to_string(),
                "NewStartingHashKey": key.to_string(),
            })
        };
        let tag = |key: &str| json!({"StreamName": "orders", "Tags": {key: ""}});
        let consumer = |name: &str| json!({"StreamARN": stream.arn(), "ConsumerName": name});
        let scale = |count: u32| {
            json!({
                "StreamName": "orders", "TargetShardCount": count,
                "ScalingType": "UNIFORM_SCALING",
            })
        };
        for (operation, one, other, kind) in [
            (
                "AddTagsToStream",
                tag("a"),
                tag("b"),
                "InvalidArgumentException",
            ),
            (
                "RegisterStreamConsumer",
                consumer("a"),
                consumer("b"),
                "LimitExceededException",
            ),
            (
                "SplitShard",
                split(0, 1 << 100),
                split(1, 3 << 126),
                "LimitExceededException",
            ),
            (
                "UpdateShardCount",
                scale(3),
                scale(4),
                "LimitExceededException",
            ),
        ] {
            let requests = ((operation, &one), (operation, &other));
            let answers = overlap(&lab, Point::Change, requests, nothing()).await;
            let refused: Vec<_> = answers.iter().filter_map(|a| a.as_ref().err()).collect();
            assert_eq!(refused.len(), 1, "{operation}: {answers:?}");
            assert!(refused[0].starts_with(kind), "{operation}: {refused:?}");
        }
    }
);

wire_test!(
    a_change_does_not_reach_a_stream_that_took_the_name,
    |lab| async move {
        lab.stream("orders").create().await;
        lab.stream("other").create().await;
        let tag = |name: &str| json!({"StreamName": name, "Tags": {"a": "1"}});
        let (one, other) = (tag("orders"), tag("orders"));
        let requests = (("AddTagsToStream", &one), ("AddTagsToStream", &other));
        let again = async {
            lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
            lab.stream("orders").create().await;
        };
        let _answers = overlap(&lab, Point::Change, requests, again).await;
        let tags = lab
            .ok("ListTagsForStream", r#"{"StreamName":"orders"}"#)
            .await;
        assert_eq!(tags["Tags"], json!([]));
    }
);

/// Splits or merges the shards of `orders` while a record waits at the injection point before it is
/// appended to a shard.
async fn reshard_in_the_gap(lab: &Lab, operation: &str, record: Value, reshard: (&str, Value)) {
    let put = (operation, &record);
    let resharded = async {
        lab.ok(reshard.0, &reshard.1.to_string()).await;
    };
    let answers = overlap(lab, Point::Append, (put, put), resharded).await;
    let shard_of = |answer: &Answer| {
        let answer = answer.as_ref().unwrap();
        let placed = answer.pointer("/Records/0").unwrap_or(answer);
        let text = |member: &str| placed[member].as_str().unwrap().to_owned();
        (text("ShardId"), text("SequenceNumber"))
    };
    let mut placed = answers.each_ref().map(shard_of);
    placed.sort();
    let [(parent, _), (child, number)] = placed;
    assert_eq!(parent, "shardId-000000000000");
    assert_ne!(child, parent, "a record was appended to a closed shard");
    let ids = lab.ok("ListShards", r#"{"StreamName":"orders"}"#).await;
    let mut found = Vec::new();
    for shard in ids["Shards"].as_array().unwrap() {
        let id = shard["ShardId"].as_str().unwrap();
        for record in Stream::existing(lab, "orders").read(id).await {
            found.push((id.to_owned(), record.sequence_number));
        }
    }
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&(child, number)), "{found:?}");
}

wire_test!(
    no_record_is_appended_to_a_shard_that_was_closed_since_it_was_chosen,
    |lab| async move {
        let record = json!({"StreamName": "orders", "PartitionKey": "k", "Data": ""});
        let records = json!({
            "StreamName": "orders", "Records": [{"PartitionKey": "k", "Data": ""}],
        });
        let split = json!({
            "StreamName": "orders", "ShardToSplit": "shardId-000000000000",
            "NewStartingHashKey": (1_u128 << 127).to_string(),
        });
        let scale = json!({
            "StreamName": "orders", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING",
        });
        for (operation, record) in [("PutRecord", record), ("PutRecords", records)] {
            for reshard in [
                ("SplitShard", split.clone()),
                ("UpdateShardCount", scale.clone()),
            ] {
                lab.stream("orders").create().await;
                reshard_in_the_gap(&lab, operation, record.clone(), reshard).await;
                lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
            }
        }
    }
);

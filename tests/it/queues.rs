//! Queues, over the wire.

mod dead_letter;
mod delivery;
mod handles;
mod life;
mod looking;
mod refusals;
mod resharding;
mod restarts;
mod sharing;
mod snapshots;
mod waiting;

use crate::lab::{ACCOUNT, Lab, REGION, arn_of, create_stream, ok, ok_cbor, refused};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A request for a queue that begins at `start`.
fn queue_at(name: &str, stream: &str, start: &str) -> Value {
    let position = json!({"Type": start});
    let stream = json!({"StreamARN": arn_of(stream), "StartingPosition": position});
    json!({"QueueName": name, "StreamConfigurationList": [stream]})
}

/// Creates a queue whose stream has three records of 6 MiB. An answer has space for only one of
/// them. Returns the ARN of the queue.
async fn queue_with_large_records(lab: &Lab) -> String {
    let body = json!({"StreamName": "s", "MaxRecordSizeInKiB": 10_240});
    ok(lab, "CreateStream", body).await;
    let arn = create_queue(lab, "q", "s").await;
    for text in ["a", "b", "c"] {
        let data = base64(text.repeat(6 << 20).as_bytes());
        let body = json!({"StreamName": "s", "PartitionKey": text, "Data": data});
        ok(lab, "PutRecord", body).await;
    }
    arn
}

/// Creates a queue that begins with the oldest record. Returns its ARN.
async fn create_queue(lab: &Lab, name: &str, stream: &str) -> String {
    created(lab, queue_at(name, stream, "TRIM_HORIZON")).await
}

/// Creates a queue. Returns its ARN.
async fn created(lab: &Lab, body: Value) -> String {
    let queue = ok(lab, "CreateQueue", body).await;
    let arn = queue["QueueDescription"]["QueueARN"].as_str();
    arn.unwrap().to_owned()
}

/// Describes a queue, in both formats.
async fn describe(lab: &Lab, arn: &str) -> Value {
    let body = json!({"QueueARN": arn});
    let mut answer = ok(lab, "DescribeQueue", body.clone()).await;
    assert_eq!(ok_cbor(lab, "DescribeQueue", body).await, answer);
    answer["QueueDescription"].take()
}

/// Puts a record, whose data is `text`.
async fn put(lab: &Lab, stream: &str, text: &str) {
    let data = base64(text.as_bytes());
    let body = json!({"StreamName": stream, "PartitionKey": text, "Data": data});
    ok(lab, "PutRecord", body).await;
}

/// Puts records `0..count` as texts.
async fn put_many(lab: &Lab, stream: &str, numbers: std::ops::Range<usize>) {
    let numbers: Vec<_> = numbers.collect();
    for chunk in numbers.chunks(500) {
        let record = |number: &usize| {
            let text = number.to_string();
            json!({"PartitionKey": text, "Data": base64(text.as_bytes())})
        };
        let records: Vec<_> = chunk.iter().map(record).collect();
        let body = json!({"StreamName": stream, "Records": records});
        let done = ok(lab, "PutRecords", body).await;
        assert_eq!(done["FailedRecordCount"], 0);
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A received record.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    text: String,
    handle: String,
    id: String,
    count: u64,
    first_ms: i64,
}

impl Record {
    fn of(value: &Value) -> Self {
        use base64::Engine as _;
        let text = |member: &str| value[member].as_str().unwrap().to_owned();
        let data = base64::engine::general_purpose::STANDARD.decode(text("Data"));
        let first_s = value["FirstReceiveTimestamp"].as_f64().unwrap();
        Self {
            text: String::from_utf8(data.unwrap()).unwrap(),
            handle: text("ReceiptHandle"),
            id: text("RecordId"),
            count: value["ReceiveCount"].as_u64().unwrap(),
            #[allow(clippy::cast_possible_truncation, reason = "it is a time of a test")]
            first_ms: (first_s * 1000.0).round() as i64,
        }
    }
}

/// The kind of records that a call concerns.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Normal,
    Dead,
}

impl Kind {
    fn receive(self) -> &'static str {
        match self {
            Self::Normal => "ReceiveQueueRecords",
            Self::Dead => "ReceiveDeadLetterQueueRecords",
        }
    }

    fn acknowledge(self) -> &'static str {
        match self {
            Self::Normal => "AcknowledgeQueueRecords",
            Self::Dead => "AcknowledgeDeadLetterQueueRecords",
        }
    }

    fn visibility(self) -> &'static str {
        match self {
            Self::Normal => "UpdateQueueRecordsVisibility",
            Self::Dead => "UpdateDeadLetterQueueRecordsVisibility",
        }
    }
}

/// Receives records with further members in the request.
async fn receive_with(lab: &Lab, kind: Kind, arn: &str, more: Value) -> Vec<Record> {
    let mut body = json!({"QueueARN": arn, "WaitTimeSeconds": 1});
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    let answer = ok(lab, kind.receive(), body).await;
    let records = answer["QueueRecords"].as_array().unwrap();
    records.iter().map(Record::of).collect()
}

/// Receives up to ten records. Advances the clock while the receive waits.
async fn receive(lab: &Lab, arn: &str) -> Vec<Record> {
    receive_with(lab, Kind::Normal, arn, json!({})).await
}

async fn receive_dead(lab: &Lab, arn: &str) -> Vec<Record> {
    receive_with(lab, Kind::Dead, arn, json!({})).await
}

/// Checks that no record can be received: the receive waits while the clock advances by a second.
async fn nothing(lab: &Lab, kind: Kind, arn: &str) {
    let receiving = receive_with(lab, kind, arn, json!({}));
    tokio::pin!(receiving);
    tokio::select! {
        biased;
        received = &mut receiving => panic!("received {received:?}"),
        () = until_waiting(lab, 1) => {}
    }
    lab.clock.advance(crate::lab::seconds(1)).await;
    assert_eq!(receiving.await, []);
}

/// Waits until `count` receives are waiting.
async fn until_waiting(lab: &Lab, count: usize) {
    let waiting = async {
        while lab.waiting_receives() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::lab::WAIT_LIMIT, waiting)
        .await
        .unwrap();
}

/// Receives and acknowledges `count` records. Returns their texts.
async fn drain(lab: &Lab, arn: &str, count: usize) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    while texts.len() < count {
        let records = receive(lab, arn).await;
        assert!(!records.is_empty());
        acknowledge(lab, Kind::Normal, arn, &records).await;
        for record in records {
            assert!(texts.insert(record.text.clone()), "{record:?} twice");
        }
    }
    texts
}

fn texts(records: &[Record]) -> BTreeSet<String> {
    records.iter().map(|record| record.text.clone()).collect()
}

/// The texts of the records that `put_many` puts.
fn numbers(range: std::ops::Range<usize>) -> BTreeSet<String> {
    range.map(|number| number.to_string()).collect()
}

fn entries(records: &[Record]) -> Value {
    let entry = |record: &Record| json!({"ReceiptHandle": record.handle});
    records.iter().map(entry).collect()
}

/// Acknowledges records. Each acknowledgement must succeed.
async fn acknowledge(lab: &Lab, kind: Kind, arn: &str, records: &[Record]) {
    let body = json!({"QueueARN": arn, "Entries": entries(records)});
    let answer = ok(lab, kind.acknowledge(), body).await;
    assert_eq!(answer["Failed"], json!([]));
    assert_eq!(
        answer["Successful"].as_array().unwrap().len(),
        records.len()
    );
}

/// Sets the remaining visibility timeout of a record. Returns the error code if the call fails.
async fn set_visibility(
    lab: &Lab,
    kind: Kind,
    arn: &str,
    record: &Record,
    seconds: u32,
) -> Option<String> {
    let entry = json!({"ReceiptHandle": record.handle, "VisibilityTimeoutSeconds": seconds});
    let body = json!({"QueueARN": arn, "Entries": [entry]});
    failure(&ok(lab, kind.visibility(), body).await)
}

/// Acknowledges a record. Returns the error code if the acknowledgement fails.
async fn try_acknowledge(lab: &Lab, kind: Kind, arn: &str, handle: &str) -> Option<String> {
    let body = json!({"QueueARN": arn, "Entries": [{"ReceiptHandle": handle}]});
    failure(&ok(lab, kind.acknowledge(), body).await)
}

/// Restores a dead-letter record. Returns the error code if the restore fails.
async fn try_restore(lab: &Lab, arn: &str, handle: &str) -> Option<String> {
    let body = json!({"QueueARN": arn, "Entries": [{"ReceiptHandle": handle}]});
    failure(&ok(lab, "RestoreDeadLetterQueueRecords", body).await)
}

/// The error code of the only entry of an answer. None if the entry succeeded.
fn failure(answer: &Value) -> Option<String> {
    let failed = answer["Failed"].as_array().unwrap();
    let successful = answer["Successful"].as_array().unwrap();
    assert_eq!(failed.len() + successful.len(), 1, "{answer}");
    let code = failed.first()?["ErrorCode"].as_str();
    Some(code.unwrap().to_owned())
}

/// Sets the number of receives after which a record becomes a dead-letter record.
async fn set_limit(lab: &Lab, arn: &str, most: Option<u32>) {
    let dead_letter = match most {
        Some(most) => json!({"TargetType": "BUILT_IN", "MaxReceiveCount": most}),
        None => json!({"TargetType": "NONE"}),
    };
    let attributes = json!({"DeadLetterConfiguration": dead_letter});
    let body = json!({"QueueARN": arn, "QueueAttributes": attributes});
    ok(lab, "UpdateQueue", body).await;
}

/// Runs futures concurrently.
async fn side_by_side<T, F: Future<Output = T>, const N: usize>(all: [F; N]) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in all.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

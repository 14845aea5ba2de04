//! A shard with many records. No record is lost, duplicated or out of order.

use crate::lab::{Events, Lab, Place, Pushed, Request, Rounds, SHARD_0, Stream, block_on};

/// More records than fit in one segment, in one GetRecords answer, or in one event.
const MANY: usize = 12_000;

/// The data of the record at `index`. It is so long that the records need many segments.
fn nth(index: usize) -> String {
    format!("{index:0>120}")
}

/// Puts the records, batch by batch, and returns their numbers.
async fn put_many(stream: &Stream) -> Vec<String> {
    let mut numbers = Vec::with_capacity(MANY);
    for start in (0..MANY).step_by(500) {
        let records: Vec<_> = (start..start + 500).map(|at| ("key", nth(at))).collect();
        let put = stream.put_records(&records).await;
        assert_eq!(put.failed_record_count, Some(0));
        let placed = put.records.into_iter();
        numbers.extend(placed.map(|placed| placed.sequence_number.unwrap()));
    }
    numbers
}

/// Checks that every record is read once and in order, from the oldest record on and from later
/// records on.
async fn check_many(lab: &Lab, numbers: &[String]) {
    let stream = Stream::existing(lab, "orders");
    let read = stream.read(SHARD_0).await;
    assert_eq!(read.len(), MANY);
    for (at, record) in read.iter().enumerate() {
        assert_eq!(record.sequence_number, numbers[at], "the record at {at}");
        assert_eq!(
            record.data.as_ref(),
            nth(at).as_bytes(),
            "the record at {at}"
        );
    }
    for at in [4_999, 5_000, 5_001, 9_999, 10_000, MANY - 1] {
        let body = format!(
            r#"{{"StreamName":"orders","ShardId":"{SHARD_0}","StartingSequenceNumber":"{}",
                "ShardIteratorType":"AT_SEQUENCE_NUMBER"}}"#,
            numbers[at]
        );
        let iterator = lab.ok("GetShardIterator", &body).await["ShardIterator"].clone();
        assert_eq!(stream.data(iterator.as_str().unwrap()).await[0], nth(at));
    }
}

/// Checks that a subscriber is sent every record, each once and in order.
async fn check_many_pushed(lab: &Lab, numbers: &[String]) {
    let stream = Stream::existing(lab, "orders");
    let register = format!(r#"{{"StreamARN":"{}","ConsumerName":"c"}}"#, stream.arn());
    let consumer = lab.ok("RegisterStreamConsumer", &register).await;
    let body = format!(
        r#"{{"ConsumerARN":{},"ShardId":"{SHARD_0}","StartingPosition":{{"Type":"TRIM_HORIZON"}}}}"#,
        consumer["Consumer"]["ConsumerARN"]
    );
    let request = Request::json("SubscribeToShard", &body);
    let mut events = Events::begin(lab.connect().await, &request).await.unwrap();
    let mut seen = Vec::new();
    let mut rounds = Rounds::of(MANY, "the last record of a subscription");
    while seen.len() < MANY {
        rounds.next();
        let Pushed::Event(event) = events.next().await else {
            panic!("the subscription ended after {} records", seen.len());
        };
        let records = event["Records"].as_array().unwrap().iter();
        seen.extend(records.map(|record| record["SequenceNumber"].as_str().unwrap().to_owned()));
    }
    assert!(
        seen == numbers,
        "records are missing, doubled or out of order"
    );
}

#[test]
fn no_record_of_a_long_shard_is_lost_in_memory() {
    check_long_shard(Place::Memory);
}

#[test]
fn no_record_of_a_long_shard_is_lost_on_disk_and_after_a_restart() {
    check_long_shard(Place::Disk);
}

fn check_long_shard(place: Place) {
    block_on(async {
        let lab = Lab::start(place, &["--profile", "fast"]).await;
        let numbers = put_many(&lab.stream("orders").create().await).await;
        check_many(&lab, &numbers).await;
        check_many_pushed(&lab, &numbers).await;
        if lab.restart().await {
            check_many(&lab, &numbers).await;
        }
        lab.stop().await;
    });
}

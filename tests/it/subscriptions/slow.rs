//! Subscribers that do not read, or that read late. Other subscribers are not affected.

use super::{Consumer, from};
use crate::lab::{
    Events, Lab, Pushed, Request, Rounds, SHARD_0, Stream, WAIT_LIMIT, h2, hours, seconds,
    wire_test,
};
use aws_sdk_kinesis::types::ShardIteratorType;
use http_body_util::BodyExt as _;
use tokio::net::TcpStream;

/// More records than all buffers between two programs of one machine can hold.
const RECORDS: usize = 24;
const RECORD_BYTES: usize = 1_000_000;

/// A stream with many records, and two of its consumers.
async fn full(lab: &Lab) -> (Stream, Consumer, Consumer) {
    let stream = lab.stream("orders").create().await;
    for _ in 0..RECORDS {
        stream.put("key", vec![b'x'; RECORD_BYTES]).await;
    }
    let slow = Consumer::named(&stream, "slow").await;
    let brisk = Consumer::named(&stream, "brisk").await;
    (stream, slow, brisk)
}

/// The call that subscribes to the first shard.
fn subscribing(consumer: &Consumer, kind: &str) -> Request {
    let body = format!(
        r#"{{"ConsumerARN":"{}","ShardId":"{SHARD_0}","StartingPosition":{{"Type":"{kind}"}}}}"#,
        consumer.arn
    );
    Request::json("SubscribeToShard", &body)
}

wire_test!(
    a_subscriber_that_stops_reading_is_cut_off_and_may_subscribe_again,
    [
        "--profile",
        "fast",
        "--limit",
        "unread-event-seconds=0",
        "--limit",
        "subscription-lock-seconds=off"
    ],
    |lab: Lab| async move {
        let (stream, slow, brisk) = full(&lab).await;
        let latest = || from(ShardIteratorType::Latest);
        let mut reading = brisk.subscribe(SHARD_0, latest()).await;
        let mut connection = lab.connect().await;
        let horizon = subscribing(&slow, "TRIM_HORIZON");
        assert_eq!(connection.begin(&horizon).await.status, 200);
        lab.until_subscriptions(1).await;
        stream.put("key", "0").await;
        assert_eq!(reading.data(1).await, ["0"]);

        let rest = connection.rest().await;
        assert!(rest.len() < RECORDS * RECORD_BYTES, "{}", rest.len());
        assert!(!rest.ends_with(b"0\r\n\r\n"), "no clean end");
        let mut again = slow.subscribe(SHARD_0, latest()).await;
        stream.put("key", "1").await;
        assert_eq!(again.data(1).await, ["1"]);
        assert_eq!(reading.data(1).await, ["1"]);
    }
);

wire_test!(
    over_http_2_only_the_stream_that_is_not_read_is_reset,
    ["--profile", "fast", "--limit", "unread-event-seconds=0"],
    |lab: Lab| async move {
        let (stream, slow, brisk) = full(&lab).await;
        let socket = TcpStream::connect(lab.address()).await.unwrap();
        let mut connection = h2::Connection::over(socket).await;
        let mut reading = connection.begin(&subscribing(&brisk, "LATEST")).await;
        let left = connection.begin(&subscribing(&slow, "TRIM_HORIZON")).await;
        assert!(reading.status().is_success() && left.status().is_success());
        lab.until_subscriptions(1).await;

        // Frames that were sent before the connection was dropped still arrive.
        let cut = tokio::time::timeout(WAIT_LIMIT, left.into_body().collect()).await;
        let cut = cut.unwrap().unwrap_err();
        let cause = std::error::Error::source(&cut).unwrap().to_string();
        assert!(cause.starts_with("stream error received"), "{cause}");
        stream.put("key", "0").await;
        for _greeting_then_record in 0..2 {
            let frame = reading.body_mut().frame();
            let frame = tokio::time::timeout(WAIT_LIMIT, frame).await.unwrap();
            assert!(!frame.unwrap().unwrap().into_data().unwrap().is_empty());
        }
        let list = connection.begin(&Request::json("ListStreams", "{}")).await;
        assert!(list.status().is_success());
    }
);

wire_test!(
    a_subscriber_that_reads_may_wait_for_ever_for_the_next_event,
    ["--limit", "unread-event-seconds=0"],
    |lab: Lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let latest = from(ShardIteratorType::Latest);
        let mut subscription = consumer.subscribe(SHARD_0, latest).await;
        for _ in 0..20 {
            lab.clock.advance(seconds(5)).await;
            assert!(subscription.next().await.unwrap().is_some());
        }
    }
);

wire_test!(
    the_clock_does_not_wait_again_and_again_for_a_subscriber_that_does_not_read,
    ["--profile", "fast", "--limit", "unread-event-seconds=off"],
    |lab: Lab| async move {
        let (_stream, slow, brisk) = full(&lab).await;
        let mut connection = lab.connect().await;
        connection.begin(&subscribing(&slow, "TRIM_HORIZON")).await;
        // If the clock waited for the subscriber at each deadline, the many deadlines of a day
        // would exceed the time limit of the test.
        lab.clock.advance(hours(24)).await;
        assert_eq!(lab.subscriptions(), 1, "it still sits there");
        let latest = from(ShardIteratorType::Latest);
        let mut reading = brisk.subscribe(SHARD_0, latest).await;
        lab.clock.advance(seconds(5)).await;
        assert!(reading.next().await.unwrap().is_some());
    }
);

wire_test!(
    records_that_expire_before_an_event_are_skipped,
    ["--profile", "fast", "--limit", "unread-event-seconds=off"],
    |lab: Lab| async move {
        let (stream, slow, _brisk) = full(&lab).await;
        lab.clock.advance(hours(24) - seconds(60)).await;
        let horizon = subscribing(&slow, "TRIM_HORIZON");
        let mut events = Events::begin(lab.connect().await, &horizon).await.unwrap();
        stream.put("key", "new").await;
        lab.clock.advance(seconds(60)).await;
        let mut old = 0;
        let mut rounds = Rounds::of(RECORDS + 1, "the new record");
        loop {
            rounds.next();
            let Pushed::Event(event) = events.next().await else {
                panic!("it goes on")
            };
            let records = event["Records"].as_array().unwrap();
            let last = records.last().unwrap();
            if last["Data"] == "bmV3" {
                break;
            }
            old += records.len();
        }
        assert!(old < RECORDS, "{old}");
    }
);

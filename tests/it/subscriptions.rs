//! SubscribeToShard: events of a subscription from its first frame on, and all ways in which a
//! subscription ends.

mod frames;
mod slow;

use crate::lab::{Lab, SHARD_0, Stream, hours, kinesis_test, seconds, wire_test, within};
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardOutput;
use aws_sdk_kinesis::types::{
    ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use minikin::internals::world::{Fault, Point, Rule};
use std::time::Duration;

/// A registered consumer of a stream.
pub(crate) struct Consumer {
    stream: Stream,
    arn: String,
}

impl Consumer {
    pub(crate) async fn of(stream: &Stream) -> Self {
        Self::named(stream, "reader").await
    }

    async fn named(stream: &Stream, name: &str) -> Self {
        let register = stream
            .client
            .register_stream_consumer()
            .stream_arn(stream.arn());
        let registered = register.consumer_name(name).send().await.unwrap();
        let arn = registered.consumer.unwrap().consumer_arn;
        Self {
            stream: stream.clone(),
            arn,
        }
    }

    pub(crate) async fn subscribe(&self, shard: &str, start: StartingPosition) -> Subscription {
        let call = self
            .stream
            .client
            .subscribe_to_shard()
            .consumer_arn(&self.arn);
        let call = call.shard_id(shard).starting_position(start).send();
        Subscription(call.await.unwrap())
    }

    /// The refusal of a subscription.
    async fn refused(&self, shard: &str, start: StartingPosition) -> String {
        let call = self
            .stream
            .client
            .subscribe_to_shard()
            .consumer_arn(&self.arn);
        let call = call.shard_id(shard).starting_position(start).send();
        call.await.unwrap_err().into_service_error().to_string()
    }
}

/// A subscription of the SDK.
pub(crate) struct Subscription(SubscribeToShardOutput);

impl Subscription {
    /// The next event. None at a clean end, and an error with the text of an exception.
    async fn next(&mut self) -> Result<Option<SubscribeToShardEvent>, String> {
        let received = within("an event", self.0.event_stream.recv()).await;
        match received {
            Ok(None) => Ok(None),
            Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event))) => Ok(Some(event)),
            Ok(Some(other)) => panic!("not an event we send: {other:?}"),
            Err(error) => Err(error.into_service_error().to_string()),
        }
    }

    /// The data of the records, until there are at least `count`.
    pub(crate) async fn data(&mut self, count: usize) -> Vec<String> {
        let mut data = Vec::new();
        while data.len() < count {
            let event = self.next().await.unwrap().expect("more records");
            let texts = event
                .records
                .into_iter()
                .map(|record| record.data.into_inner());
            data.extend(texts.map(|bytes| String::from_utf8(bytes).unwrap()));
        }
        data
    }
}

pub(crate) fn from(kind: ShardIteratorType) -> StartingPosition {
    StartingPosition::builder().r#type(kind).build().unwrap()
}

fn after(number: &str) -> StartingPosition {
    let start = StartingPosition::builder().r#type(ShardIteratorType::AfterSequenceNumber);
    start.sequence_number(number).build().unwrap()
}

fn texts(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

kinesis_test!(
    records_are_pushed_in_order_before_and_after_the_subscription,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        for number in texts(0..20) {
            stream.put("key", number).await;
        }
        let mut subscription = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::TrimHorizon))
            .await;
        let writing = async {
            for number in texts(20..60) {
                stream.put("key", number).await;
            }
        };
        let (data, ()) = tokio::join!(subscription.data(60), writing);
        assert_eq!(data, texts(0..60));
    }
);

kinesis_test!(
    each_starting_position_begins_at_its_record,
    |lab| async move {
        let stream = lab.stream("orders").shards(1).create().await;
        let first = stream.put("key", "0").await;
        lab.clock.advance(seconds(10)).await;
        let second_s = f64::from(u32::try_from(lab.clock.now_ms() / 1000).unwrap());
        stream.put("key", "1").await;
        let at = |kind, number: Option<&str>, time: Option<f64>| {
            let start = StartingPosition::builder().r#type(kind);
            let start = start.set_sequence_number(number.map(str::to_owned));
            let time = time.map(aws_sdk_kinesis::primitives::DateTime::from_secs_f64);
            start.set_timestamp(time).build().unwrap()
        };
        for (start, expected) in [
            (from(ShardIteratorType::TrimHorizon), vec!["0", "1"]),
            (
                at(
                    ShardIteratorType::AtSequenceNumber,
                    Some(&first.number),
                    None,
                ),
                vec!["0", "1"],
            ),
            (after(&first.number), vec!["1"]),
            (
                at(ShardIteratorType::AtTimestamp, None, Some(second_s)),
                vec!["1"],
            ),
        ] {
            let consumer = Consumer::named(&stream, &format!("reader-{}", start.r#type())).await;
            let mut subscription = consumer.subscribe(SHARD_0, start).await;
            assert_eq!(subscription.data(expected.len()).await, expected);
        }
        let consumer = Consumer::named(&stream, "latest").await;
        let mut latest = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::Latest))
            .await;
        stream.put("key", "2").await;
        assert_eq!(latest.data(1).await, ["2"]);
    }
);

kinesis_test!(
    the_last_event_of_a_shard_names_its_children_and_nothing_is_lost,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let mut parent = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::TrimHorizon))
            .await;
        stream.put("key", "0").await;
        assert_eq!(parent.data(1).await, ["0"]);
        split_orders(&lab).await;
        let last = parent
            .next()
            .await
            .unwrap()
            .expect("the event that ends the shard");
        assert_eq!(
            last.continuation_sequence_number, "",
            "absent reads as empty in this SDK"
        );
        let children = last.child_shards.unwrap();
        let ids: Vec<_> = children
            .iter()
            .map(|child| child.shard_id.as_str())
            .collect();
        assert_eq!(ids, ["shardId-000000000001", "shardId-000000000002"]);
        assert!(
            children
                .iter()
                .all(|child| child.parent_shards == [SHARD_0])
        );
        assert_eq!(parent.next().await, Ok(None));
        stream.put_at("0", "1").await;
        let mut child = consumer
            .subscribe(ids[0], from(ShardIteratorType::TrimHorizon))
            .await;
        assert_eq!(child.data(1).await, ["1"]);
    }
);

/// Splits the only shard of the stream `orders` in the middle.
async fn split_orders(lab: &Lab) {
    let split = r#"{"StreamName":"orders","ShardToSplit":"shardId-000000000000",
        "NewStartingHashKey":"170141183460469231731687303715884105728"}"#;
    lab.ok("SplitShard", split).await;
}

wire_test!(
    a_late_subscriber_of_a_closed_shard_is_behind_by_the_seconds_since_its_closing,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        stream.put("key", "0").await;
        lab.clock.advance(seconds(40)).await;
        split_orders(&lab).await;
        lab.clock.advance(seconds(12)).await;
        let horizon = from(ShardIteratorType::TrimHorizon);
        let mut parent = consumer.subscribe(SHARD_0, horizon).await;
        for records in [1, 0] {
            let event = parent.next().await.unwrap().expect("an event");
            assert_eq!(event.records.len(), records);
            assert_eq!(event.millis_behind_latest, 12_000, "{records}");
        }
        assert_eq!(parent.next().await, Ok(None));
    }
);

wire_test!(
    a_closed_shard_whose_records_have_expired_ends_at_once,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        stream.put("key", "0").await;
        lab.clock.advance(hours(23)).await;
        split_orders(&lab).await;
        lab.clock.advance(hours(1)).await;
        let horizon = from(ShardIteratorType::TrimHorizon);
        let mut parent = consumer.subscribe(SHARD_0, horizon).await;
        let last = parent.next().await.unwrap().expect("the shard's end");
        assert_eq!(last.child_shards.unwrap().len(), 2);
        assert_eq!(parent.next().await, Ok(None));
    }
);

wire_test!(
    an_idle_subscription_sends_an_event_every_five_seconds_and_ends_after_five_minutes,
    |lab| {
        async move {
            let stream = lab.stream("orders").create().await;
            let consumer = Consumer::of(&stream).await;
            let latest = from(ShardIteratorType::Latest);
            let mut subscription = consumer.subscribe(SHARD_0, latest).await;
            let mut got = String::new();
            for _ in 0..3 {
                lab.clock.advance(seconds(5)).await;
                let event = subscription.next().await.unwrap().expect("a sign of life");
                assert_eq!((event.records.len(), event.millis_behind_latest), (0, 0));
                assert!(
                    event.continuation_sequence_number > got,
                    "it moves with time"
                );
                got = event.continuation_sequence_number;
            }
            let walking = lab.clock.advance(Duration::from_secs(285));
            let reading = async {
                let mut events = 0;
                while subscription.next().await.unwrap().is_some() {
                    events += 1;
                }
                events
            };
            let ((), events) = tokio::join!(walking, reading);
            assert!(
                (50..=57).contains(&events),
                "{events} signs of life in the rest"
            );

            stream.put("key", "later").await;
            let mut next = consumer.subscribe(SHARD_0, after(&got)).await;
            assert_eq!(next.data(1).await, ["later"]);
        }
    }
);

wire_test!(
    a_subscription_is_kept_for_five_seconds_and_then_taken_over,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let latest = || from(ShardIteratorType::Latest);
        let mut old = consumer.subscribe(SHARD_0, latest()).await;
        let expected = "ResourceInUseException: Another active subscription exists for this consumer: \
                    000000000000:orders:shardId-000000000000:reader";
        assert_eq!(consumer.refused(SHARD_0, latest()).await, expected);
        lab.clock.advance(seconds(4)).await;
        assert_eq!(consumer.refused(SHARD_0, latest()).await, expected);
        lab.clock.advance(seconds(1)).await;
        let mut new = consumer.subscribe(SHARD_0, latest()).await;
        let ended = loop {
            match old.next().await {
                Ok(Some(event)) => assert!(event.records.is_empty()),
                ended => break ended,
            }
        };
        assert_eq!(ended.unwrap_err(), expected);
        stream.put("key", "0").await;
        assert_eq!(new.data(1).await, ["0"]);
    }
);

wire_test!(
    a_subscription_that_takes_over_begins_at_its_position,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let mut numbers = Vec::new();
        for text in texts(0..3) {
            numbers.push(stream.put("key", text).await.number);
        }
        let at = StartingPosition::builder().r#type(ShardIteratorType::AtSequenceNumber);
        let at = at.sequence_number(&numbers[1]).build().unwrap();
        // Every subscription stays open, so that the next subscription replaces it.
        let latest = from(ShardIteratorType::Latest);
        let mut open = vec![consumer.subscribe(SHARD_0, latest).await];
        for (start, first) in [
            (from(ShardIteratorType::TrimHorizon), "0"),
            (at, "1"),
            (after(&numbers[0]), "1"),
        ] {
            lab.clock.advance(seconds(5)).await;
            let mut subscription = consumer.subscribe(SHARD_0, start).await;
            assert_eq!(subscription.data(1).await[0], first);
            open.push(subscription);
        }

        // The records arrive in the same second as an event without records.
        lab.clock.advance(seconds(5)).await;
        let event = open.last_mut().unwrap().next().await;
        let event = event.unwrap().expect("a sign of life");
        assert!(event.records.is_empty());
        for text in texts(3..5) {
            stream.put("key", text).await;
        }
        let start = after(&event.continuation_sequence_number);
        let mut subscription = consumer.subscribe(SHARD_0, start).await;
        assert_eq!(subscription.data(1).await[0], "3");
    }
);

wire_test!(
    a_stream_that_goes_ends_the_subscriptions_and_a_consumer_does_not,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let mut subscription = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::Latest))
            .await;
        let leave = format!(r#"{{"ConsumerARN":"{}"}}"#, consumer.arn);
        lab.ok("DeregisterStreamConsumer", &leave).await;
        // The subscription continues, as was recorded in September 2026 (radkawar/stackd,
        // testdata/aws/kinesis/efo_termination.json). It is separate from the subscription of a new
        // consumer.
        let consumer = Consumer::of(&stream).await;
        let mut new = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::Latest))
            .await;
        stream.put("key", "0").await;
        assert_eq!(subscription.data(1).await, ["0"]);
        assert_eq!(new.data(1).await, ["0"]);

        let delete = r#"{"StreamName":"orders","EnforceConsumerDeletion":true}"#;
        lab.ok("DeleteStream", delete).await;
        let expected =
            "ResourceNotFoundException: Stream orders under account 000000000000 not found.";
        for mut subscription in [subscription, new] {
            assert_eq!(subscription.next().await.unwrap_err(), expected);
        }
    }
);

/// The refusal of a SubscribeToShard too soon after a successful one.
const IN_USE: &str = "ResourceInUseException: Another active subscription exists for this consumer: \
                      000000000000:orders:shardId-000000000000:reader";

async fn a_consumer_subscribes_again_after_five_seconds(lab: Lab) {
    let stream = lab.stream("orders").create().await;
    let consumer = Consumer::of(&stream).await;
    let latest = || from(ShardIteratorType::Latest);
    for _ in 0..2 {
        let subscription = consumer.subscribe(SHARD_0, latest()).await;
        drop(subscription);
        lab.until_subscriptions(0).await;
        // The connection is closed. A refused call does not restart the time.
        assert_eq!(consumer.refused(SHARD_0, latest()).await, IN_USE);
        lab.clock.advance(Duration::from_millis(4_999)).await;
        assert_eq!(consumer.refused(SHARD_0, latest()).await, IN_USE);
        lab.clock.advance(Duration::from_millis(1)).await;
    }
    // A deregistered consumer that is registered again counts as another consumer.
    drop(consumer.subscribe(SHARD_0, latest()).await);
    let leave = format!(r#"{{"ConsumerARN":"{}"}}"#, consumer.arn);
    lab.ok("DeregisterStreamConsumer", &leave).await;
    let consumer = Consumer::of(&stream).await;
    drop(consumer.subscribe(SHARD_0, latest()).await);
}

wire_test!(
    a_closed_connection_does_not_let_the_consumer_subscribe_again_at_once,
    a_consumer_subscribes_again_after_five_seconds
);

wire_test!(
    under_the_fast_profile_as_well,
    ["--profile", "fast"],
    a_consumer_subscribes_again_after_five_seconds
);

wire_test!(
    without_the_lock_each_subscription_takes_over_at_once,
    ["--limit", "subscription-lock-seconds=off"],
    |lab: Lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let latest = || from(ShardIteratorType::Latest);
        let mut old = consumer.subscribe(SHARD_0, latest()).await;
        let mut new = consumer.subscribe(SHARD_0, latest()).await;
        assert_eq!(old.next().await.unwrap_err(), IN_USE);
        stream.put("key", "0").await;
        assert_eq!(new.data(1).await, ["0"]);
    }
);

wire_test!(
    an_impossible_subscription_is_refused_before_any_frame,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let consumer = Consumer::of(&stream).await;
        let latest = || from(ShardIteratorType::Latest);
        for (shard, expected) in [
            (
                "ABC",
                "Could not find shard ABC in stream orders under account 000000000000.",
            ),
            (
                "shardId-000000000007",
                "Could not find shard shardId-000000000007 in stream orders under account 000000000000.",
            ),
        ] {
            let got = consumer.refused(shard, latest()).await;
            assert_eq!(got, format!("ResourceNotFoundException: {expected}"));
        }
        let unknown = Consumer {
            stream: stream.clone(),
            arn: format!("{}0", consumer.arn),
        };
        let got = unknown.refused(SHARD_0, latest()).await;
        let expected = "Consumer reader under stream: orders, account 000000000000 not found.";
        assert_eq!(got, format!("ResourceNotFoundException: {expected}"));

        let dry = format!(
            r#"{{"ConsumerARN":"{}","ShardId":"0","DryRun":true,"StartingPosition":{{"Type":"LATEST"}}}}"#,
            consumer.arn
        );
        let got = lab.refusal("SubscribeToShard", &dry).await;
        assert!(got.starts_with("DryRunOperationException: "), "{got}");
        // The dry run did not subscribe, so a real subscription may begin immediately.
        let mut subscription = consumer.subscribe(SHARD_0, latest()).await;
        stream.put("key", "0").await;
        assert_eq!(subscription.data(1).await, ["0"]);
    }
);

wire_test!(
    a_consumer_that_is_not_active_yet_is_refused,
    ["--transition-ms", "1000"],
    |lab: Lab| async move {
        let stream = lab.stream("orders").create().await;
        lab.clock.advance(seconds(1)).await;
        let consumer = Consumer::of(&stream).await;
        let got = consumer
            .refused(SHARD_0, from(ShardIteratorType::Latest))
            .await;
        let created = consumer.arn.rsplit(':').next().unwrap();
        let expected = format!(
            "ResourceInUseException: Consumer reader with creation timestamp {created} under \
             stream: orders , account 000000000000 is not in ACTIVE status."
        );
        assert_eq!(got, expected);
    }
);

kinesis_test!(
    a_record_of_ten_mebibytes_is_pushed_whole,
    |lab| async move {
        let stream = lab.stream("orders").record_kib(10_240).create().await;
        let consumer = Consumer::of(&stream).await;
        let large = vec![b'x'; 10_240 * 1024 - 3];
        stream.put("key", &large).await;
        let horizon = from(ShardIteratorType::TrimHorizon);
        let mut subscription = consumer.subscribe(SHARD_0, horizon).await;
        let event = subscription.next().await.unwrap().expect("the record");
        assert_eq!(event.records[0].data.as_ref(), large);
    }
);

wire_test!(stopping_ends_subscriptions_cleanly, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let consumer = Consumer::of(&stream).await;
    let mut subscription = consumer
        .subscribe(SHARD_0, from(ShardIteratorType::Latest))
        .await;
    let (ended, ()) = tokio::join!(subscription.next(), lab.stop());
    assert_eq!(ended, Ok(None));
});

wire_test!(
    a_subscription_ended_by_an_internal_failure_says_so_as_the_service_does,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("key", "0").await;
        let consumer = Consumer::of(&stream).await;
        lab.set_faults(vec![Rule::new(Point::Event, Fault::Error).unwrap()]);
        let mut subscription = consumer
            .subscribe(SHARD_0, from(ShardIteratorType::TrimHorizon))
            .await;
        assert_eq!(
            subscription.next().await.unwrap_err(),
            "InternalFailureException: Internal Service Error"
        );
    }
);

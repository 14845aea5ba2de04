//! The own paths show queues without receiving records.

use super::*;
use crate::lab::{Place, Request, block_on, hours, kinesis_test, seconds, wire_test};
use crate::looking::own;

async fn get(lab: &Lab, path: &str) -> Value {
    let (status, document) = own(lab, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {document}");
    document
}

/// The texts of the records in the state `state`.
async fn seen(lab: &Lab, state: &str) -> BTreeSet<String> {
    let page = get(lab, &format!("queues/q/records?state={state}&limit=10000")).await;
    let records = page["Records"].as_array().unwrap().iter();
    let texts = records.map(|record| record["Text"].as_str().unwrap().to_owned());
    texts.collect()
}

/// The numbers of visible, in-flight and dead-letter records of the only queue.
pub(super) async fn counts(lab: &Lab) -> [u64; 3] {
    let listed = get(lab, "queues").await;
    let queue = &listed["queues"][0];
    ["Visible", "InFlight", "DeadLetter"].map(|member| queue[member].as_u64().unwrap())
}

wire_test!(queues_are_listed_with_their_counts, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put_many(&lab, "s", 0..5).await;
    let received = receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 2})).await;
    // A repeated acknowledgement of a record does not count again.
    for _ in 0..2 {
        acknowledge(&lab, Kind::Normal, &arn, &received[..1]).await;
    }
    let listed = get(&lab, "queues").await;
    let [queue] = &listed["queues"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    for (member, expected) in [
        ("QueueName", json!("q")),
        ("QueueARN", json!(arn)),
        ("QueueStatus", json!("ACTIVE")),
        ("StreamName", json!("s")),
        ("StreamARN", json!(arn_of("s"))),
        ("Account", json!(ACCOUNT)),
        ("Region", json!(REGION)),
        ("Visible", json!(3)),
        ("InFlight", json!(1)),
        ("DeadLetter", json!(0)),
        ("Received", json!(2)),
        ("Acknowledged", json!(1)),
        ("VisibilityTimeoutSeconds", json!(30)),
    ] {
        assert_eq!(queue[member], expected, "{member}");
    }
    let elsewhere = get(&lab, "queues?region=eu-west-1").await;
    assert_eq!(elsewhere, json!({"queues": []}));
    let streams = get(&lab, "streams").await;
    let of_stream = json!([{"QueueName": "q", "Visible": 3, "InFlight": 1, "DeadLetter": 0}]);
    assert_eq!(streams["streams"][0]["Queues"], of_stream);
    assert_eq!(streams["streams"][0]["EventSourceMappings"], json!([]));
});

kinesis_test!(
    records_are_shown_by_state_without_being_received,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(1)).await;
        put_many(&lab, "s", 0..6).await;
        let dead = receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 1})).await;
        lab.clock.advance(seconds(30)).await;
        let held = receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 2})).await;
        let all = numbers(0..6);
        for _ in 0..2 {
            assert_eq!(seen(&lab, "dead-letter").await, texts(&dead));
            assert_eq!(seen(&lab, "in-flight").await, texts(&held));
            let taken: BTreeSet<_> = texts(&dead).union(&texts(&held)).cloned().collect();
            let left: BTreeSet<_> = all.difference(&taken).cloned().collect();
            assert_eq!(seen(&lab, "visible").await, left);
            assert_eq!(counts(&lab).await, [3, 2, 1]);
        }
        let page = get(&lab, "queues/q/records?state=in-flight").await;
        let record = &page["Records"][0];
        assert_eq!(record["ReceiveCount"], 1);
        assert_eq!(record["FirstReceiveTimestamp"], "2023-11-14T22:13:50Z");
        assert_eq!(record["VisibleAt"], "2023-11-14T22:14:20Z");
        let held = held.iter().find(|held| record["Text"] == held.text);
        assert_eq!(record["RecordId"], held.unwrap().id);
        // The requests to the own paths have not changed the receive count.
        lab.clock.advance(seconds(30)).await;
        let next = receive(&lab, &arn).await;
        assert!(next.iter().all(|record| record.count == 1), "{next:?}");
    }
);

kinesis_test!(records_are_shown_in_pages, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put_many(&lab, "s", 0..40).await;
    let mut gone = receive(&lab, &arn).await;
    acknowledge(&lab, Kind::Normal, &arn, &gone).await;
    let back = receive(&lab, &arn).await;
    for record in &back {
        set_visibility(&lab, Kind::Normal, &arn, record, 0).await;
    }
    let held = receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 3})).await;
    gone.extend(held);
    let expected: BTreeSet<_> = numbers(0..40).difference(&texts(&gone)).cloned().collect();
    assert_eq!(seen(&lab, "visible").await, expected);
    for limit in [1, 7] {
        let mut paged = Vec::new();
        let mut path = format!("queues/q/records?limit={limit}");
        loop {
            let page = get(&lab, &path).await;
            let records = page["Records"].as_array().unwrap();
            assert!(records.len() <= limit);
            paged.extend(
                records
                    .iter()
                    .map(|r| r["Text"].as_str().unwrap().to_owned()),
            );
            match page["Next"].as_str() {
                Some(next) => path = format!("queues/q/records?limit={limit}&next={next}"),
                None => break,
            }
        }
        assert_eq!(paged.len(), expected.len());
        assert_eq!(paged.into_iter().collect::<BTreeSet<_>>(), expected);
    }
});

/// Puts nine records: three become dead-letter records, three become in flight, and three stay
/// visible.
async fn in_every_state(lab: &Lab, arn: &str) {
    put_many(lab, "s", 0..9).await;
    let short = json!({"Limit": 3, "VisibilityTimeoutSeconds": 1});
    assert_eq!(receive_with(lab, Kind::Normal, arn, short).await.len(), 3);
    lab.clock.advance(seconds(1)).await;
    let long = json!({"Limit": 3, "VisibilityTimeoutSeconds": 43_200});
    assert_eq!(receive_with(lab, Kind::Normal, arn, long).await.len(), 3);
    assert_eq!(counts(lab).await, [3, 3, 3]);
}

kinesis_test!(
    counts_are_exact_when_records_are_cleared_or_expire,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(1)).await;
        in_every_state(&lab, &arn).await;
        assert_eq!(own(&lab, "POST", "streams/s/clear", "").await.0, 204);
        assert_eq!(counts(&lab).await, [0, 0, 0], "cleared");
        let metrics = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
        let metrics = metrics.text();
        let mut gauges = metrics.lines().filter(|line| {
            line.starts_with("minikin_queue_in_flight") || line.starts_with("minikin_queue_visible")
        });
        assert!(gauges.all(|line| line.ends_with(" 0")), "{metrics}");
        in_every_state(&lab, &arn).await;
        lab.clock.advance(hours(24)).await;
        assert_eq!(counts(&lab).await, [0, 0, 0], "expired");
        in_every_state(&lab, &arn).await;
        let retention = |hours: u32| json!({"StreamName": "s", "RetentionPeriodHours": hours});
        ok(&lab, "IncreaseStreamRetentionPeriod", retention(48)).await;
        lab.clock.advance(hours(24)).await;
        assert_eq!(counts(&lab).await, [3, 0, 6], "the timeouts are over");
        ok(&lab, "DecreaseStreamRetentionPeriod", retention(24)).await;
        assert_eq!(counts(&lab).await, [0, 0, 0], "the retention is shorter");
    }
);

#[test]
fn a_purge_settles_everything_for_good() {
    block_on(async {
        let lab = Lab::start(Place::Disk, &[]).await;
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(1)).await;
        put_many(&lab, "s", 0..20).await;
        receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 5})).await;
        lab.clock.advance(seconds(30)).await;
        let held = receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 4})).await;
        assert_eq!(counts(&lab).await, [11, 4, 5]);
        let (status, answer) = own(&lab, "POST", &format!("queues/{arn}/purge"), "").await;
        assert_eq!(status, 204, "{answer}");
        assert_eq!(counts(&lab).await, [0, 0, 0]);
        // An acknowledgement of a purged record succeeds.
        acknowledge(&lab, Kind::Normal, &arn, &held).await;
        nothing(&lab, Kind::Normal, &arn).await;
        lab.restart().await;
        assert_eq!(counts(&lab).await, [0, 0, 0]);
        put(&lab, "s", "new").await;
        assert_eq!(
            texts(&receive(&lab, &arn).await),
            BTreeSet::from(["new".to_owned()])
        );
        lab.stop().await;
    });
}

wire_test!(a_look_that_makes_no_sense_is_refused, |lab| async move {
    create_stream(&lab, "s").await;
    create_queue(&lab, "q", "s").await;
    for (method, path, expected) in [
        ("GET", "queues/none/records", 404),
        ("GET", "queues/q", 404),
        ("GET", "queues/q/handles", 404),
        ("POST", "queues/none/purge", 404),
        ("POST", "queues/q/records", 405),
        ("GET", "queues/q/records?state=lost", 400),
        ("GET", "queues/q/records?limit=0", 400),
        ("GET", "queues/q/records?next=x", 400),
        ("GET", "queues/q/records?from=x", 400),
        ("POST", "queues/q/purge?all=1", 400),
        ("GET", "queues?name=q", 400),
        ("POST", "queues", 405),
    ] {
        let (status, document) = own(&lab, method, path, "").await;
        assert_eq!(status, expected, "{method} {path}");
        assert!(document["message"].is_string(), "{path}: {document}");
    }
});

//! Long polls, and the events that end them.

use super::*;
use crate::lab::{Request, WAIT_LIMIT, hours, kinesis_test, ms, seconds, wire_test};

/// A receive with the longest possible wait.
async fn wait(lab: &Lab, kind: Kind, arn: &str) -> Vec<Record> {
    receive_with(lab, kind, arn, json!({"WaitTimeSeconds": 20})).await
}

/// Runs a receive that waits, and runs `work` as soon as the receive is waiting.
async fn wait_while<F: Future>(
    lab: &Lab,
    kind: Kind,
    arn: &str,
    work: F,
) -> (Vec<Record>, F::Output) {
    let doing = async {
        until_waiting(lab, 1).await;
        work.await
    };
    let both = async { tokio::join!(wait(lab, kind, arn), doing) };
    tokio::time::timeout(WAIT_LIMIT, both).await.unwrap()
}

kinesis_test!(a_put_ends_a_wait_at_once, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let (records, ()) = wait_while(&lab, Kind::Normal, &arn, put(&lab, "s", "a")).await;
    assert_eq!(texts(&records), ["a".to_owned()].into());
    assert_eq!(lab.waiting_receives(), 0);
});

wire_test!(
    a_wait_ends_after_nine_seconds_or_as_long_as_asked_for,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        for (body, wait_ms) in [
            (json!({"QueueARN": arn}), 9_000),
            (json!({"QueueARN": arn, "WaitTimeSeconds": 1}), 1_000),
            (json!({"QueueARN": arn, "WaitTimeSeconds": 20}), 20_000),
        ] {
            for kind in [Kind::Normal, Kind::Dead] {
                let receiving = ok(&lab, kind.receive(), body.clone());
                let moving = async {
                    until_waiting(&lab, 1).await;
                    lab.clock.advance(ms(wait_ms - 1)).await;
                    assert_eq!(lab.waiting_receives(), 1);
                    lab.clock.advance(ms(1)).await;
                };
                let (received, ()) = tokio::join!(receiving, moving);
                assert_eq!(received, json!({"QueueRecords": []}));
            }
        }
    }
);

wire_test!(
    a_wait_ends_when_a_record_becomes_visible,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put(&lab, "s", "a").await;
        let seven = json!({"VisibilityTimeoutSeconds": 7});
        receive_with(&lab, Kind::Normal, &arn, seven).await;
        let due = lab.clock.now_ms() + 7_000;
        let (records, ()) =
            wait_while(&lab, Kind::Normal, &arn, lab.clock.advance(seconds(15))).await;
        assert_eq!(records[0].count, 2);
        lab.clock.advance(seconds(14)).await;
        assert_eq!(lab.clock.now_ms(), due + 22_000);
        let shown = set_visibility(&lab, Kind::Normal, &arn, &records[0], 0);
        let (records, failure) = wait_while(&lab, Kind::Normal, &arn, shown).await;
        assert_eq!((records[0].count, failure), (3, None));
        set_limit(&lab, &arn, Some(3)).await;
        let (dead, ()) = wait_while(&lab, Kind::Dead, &arn, async {
            set_visibility(&lab, Kind::Normal, &arn, &records[0], 5).await;
            lab.clock.advance(seconds(5)).await;
        })
        .await;
        assert_eq!(dead[0].count, 4);
        let restored = try_restore(&lab, &arn, &dead[0].handle);
        let (records, failure) = wait_while(&lab, Kind::Normal, &arn, restored).await;
        assert_eq!((records[0].count, failure), (1, None));
    }
);

wire_test!(a_deletion_ends_waits, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let body = json!({"QueueARN": arn, "WaitTimeSeconds": 20}).to_string();
    let receiving = lab.json("ReceiveQueueRecords", &body);
    let deleting = async {
        until_waiting(&lab, 1).await;
        ok(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
    };
    let both = async { tokio::join!(receiving, deleting) };
    let (answer, ()) = tokio::time::timeout(WAIT_LIMIT, both).await.unwrap();
    assert_eq!(answer.refusal().kind, "ResourceNotFoundException");
});

wire_test!(a_stop_ends_waits, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let body = json!({"QueueARN": arn, "WaitTimeSeconds": 20}).to_string();
    let request = Request::json("ReceiveQueueRecords", &body);
    let mut connection = lab.connect().await;
    let receiving = connection.exchange(&request);
    let stopping = async {
        until_waiting(&lab, 1).await;
        lab.stop().await;
    };
    let both = async { tokio::join!(receiving, stopping) };
    let (answer, ()) = tokio::time::timeout(WAIT_LIMIT, both).await.unwrap();
    assert_eq!(
        (answer.status, answer.value()),
        (200, json!({"QueueRecords": []}))
    );
});

wire_test!(one_record_wakes_one_of_many_receivers, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let receivers = async {
        let one = || {
            receive_with(
                &lab,
                Kind::Normal,
                &arn,
                json!({"WaitTimeSeconds": 20, "Limit": 1}),
            )
        };
        let all: [_; 8] = std::array::from_fn(|_| one());
        let mut received = Vec::new();
        for records in side_by_side(all).await {
            received.extend(records);
        }
        received
    };
    let putting = async {
        for number in 0..8 {
            until_waiting(&lab, 8 - number).await;
            put(&lab, "s", &number.to_string()).await;
        }
    };
    let both = async { tokio::join!(receivers, putting) };
    let (received, ()) = tokio::time::timeout(WAIT_LIMIT, both).await.unwrap();
    assert_eq!(texts(&received), numbers(0..8));
    assert!(received.iter().all(|record| record.count == 1));
});

wire_test!(
    a_receiver_that_leaves_takes_nothing_with_it,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        let body = json!({"QueueARN": arn, "WaitTimeSeconds": 20}).to_string();
        let request = Request::json("ReceiveQueueRecords", &body);
        let mut connection = lab.connect().await;
        {
            let receiving = connection.exchange(&request);
            tokio::pin!(receiving);
            tokio::select! {
                _ = &mut receiving => panic!("nothing is there to be received"),
                () = until_waiting(&lab, 1) => {}
            }
        }
        drop(connection);
        let left = async {
            while lab.waiting_receives() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(WAIT_LIMIT, left).await.unwrap();
        put(&lab, "s", "a").await;
        assert_eq!(receive(&lab, &arn).await[0].count, 1);
    }
);

kinesis_test!(
    a_year_with_records_in_flight_takes_few_stops_of_the_clock,
    ["--profile", "fast"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        for retention_h in [24, 8_760] {
            if retention_h > 24 {
                let body = json!({"StreamName": "s", "RetentionPeriodHours": retention_h});
                ok(&lab, "IncreaseStreamRetentionPeriod", body).await;
            }
            put_many(&lab, "s", 0..1_000).await;
            let mut received = 0;
            while received < 1_000 {
                let more = json!({"VisibilityTimeoutSeconds": 100 + received});
                received += receive_with(&lab, Kind::Normal, &arn, more).await.len();
            }
            let before = lab.clock.stops();
            lab.clock.advance(hours(365 * 24)).await;
            let stops = lab.clock.stops() - before;
            assert!(stops < 500, "{stops} stops");
            nothing(&lab, Kind::Normal, &arn).await;
        }
    }
);

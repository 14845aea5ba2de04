//! The records that a queue delivers, and the time of their delivery.

use super::*;
use crate::lab::program::Program;
use crate::lab::raw::Connection;
use crate::lab::{Request, START_MS, hours, kinesis_test, ms, seconds, wire_test};

kinesis_test!(every_record_is_delivered_once, |lab| async move {
    create_stream(&lab, "s").await;
    put_many(&lab, "s", 0..57).await;
    let queues = [
        create_queue(&lab, "q", "s").await,
        create_queue(&lab, "r", "s").await,
    ];
    put_many(&lab, "s", 57..100).await;
    let mut ids = Vec::new();
    for arn in &queues {
        let mut of_queue = std::collections::BTreeMap::new();
        while of_queue.len() < 100 {
            let records = receive(&lab, arn).await;
            assert!(!records.is_empty() && records.len() <= 10);
            acknowledge(&lab, Kind::Normal, arn, &records).await;
            for record in records {
                assert_eq!(record.count, 1);
                assert!(record.id.len() == 32 && record.id.bytes().all(|b| b.is_ascii_hexdigit()));
                assert_eq!(of_queue.insert(record.text, record.id), None);
            }
        }
        nothing(&lab, Kind::Normal, arn).await;
        ids.push(of_queue);
    }
    assert_eq!(
        ids[0].keys().cloned().collect::<BTreeSet<_>>(),
        numbers(0..100)
    );
    assert_eq!(ids[0], ids[1], "the ids are the same in every queue");
    let distinct: BTreeSet<_> = ids[0].values().collect();
    assert_eq!(distinct.len(), 100);
    let stream = crate::lab::Stream::existing(&lab, "s");
    assert_eq!(
        stream.read_all().await.len(),
        100,
        "the stream keeps its records"
    );
});

wire_test!(
    a_record_has_the_same_members_in_both_formats,
    |lab| async move {
        create_stream(&lab, "s").await;
        let strategy = json!({"StreamARN": arn_of("s"), "RecordDistributionStrategy": "AUTO"});
        ok(&lab, "UpdateStreamRecordDistributionStrategy", strategy).await;
        let arn = create_queue(&lab, "q", "s").await;
        ok(
            &lab,
            "PutRecord",
            json!({"StreamName": "s", "Data": "AP8="}),
        )
        .await;
        lab.clock.advance(ms(250)).await;
        let body = json!({"QueueARN": arn, "VisibilityTimeoutSeconds": 0});
        let in_json = ok(&lab, "ReceiveQueueRecords", body.clone()).await;
        let in_cbor = ok_cbor(&lab, "ReceiveQueueRecords", body).await;
        let [one, other] = [in_json, in_cbor].map(|answer| answer["QueueRecords"][0].clone());
        for record in [&one, &other] {
            assert_eq!(record["Data"], "AP8=");
            assert_eq!(
                record["ApproximateArrivalTimestamp"].as_f64(),
                Some(START_MS as f64 / 1000.0)
            );
            let first = (START_MS + 250) as f64 / 1000.0;
            assert_eq!(record["FirstReceiveTimestamp"].as_f64(), Some(first));
            assert_eq!(record["RecordId"], one["RecordId"]);
            let members: Vec<_> = record.as_object().unwrap().keys().collect();
            let expected = [
                "ApproximateArrivalTimestamp",
                "Data",
                "FirstReceiveTimestamp",
                "ReceiptHandle",
                "ReceiveCount",
                "RecordId",
            ];
            assert_eq!(members, expected, "no partition key was given");
        }
        assert_eq!([&one["ReceiveCount"], &other["ReceiveCount"]], [1, 2]);
        assert_ne!(one["ReceiptHandle"], other["ReceiptHandle"]);
    }
);

wire_test!(starting_positions_are_kept, |lab| async move {
    create_stream(&lab, "s").await;
    put(&lab, "s", "before").await;
    lab.clock.advance(seconds(1)).await;
    let mut at = queue_at("at", "s", "AT_TIMESTAMP");
    let moment = (START_MS + 500) as f64 / 1000.0;
    at["StreamConfigurationList"][0]["StartingPosition"]["Timestamp"] = json!(moment);
    let at = created(&lab, at).await;
    let latest = created(&lab, queue_at("latest", "s", "LATEST")).await;
    let mut default = queue_at("default", "s", "LATEST");
    let stream = default["StreamConfigurationList"][0]
        .as_object_mut()
        .unwrap();
    stream.remove("StartingPosition");
    let default = created(&lab, default).await;
    let horizon = create_queue(&lab, "horizon", "s").await;
    put(&lab, "s", "after").await;
    for (arn, count) in [(&at, 1), (&latest, 1), (&default, 1), (&horizon, 2)] {
        let texts = drain(&lab, arn, count).await;
        assert!(texts.contains("after"));
        nothing(&lab, Kind::Normal, arn).await;
    }
});

kinesis_test!(
    a_received_record_is_invisible_until_its_timeout,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put(&lab, "s", "a").await;
        let first = receive(&lab, &arn).await;
        nothing(&lab, Kind::Normal, &arn).await;
        lab.clock.advance(seconds(30)).await;
        let second = receive(&lab, &arn).await;
        assert_eq!((second[0].count, second[0].first_ms), (2, START_MS));
        assert_eq!(second[0].id, first[0].id);
        assert_ne!(second[0].handle, first[0].handle);
        lab.clock.advance(seconds(30)).await;
        let quick = json!({"VisibilityTimeoutSeconds": 2});
        let third = receive_with(&lab, Kind::Normal, &arn, quick).await;
        lab.clock.advance(ms(1_999)).await;
        let answer = ok(
            &lab,
            "UpdateQueueRecordsVisibility",
            json!({"QueueARN": arn, "Entries": [
                {"ReceiptHandle": third[0].handle, "VisibilityTimeoutSeconds": 3},
            ]}),
        );
        assert_eq!(answer.await["Failed"], json!([]));
        lab.clock.advance(ms(2_999)).await;
        lab.clock.advance(ms(1)).await;
        let fourth = receive(&lab, &arn).await;
        assert_eq!(
            fourth[0].count, 4,
            "the count is not changed by another timeout"
        );
    }
);

wire_test!(
    a_timeout_of_zero_shows_records_at_once_but_never_twice_in_one_answer,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put_many(&lab, "s", 0..4).await;
        let mut counts = Vec::new();
        for _ in 0..3 {
            let records = receive_with(
                &lab,
                Kind::Normal,
                &arn,
                json!({"VisibilityTimeoutSeconds": 0}),
            );
            let records = records.await;
            assert_eq!(texts(&records).len(), records.len());
            counts.extend(records.iter().map(|record| record.count));
        }
        assert_eq!(counts.iter().sum::<u64>(), 4 + 8 + 12);
    }
);

wire_test!(
    a_new_timeout_of_the_queue_is_for_later_receives,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put(&lab, "s", "a").await;
        receive(&lab, &arn).await;
        let attributes = json!({"VisibilityTimeoutSeconds": 5});
        ok(
            &lab,
            "UpdateQueue",
            json!({"QueueARN": arn, "QueueAttributes": attributes}),
        )
        .await;
        lab.clock.advance(seconds(28)).await;
        nothing(&lab, Kind::Normal, &arn).await;
        lab.clock.advance(seconds(1)).await;
        receive(&lab, &arn).await;
        lab.clock.advance(seconds(5)).await;
        assert_eq!(receive(&lab, &arn).await[0].count, 3);
    }
);

wire_test!(
    a_queue_has_a_limit_of_records_in_flight,
    ["--limit", "queue-in-flight=12"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put_many(&lab, "s", 0..20).await;
        let mut held = receive(&lab, &arn).await;
        while held.len() < 12 {
            held.extend(receive(&lab, &arn).await);
        }
        assert_eq!(held.len(), 12);
        nothing(&lab, Kind::Normal, &arn).await;
        let waiting = receive(&lab, &arn);
        let freed = async {
            acknowledge(&lab, Kind::Normal, &arn, &held[..1]).await;
        };
        let (received, ()) = tokio::join!(waiting, freed);
        assert_eq!(received.len(), 1);
        assert!(!texts(&held).contains(&received[0].text));
    }
);

/// Sends requests to a program.
struct Caller(Connection);

impl Caller {
    async fn ok(&mut self, operation: &str, body: Value) -> Value {
        let request = Request::json(operation, &body.to_string());
        let answer = self.0.exchange(&request).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// The handles of `count` records.
    async fn receive(&mut self, arn: &Value, count: usize) -> Vec<Value> {
        let mut handles = Vec::new();
        while handles.len() < count {
            let limit = count - handles.len();
            let body = json!({"QueueARN": arn, "Limit": limit});
            let answer = self.ok("ReceiveQueueRecords", body).await;
            let records = answer["QueueRecords"].as_array().unwrap().iter();
            handles.extend(records.map(|record| record["ReceiptHandle"].clone()));
        }
        handles
    }

    async fn acknowledge(&mut self, arn: &Value, handles: &[Value]) {
        let entries: Value = handles
            .iter()
            .map(|handle| json!({"ReceiptHandle": handle}))
            .collect();
        let body = json!({"QueueARN": arn, "Entries": entries});
        self.ok("AcknowledgeQueueRecords", body).await;
    }
}

#[test]
fn the_log_reports_the_in_flight_limit_once_in_an_episode() {
    let program = Program::start(&["--limit", "queue-in-flight=4"]);
    crate::lab::block_on(async {
        let mut caller = Caller(Connection::open(program.address()).await);
        caller.ok("CreateStream", json!({"StreamName": "s"})).await;
        let made = caller
            .ok("CreateQueue", queue_at("q", "s", "TRIM_HORIZON"))
            .await;
        let arn = &made["QueueDescription"]["QueueARN"];
        let record = |key: usize| json!({"PartitionKey": key.to_string(), "Data": ""});
        let records: Value = (0..20).map(record).collect();
        let body = json!({"StreamName": "s", "Records": records});
        caller.ok("PutRecords", body).await;
        for _ in 0..2 {
            let mut held = caller.receive(arn, 4).await;
            // The number of records in flight reaches the limit of the queue several times.
            for _ in 0..5 {
                caller.acknowledge(arn, &held[..1]).await;
                held.remove(0);
                held.extend(caller.receive(arn, 1).await);
            }
            caller.acknowledge(arn, &held).await;
        }
    });
    let log = program.output();
    let lines = log.lines().filter(|line| {
        line.contains("4 records of a queue are in flight") && line.contains("queue-in-flight=N")
    });
    assert_eq!(lines.count(), 2, "{log}");
}

kinesis_test!(
    retention_passes_over_records_in_every_state,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(1)).await;
        put_many(&lab, "s", 0..4).await;
        let one = json!({"Limit": 1, "VisibilityTimeoutSeconds": 0});
        let dead = receive_with(&lab, Kind::Normal, &arn, one).await;
        set_limit(&lab, &arn, Some(9)).await;
        let visible = json!({"Limit": 1, "VisibilityTimeoutSeconds": 1});
        let visible = receive_with(&lab, Kind::Normal, &arn, visible).await;
        let in_flight = json!({"Limit": 1, "VisibilityTimeoutSeconds": 43_200});
        let in_flight = receive_with(&lab, Kind::Normal, &arn, in_flight).await;
        lab.clock.advance(hours(11)).await;
        let dead_again = receive_dead(&lab, &arn).await;
        assert_eq!(texts(&dead_again), texts(&dead));
        let handle = &in_flight[0];
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, handle, 43_200).await,
            None
        );
        lab.clock.advance(hours(11)).await;
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, handle, 43_200).await,
            None
        );
        lab.clock.advance(hours(2)).await;
        nothing(&lab, Kind::Normal, &arn).await;
        nothing(&lab, Kind::Dead, &arn).await;
        let gone = Some("ResourceNotFoundException".to_owned());
        for record in [&visible[0], &in_flight[0]] {
            assert_eq!(
                try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
                gone
            );
            assert_eq!(
                set_visibility(&lab, Kind::Normal, &arn, record, 1).await,
                gone
            );
        }
        assert_eq!(
            try_acknowledge(&lab, Kind::Dead, &arn, &dead_again[0].handle).await,
            gone
        );
        assert_eq!(try_restore(&lab, &arn, &dead_again[0].handle).await, gone);
        put(&lab, "s", "later").await;
        assert_eq!(drain(&lab, &arn, 1).await, ["later".to_owned()].into());
    }
);

wire_test!(a_shorter_retention_counts_at_once, |lab| async move {
    create_stream(&lab, "s").await;
    let hours_of = |hours: u32| json!({"StreamName": "s", "RetentionPeriodHours": hours});
    ok(&lab, "IncreaseStreamRetentionPeriod", hours_of(48)).await;
    let arn = create_queue(&lab, "q", "s").await;
    put(&lab, "s", "old").await;
    lab.clock.advance(hours(25)).await;
    put(&lab, "s", "new").await;
    let records = receive_with(
        &lab,
        Kind::Normal,
        &arn,
        json!({"VisibilityTimeoutSeconds": 0}),
    )
    .await;
    let more = match records.len() {
        2 => Vec::new(),
        _ => receive_with(&lab, Kind::Normal, &arn, json!({"Limit": 1})).await,
    };
    assert_eq!(records.len() + more.len(), 2);
    ok(&lab, "DecreaseStreamRetentionPeriod", hours_of(24)).await;
    ok(&lab, "IncreaseStreamRetentionPeriod", hours_of(48)).await;
    lab.clock.advance(seconds(31)).await;
    assert_eq!(drain(&lab, &arn, 1).await, ["new".to_owned()].into());
    nothing(&lab, Kind::Normal, &arn).await;
});

wire_test!(
    an_answer_is_cut_before_ten_mebibytes,
    ["--limit", "shard-write-bytes=off"],
    |lab| async move {
        let arn = queue_with_large_records(&lab).await;
        let quick = json!({"VisibilityTimeoutSeconds": 1});
        let mut seen = Vec::new();
        for round in 1..=2 {
            for _ in 0..3 {
                let records = receive_with(&lab, Kind::Normal, &arn, quick.clone()).await;
                assert_eq!(records.len(), 1);
                assert_eq!(
                    records[0].count, round,
                    "what was given back counts as not received"
                );
                seen.push(records[0].text[..1].to_owned());
            }
            lab.clock.advance(seconds(1)).await;
        }
        seen.sort();
        assert_eq!(seen, ["a", "a", "b", "b", "c", "c"]);
    }
);

wire_test!(
    records_that_were_spilled_are_delivered,
    ["--memory", "262144", "--limit", "shard-write-bytes=off"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        let padding = "x".repeat(4_000);
        for number in 0..400 {
            put(&lab, "s", &number.to_string()).await;
            let data = base64(format!("{number}-{padding}").as_bytes());
            let body = json!({"StreamName": "s", "PartitionKey": number.to_string(), "Data": data});
            ok(&lab, "PutRecord", body).await;
        }
        assert_eq!(drain(&lab, &arn, 800).await.len(), 800);
        nothing(&lab, Kind::Normal, &arn).await;
    }
);

wire_test!(
    records_that_were_never_received_come_from_the_disk_beside_visible_ones,
    ["--memory", "262144", "--limit", "shard-write-bytes=off"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, None).await;
        put(&lab, "s", "poison").await;
        let quick = |limit: usize| json!({"Limit": limit, "VisibilityTimeoutSeconds": 0});
        receive_with(&lab, Kind::Normal, &arn, quick(1)).await;
        let padding = "x".repeat(4_000);
        for number in 0..400 {
            let data = base64(format!("{number}-{padding}").as_bytes());
            let body = json!({"StreamName": "s", "PartitionKey": number.to_string(), "Data": data});
            ok(&lab, "PutRecord", body).await;
        }
        let mut seen = BTreeSet::new();
        for (limit, receives) in [(1, 40), (10, 20)] {
            let before = seen.len();
            for _ in 0..receives {
                seen.extend(texts(
                    &receive_with(&lab, Kind::Normal, &arn, quick(limit)).await,
                ));
            }
            let new = seen.len() - before;
            assert!(
                new >= receives / 2 - 1,
                "{new} new records, {limit} in a receive"
            );
        }
    }
);

//! Time: retention, and the virtual clock.

use crate::lab::{
    Lab, Place, Request, SHARD_0, START_MS, Stream, hours, kinesis_test, ms, wire_test,
};
use serde_json::{Value, json};

kinesis_test!(records_leave_after_the_retention_period, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("key", b"value").await;
    lab.clock.advance(hours(24) - ms(1)).await;
    assert_eq!(stream.read_all().await.len(), 1);
    lab.clock.advance(ms(1)).await;
    assert!(stream.read_all().await.is_empty());
});

kinesis_test!(
    old_positions_read_on_from_the_oldest_readable_record,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let old = stream.put("key", "old").await;
        lab.clock.advance(hours(12)).await;
        stream.put("key", "new").await;
        lab.clock.advance(hours(12)).await;
        for iterator in [
            stream.horizon(SHARD_0).await,
            stream.iterator_at(START_MS).await,
            stream.iterator_at(0).await,
            stream
                .iterator_by_number("AT_SEQUENCE_NUMBER".into(), &old)
                .await,
            stream
                .iterator_by_number("AFTER_SEQUENCE_NUMBER".into(), &old)
                .await,
        ] {
            assert_eq!(stream.data(&iterator).await, ["new"]);
        }
        lab.clock.advance(hours(48)).await;
        assert!(stream.read_all().await.is_empty());
        stream.put("key", "newer").await;
        assert_eq!(
            crate::lab::stream::texts(&stream.read_all().await),
            ["newer"]
        );
    }
);

kinesis_test!(
    an_iterator_at_an_expired_record_goes_on_behind_it,
    ["--profile", "fast"],
    |lab| {
        async move {
            let stream = lab.stream("orders").create().await;
            for _ in 0..3 {
                stream.put("key", vec![0; 100_000]).await;
            }
            lab.clock.advance(hours(24) - ms(100)).await;
            stream.put("key", "fresh").await;
            let iterator = stream.horizon(SHARD_0).await;
            assert_eq!(stream.get(&iterator).await.records.len(), 4);
            lab.clock.advance(ms(100)).await;
            assert_eq!(stream.data(&iterator).await, ["fresh"]);
        }
    }
);

wire_test!(a_long_time_passes_in_one_step, |lab| async move {
    let stream = lab.stream("orders").create().await;
    for day in 0..5 {
        stream.put("key", day.to_string()).await;
        lab.clock.advance(hours(24 * 40)).await;
    }
    assert!(stream.read_all().await.is_empty());
    stream.put("key", "v").await;
    assert_eq!(stream.read_all().await.len(), 1);
});

async fn clock(lab: &Lab, request: Request) -> (u16, Value) {
    let answer = lab.send(&request).await;
    let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer.status, value)
}

fn post(body: &str) -> Request {
    Request::bare("POST", "/_minikin/clock").body(body.as_bytes())
}

wire_test!(
    the_clock_is_read_set_and_advanced_over_the_wire,
    |lab| async move {
        let read = Request::bare("GET", "/_minikin/clock");
        let expected = |now_ms: i64| (200, json!({"clock": "virtual", "now_ms": now_ms}));
        assert_eq!(clock(&lab, read.clone()).await, expected(START_MS));
        assert_eq!(
            clock(&lab, post(r#"{"advance_ms":1500}"#)).await,
            expected(START_MS + 1500)
        );
        let set = format!(r#"{{"set_ms":{}}}"#, START_MS + 2000);
        for _ in 0..2 {
            assert_eq!(clock(&lab, post(&set)).await, expected(START_MS + 2000));
        }
        assert_eq!(clock(&lab, read.clone()).await, expected(START_MS + 2000));
        let stream = lab.stream("s").create().await;
        stream.put("k", "v").await;
        assert_eq!(clock(&lab, post(r#"{"advance_ms":86400000}"#)).await.0, 200);
        assert!(stream.read_all().await.is_empty());
    }
);

wire_test!(the_clock_never_goes_back, |lab| async move {
    for body in [
        format!(r#"{{"set_ms":{}}}"#, START_MS - 1),
        r#"{"advance_ms":-1}"#.to_owned(),
        r#"{"set_ms":99999999999999999}"#.to_owned(),
        r#"{"advance_ms":9223372036854775807}"#.to_owned(),
        r#"{"advance_ms":"1"}"#.to_owned(),
        r#"{"advance_ms":1,"set_ms":1}"#.to_owned(),
        r#"{"forward":1}"#.to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        assert_eq!(clock(&lab, post(&body)).await.0, 400, "{body}");
    }
    assert_eq!(lab.clock.now_ms(), START_MS);
});

wire_test!(
    pages_of_other_origins_do_not_move_the_clock,
    |lab| async move {
        let request = post(r#"{"advance_ms":1}"#).header("Origin", "https://example.com");
        assert_eq!(clock(&lab, request).await.0, 403);
        assert_eq!(lab.clock.now_ms(), START_MS);
    }
);

wire_test!(
    the_machines_clock_is_read_and_not_moved,
    ["--clock", "system"],
    |lab| async move {
        let (status, answer) = clock(&lab, Request::bare("GET", "/_minikin/clock")).await;
        assert_eq!((status, &answer["clock"]), (200, &json!("system")));
        assert!(answer["now_ms"].as_i64().unwrap() > START_MS);
        assert_eq!(clock(&lab, post(r#"{"advance_ms":1}"#)).await.0, 409);
        let stream = lab.stream("s").create().await;
        stream.put("k", "v").await;
        assert_eq!(stream.read_all().await.len(), 1);
    }
);

wire_test!(
    advancing_meets_every_deadline_on_its_way,
    ["--transition-ms", "1000"],
    |lab| async move {
        lab.stream("s").create().await;
        // Advance in one step past the end of CREATING, and far beyond it.
        lab.clock.advance(hours(30)).await;
        let stream = Stream::existing(&lab, "s");
        stream.put("k", "v").await;
        assert_eq!(stream.read_all().await.len(), 1);
    }
);

#[test]
fn a_clock_that_was_moved_goes_on_after_a_restart() {
    crate::lab::run(Place::Disk, &[], |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("k", "old").await;
        lab.move_clock(hours(23)).await;
        stream.put("k", "new").await;
        lab.restart().await;
        assert_eq!(lab.clock.now_ms(), START_MS + 23 * 3_600_000);
        let stream = Stream::existing(&lab, "s");
        assert_eq!(stream.read_all().await.len(), 2);
        lab.move_clock(hours(1)).await;
        assert_eq!(crate::lab::stream::texts(&stream.read_all().await), ["new"]);
        lab.restart().await;
        let stream = Stream::existing(&lab, "s");
        assert_eq!(crate::lab::stream::texts(&stream.read_all().await), ["new"]);
    });
}

wire_test!(
    readers_that_stop_at_no_lag_see_everything_while_time_stands_still,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        for number in 0..5 {
            stream.put("k", format!("{number}").as_bytes()).await;
        }
        let start = lab
            .ok(
                "GetShardIterator",
                r#"{"StreamName":"s","ShardId":"0","ShardIteratorType":"TRIM_HORIZON"}"#,
            )
            .await;
        let mut iterator = start["ShardIterator"].as_str().unwrap().to_owned();
        let mut read = 0;
        let mut rounds = crate::lab::Rounds::of(10, "the tip of the shard");
        loop {
            rounds.next();
            let body = format!(r#"{{"ShardIterator":"{iterator}","Limit":2}}"#);
            let page = lab.ok("GetRecords", &body).await;
            read += page["Records"].as_array().unwrap().len();
            let behind = page["MillisBehindLatest"].as_i64().unwrap();
            assert_eq!(behind, i64::from(read < 5));
            if behind == 0 {
                break;
            }
            page["NextShardIterator"]
                .as_str()
                .unwrap()
                .clone_into(&mut iterator);
        }
        assert_eq!(read, 5);
    }
);

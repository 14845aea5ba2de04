//! Our own paths for people and tests: streams, records, wait, clear, put and reset.

use crate::lab::{Lab, Request, Stream, arn_of, kinesis_test, ms, seconds, wire_test, within};
use serde_json::{Value, json};

/// Sends a request to an own path. Returns the status and the document of the answer.
pub(crate) async fn own(lab: &Lab, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request::bare(method, &format!("/_minikin/{path}")).body(body.as_bytes());
    let answer = lab.send(&request).await;
    let document = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer.status, document)
}

async fn names_of(lab: &Lab) -> Value {
    lab.ok("ListStreams", "{}").await["StreamNames"].clone()
}

async fn get(lab: &Lab, path: &str) -> Value {
    let (status, document) = own(lab, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {document}");
    document
}

fn texts(document: &Value) -> Vec<&str> {
    let records = document["Records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["Text"].as_str().unwrap())
        .collect()
}

wire_test!(streams_are_listed_with_their_figures, |lab| async move {
    let stream = lab.stream("orders").shards(2).create().await;
    stream.put("key", "value").await;
    let listed = get(&lab, "streams").await;
    let [orders] = &listed["streams"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    for (member, expected) in [
        ("StreamName", json!("orders")),
        ("StreamStatus", json!("ACTIVE")),
        ("StreamMode", json!("PROVISIONED")),
        ("OpenShardCount", json!(2)),
        ("ClosedShardCount", json!(0)),
        ("Records", json!(1)),
        ("Bytes", json!("keyvalue".len())),
        ("ConsumerCount", json!(0)),
        ("QueueCount", json!(0)),
        ("Account", json!("000000000000")),
        ("Region", json!("us-east-1")),
    ] {
        assert_eq!(orders[member], expected, "{member}");
    }
    assert_eq!(orders["PutRecordsPerSecond"], Value::Null, "the first look");
    stream.put("key", "value").await;
    let rates = crate::lab::until("the rates", async || {
        let listed = get(&lab, "streams").await["streams"][0].clone();
        listed["PutRecordsPerSecond"].is_f64().then_some(listed)
    })
    .await;
    let records = rates["PutRecordsPerSecond"].as_f64().unwrap();
    assert!(records > 0.0 && records <= 1.0, "{records}");
    let bytes = rates["PutBytesPerSecond"].as_f64().unwrap();
    // Each rate is a quotient of its own, which is rounded.
    assert!((bytes / records - 8.0).abs() < 1e-9, "{bytes} {records}");
    assert_eq!(rates["GetRecordsPerSecond"], 0.0);
    assert_eq!(rates["GetBytesPerSecond"], 0.0);
    let elsewhere = get(&lab, "streams?region=eu-west-1").await;
    assert_eq!(elsewhere, json!({"streams": []}));
});

kinesis_test!(records_are_shown_decoded_and_in_pages, |lab| async move {
    let stream = lab.stream("orders").shards(2).create().await;
    for (key, data) in [
        ("a", &b"{\"total\": 3}"[..]),
        ("b", b"plain"),
        ("c", b"\xff\x00"),
    ] {
        stream.put(key, data).await;
    }
    let all = get(&lab, "streams/orders/records").await;
    let records = all["Records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(all.get("Next"), None);
    let of = |key: &str| records.iter().find(|r| r["PartitionKey"] == key).unwrap();
    assert_eq!(of("a")["Json"], json!({"total": 3}));
    assert_eq!(of("b")["Text"], "plain");
    assert_eq!(of("b")["Data"], "cGxhaW4=");
    assert_eq!(of("c").get("Text"), None);
    assert_eq!(
        of("c")["ApproximateArrivalTimestamp"],
        "2023-11-14T22:13:20Z"
    );
    let mut paged = Vec::new();
    let mut path = "streams/orders/records?limit=1".to_owned();
    loop {
        let page = get(&lab, &path).await;
        paged.extend(page["Records"].as_array().unwrap().clone());
        match page["Next"].as_str() {
            Some(next) => path = format!("streams/orders/records?limit=1&next={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, records);
    let one = get(&lab, "streams/orders/records?key=b").await;
    assert_eq!(texts(&one), ["plain"]);
});

wire_test!(a_look_begins_at_the_given_position, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    lab.clock.advance(seconds(10)).await;
    let second = stream.put("k", "two").await;
    let number = second.number.clone();
    for (from, expected) in [
        ("trim_horizon", &["one", "two"][..]),
        ("latest", &[]),
        ("1700000005", &["two"]),
        ("2023-11-14T22:13:20Z", &["one", "two"]),
        (&number, &["two"]),
    ] {
        let path = format!("streams/orders/records?from={from}");
        assert_eq!(texts(&get(&lab, &path).await), expected, "{from}");
    }
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
    for name in [arn.to_owned(), arn.replace('/', "%2F").replace(':', "%3A")] {
        let found = get(&lab, &format!("streams/{name}/records")).await;
        assert_eq!(texts(&found), ["one", "two"]);
    }
});

wire_test!(
    a_malformed_look_is_refused_with_a_sentence,
    |lab| async move {
        lab.stream("orders").create().await;
        for (path, status) in [
            ("streams/none/records", 404),
            ("streams/orders/nothing", 404),
            ("streams/orders", 404),
            ("streams/orders/records?shard=shardId-000000000099", 404),
            ("streams/orders/tail?shard=shardId-000000000099", 404),
            ("streams/orders/records?limit=0", 400),
            ("streams/orders/records?limit=x", 400),
            ("streams/orders/records?limit=1&limit=2", 400),
            ("streams/orders/records?shard=x", 400),
            ("streams/orders/records?from=noon", 400),
            ("streams/orders/records?next=x", 400),
            ("streams/orders/records?colour=red", 400),
            ("streams?account=1", 400),
            ("streams?region=a:b", 400),
        ] {
            let (answered, document) = own(&lab, "GET", path, "").await;
            assert_eq!(answered, status, "{path}");
            assert!(document["message"].is_string(), "{path}: {document}");
        }
        for body in [
            "",
            "{}",
            "{\"records\": -1}",
            "{\"records\": 1, \"more\": 2}",
        ] {
            let answered = own(&lab, "POST", "streams/orders/wait", body).await;
            assert_eq!(answered.0, 400, "{body}");
        }
    }
);

wire_test!(
    a_refused_method_is_answered_with_those_allowed,
    |lab| async move {
        for (method, path, methods) in [
            ("GET", "queues/q/purge", "POST"),
            ("DELETE", "queues/q/purge", "POST"),
            ("PUT", "queues/q/records", "GET,HEAD"),
            ("POST", "queues/q/records", "GET,HEAD"),
            ("GET", "streams/s/clear", "POST"),
            ("PUT", "streams/s/clear", "POST"),
            ("POST", "streams/s/tail", "GET,HEAD"),
            ("PUT", "streams/s/records", "GET,HEAD,POST"),
            ("DELETE", "queues", "GET,HEAD"),
            ("GET", "reset", "POST"),
            ("PUT", "clock", "GET,HEAD,POST"),
            ("GET", "faults/1", "DELETE"),
            ("GET", "event-sources/drain/drain", "POST"),
        ] {
            let request = Request::bare(method, &format!("/_minikin/{path}"));
            let answer = lab.send(&request).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(methods), "{method} {path}");
        }
        let (status, _) = own(&lab, "DELETE", "queues/q/nothing", "").await;
        assert_eq!(status, 404);
    }
);

wire_test!(a_path_without_members_refuses_a_body, |lab| async move {
    lab.ok("CreateStream", r#"{"StreamName":"s"}"#).await;
    let stream = json!({"StreamARN": arn_of("s")});
    let create = json!({"QueueName": "q", "StreamConfigurationList": [stream]});
    lab.ok("CreateQueue", &create.to_string()).await;
    let records = json!({"RecordFormatType": "JSON"});
    let stream = json!({"StreamARN": arn_of("s"), "RecordConfiguration": records});
    let storage = json!({"BucketARN": "arn:aws:s3:::bucket", "ExpectedBucketOwner": "000000000000",
        "CompressionType": "NONE"});
    let create = json!({"ChannelName": "c", "StreamConfigurationList": [stream],
        "ServiceExecutionRoleARN": "arn:aws:iam::000000000000:role/r",
        "S3DestinationConfiguration": {"StorageConfiguration": storage}});
    lab.ok("CreateChannel", &create.to_string()).await;
    for path in ["streams/s/clear", "queues/q/purge", "channels/c/flush"] {
        for body in ["{\"all\": true}", "all", "[]", "null", "{"] {
            let (status, document) = own(&lab, "POST", path, body).await;
            assert_eq!(status, 400, "{path} {body}");
            let message = document["message"].as_str().unwrap();
            assert!(message.starts_with("the body is empty"), "{message}");
        }
        // The channel has no destination, so it cannot be flushed.
        let expected = if path == "channels/c/flush" { 409 } else { 204 };
        for body in ["", "{}", " { }\n"] {
            let (status, _) = own(&lab, "POST", path, body).await;
            assert_eq!(status, expected, "{path} {body}");
        }
    }
});

wire_test!(
    every_refusal_of_an_own_path_has_a_message,
    |lab| async move {
        for (method, path, status) in [
            ("GET", "nothing", 404),
            ("POST", "", 405),
            ("GET", "faults/1/2", 404),
            ("DELETE", "faults/1", 404),
            ("GET", "event-sources/x", 404),
            ("GET", "event-sources/x/events?after=y", 404),
            ("DELETE", "faults/%FF", 400),
            ("DELETE", "streams", 405),
            ("PUT", "clock", 405),
            ("GET", "streams/none/wait", 405),
            ("POST", "streams/none/tail", 405),
            ("POST", "queues/none/records", 405),
            ("GET", "queues/none/purge", 405),
            ("POST", "queues/none/nothing", 404),
            ("POST", "clock", 400),
            ("POST", "reset", 400),
        ] {
            let (answered, document) = own(&lab, method, path, "nothing").await;
            assert_eq!(answered, status, "{method} {path}");
            let message = document["message"].as_str().unwrap();
            let whole = format!("/_minikin/{path}");
            match status {
                405 => assert_eq!(
                    message,
                    format!("{whole} does not allow the method {method}")
                ),
                404 if path.ends_with("nothing") => {
                    assert_eq!(message, format!("there is no path {whole}"));
                }
                _ => assert_ne!(message, "", "{path}"),
            }
        }
    }
);

wire_test!(
    a_query_that_a_path_does_not_have_is_refused,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("k", "v").await;
        for (method, path) in [
            ("POST", "reset?setup=true"),
            ("GET", "clock?x=1"),
            ("POST", "clock?advance_ms=1"),
            ("GET", "faults?x=1"),
            ("POST", "faults?x=1"),
            ("PUT", "faults?x=1"),
            ("DELETE", "faults?id=1"),
            ("DELETE", "faults/1?x=1"),
            ("GET", "event-sources?limit=1"),
            ("POST", "event-sources/drain?advance=true"),
            ("GET", "snapshot?x=1"),
            ("GET", "queues?x=1"),
            ("POST", "streams/orders/clear?x=1"),
        ] {
            let (status, document) = own(&lab, method, path, "").await;
            let (_, name) = path.split_once('?').unwrap();
            let (name, _) = name.split_once('=').unwrap();
            let expected = format!("this path has no parameter {name}");
            assert_eq!(document, json!({ "message": expected }), "{method} {path}");
            assert_eq!(status, 400, "{method} {path}");
        }
        assert_eq!(stream.read_all().await.len(), 1);
        for path in ["health/live", "health/ready", "metrics", "ca.pem"] {
            assert_eq!(own(&lab, "GET", &format!("{path}?x=1"), "").await.0, 200);
        }
    }
);

wire_test!(
    a_malformed_body_is_refused_in_plain_words,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("k", "v").await;
        let wait = "the body is a JSON object with records and, optionally, timeout_ms";
        let drain = "the body is a JSON object with timeout_ms, advance, most_advance_ms and \
                     windows, all optional";
        let reset = "the body is a JSON object with setup";
        let clock = "the body is a JSON object with one of advance_ms and set_ms";
        for (path, body, form, fault) in [
            ("reset", "[]", reset, ""),
            ("reset", "[true]", reset, ""),
            (
                "reset",
                r#"{"setup": 1}"#,
                reset,
                ": line 1: setup: this has to be true or false",
            ),
            (
                "reset",
                r#"{"Setup": true}"#,
                reset,
                ": line 1: Setup: there is no such member; did you mean setup?",
            ),
            ("streams/orders/wait", "[1,1]", wait, ""),
            ("streams/orders/wait", "7", wait, ""),
            (
                "streams/orders/wait",
                r#"{"records": -1}"#,
                wait,
                ": line 1: records: this has to be a whole number, 0 or more",
            ),
            (
                "streams/orders/wait",
                r#"{"records": 1, "records": 2}"#,
                wait,
                ": line 1: the member records is given twice",
            ),
            (
                "streams/orders/wait",
                "{}",
                "the member records is missing",
                "",
            ),
            ("event-sources/drain", "[100,false,1,false]", drain, ""),
            (
                "event-sources/drain",
                r#"{"advance": "yes"}"#,
                drain,
                ": line 1: advance: this has to be true or false",
            ),
            ("clock", "[1]", clock, ""),
            ("clock", r#"{"advance_ms": 1, "set_ms": 1}"#, clock, ""),
            (
                "clock",
                r#"{"advance_ms": "1"}"#,
                clock,
                ": line 1: advance_ms: this has to be a whole number of milliseconds",
            ),
            (
                "faults",
                "7",
                "the body is a fault rule or a list of rules; a rule is a JSON object",
                "",
            ),
            (
                "faults",
                r#"{"kind": "throttle", "times": "x"}"#,
                "line 1: times: this has to be a whole number, 0 or more",
                "",
            ),
            (
                "faults",
                "[{\"kind\": \"throttle\"},\n{\"kind\": \"throttle\", \"percent\": []}]",
                "line 2: [1].percent: this has to be a number",
                "",
            ),
        ] {
            let (status, document) = own(&lab, "POST", path, body).await;
            let expected = json!({ "message": format!("{form}{fault}") });
            assert_eq!(document, expected, "{path} {body}");
            assert_eq!(status, 400, "{path} {body}");
        }
        assert_eq!(stream.read_all().await.len(), 1);
        assert_eq!(get(&lab, "faults").await, json!({"faults": []}));
    }
);

wire_test!(a_wait_ends_with_the_last_record, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    let body = r#"{"records": 3, "timeout_ms": 60000}"#;
    let waiting = own(&lab, "POST", "streams/orders/wait", body);
    let putting = async {
        stream.put("k", "two").await;
        stream.put("k", "three").await;
    };
    let both = async { tokio::join!(waiting, putting) };
    let ((status, document), ()) = within("the records to be counted", both).await;
    assert_eq!((status, document), (200, json!({"records": 3})));
    let short = r#"{"records": 9, "timeout_ms": 1}"#;
    let (status, document) = own(&lab, "POST", "streams/orders/wait", short).await;
    assert_eq!(
        (status, document),
        (408, json!({"records": 3, "wanted": 9}))
    );
});

wire_test!(a_wait_ends_with_its_stream, |lab| async move {
    lab.stream("orders").create().await;
    let body = r#"{"records": 1, "timeout_ms": 60000}"#;
    let waiting = own(&lab, "POST", "streams/orders/wait", body);
    let deleting = lab.ok("DeleteStream", r#"{"StreamName": "orders"}"#);
    let both = async { tokio::join!(waiting, deleting) };
    // The deletion may come first. The wait then finds no stream.
    let ((status, document), _) = within("the wait to end", both).await;
    assert_eq!(status, 404, "{document}");
});

kinesis_test!(
    a_cleared_stream_goes_on_with_its_numbers,
    |lab| async move {
        let stream = lab.stream("orders").shards(2).create().await;
        let before = stream.put("k", "before").await;
        assert_eq!(own(&lab, "POST", "streams/orders/clear", "").await.0, 204);
        assert!(stream.read_all().await.is_empty());
        let after = stream.put("k", "after").await;
        assert!(after.number > before.number);
        assert_eq!(
            crate::lab::stream::texts(&stream.read_all().await),
            ["after"]
        );
        let counted = own(&lab, "POST", "streams/orders/wait", r#"{"records": 1}"#).await;
        assert_eq!(counted, (200, json!({"records": 1})));
        let has_disk = lab.restart().await;
        assert_eq!(names_of(&lab).await == json!(["orders"]), has_disk);
        if names_of(&lab).await == json!(["orders"]) {
            let again = Stream::existing(&lab, "orders");
            assert_eq!(
                crate::lab::stream::texts(&again.read_all().await),
                ["after"]
            );
        }
    }
);

wire_test!(records_are_put_as_people_write_them, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let lines =
        "{\"PartitionKey\":\"a\",\"Text\":\"one\"}\n\n{\"PartitionKey\":\"b\",\"Data\":\"dHdv\"}\n";
    let (status, answer) = own(&lab, "POST", "streams/orders/records", lines).await;
    assert_eq!((status, &answer["FailedRecordCount"]), (200, &json!(0)));
    assert_eq!(answer["Records"].as_array().unwrap().len(), 2);
    assert_eq!(
        crate::lab::stream::texts(&stream.read_all().await),
        ["one", "two"]
    );
    let broken = "{\"PartitionKey\":\"a\",\"Text\":\"three\"}\n{\"Text\":\"x\"}";
    let (status, answer) = own(&lab, "POST", "streams/orders/records", broken).await;
    assert_eq!(status, 400);
    assert_eq!(answer["message"], "line 2: a record needs a PartitionKey");
    assert_eq!(stream.read_all().await.len(), 2, "nothing is half done");
});

wire_test!(many_records_are_put_in_batches, |lab| async move {
    const LINES: usize = 4_500;
    let stream = lab.stream("orders").create().await;
    let line = |at: usize| format!("{{\"PartitionKey\":\"k\",\"Text\":\"{at}\"}}\n");
    let lines: String = (0..LINES).map(line).collect();
    for (last, refusal) in [
        (
            "{}",
            "line 4501: a record needs exactly one of Data, Text and Json",
        ),
        (
            "{\"PartitionKey\":\"k\",\"Text\":\"x\",\"ExplicitHashKey\":\"x\"}",
            "record 4501: ",
        ),
    ] {
        let broken = format!("{lines}{last}");
        let (status, answer) = own(&lab, "POST", "streams/orders/records", &broken).await;
        assert_eq!(status, 400);
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with(refusal), "{message}");
        assert!(stream.read_all().await.is_empty(), "nothing is half done");
    }
    let (status, answer) = own(&lab, "POST", "streams/orders/records", &lines).await;
    assert_eq!(status, 200);
    let results = answer["Records"].as_array().unwrap();
    assert_eq!(results.len(), LINES);
    let placed = |at: &usize| results[*at]["SequenceNumber"].is_string();
    let expected: Vec<String> = (0..LINES).filter(placed).map(|at| at.to_string()).collect();
    assert_eq!(answer["FailedRecordCount"], LINES - expected.len());
    assert!(!expected.is_empty());
    assert_eq!(
        crate::lab::stream::texts(&stream.read_all().await),
        expected
    );
});

kinesis_test!(a_reset_removes_everything, |lab| async move {
    for name in ["a", "b"] {
        let stream = lab.stream(name).create().await;
        stream.put("k", "v").await;
    }
    assert_eq!(own(&lab, "POST", "reset", "").await.0, 204);
    let listed = lab.ok("ListStreams", "{}").await;
    assert_eq!(listed["StreamNames"], json!([]));
    lab.stream("a").create().await.put("k", "w").await;
    if lab.restart().await {
        assert_eq!(names_of(&lab).await, json!(["a"]));
    }
});

wire_test!(
    own_paths_are_shut_to_pages_of_other_origins,
    |lab| async move {
        lab.stream("orders").create().await;
        for (method, path) in [
            ("GET", "streams"),
            ("GET", "streams/orders/records"),
            ("POST", "streams/orders/wait"),
            ("POST", "streams/orders/clear"),
            ("POST", "streams/orders/records"),
            ("POST", "reset"),
            ("GET", "queues"),
            ("GET", "queues/jobs/records"),
            ("POST", "queues/jobs/purge"),
            ("POST", "event-sources/x/failures/1/redeliver"),
        ] {
            let request = Request::bare(method, &format!("/_minikin/{path}"))
                .header("Origin", "https://example.com");
            let refused = lab.send(&request).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.value()["message"].is_string(), "{path}");
        }
        lab.clock.advance(ms(1)).await;
    }
);

//! Smithy RPC v2 CBOR, by raw bytes.

use crate::lab::request::RPC_V2;
use crate::lab::{Answer, Events, Lab, Pushed, Request, SHARD_0, cbor, wire_test};
use ciborium::Value as Cbor;
use minikin::internals::operation::{Entry, OPERATIONS};
use serde_json::{Value, json};

const PATH: &str = "/service/Kinesis_20131202/operation/";

/// A call whose input is given as JSON.
fn rpc(operation: &str, input: &Value) -> Request {
    let shape = Entry::find(operation).unwrap().input;
    Request::rpc_v2(
        operation,
        &cbor::write(&cbor::from_json(input, Some(shape))),
    )
}

async fn call(lab: &Lab, operation: &str, input: &Value) -> Answer {
    lab.send_both(&rpc(operation, input)).await
}

/// The output of a call that succeeds.
async fn output(lab: &Lab, operation: &str, input: &Value) -> Value {
    let answer = lab.send(&rpc(operation, input)).await;
    assert_eq!(answer.status, 200, "{operation} {}", answer.text());
    assert_eq!(answer.header("smithy-protocol"), Some("rpc-v2-cbor"));
    if answer.body.is_empty() {
        assert_eq!(answer.header("content-type"), None, "{operation}");
        assert_eq!(answer.header("content-length"), Some("0"));
        return Value::Null;
    }
    assert_eq!(answer.header("content-type"), Some(RPC_V2));
    answer.value()
}

/// The members of a refusal.
fn refusal(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.header("smithy-protocol"), Some("rpc-v2-cbor"));
    assert_eq!(answer.header("content-type"), Some(RPC_V2));
    (answer.status, answer.value())
}

wire_test!(
    every_operation_refuses_an_empty_input_as_it_does_in_json,
    |lab: Lab| async move {
        for entry in OPERATIONS {
            let json = lab.json(entry.name, "{}").await;
            let rpc = lab.send_both(&Request::rpc_v2(entry.name, &[0xa0])).await;
            assert_eq!(json.status, rpc.status, "{}", entry.name);
            if json.status == 200 {
                continue;
            }
            let (json, (_, rpc)) = (json.value(), refusal(&rpc));
            let kind = format!("com.amazonaws.kinesis#{}", json["__type"].as_str().unwrap());
            assert_eq!(rpc["__type"], kind, "{}", entry.name);
            assert_eq!(rpc["message"], json["message"], "{}", entry.name);
        }
    }
);

wire_test!(
    an_input_may_be_written_in_any_length_and_be_absent,
    |lab: Lab| async move {
        for body in [&b""[..], &[0xa0], &[0xbf, 0xff], &[0xb8, 0]] {
            for operation in ["DescribeLimits", "ListStreams", "DescribeAccountSettings"] {
                let typed = Request::rpc_v2(operation, body);
                assert_eq!(
                    lab.send_both(&typed).await.status,
                    200,
                    "{operation} {body:x?}"
                );
                let untyped = typed.without("Content-Type");
                assert_eq!(
                    lab.send_both(&untyped).await.status,
                    200,
                    "{operation} {body:x?}"
                );
            }
        }
        // A map and a text of indefinite length. A null counts as absent.
        let body =
            b"\xbf\x6aStreamName\x7f\x61o\x62rd\xff\x6aShardCount\x19\x00\x02\x64Tags\xf6\xff";
        let created = lab.send(&Request::rpc_v2("CreateStream", body)).await;
        assert_eq!(
            (created.status, created.body.len()),
            (200, 0),
            "{}",
            created.text()
        );
        let list = output(&lab, "ListShards", &json!({"StreamName": "ord"})).await;
        assert_eq!(list["Shards"].as_array().unwrap().len(), 2);
    }
);

wire_test!(records_go_in_and_come_out, |lab: Lab| async move {
    let create = json!({"StreamName": "s", "ShardCount": 1});
    assert_eq!(output(&lab, "CreateStream", &create).await, Value::Null);
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "Zm9v"});
    let placed = output(&lab, "PutRecord", &put).await;
    assert_eq!(placed["ShardId"], SHARD_0);
    let record = json!({"PartitionKey": "k", "Data": "YmFy"});
    let put = json!({"StreamName": "s", "Records": [record, record]});
    let placed = output(&lab, "PutRecords", &put).await;
    assert_eq!(placed["FailedRecordCount"], 0);
    let start = json!({"StreamName": "s", "ShardId": SHARD_0, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = output(&lab, "GetShardIterator", &start).await;
    let read = lab.send(&rpc("GetRecords", &iterator)).await;
    // The test's clock is at 1,700,000,000 s. The time is tag 1 with a float, here of four bytes.
    let arrival = [&[0xc1, 0xfa][..], &1_700_000_000.0_f32.to_be_bytes()].concat();
    let windows = read.body.windows(arrival.len());
    assert_eq!(windows.filter(|window| *window == arrival).count(), 3);
    let data: Vec<Value> = read.value()["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["Data"].clone())
        .collect();
    assert_eq!(data, ["Zm9v", "YmFy", "YmFy"]);
});

/// An input of ListShards with a timestamp. `time` is the value after tag 1.
fn shards_at(time: Cbor) -> Vec<u8> {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let filter = Cbor::Map(vec![
        (text("Type"), text("AT_TIMESTAMP")),
        (text("Timestamp"), Cbor::Tag(1, Box::new(time))),
    ]);
    cbor::write(&Cbor::Map(vec![
        (text("StreamName"), text("s")),
        (text("ShardFilter"), filter),
    ]))
}

wire_test!(timestamps_are_seconds, |lab: Lab| async move {
    lab.stream("s").create().await;
    let summary = output(&lab, "DescribeStreamSummary", &json!({"StreamName": "s"})).await;
    let created = &summary["StreamDescriptionSummary"]["StreamCreationTimestamp"];
    assert_eq!(*created, 1_700_000_000.0);
    for time in [
        Cbor::Integer(1_700_000_000.into()),
        Cbor::Float(1_700_000_000.0),
        Cbor::Float(1_699_999_999.75),
    ] {
        let answer = lab
            .send(&Request::rpc_v2("ListShards", &shards_at(time.clone())))
            .await;
        assert_eq!(answer.status, 200, "{time:?} {}", answer.text());
        assert_eq!(
            answer.value()["Shards"].as_array().unwrap().len(),
            1,
            "{time:?}"
        );
    }
    // A time as a position. It is after the first record and before the second one.
    let text = |text: &str| Cbor::Text(text.to_owned());
    let stream = crate::lab::Stream::existing(&lab, "s");
    stream.put("k", "first").await;
    lab.clock.advance(crate::lab::seconds(10)).await;
    stream.put("k", "second").await;
    let position = Cbor::Map(vec![
        (text("StreamName"), text("s")),
        (text("ShardId"), text(SHARD_0)),
        (text("ShardIteratorType"), text("AT_TIMESTAMP")),
        (
            text("Timestamp"),
            Cbor::Tag(1, Box::new(Cbor::Float(1_700_000_005.5))),
        ),
    ]);
    let request = Request::rpc_v2("GetShardIterator", &cbor::write(&position));
    let iterator = lab.send(&request).await.value();
    let read = output(&lab, "GetRecords", &iterator).await;
    assert_eq!(read["Records"].as_array().unwrap().len(), 1);
    assert_eq!(
        read["Records"][0]["ApproximateArrivalTimestamp"],
        1_700_000_010.0
    );
});

wire_test!(errors_carry_their_full_shape_id, |lab: Lab| async move {
    let absent = call(&lab, "DescribeStream", &json!({"StreamName": "absent"})).await;
    let message = "Stream absent under account 000000000000 not found.";
    let expected = json!({
        "__type": "com.amazonaws.kinesis#ResourceNotFoundException", "message": message,
    });
    assert_eq!(refusal(&absent), (400, expected));
    for (request, kind) in [
        (
            Request::rpc_v2("ListStreams", b"{}"),
            "SerializationException",
        ),
        (
            Request::rpc_v2("ListStreams", &[0x81, 0]),
            "SerializationException",
        ),
        (
            Request::rpc_v2("Nothing", &[0xa0]),
            "UnknownOperationException",
        ),
        (Request::rpc_v2("Nothing", b""), "UnknownOperationException"),
        (
            Request::rpc_v2("ListStreams", &[0xa0]).path("/"),
            "UnknownOperationException",
        ),
        (
            Request::rpc_v2("ListStreams", &[0xa0]).path("/service/Other/operation/ListStreams"),
            "UnknownOperationException",
        ),
        (
            Request::rpc_v2("ListStreams", &[0xa0]).without("Authorization"),
            "MissingAuthenticationTokenException",
        ),
    ] {
        let (status, members) = refusal(&lab.send_both(&request).await);
        let kind = format!("com.amazon.coral.service#{kind}");
        assert_eq!(
            (status, &members["__type"]),
            (400, &Value::from(kind)),
            "{request:?}"
        );
    }
});

wire_test!(
    the_path_may_have_a_prefix_and_the_header_decides,
    |lab: Lab| async move {
        let list = Request::rpc_v2("ListStreams", &[0xa0]);
        let prefixed = list
            .clone()
            .path(&format!("/any/prefix{PATH}ListStreams?query"));
        assert_eq!(lab.send_both(&prefixed).await.status, 200);
        // The target of another protocol is ignored.
        let both = list
            .clone()
            .header("X-Amz-Target", "Kinesis_20131202.DescribeLimits");
        assert!(lab.send(&both).await.value().get("StreamNames").is_some());
        // Without the header Smithy-Protocol, the path is ignored.
        let json = Request::json("DescribeLimits", "{}").path(&format!("{PATH}ListStreams"));
        assert!(lab.send(&json).await.value().get("ShardLimit").is_some());
        let without = list.clone().without("Smithy-Protocol");
        assert_eq!(lab.send(&without).await.header("smithy-protocol"), None);
        let other = list.header("Smithy-Protocol", "rpc-v2-json");
        assert_eq!(lab.send(&other).await.header("smithy-protocol"), None);
    }
);

wire_test!(subscriptions_carry_events_in_cbor, |lab: Lab| async move {
    let stream = lab.stream("s").create().await;
    stream.put("k", "foo").await;
    let register = json!({"StreamARN": stream.arn(), "ConsumerName": "reader"});
    let consumer = output(&lab, "RegisterStreamConsumer", &register).await;
    let arn = consumer["Consumer"]["ConsumerARN"].clone();
    let at = json!({"Type": "AT_TIMESTAMP", "Timestamp": 1_700_000_000});
    let shape = Entry::find("SubscribeToShard").unwrap().input;
    let input = json!({"ConsumerARN": arn, "ShardId": SHARD_0, "StartingPosition": at});
    let Cbor::Map(mut members) = cbor::from_json(&input, Some(shape)) else {
        panic!("an input is a map");
    };
    // RPC v2 needs seconds, but the helper writes milliseconds.
    let Cbor::Map(position) = &mut members.last_mut().unwrap().1 else {
        panic!("a position is a map");
    };
    for (name, value) in position {
        if name.as_text() == Some("Timestamp") {
            *value = Cbor::Tag(1, Box::new(Cbor::Float(1_700_000_000.0)));
        }
    }
    let request = Request::rpc_v2("SubscribeToShard", &cbor::write(&Cbor::Map(members)));
    let mut events = Events::begin(lab.connect().await, &request).await.unwrap();
    let Pushed::Event(event) = events.next().await else {
        panic!("an event comes first");
    };
    assert_eq!(event["Records"][0]["Data"], "Zm9v");
    assert_eq!(
        event["Records"][0]["ApproximateArrivalTimestamp"],
        1_700_000_000.0
    );
    let delete = r#"{"StreamName":"s","EnforceConsumerDeletion":true}"#;
    lab.ok("DeleteStream", delete).await;
    let ended = events.next().await;
    assert_eq!(
        ended,
        Pushed::Exception("ResourceNotFoundException".to_owned())
    );
});

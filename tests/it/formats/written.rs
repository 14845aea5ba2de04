//! The bytes of answers.

use crate::lab::{SHARD_0, START_MS, kinesis_test, ms, wire_test};
use ciborium::Value as Cbor;
use serde_json::json;

/// The encoded name `name`, followed by the encoded value.
fn member(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let head = if length < 24 {
        vec![0x60 + length]
    } else {
        vec![0x78, length]
    };
    [&head, name.as_bytes(), value].concat()
}

fn check_holds(body: &[u8], name: &str, value: &[u8]) {
    let wanted = member(name, value);
    let found = body.windows(wanted.len()).any(|window| window == wanted);
    assert!(
        found,
        "{name} {value:02x?} in {}",
        String::from_utf8_lossy(body)
    );
}

fn map(entries: &[(&str, Cbor)]) -> Vec<u8> {
    let entries = entries
        .iter()
        .map(|(name, value)| (Cbor::from(*name), value.clone()));
    crate::lab::cbor::write(&Cbor::Map(entries.collect()))
}

/// A time in CBOR: tag 1 and an integer of eight bytes.
fn moment(at_ms: i64) -> Vec<u8> {
    [&[0xc1, 0x1b], at_ms.to_be_bytes().as_slice()].concat()
}

kinesis_test!(
    cbor_holds_bytes_as_bytes_and_times_as_whole_milliseconds,
    |lab| async move {
        lab.clock.advance(ms(123)).await;
        let stream = lab.stream("s").create().await;
        lab.clock.advance(ms(654)).await;
        stream.put("k", [0, 255, 1]).await;
        let long = vec![9; 300];
        stream.put("k", &long).await;
        let iterator = stream.horizon(SHARD_0).await;
        let got = lab
            .cbor("GetRecords", &map(&[("ShardIterator", iterator.into())]))
            .await;
        check_holds(
            &got.body,
            "ApproximateArrivalTimestamp",
            &moment(START_MS + 777),
        );
        check_holds(&got.body, "Data", &[0x43, 0, 255, 1]);
        check_holds(
            &got.body,
            "Data",
            &[&[0x59, 0x01, 0x2c], long.as_slice()].concat(),
        );
        check_holds(&got.body, "MillisBehindLatest", &[0]);
        assert_eq!(got.body[0], 0xa3, "a map of three with its length");
        let named = map(&[("StreamName", "s".into())]);
        for (operation, body) in [
            ("DescribeStream", &named),
            ("DescribeStreamSummary", &named),
            ("ListStreams", &map(&[])),
        ] {
            let answer = lab.cbor(operation, body).await;
            assert_eq!(answer.status, 200);
            check_holds(&answer.body, "StreamCreationTimestamp", &moment(START_MS));
        }
    }
);

wire_test!(
    json_holds_times_in_seconds_and_members_in_alphabetical_order,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut expected = Vec::new();
        for (wait, written) in [
            (0, "1700000000.000"),
            (7, "1700000000.007"),
            (90, "1700000000.097"),
            (903, "1700000001.000"),
        ] {
            lab.clock.advance(ms(wait)).await;
            let put = stream.put("k\"\\é\u{1}\u{1F600}", "data").await;
            expected.push(format!(
            "{{\"ApproximateArrivalTimestamp\":{written},\"Data\":\"ZGF0YQ==\",\"PartitionKey\":\
             \"k\\\"\\\\é\\u0001\u{1F600}\",\"SequenceNumber\":\"{}\"}}",
            put.number
        ));
        }
        let iterator = stream.horizon(SHARD_0).await;
        let answer = lab
            .json(
                "GetRecords",
                &json!({ "ShardIterator": iterator }).to_string(),
            )
            .await;
        let next = answer.value()["NextShardIterator"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            answer.text(),
            format!(
                "{{\"MillisBehindLatest\":0,\"NextShardIterator\":\"{next}\",\"Records\":[{}]}}",
                expected.join(",")
            )
        );
    }
);

wire_test!(absent_members_are_left_out, |lab| async move {
    let stream = lab.stream("s").shards(2).create().await;
    stream.put("k", "v").await;
    let keys = |value: &serde_json::Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let named = r#"{"StreamName":"s"}"#;
    let described = lab.ok("DescribeStream", named).await;
    assert_eq!(
        keys(&described["StreamDescription"]),
        "EncryptionType EnhancedMonitoring HasMoreShards RetentionPeriodHours Shards StreamARN \
         StreamCreationTimestamp StreamModeDetails StreamName StreamStatus"
    );
    let shard = &described["StreamDescription"]["Shards"][0];
    assert_eq!(keys(shard), "HashKeyRange SequenceNumberRange ShardId");
    assert_eq!(
        keys(&shard["SequenceNumberRange"]),
        "StartingSequenceNumber"
    );
    let summary = lab.ok("DescribeStreamSummary", named).await;
    assert_eq!(
        keys(&summary["StreamDescriptionSummary"]),
        "ChannelCount ConsumerCount EncryptionType EnhancedMonitoring MaxRecordSizeInKiB \
         OpenShardCount QueueCount RetentionPeriodHours StreamARN StreamCreationTimestamp StreamModeDetails StreamName \
         StreamStatus"
    );
    let put = lab
        .ok(
            "PutRecord",
            r#"{"StreamName":"s","PartitionKey":"k","Data":""}"#,
        )
        .await;
    assert_eq!(keys(&put), "SequenceNumber ShardId");
    let puts = r#"{"StreamName":"s","Records":[{"PartitionKey":"k","Data":""}]}"#;
    let puts = lab.ok("PutRecords", puts).await;
    assert_eq!(keys(&puts), "FailedRecordCount Records");
    assert_eq!(keys(&puts["Records"][0]), "SequenceNumber ShardId");
    assert_eq!(keys(&lab.ok("ListShards", named).await), "Shards");
    let listed = lab.ok("ListStreams", "{}").await;
    assert_eq!(keys(&listed), "HasMoreStreams StreamNames StreamSummaries");
    assert_eq!(
        keys(&listed["StreamSummaries"][0]),
        "StreamARN StreamCreationTimestamp StreamModeDetails StreamName StreamStatus"
    );
});

wire_test!(
    a_stream_id_is_accepted_and_never_answered,
    |lab| async move {
        let id = "abcdefghij0123456789-xyz";
        let stream = lab.stream("s").create().await;
        let iterator = stream.horizon(SHARD_0).await;
        for (operation, mut body) in [
            ("DescribeStream", json!({"StreamName": "s"})),
            ("DescribeStreamSummary", json!({"StreamName": "s"})),
            ("ListShards", json!({"StreamName": "s"})),
            (
                "PutRecord",
                json!({"StreamName": "s", "PartitionKey": "k", "Data": ""}),
            ),
            (
                "PutRecords",
                json!({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": ""}]}),
            ),
            (
                "GetShardIterator",
                json!({"StreamName": "s", "ShardId": "0", "ShardIteratorType": "LATEST"}),
            ),
            ("GetRecords", json!({ "ShardIterator": iterator })),
            ("DeleteStream", json!({"StreamName": "s"})),
        ] {
            body["StreamId"] = json!(id);
            let answer = lab.json(operation, &body.to_string()).await;
            assert_eq!(answer.status, 200, "{operation} {}", answer.text());
            assert!(
                !answer.text().contains("StreamId"),
                "{operation} {}",
                answer.text()
            );
        }
    }
);

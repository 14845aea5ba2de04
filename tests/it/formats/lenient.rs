//! Valid JSON in an unusual form.

use crate::lab::{SHARD_0, kinesis_test, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

wire_test!(numbers_are_cut_and_clamped, |lab| async move {
    lab.stream("s").shards(12).create().await;
    for (limit, count) in [
        ("10", 10),
        ("10.0", 10),
        ("1e1", 10),
        ("10.9", 10),
        ("0.2e1", 2),
        ("1.999999", 1),
    ] {
        let body = format!(r#"{{"StreamName":"s","Limit":{limit}}}"#);
        let described = lab.ok("DescribeStream", &body).await;
        let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
        assert_eq!(shards.len(), count, "{limit}");
    }
    let start = "ValidationException: 1 validation error detected: Value";
    for (limit, value) in [
        ("1099511627776", "2147483647"),
        ("99999999999999999999999999", "2147483647"),
        ("1e300", "2147483647"),
        ("-1", "-1"),
        ("-0.5", "0"),
        ("-99999999999999999999999", "-2147483648"),
        ("0", "0"),
    ] {
        let body = format!(r#"{{"StreamName":"s","Limit":{limit}}}"#);
        let refusal = lab.refusal("DescribeStream", &body).await;
        assert!(
            refusal.starts_with(&format!("{start} '{value}' at 'limit' failed")),
            "{refusal}"
        );
    }
});

wire_test!(
    nulls_count_as_absent_and_unknown_members_as_nothing,
    |lab| async move {
        let create = r#"{"StreamName":"s","ShardCount":1,"Tags":null,"StreamModeDetails":null,
        "Unknown":{"StreamName":[1,{"a":null}]},"streamName":"t","STREAMNAME":7,"":0}"#;
        lab.ok("CreateStream", create).await;
        let listed = lab
            .ok("ListStreams", r#"{"Limit":null,"NextToken":null}"#)
            .await;
        assert_eq!(listed["StreamNames"], json!(["s"]));
        let put = r#"{"StreamName":"s","StreamARN":null,"PartitionKey":"k","Data":"","DryRun":null,
        "data":true,"Extra":"member"}"#;
        lab.ok("PutRecord", put).await;
        let puts = r#"{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"","ExplicitHashKey":null,
        "partitionKey":9}]}"#;
        lab.ok("PutRecords", puts).await;
    }
);

wire_test!(
    the_last_of_two_members_of_one_name_counts,
    |lab| async move {
        lab.stream("s").create().await;
        let stream = crate::lab::Stream::existing(&lab, "s");
        for (body, expected) in [
            (
                r#"{"StreamName":"no","StreamName":"s","PartitionKey":"k","Data":"MQ=="}"#,
                None,
            ),
            (
                r#"{"StreamName":7,"StreamName":"s","PartitionKey":"k","Data":"Mg=="}"#,
                None,
            ),
            (
                r#"{"StreamName":"","StreamName":"s","PartitionKey":"k","Data":"Mw=="}"#,
                None,
            ),
            (
                r#"{"StreamName":"s","PartitionKey":"k","Data":null,"Data":"NA=="}"#,
                None,
            ),
            (
                r#"{"StreamName":"s","PartitionKey":"k","Data":"-","Data":"NQ=="}"#,
                None,
            ),
            (
                r#"{"StreamName":"s","StreamName":7,"PartitionKey":"k","Data":""}"#,
                Some("SerializationException"),
            ),
            (
                r#"{"StreamName":"s","PartitionKey":"k","Data":"","Data":null}"#,
                Some("ValidationException"),
            ),
            (
                r#"{"StreamName":"s","StreamName":"no","PartitionKey":"k","Data":""}"#,
                Some("ResourceNotFoundException"),
            ),
        ] {
            let answer = lab.json("PutRecord", body).await;
            let kind = (answer.status != 200).then(|| answer.refusal().kind);
            assert_eq!(kind.as_deref(), expected, "{body}");
        }
        let read = stream.read_all().await;
        assert_eq!(crate::lab::stream::texts(&read), ["1", "2", "3", "4", "5"]);
    }
);

kinesis_test!(
    keys_of_any_characters_come_back_as_they_were,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut expected = Vec::new();
        for (escaped, key) in [
            (r"plain", "plain"),
            (r#"\u00e9\n\t\/\\\""#, "é\n\t/\\\""),
            (r"\ud83d\ude00", "\u{1F600}"),
            ("\u{1F600}é中", "\u{1F600}é中"),
            (r"\u0000", "\0"),
            (r"\u007f\u0080\u2028", "\u{7f}\u{80}\u{2028}"),
            (" ", " "),
        ] {
            let body = format!(r#"{{"StreamName":"s","Data":"","PartitionKey":"{escaped}"}}"#);
            lab.ok("PutRecord", &body).await;
            expected.push(key);
        }
        let iterator = stream.horizon(SHARD_0).await;
        let got = lab
            .ok(
                "GetRecords",
                &json!({ "ShardIterator": iterator }).to_string(),
            )
            .await;
        let keys: Vec<_> = got["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["PartitionKey"].as_str().unwrap())
            .collect();
        assert_eq!(keys, expected);
        let read = stream.read_all().await;
        assert!(
            read.iter()
                .map(|record| &record.partition_key)
                .eq(expected.iter())
        );
    }
);

wire_test!(
    white_space_and_escaped_names_make_no_difference,
    |lab| async move {
        lab.stream("s").create().await;
        let body = "\r\n\t {\n \"Stream\\u004eame\" : \"\\u0073\" ,\t\"Limit\"\n:\r 1 } \n";
        let described = lab.ok("DescribeStream", body).await;
        assert_eq!(described["StreamDescription"]["StreamName"], "s");
    }
);

kinesis_test!(
    data_of_any_bytes_and_length_comes_back_as_it_was,
    ["--profile", "fast"],
    |lab| {
        async move {
            let stream = lab.stream("s").create().await;
            let lengths = [0, 1, 2, 3, 4, 255, 256, 65_535, 65_536, 100_001, 1_048_575];
            let data =
                |length: usize| -> Vec<u8> { (0..length).map(|at| (at * 7) as u8).collect() };
            for length in lengths {
                let encoded = STANDARD.encode(data(length));
                let body = json!({"StreamName": "s", "PartitionKey": "k", "Data": encoded});
                lab.ok("PutRecord", &body.to_string()).await;
            }
            let read = stream.read_all().await;
            for (record, length) in read.iter().zip(lengths) {
                assert_eq!(record.data.as_ref(), data(length), "{length}");
            }
            assert_eq!(read.len(), lengths.len());
        }
    }
);

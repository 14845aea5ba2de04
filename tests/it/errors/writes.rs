//! Errors about records that are refused.

use super::refused_in_both;
use crate::lab::{Lab, kinesis_test, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn zeros(count: usize) -> String {
    STANDARD.encode(vec![0; count])
}

fn put(data: usize, key: &str) -> String {
    json!({"StreamName": "orders", "PartitionKey": key, "Data": zeros(data)}).to_string()
}

fn puts(sizes: &[usize]) -> String {
    let entry = |size: &usize| json!({"PartitionKey": "k", "Data": zeros(*size)});
    let entries: Vec<Value> = sizes.iter().map(entry).collect();
    json!({"StreamName": "orders", "Records": entries}).to_string()
}

fn too_long(paths: &[&str], max: usize) -> String {
    let violation = |path: &&str| {
        format!(
            "Value at '{path}' failed to satisfy constraint: Member must have length less than or \
             equal to {max}"
        )
    };
    let violations: Vec<_> = paths.iter().map(violation).collect();
    let plural = if paths.len() == 1 { "" } else { "s" };
    format!(
        "ValidationException: {} validation error{plural} detected: {}",
        paths.len(),
        violations.join("; ")
    )
}

async fn stored(lab: &Lab) -> usize {
    crate::lab::Stream::existing(lab, "orders")
        .read_all()
        .await
        .len()
}

kinesis_test!(
    a_record_of_more_than_one_mebibyte_is_too_long,
    |lab| async move {
        lab.stream("orders").create().await;
        let got = refused_in_both(&lab, "PutRecord", &put(1_048_576, "k")).await;
        assert_eq!(got, too_long(&["data"], 1_048_576));
        // The length of a key is counted in bytes.
        let got = lab.refusal("PutRecord", &put(1_048_575, "é")).await;
        assert_eq!(got, too_long(&["data"], 1_048_576));
        let got = refused_in_both(&lab, "PutRecords", &puts(&[1, 1_048_576, 2, 1_048_577])).await;
        assert_eq!(
            got,
            too_long(
                &["records.2.member.data", "records.4.member.data"],
                1_048_576
            )
        );
        assert_eq!(stored(&lab).await, 0, "nothing of the request is stored");
        lab.ok("PutRecord", &put(1_048_575, "k")).await;
        assert_eq!(stored(&lab).await, 1);
    }
);

wire_test!(
    at_most_ten_records_are_reported_as_too_long,
    ["--profile", "fast"],
    |lab| async move {
        lab.stream("orders").create().await;
        // Eleven records that are one byte too large also exceed the limit of their sum, which is
        // checked first.
        let got = lab.refusal("PutRecords", &puts(&[1_048_576; 11])).await;
        assert_eq!(
            got,
            "InvalidArgumentException: Records size exceeds 10 MB limit"
        );
        let got = lab.refusal("PutRecords", &puts(&[1_048_576; 9])).await;
        assert!(
            got.starts_with("ValidationException: 9 validation errors detected: "),
            "{got}"
        );
    }
);

wire_test!(
    the_sum_of_a_request_has_a_limit,
    ["--profile", "fast"],
    |lab| async move {
        lab.stream("orders").create().await;
        // Ten keys of one byte and the data together are exactly 10 MiB.
        let mut sizes = [1_048_575; 10];
        lab.ok("PutRecords", &puts(&sizes)).await;
        sizes[0] -= 1;
        let mut more = sizes.to_vec();
        more.push(1);
        let got = refused_in_both(&lab, "PutRecords", &puts(&more)).await;
        assert_eq!(
            got,
            "InvalidArgumentException: Records size exceeds 10 MB limit"
        );
        more[10] = 0;
        lab.ok("PutRecords", &puts(&more)).await;
    }
);

wire_test!(a_raised_maximum_is_reported_in_bytes, |lab| async move {
    lab.stream("orders").record_kib(2048).create().await;
    let got = lab.refusal("PutRecord", &put(2_097_152, "k")).await;
    assert_eq!(got, too_long(&["data"], 2_097_152));
    lab.ok("PutRecord", &put(2_097_151, "k")).await;
});

kinesis_test!(
    a_hash_key_beyond_the_key_space_is_refused,
    |lab| async move {
        lab.stream("orders").create().await;
        let record = |key: &str| json!({"StreamName": "orders", "PartitionKey": "k", "Data": "", "ExplicitHashKey": key});
        for key in [
            "340282366920938463463374607431768211456",
            "999999999999999999999999999999999999999",
        ] {
            let expected = format!(
                "InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the \
             range: [0, 2^128-1]. Specified value was {key}"
            );
            let got = refused_in_both(&lab, "PutRecord", &record(key).to_string()).await;
            assert_eq!(got, expected);
            let entry = json!({"PartitionKey": "k", "Data": "", "ExplicitHashKey": key});
            let body = json!({
                "StreamName": "orders",
                "Records": [{"PartitionKey": "k", "Data": ""}, entry],
            });
            assert_eq!(
                refused_in_both(&lab, "PutRecords", &body.to_string()).await,
                expected
            );
        }
        assert_eq!(stored(&lab).await, 0);
        let last = record("340282366920938463463374607431768211455").to_string();
        lab.ok("PutRecord", &last).await;
    }
);

wire_test!(
    a_number_for_ordering_has_to_parse_and_not_be_from_the_future,
    |lab| async move {
        lab.stream("orders").create().await;
        let record = |number: &str| {
            json!({
                "StreamName": "orders", "PartitionKey": "k", "Data": "",
                "SequenceNumberForOrdering": number,
            })
            .to_string()
        };
        for number in [
            "49039857307708443467467104868809893875799651909875269632",
            "49646437577108476416916876405825929425585429676275269635",
            // The sequence number of index 5 in shard 1, a hundred seconds in the future.
            "49646437577130777162115407028973509772956155058602454546",
            &"9".repeat(129),
        ] {
            let expected = format!(
                "InvalidArgumentException: ExclusiveMinimumSequenceNumber {number} used in PutRecord \
             on stream orders under account 000000000000 is invalid."
            );
            assert_eq!(
                refused_in_both(&lab, "PutRecord", &record(number)).await,
                expected
            );
        }
        for number in [
            "0",
            "5",
            // A number of another stream, from 2019, and a number of version 1.
            "49600871682957036442365024926191073437251060580128653314",
            "49600871682957036442365024926191073437251060580128653313",
        ] {
            lab.ok("PutRecord", &record(number)).await;
        }
    }
);

wire_test!(
    an_auto_stream_refuses_an_ordering_number,
    |lab| async move {
        let create = json!({
            "StreamName": "orders",
            "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "RecordDistributionStrategy": "AUTO",
        });
        lab.ok("CreateStream", &create.to_string()).await;
        let body = json!({"StreamName": "orders", "Data": "", "SequenceNumberForOrdering": "0"});
        assert_eq!(
            refused_in_both(&lab, "PutRecord", &body.to_string()).await,
            "InvalidArgumentException: SequenceNumberForOrdering is not supported for streams with \
         record distribution strategy AUTO."
        );
    }
);

wire_test!(a_dry_run_is_refused_last, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let iterator = stream.horizon(crate::lab::SHARD_0).await;
    for (operation, good, bad, refusal) in [
        (
            "PutRecord",
            json!({"StreamName": "orders", "PartitionKey": "k", "Data": ""}),
            json!({"SequenceNumberForOrdering": "9".repeat(80)}),
            "InvalidArgumentException: ExclusiveMinimum",
        ),
        (
            "PutRecords",
            json!({"StreamName": "orders", "Records": [{"PartitionKey": "k", "Data": ""}]}),
            json!({"StreamName": "missing"}),
            "ResourceNotFoundException: Stream missing",
        ),
        (
            "GetShardIterator",
            json!({"StreamName": "orders", "ShardId": "0", "ShardIteratorType": "LATEST"}),
            json!({"StreamName": "missing"}),
            "ResourceNotFoundException: Stream missing",
        ),
        (
            "GetRecords",
            json!({"ShardIterator": iterator}),
            json!({"ShardIterator": "AAAA"}),
            "InvalidArgumentException: Invalid",
        ),
    ] {
        let dry = format!(
            "DryRunOperationException: DryRunOperation validation succeeded while calling \
             {operation} operation.: Request would have succeeded, but DryRun flag is set."
        );
        let mut body = good;
        body["DryRun"] = json!(true);
        assert_eq!(
            refused_in_both(&lab, operation, &body.to_string()).await,
            dry,
            "{operation}"
        );
        body["DryRun"] = json!(false);
        lab.ok(operation, &body.to_string()).await;
        body["DryRun"] = json!(true);
        for (name, value) in bad.as_object().unwrap() {
            body[name] = value.clone();
        }
        let got = lab.refusal(operation, &body.to_string()).await;
        assert!(got.starts_with(refusal), "{operation}: {got}");
    }
    assert_eq!(stored(&lab).await, 2, "only the two real puts");
});

// The live service was recorded to skip these checks in September 2026 (radkawar/stackd,
// testdata/aws/kinesis/dry_run.json).
wire_test!(a_dry_run_skips_some_checks, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let iterator = stream.horizon(crate::lab::SHARD_0).await;
    lab.ok("DeleteStream", &json!({"StreamName": "orders"}).to_string())
        .await;
    lab.stream("others").create().await;
    for (operation, body) in [
        (
            "GetShardIterator",
            json!({"StreamName": "others", "ShardId": "shardId-999999999999",
                "ShardIteratorType": "TRIM_HORIZON"}),
        ),
        (
            "GetShardIterator",
            json!({"StreamName": "others", "ShardId": "0",
                "ShardIteratorType": "AT_SEQUENCE_NUMBER"}),
        ),
        ("GetRecords", json!({"ShardIterator": iterator})),
    ] {
        let refused = lab.refusal(operation, &body.to_string()).await;
        let mut dry = body;
        dry["DryRun"] = json!(true);
        let got = lab.refusal(operation, &dry.to_string()).await;
        assert!(got.starts_with("DryRunOperationException: "), "{got}");
        assert_ne!(got, refused, "the call itself is refused");
    }
});

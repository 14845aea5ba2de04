//! Errors about starting positions.

use super::refused_in_both;
use crate::lab::{Lab, START_MS, kinesis_test, wire_test};
use serde_json::{Value, json};

fn iterate(shard: u32, kind: &str, rest: Value) -> String {
    let mut body = rest;
    body["StreamName"] = json!("orders");
    body["ShardId"] = json!(format!("shardId-{shard}"));
    body["ShardIteratorType"] = json!(kind);
    body.to_string()
}

async fn refusal(lab: &Lab, shard: u32, kind: &str, rest: Value) -> String {
    refused_in_both(lab, "GetShardIterator", &iterate(shard, kind, rest)).await
}

/// The starting number of a shard of `orders`.
async fn start(lab: &Lab, shard: usize) -> String {
    let described = lab.ok("DescribeStream", r#"{"StreamName":"orders"}"#).await;
    let range = &described["StreamDescription"]["Shards"][shard]["SequenceNumberRange"];
    range["StartingSequenceNumber"].as_str().unwrap().to_owned()
}

wire_test!(a_number_goes_with_two_types_only, |lab| async move {
    lab.stream("orders").create().await;
    let text = |kind: &str, found: &str| {
        format!(
            "InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or \
             AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no \
             StartingSequenceNumber. Request specified {kind} and {found} StartingSequenceNumber."
        )
    };
    let number = start(&lab, 0).await;
    for kind in ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"] {
        // An invalid number gives the same error.
        for number in [number.as_str(), "7"] {
            let rest = json!({ "StartingSequenceNumber": number });
            assert_eq!(refusal(&lab, 0, kind, rest).await, text(kind, "also a"));
        }
    }
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        assert_eq!(refusal(&lab, 0, kind, json!({})).await, text(kind, "no"));
        let rest = json!({"Timestamp": 1});
        assert_eq!(refusal(&lab, 0, kind, rest).await, text(kind, "no"));
        lab.ok(
            "GetShardIterator",
            &iterate(0, kind, json!({"StartingSequenceNumber": number})),
        )
        .await;
    }
});

wire_test!(a_number_that_cannot_be_one_is_invalid, |lab| async move {
    lab.stream("orders").create().await;
    for number in [
        // 2^185, 1.5 * 2^185, a valid number with the versions 3 and 0, an index whose top bit is
        // set, and a creation time that is too late.
        "49039857307708443467467104868809893875799651909875269632",
        "73559785961562665201200657303214840813699477864812904448",
        "49646437577108476416916876405825929425585429676275269635",
        "49646437577108476416916876405825929425585429676275269632",
        &too_large_index(),
        "99999999999999999999999999999999999999999999999999999999999999",
    ] {
        for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
            let expected = format!(
                "InvalidArgumentException: StartingSequenceNumber {number} used in \
                 GetShardIterator on shard shardId-000000000000 in stream orders under account \
                 000000000000 is invalid."
            );
            let rest = json!({ "StartingSequenceNumber": number });
            assert_eq!(refusal(&lab, 0, kind, rest).await, expected);
        }
    }
});

/// The sequence number of a shard created at 1700000000, with `8` as the first digit of its index.
/// It is 2^127 * 2^16 more than the start of the shard.
fn too_large_index() -> String {
    add(
        "49646437577108476416916876405825929425585429676275269634",
        1 << 127,
        1 << 16,
    )
}

/// Adds a product to a decimal number, digit by digit.
fn add(number: &str, factor: u128, other: u128) -> String {
    let mut digits: Vec<u128> = number
        .bytes()
        .rev()
        .map(|digit| u128::from(digit - b'0'))
        .collect();
    let mut product = vec![0; digits.len()];
    let factor: Vec<u128> = factor
        .to_string()
        .bytes()
        .rev()
        .map(|digit| u128::from(digit - b'0'))
        .collect();
    for (at, digit) in factor.iter().enumerate() {
        product[at] = digit * other;
    }
    let mut carry = 0;
    for (digit, more) in digits.iter_mut().zip(product) {
        let sum = *digit + more + carry;
        (*digit, carry) = (sum % 10, sum / 10);
    }
    digits.iter().rev().map(ToString::to_string).collect()
}

kinesis_test!(
    a_number_of_another_shard_names_both_shards,
    |lab| async move {
        lab.stream("orders").shards(2).create().await;
        let rest = json!({"StartingSequenceNumber": start(&lab, 1).await});
        assert_eq!(
            refusal(&lab, 0, "AT_SEQUENCE_NUMBER", rest).await,
            "InvalidArgumentException: Invalid StartingSequenceNumber. It encodes \
         shardId-000000000001, while it was used in a call to a shard with shardId-000000000000"
        );
        // The plain number 5 encodes shard 5.
        let rest = json!({"StartingSequenceNumber": "5"});
        assert_eq!(
            refusal(&lab, 1, "AFTER_SEQUENCE_NUMBER", rest).await,
            "InvalidArgumentException: Invalid StartingSequenceNumber. It encodes \
         shardId-000000000005, while it was used in a call to a shard with shardId-000000000001"
        );
        // With version 2, the index of the shard is a signed number. Here it is -1.
        let negative = "49646437577442987594894835752948967342640671834246843378";
        let got = refusal(
            &lab,
            0,
            "AT_SEQUENCE_NUMBER",
            json!({"StartingSequenceNumber": negative}),
        );
        let got = got.await;
        assert!(got.contains("It encodes shardId--"), "{got}");
    }
);

wire_test!(
    a_number_of_version_0_fails_inside_as_the_service_does,
    |lab| async move {
        lab.stream("orders").create().await;
        for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
            let got = refusal(&lab, 0, kind, json!({"StartingSequenceNumber": "0"})).await;
            assert_eq!(got, "500 InternalFailure");
        }
        lab.ok("GetShardIterator", &iterate(0, "LATEST", json!({})))
            .await;
    }
);

kinesis_test!(
    a_number_of_another_stream_did_not_come_from_this_one,
    |lab| async move {
        lab.stream("orders").create().await;
        // The start of shard 0 of a stream that was created in 2019.
        let number = "49600871682957036442365024926191073437251060580128653314";
        for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
            let expected = format!(
                "InvalidArgumentException: StartingSequenceNumber {number} used in GetShardIterator on \
             shard shardId-000000000000 in stream orders under account 000000000000 is invalid \
             because it did not come from this stream."
            );
            let rest = json!({ "StartingSequenceNumber": number });
            assert_eq!(refusal(&lab, 0, kind, rest).await, expected);
        }
    }
);

wire_test!(a_moment_is_needed_and_not_to_come, |lab| async move {
    lab.stream("orders").create().await;
    assert_eq!(
        refusal(&lab, 0, "AT_TIMESTAMP", json!({})).await,
        "InvalidArgumentException: Must specify timestampInMillis parameter for iterator of type \
         AT_TIMESTAMP. Current request has no timestamp parameter."
    );
    assert_eq!(
        refusal(
            &lab,
            0,
            "AT_TIMESTAMP",
            json!({"Timestamp": 1_700_000_000.001_f64})
        )
        .await,
        format!(
            "InvalidArgumentException: The timestampInMillis parameter cannot be greater than the \
             currentTimestampInMillis. timestampInMillis: {}, currentTimestampInMillis: {START_MS}",
            START_MS + 1
        )
    );
    for moment in [json!(1_700_000_000), json!(0), json!(1.5), json!(-5)] {
        lab.ok(
            "GetShardIterator",
            &iterate(0, "AT_TIMESTAMP", json!({ "Timestamp": moment })),
        )
        .await;
    }
    // A timestamp is ignored with another type of position.
    let far = json!({"Timestamp": 9_999_999_999_i64});
    lab.ok("GetShardIterator", &iterate(0, "LATEST", far)).await;
});

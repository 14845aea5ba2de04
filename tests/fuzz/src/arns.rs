//! Names, ARNs, keys and policies: what a caller names things by.

use super::requests::call;
use super::server::Bed;
use minikin::Authentication;
use minikin::internals::model::{ConsumerArn, StreamArn};
use serde_json::json;

const ORDERS: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

/// Reads any text as every kind of ARN and name.
pub fn arns(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(arn) = StreamArn::parse(&text) {
        assert_eq!(StreamArn::parse(&arn.to_string()), Some(arn));
        assert_eq!(ConsumerArn::parse(&text), None);
    }
    if let Some(arn) = ConsumerArn::parse(&text) {
        assert_eq!(ConsumerArn::parse(&arn.to_string()), Some(arn));
    }
    let bed = Bed::new(Authentication::Structure, Vec::new());
    call(
        &bed,
        "CreateStream",
        &json!({"StreamName": "orders", "ShardCount": 1}),
    );
    let consumer = json!({"StreamARN": ORDERS, "ConsumerName": "reader"});
    call(&bed, "RegisterStreamConsumer", &consumer);
    for (operation, body) in [
        ("DescribeStreamSummary", json!({"StreamARN": text})),
        ("DescribeStreamConsumer", json!({"ConsumerARN": text})),
        (
            "DescribeStreamConsumer",
            json!({"StreamARN": text, "ConsumerName": text}),
        ),
        ("ListTagsForResource", json!({"ResourceARN": text})),
        (
            "SubscribeToShard",
            json!({
                "ConsumerARN": text, "ShardId": text, "StartingPosition": {"Type": "LATEST"}
            }),
        ),
        (
            "GetShardIterator",
            json!({
                "StreamName": "orders", "ShardId": text, "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "StartingSequenceNumber": text
            }),
        ),
        (
            "PutRecord",
            json!({
                "StreamName": "orders", "Data": "", "PartitionKey": text, "ExplicitHashKey": text
            }),
        ),
    ] {
        call(&bed, operation, &body);
    }
    check_name(&bed, &text);
    check_key(&bed, &text);
    check_policy(&bed, &text);
    check_tag(&bed, &text);
}

/// Checks that a created stream is found by the ARN in its description.
fn check_name(bed: &Bed, name: &str) {
    let named = json!({"StreamName": name});
    let (status, _) = call(bed, "CreateStream", &named);
    if status != 200 {
        return;
    }
    let (_, summary) = call(bed, "DescribeStreamSummary", &named);
    let arn = &summary["StreamDescriptionSummary"]["StreamARN"];
    let parsed = StreamArn::parse(arn.as_str().unwrap()).unwrap();
    assert_eq!(&*parsed.name, name);
    let by_arn = call(bed, "DescribeStreamSummary", &json!({"StreamARN": arn}));
    assert_eq!(by_arn, (200, summary));
}

/// A key is kept as it was sent.
fn check_key(bed: &Bed, key: &str) {
    let body = json!({"StreamName": "orders", "EncryptionType": "KMS", "KeyId": key});
    let (status, _) = call(bed, "StartStreamEncryption", &body);
    if status != 200 {
        return;
    }
    let (_, summary) = call(
        bed,
        "DescribeStreamSummary",
        &json!({"StreamName": "orders"}),
    );
    assert_eq!(summary["StreamDescriptionSummary"]["KeyId"], key);
    let (status, _) = call(bed, "StopStreamEncryption", &body);
    assert_eq!(status, 200);
}

/// A policy comes back as it was sent.
fn check_policy(bed: &Bed, policy: &str) {
    let body = json!({"ResourceARN": ORDERS, "Policy": policy});
    let (status, _) = call(bed, "PutResourcePolicy", &body);
    if status == 200 {
        let kept = call(bed, "GetResourcePolicy", &json!({"ResourceARN": ORDERS}));
        assert_eq!(kept, (200, json!({"Policy": policy})));
    }
    call(
        bed,
        "PutResourcePolicy",
        &json!({"ResourceARN": policy, "Policy": "{}"}),
    );
}

/// A tag comes back as it was sent.
fn check_tag(bed: &Bed, text: &str) {
    let cut = text.char_indices().nth(text.chars().count() / 2);
    let (key, value) = text.split_at(cut.map_or(0, |(at, _)| at));
    let body = json!({"ResourceARN": ORDERS, "Tags": {key: value}});
    let (status, _) = call(bed, "TagResource", &body);
    if status == 200 {
        let kept = call(bed, "ListTagsForResource", &json!({"ResourceARN": ORDERS}));
        assert_eq!(kept, (200, json!({"Tags": [{"Key": key, "Value": value}]})));
        call(
            bed,
            "UntagResource",
            &json!({"ResourceARN": ORDERS, "TagKeys": [key]}),
        );
    }
}

//! Tags, policies and keys.

use super::*;
use crate::lab::wire_test;

wire_test!(tags_and_policies_belong_to_a_queue, |lab| async move {
    create_stream(&lab, "s").await;
    let mut body = queue_at("q", "s", "LATEST");
    body["Tags"] = json!({"a": "1"});
    let arn = created(&lab, body).await;
    let resource = json!({"ResourceARN": arn});
    let with = |member: &str, value: Value| {
        let mut body = resource.clone();
        body[member] = value;
        body
    };
    ok(&lab, "TagResource", with("Tags", json!({"b": "2"}))).await;
    ok(&lab, "UntagResource", with("TagKeys", json!(["a"]))).await;
    let tags = ok_cbor(&lab, "ListTagsForResource", resource.clone()).await;
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    let many: std::collections::BTreeMap<_, _> = (0..50).map(|at| (at.to_string(), "")).collect();
    let refusal = refused(&lab, "TagResource", with("Tags", json!(many))).await;
    let expected = format!(
        "InvalidArgumentException: Failed to add tags to resource {arn} under account {ACCOUNT} \
         because a given resource cannot have more than 50 tags associated with it."
    );
    assert_eq!(refusal, expected);
    let none = ok(&lab, "GetResourcePolicy", resource.clone()).await;
    assert_eq!(none, json!({"Policy": "{}"}));
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": "*"}]}).to_string();
    ok(&lab, "PutResourcePolicy", with("Policy", json!(policy))).await;
    assert_eq!(
        ok(&lab, "GetResourcePolicy", resource.clone()).await["Policy"],
        policy
    );
    ok(&lab, "DeleteResourcePolicy", resource.clone()).await;
    ok(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
    for operation in [
        "ListTagsForResource",
        "GetResourcePolicy",
        "DeleteResourcePolicy",
    ] {
        let refusal = refused(&lab, operation, resource.clone()).await;
        let expected = format!("ResourceNotFoundException: Queue {arn} not found.");
        assert_eq!(refusal, expected, "{operation}");
    }
});

/// The keys of the streams of a test: usable at first, then not.
const KEYS: [(&str, &str); 6] = [
    ("disabled", "KMSDisabledException"),
    ("pending", "KMSInvalidStateException"),
    ("denied", "KMSAccessDeniedException"),
    ("missing", "KMSNotFoundException"),
    ("opt-in", "KMSOptInRequired"),
    ("throttled", "KMSThrottlingException"),
];

#[test]
fn receiving_needs_the_key_of_the_stream() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().to_str().unwrap();
    crate::lab::block_on(async {
        let lab = Lab::start(crate::lab::Place::Memory, &["--data-dir", path]).await;
        let mut queues = Vec::new();
        for (key, _) in KEYS {
            create_stream(&lab, key).await;
            let body = json!({"StreamName": key, "EncryptionType": "KMS", "KeyId": key});
            ok(&lab, "StartStreamEncryption", body).await;
            put(&lab, key, "a").await;
            queues.push(create_queue(&lab, key, key).await);
        }
        let keys: Vec<_> = KEYS.iter().map(|(key, _)| format!("{key}={key}")).collect();
        lab.stop().await;
        let flags = ["--data-dir", path, "--kms-key", &keys.join(",")];
        let lab = Lab::start(crate::lab::Place::Memory, &flags).await;
        for (arn, (key, refusal)) in queues.iter().zip(KEYS) {
            for operation in [Kind::Normal.receive(), Kind::Dead.receive()] {
                let message = refused(&lab, operation, json!({"QueueARN": arn})).await;
                assert!(
                    message.starts_with(&format!("{refusal}: ")),
                    "{key} {operation}: {message}"
                );
            }
            // An acknowledgement needs no permission on the key. The handle is unknown, so only
            // the entry fails.
            let failure = try_acknowledge(&lab, Kind::Normal, arn, "x").await;
            assert_eq!(failure.as_deref(), Some("InvalidArgumentException"));
        }
        lab.stop().await;
    });
}

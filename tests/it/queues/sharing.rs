//! Tags, policies and keys.

use super::*;
use crate::lab::wire_test;
use crate::readers::check_tags;

wire_test!(tags_and_policies_belong_to_a_queue, |lab| async move {
    create_stream(&lab, "s").await;
    let mut body = queue_at("q", "s", "LATEST");
    body["Tags"] = json!({"a": "1"});
    let arn = created(&lab, body).await;
    let resource = json!({"ResourceARN": arn});
    check_tags(&lab, &arn).await;
    let none = ok(&lab, "GetResourcePolicy", resource.clone()).await;
    assert_eq!(none, json!({"Policy": "{}"}));
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": "*"}]}).to_string();
    let put = json!({"ResourceARN": arn, "Policy": policy});
    ok(&lab, "PutResourcePolicy", put).await;
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

/// The KMS keys of the streams. Each is usable at first, and unusable after the restart.
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

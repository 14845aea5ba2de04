//! Encryption: the type and the key in answers, and keys that cannot be used.

use super::{ACCOUNT, arn_of, not_found, ok, ok_cbor, refused, restart, shard_id, status, summary};
use crate::lab::{Lab, Stream, hours, kinesis_test, ms, wire_test};
use aws_sdk_kinesis::types::EncryptionType;
use serde_json::{Value, json};

fn with_key(key: &str) -> Value {
    json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": key})
}

/// The encryption type and the key in the description of the stream.
async fn described(lab: &Lab) -> (Value, Option<Value>) {
    let described = ok(lab, "DescribeStream", json!({"StreamName": "s"})).await;
    let described = &described["StreamDescription"];
    let summary = summary(lab, "s").await;
    for member in ["EncryptionType", "KeyId"] {
        assert_eq!(described.get(member), summary.get(member), "{member}");
    }
    (
        summary["EncryptionType"].clone(),
        summary.get("KeyId").cloned(),
    )
}

kinesis_test!(
    records_are_marked_by_what_held_when_they_were_put,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        assert_eq!(described(&lab).await, (json!("NONE"), None));
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
        let puts = json!({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": ""}]});
        let shown = async || {
            let one = ok(&lab, "PutRecord", put.clone()).await;
            let many = ok_cbor(&lab, "PutRecords", puts.clone()).await;
            assert_eq!(one.get("EncryptionType"), many.get("EncryptionType"));
            one.get("EncryptionType").cloned()
        };
        assert_eq!(shown().await, None);
        let key = "arn:aws:kms:us-east-1:000000000000:key/1";
        assert_eq!(
            ok(&lab, "StartStreamEncryption", with_key(key)).await,
            Value::Null
        );
        assert_eq!(described(&lab).await, (json!("KMS"), Some(json!(key))));
        assert_eq!(shown().await, Some(json!("KMS")));
        assert_eq!(
            ok_cbor(&lab, "StopStreamEncryption", with_key(key)).await,
            Value::Null
        );
        assert_eq!(described(&lab).await, (json!("NONE"), None));
        assert_eq!(shown().await, None);
        let marks = async |stream: Stream| {
            let records = stream.read(&shard_id(0)).await;
            records
                .into_iter()
                .map(|record| record.encryption_type)
                .collect::<Vec<_>>()
        };
        let kms = Some(EncryptionType::Kms);
        let expected = [None, None, kms.clone(), kms, None, None];
        assert_eq!(marks(stream).await, expected);
        if restart(&lab).await {
            assert_eq!(marks(Stream::existing(&lab, "s")).await, expected);
        }
    }
);

/// The text of the live service (radkawar/stackd, testdata/aws/kinesis/controls.json).
const UNENCRYPTED: &str = "InvalidArgumentException: Cannot stop encrypting an unencrypted stream.";

kinesis_test!(a_key_is_replaced_and_may_be_given_again, |lab| async move {
    lab.stream("s").create().await;
    for key in ["a", "a", "alias/b", "alias/b"] {
        ok(&lab, "StartStreamEncryption", with_key(key)).await;
        assert_eq!(described(&lab).await, (json!("KMS"), Some(json!(key))));
    }
    let other = format!(
        "InvalidArgumentException: Stream s under account {ACCOUNT} is not encrypted with key a."
    );
    assert_eq!(
        refused(&lab, "StopStreamEncryption", with_key("a")).await,
        other
    );
    if restart(&lab).await {
        assert_eq!(
            described(&lab).await,
            (json!("KMS"), Some(json!("alias/b")))
        );
        let by_arn = json!({
            "StreamARN": arn_of("s"), "EncryptionType": "KMS", "KeyId": "alias/b"
        });
        ok(&lab, "StopStreamEncryption", by_arn).await;
        let again = refused(&lab, "StopStreamEncryption", with_key("any")).await;
        assert_eq!(again, UNENCRYPTED);
        assert_eq!(described(&lab).await, (json!("NONE"), None));
    }
});

wire_test!(
    a_change_of_encryption_goes_through_updating,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let refusal = refused(&lab, "StopStreamEncryption", with_key("a")).await;
        assert_eq!(refusal, UNENCRYPTED);
        assert_eq!(status(&lab, "s").await, "ACTIVE");
        ok(&lab, "StartStreamEncryption", with_key("a")).await;
        assert_eq!(status(&lab, "s").await, "UPDATING");
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
        let answer = ok(&lab, "PutRecord", put.clone()).await;
        assert!(
            answer.get("EncryptionType").is_none(),
            "not before it is done: {answer}"
        );
        lab.clock.advance(ms(500)).await;
        assert_eq!(ok(&lab, "PutRecord", put).await["EncryptionType"], "KMS");
        ok(&lab, "StartStreamEncryption", with_key("a")).await;
        assert_eq!(status(&lab, "s").await, "UPDATING", "also for the same key");
        lab.clock.advance(ms(500)).await;
        assert_eq!(described(&lab).await, (json!("KMS"), Some(json!("a"))));
    }
);

wire_test!(
    encryption_without_its_members_is_refused,
    |lab| async move {
        for operation in ["StartStreamEncryption", "StopStreamEncryption"] {
            assert_eq!(
                refused(&lab, operation, with_key("a")).await,
                not_found("s")
            );
            let got = refused(
                &lab,
                operation,
                json!({"EncryptionType": "AES", "KeyId": ""}),
            )
            .await;
            let expected = "ValidationException: 2 validation errors detected: Value 'AES' at \
            'encryptionType' failed to satisfy constraint: Member must satisfy enum value set: \
            [KMS, NONE]; Value '' at 'keyId' failed to satisfy constraint: Member must have \
            length greater than or equal to 1";
            assert_eq!(got, expected);
            let got = refused(
                &lab,
                operation,
                json!({"EncryptionType": "KMS", "KeyId": "k"}),
            )
            .await;
            let expected = "InvalidArgumentException: Stream arn and stream name can't be empty at \
                            the same time";
            assert_eq!(got, expected);
        }
        lab.stream("s").create().await;
        for operation in ["StartStreamEncryption", "StopStreamEncryption"] {
            let none = json!({"StreamName": "s", "EncryptionType": "NONE", "KeyId": "a"});
            let got = refused(&lab, operation, none).await;
            assert_eq!(got, "InvalidArgumentException: EncryptionType must be KMS.");
        }
    }
);

/// The states of a key, each with the errors of StartStreamEncryption, of a write and of a read.
const STATES: [(&str, [&str; 3]); 6] = [
    (
        "disabled",
        ["KMSDisabledException: arn:aws:kms:us-east-1:000000000000:key/disabled-key is disabled.";
            3],
    ),
    (
        "pending",
        ["KMSInvalidStateException: arn:aws:kms:us-east-1:000000000000:key/pending-key is pending \
          deletion."; 3],
    ),
    (
        "denied",
        [
            "KMSAccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to \
             perform: kms:DescribeKey on resource: \
             arn:aws:kms:us-east-1:000000000000:key/denied-key",
            "KMSAccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to \
             perform: kms:GenerateDataKey on resource: \
             arn:aws:kms:us-east-1:000000000000:key/denied-key",
            "KMSAccessDeniedException: User arn:aws:iam::000000000000:root is not authorized to \
             decrypt records in stream 000000000000:s",
        ],
    ),
    (
        "missing",
        ["KMSNotFoundException: Key 'arn:aws:kms:us-east-1:000000000000:key/missing-key' does not \
          exist"; 3],
    ),
    (
        "opt-in",
        ["KMSOptInRequired: The AWS Access Key Id needs a subscription for the service"; 3],
    ),
    (
        "throttled",
        ["KMSThrottlingException: You have exceeded the rate at which you may call KMS. Reduce the \
          frequency of your calls."; 3],
    ),
];

wire_test!(
    keys_that_cannot_be_used_are_refused_in_six_ways,
    [
        "--kms-key",
        "disabled-key=disabled,pending-key=pending,denied-key=denied,missing-key=missing",
        "--kms-key",
        "opt-in-key=opt-in",
        "--kms-key",
        "throttled-key=throttled"
    ],
    |lab| async move {
        lab.stream("s").create().await;
        for (state, [expected, ..]) in STATES {
            let body = with_key(&format!("{state}-key"));
            assert_eq!(refused(&lab, "StartStreamEncryption", body).await, expected);
        }
        assert_eq!(described(&lab).await, (json!("NONE"), None));
        ok(&lab, "StartStreamEncryption", with_key("other-key")).await;
    }
);

wire_test!(a_key_of_another_region_is_refused, |lab| async move {
    lab.stream("s").create().await;
    for resource in ["key/1", "alias/a"] {
        let key = format!("arn:aws:kms:us-west-2:{ACCOUNT}:{resource}");
        let got = refused(&lab, "StartStreamEncryption", with_key(&key)).await;
        assert_eq!(got, "KMSNotFoundException: Invalid arn us-west-2");
    }
    assert_eq!(described(&lab).await, (json!("NONE"), None));
    let own = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/a");
    for key in [own.as_str(), "alias/a", "1", "arn:kms:us-west-2"] {
        ok(&lab, "StartStreamEncryption", with_key(key)).await;
    }
});

/// Puts a record under a key. Then starts an emulator on the same data with the option that makes
/// the key unusable.
#[test]
fn a_key_that_becomes_unusable_stops_writing_and_reading() {
    for (state, [_, write, read]) in STATES {
        let key = format!("{state}-key");
        let keys = format!("{key}={state}");
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().to_str().unwrap();
        crate::lab::block_on(async {
            let lab = Lab::start(crate::lab::Place::Memory, &["--data-dir", path]).await;
            lab.stream("s").create().await;
            ok(&lab, "StartStreamEncryption", with_key(&key)).await;
            let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
            ok(&lab, "PutRecord", put).await;
            lab.stop().await;
            let flags = ["--data-dir", path, "--kms-key", &keys];
            let lab = Lab::start(crate::lab::Place::Memory, &flags).await;
            check_unusable(&lab, write, read).await;
            lab.stop().await;
        });
    }
}

async fn check_unusable(lab: &Lab, write: &str, read: &str) {
    let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
    let puts = json!({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": ""}]});
    let stream = Stream::existing(lab, "s");
    let iterator = stream.horizon(&shard_id(0)).await;
    for (operation, body, expected) in [
        ("PutRecord", put, write),
        ("PutRecords", puts, write),
        ("GetRecords", json!({"ShardIterator": iterator}), read),
    ] {
        assert_eq!(refused(lab, operation, body).await, expected, "{operation}");
    }
    let known = described(lab).await.1.unwrap();
    let stop = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": known});
    ok(lab, "StopStreamEncryption", stop).await;
    assert_eq!(stream.data(&iterator).await, [""]);
}

wire_test!(
    encryption_is_changed_so_many_times_in_24_hours,
    [
        "--limit",
        "encryptions-per-day=2",
        "--limit",
        "decryptions-per-day=1"
    ],
    |lab| async move {
        lab.stream("s").create().await;
        for key in ["a", "a", "b"] {
            ok(&lab, "StartStreamEncryption", with_key(key)).await;
        }
        let starts = "LimitExceededException: StartStreamEncryption can be called at most 2 times \
                      per rolling 24 hours on a stream.";
        assert_eq!(
            refused(&lab, "StartStreamEncryption", with_key("c")).await,
            starts
        );
        ok(&lab, "StopStreamEncryption", with_key("b")).await;
        lab.clock.advance(hours(24)).await;
        ok(&lab, "StartStreamEncryption", with_key("c")).await;
        ok(&lab, "StopStreamEncryption", with_key("c")).await;
        ok(&lab, "StartStreamEncryption", with_key("d")).await;
        let stops = "LimitExceededException: StopStreamEncryption can be called at most 1 times \
                     per rolling 24 hours on a stream.";
        assert_eq!(
            refused(&lab, "StopStreamEncryption", with_key("d")).await,
            stops
        );
        assert_eq!(described(&lab).await, (json!("KMS"), Some(json!("d"))));
    }
);

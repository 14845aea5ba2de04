//! Tags, policies and keys.

use super::*;
use crate::lab::wire_test;
use crate::readers::check_tags;

wire_test!(
    tags_belong_to_a_channel_and_policies_do_not,
    |lab| async move {
        create_stream(&lab, "s").await;
        let mut body = to_bucket("n", "s");
        body["Tags"] = json!({"a": "1"});
        let arn = created(&lab, body).await;
        let resource = json!({"ResourceARN": arn});
        let with = |member: &str, value: Value| {
            let mut body = resource.clone();
            body[member] = value;
            body
        };
        check_tags(&lab, &arn).await;
        let policy = json!({"Statement": [{"Effect": "Allow", "Principal": "*"}]}).to_string();
        let no_policy = format!(
            "InvalidArgumentException: {arn} is the ARN of a channel, and a channel cannot have a \
         resource policy."
        );
        for (operation, body) in [
            ("PutResourcePolicy", with("Policy", json!(policy))),
            ("GetResourcePolicy", resource.clone()),
            ("DeleteResourcePolicy", resource.clone()),
        ] {
            assert_eq!(
                refused(&lab, operation, body).await,
                no_policy,
                "{operation}"
            );
        }
        delete(&lab, &arn).await;
        for (operation, body) in [
            ("ListTagsForResource", resource.clone()),
            ("TagResource", with("Tags", json!({"b": "2"}))),
            ("UntagResource", with("TagKeys", json!(["a"]))),
            ("GetResourcePolicy", resource),
        ] {
            let refusal = refused(&lab, operation, body).await;
            let expected = format!("ResourceNotFoundException: Channel {arn} not found.");
            assert_eq!(refusal, expected, "{operation}");
        }
    }
);

wire_test!(
    the_key_of_a_channel_works,
    [
        "--kms-key",
        "disabled=disabled,pending=pending,denied=denied,missing=missing,opt-in=opt-in,\
         throttled=throttled"
    ],
    |lab| async move {
        create_stream(&lab, "s").await;
        for (key, kind) in [
            ("disabled", "KMSDisabledException"),
            ("pending", "KMSInvalidStateException"),
            ("denied", "KMSAccessDeniedException"),
            ("missing", "KMSNotFoundException"),
            ("opt-in", "KMSOptInRequired"),
            ("throttled", "KMSThrottlingException"),
        ] {
            let mut body = to_bucket("n", "s");
            body["EncryptionConfiguration"] = json!({"EncryptionType": "KMS", "KeyId": key});
            let refusal = refused(&lab, "CreateChannel", body).await;
            assert!(refusal.starts_with(&format!("{kind}: ")), "{refusal}");
        }
        assert_eq!(names(&lab, json!({})).await.len(), 0);
        let mut body = to_bucket("n", "s");
        body["EncryptionConfiguration"] = json!({"EncryptionType": "KMS", "KeyId": "good"});
        ok(&lab, "CreateChannel", body).await;
    }
);

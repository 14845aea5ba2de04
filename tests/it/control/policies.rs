//! Resource policies. Their text is stored unchanged.

use super::{ACCOUNT, START_S, arn_of, no_consumer, not_found, ok, ok_cbor, refused, restart};
use crate::lab::{Lab, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

const POLICY: &str =
    r#"{ "Version": "2012-10-17",  "Statement": [{"Effect":"Allow","Principal":"*"}] }"#;

const OTHER: &str = r#"{"Statement":{"Sid":"one","Principal":"*"}}"#;

async fn policy(lab: &Lab, arn: &str) -> String {
    let got = ok(lab, "GetResourcePolicy", json!({"ResourceARN": arn})).await;
    assert_eq!(
        ok_cbor(lab, "GetResourcePolicy", json!({"ResourceARN": arn})).await,
        got
    );
    assert_eq!(got.as_object().unwrap().len(), 1);
    got["Policy"].as_str().unwrap().to_owned()
}

fn put(arn: &str, policy: &str) -> Value {
    json!({"ResourceARN": arn, "Policy": policy})
}

fn nothing_to_delete(arn: &str) -> String {
    format!("ResourceNotFoundException: No resource policy found for resource ARN {arn}.")
}

kinesis_test!(
    a_policy_is_kept_to_the_letter_until_it_is_deleted,
    |lab| async move {
        lab.stream("s").create().await;
        let registered = ok(
            &lab,
            "RegisterStreamConsumer",
            json!({"StreamARN": arn_of("s"), "ConsumerName": "c"}),
        )
        .await;
        let consumer = registered["Consumer"]["ConsumerARN"]
            .as_str()
            .unwrap()
            .to_owned();
        for arn in [&arn_of("s"), &consumer] {
            assert_eq!(policy(&lab, arn).await, "{}");
            let got = refused(&lab, "DeleteResourcePolicy", json!({"ResourceARN": arn})).await;
            assert_eq!(got, nothing_to_delete(arn));
            assert_eq!(
                ok(&lab, "PutResourcePolicy", put(arn, POLICY)).await,
                Value::Null
            );
            assert_eq!(policy(&lab, arn).await, POLICY);
            assert_eq!(
                ok_cbor(&lab, "PutResourcePolicy", put(arn, OTHER)).await,
                Value::Null
            );
            assert_eq!(policy(&lab, arn).await, OTHER);
        }
        ok(&lab, "PutResourcePolicy", put(&arn_of("s"), POLICY)).await;
        assert_eq!(policy(&lab, &consumer).await, OTHER);
        let body = json!({"ResourceARN": arn_of("s")});
        assert_eq!(
            ok_cbor(&lab, "DeleteResourcePolicy", body.clone()).await,
            Value::Null
        );
        assert_eq!(policy(&lab, &arn_of("s")).await, "{}");
        let got = refused(&lab, "DeleteResourcePolicy", body).await;
        assert_eq!(got, nothing_to_delete(&arn_of("s")));
        assert_eq!(policy(&lab, &consumer).await, OTHER);
    }
);

disk_test!(
    a_policy_outlives_a_restart_and_ends_with_its_stream,
    [],
    |lab| async move {
        lab.stream("s").create().await;
        ok(&lab, "PutResourcePolicy", put(&arn_of("s"), POLICY)).await;
        restart(&lab).await;
        assert_eq!(policy(&lab, &arn_of("s")).await, POLICY);
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        lab.stream("s").create().await;
        assert_eq!(policy(&lab, &arn_of("s")).await, "{}");
    }
);

wire_test!(a_policy_is_an_object_with_statements, |lab| async move {
    lab.stream("s").create().await;
    for policy in [
        "",
        "no JSON",
        "[]",
        "null",
        r#""text""#,
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":["text"]}"#,
        r#"{"Statement":"text"}"#,
        r#"{"statement":[{}]}"#,
        r#"{"Statement":[{}]"#,
    ] {
        let got = refused(&lab, "PutResourcePolicy", put(&arn_of("s"), policy)).await;
        assert_eq!(
            got,
            "InvalidArgumentException: Policy validation error: This policy contains invalid Json",
            "{policy}"
        );
    }
    assert_eq!(policy(&lab, &arn_of("s")).await, "{}");
});

wire_test!(
    every_statement_of_a_policy_names_principals,
    |lab| async move {
        lab.stream("s").create().await;
        let missing = "Missing required field Principal";
        let prohibited = "Has prohibited field NotPrincipal";
        for (policy, flaw) in [
            (r#"{"Statement":{"Effect":"Allow"}}"#, missing),
            (r#"{"Statement":[{"Principal":"*"},{}]}"#, missing),
            (r#"{"Statement":[{"NotPrincipal":"*"}]}"#, prohibited),
            (
                r#"{"Statement":[{"Principal":"*","NotPrincipal":"*"}]}"#,
                prohibited,
            ),
        ] {
            let got = refused(&lab, "PutResourcePolicy", put(&arn_of("s"), policy)).await;
            let expected = format!("InvalidArgumentException: Policy validation error: {flaw}");
            assert_eq!(got, expected, "{policy}");
        }
        assert_eq!(policy(&lab, &arn_of("s")).await, "{}");
    }
);

wire_test!(a_policy_needs_a_resource_that_exists, |lab| async move {
    let consumer = format!("{}/consumer/c:1", arn_of("s"));
    let missing = no_consumer(&consumer);
    for (arn, expected) in [(&arn_of("s"), not_found("s")), (&consumer, missing)] {
        for (operation, body) in [
            ("PutResourcePolicy", put(arn, "broken")),
            ("GetResourcePolicy", json!({"ResourceARN": arn})),
            ("DeleteResourcePolicy", json!({"ResourceARN": arn})),
        ] {
            assert_eq!(
                refused(&lab, operation, body).await,
                expected,
                "{operation}"
            );
        }
    }
    let got = refused(
        &lab,
        "PutResourcePolicy",
        json!({"ResourceARN": "arn:aws:s3:::x"}),
    )
    .await;
    let expected = "ValidationException: 2 validation errors detected: Value null at 'policy' \
        failed to satisfy constraint: Member must not be null; Value 'arn:aws:s3:::x' at \
        'resourceARN' failed to satisfy constraint: Member must satisfy regular expression \
        pattern: arn:aws.*:kinesis:.*:\\d{12}:.*(stream|channel|queue)/\\S+";
    assert_eq!(got, expected);
});

wire_test!(
    a_consumer_that_is_not_active_is_given_no_policy,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let body = json!({"StreamARN": arn_of("s"), "ConsumerName": "c"});
        let got = ok(&lab, "RegisterStreamConsumer", body).await;
        let arn = got["Consumer"]["ConsumerARN"].as_str().unwrap();
        let expected = format!(
            "ResourceInUseException: Consumer c with creation timestamp {START_S} under stream s \
             and account {ACCOUNT} is not in ACTIVE status."
        );
        assert_eq!(
            refused(&lab, "PutResourcePolicy", put(arn, POLICY)).await,
            expected
        );
        assert_eq!(
            refused(&lab, "PutResourcePolicy", put(arn, "broken")).await,
            expected
        );
        lab.clock.advance(ms(500)).await;
        ok(&lab, "PutResourcePolicy", put(arn, POLICY)).await;
        ok(
            &lab,
            "DeregisterStreamConsumer",
            json!({"ConsumerARN": arn}),
        )
        .await;
        assert_eq!(
            refused(&lab, "PutResourcePolicy", put(arn, POLICY)).await,
            expected
        );
    }
);

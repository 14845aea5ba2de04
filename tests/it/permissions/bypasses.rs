//! Attempts to bypass the policies. The permission must be checked for the resource that the
//! operation uses.

use super::{
    ABROAD, BY_IDENTITY, NO_IDENTITY, NO_RESOURCE, OWNER, READER, READER_ARN, STRANGER,
    STRANGER_ARN, arn_of, by, denied, ok, policies, record, refusal, under,
};
use crate::lab::{Lab, Request, SHARD_0, cbor};
use ciborium::Value as Cbor;
use serde_json::{Value, json};

/// The reader may do anything with the stream `open`, and nothing with any other.
fn open_only() -> String {
    let open = json!([arn_of("open"), format!("{}/*", arn_of("open"))]);
    let reader = json!({"Effect": "Allow", "Action": "*", "Resource": open});
    let stranger = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    policies(&reader, &stranger)
}

async fn streams(lab: &Lab) {
    for name in ["open", "shut"] {
        ok(
            lab,
            OWNER,
            "CreateStream",
            json!({"StreamName": name, "ShardCount": 2}),
        )
        .await;
    }
}

async fn iterator(lab: &Lab, key: &str, stream: &str) -> String {
    let body = json!({"StreamName": stream, "ShardId": SHARD_0, "ShardIteratorType": "LATEST"});
    let answer = ok(lab, key, "GetShardIterator", body).await;
    answer["ShardIterator"].as_str().unwrap().to_owned()
}

fn shut(operation: &str) -> Option<String> {
    Some(denied(READER_ARN, operation, &arn_of("shut"), NO_IDENTITY))
}

#[test]
fn a_name_in_another_case_is_another_name() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let outcome = refusal(&lab, READER, "PutRecord", &record("OPEN")).await;
        assert_eq!(
            outcome,
            Some(denied(
                READER_ARN,
                "PutRecord",
                &arn_of("OPEN"),
                NO_IDENTITY
            ))
        );
        // The names of operations are case-sensitive, so a name with other letters cannot bypass a
        // policy.
        let call = Request::json("putrecord", &record("shut").to_string());
        let message = lab.send(&by(READER, call)).await.refusal().to_string();
        assert_eq!(message, "UnknownOperationException");
    });
}

#[test]
fn a_name_and_an_arn_that_differ_are_refused() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        for (name, arn) in [("open", "shut"), ("shut", "open")] {
            let body = json!({"StreamName": name, "StreamARN": arn_of(arn)});
            let message = refusal(&lab, READER, "DescribeStream", &body)
                .await
                .unwrap();
            assert!(message.starts_with("InvalidArgumentException"), "{message}");
        }
        let body = json!({"StreamName": "shut", "StreamARN": arn_of("shut")});
        assert_eq!(
            refusal(&lab, READER, "DescribeStream", &body).await,
            shut("DescribeStream")
        );
    });
}

#[test]
fn the_last_of_two_members_is_judged_as_it_is_used() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let twice = |one: &str, two: &str| {
            let json = format!(r#"{{"StreamName":"{one}","StreamName":"{two}"}}"#);
            let member = |name: &str| (Cbor::from("StreamName"), Cbor::from(name));
            let cbor = cbor::write(&Cbor::Map(vec![member(one), member(two)]));
            [
                by(READER, Request::json("DescribeStreamSummary", &json)),
                by(READER, Request::cbor("DescribeStreamSummary", &cbor)),
            ]
        };
        for call in twice("open", "shut") {
            let message = lab.send(&call).await.refusal().to_string();
            assert_eq!(Some(message), shut("DescribeStreamSummary"));
        }
        for call in twice("shut", "open") {
            let answer = lab.send(&call).await.value();
            assert_eq!(answer["StreamDescriptionSummary"]["StreamName"], "open");
        }
    });
}

#[test]
fn an_iterator_is_judged_by_the_stream_inside_it() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let taken = iterator(&lab, OWNER, "shut").await;
        let body = json!({"ShardIterator": taken});
        assert_eq!(
            refusal(&lab, READER, "GetRecords", &body).await,
            shut("GetRecords")
        );
        let body = json!({"ShardIterator": format!("\"{taken}\"")});
        assert_eq!(
            refusal(&lab, READER, "GetRecords", &body).await,
            shut("GetRecords")
        );
        let body = json!({"ShardIterator": taken, "StreamARN": arn_of("open")});
        let message = refusal(&lab, READER, "GetRecords", &body).await.unwrap();
        assert!(message.starts_with("InvalidArgumentException"), "{message}");
        let own = iterator(&lab, READER, "open").await;
        let body = json!({"ShardIterator": own});
        assert_eq!(refusal(&lab, READER, "GetRecords", &body).await, None);
        // The permission for a StreamARN is checked before the StreamARN is compared with the
        // iterator.
        let body = json!({"ShardIterator": own, "StreamARN": arn_of("shut")});
        assert_eq!(
            refusal(&lab, READER, "GetRecords", &body).await,
            shut("GetRecords")
        );
    });
}

#[test]
fn an_iterator_of_another_accounts_stream_opens_no_stream_of_that_name() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let taken = iterator(&lab, OWNER, "shut").await;
        ok(
            &lab,
            STRANGER,
            "CreateStream",
            json!({"StreamName": "shut", "ShardCount": 1}),
        )
        .await;
        let invalid = "InvalidArgumentException: Invalid ShardIterator.";
        let outcome = refusal(
            &lab,
            STRANGER,
            "GetRecords",
            &json!({"ShardIterator": taken}),
        )
        .await;
        assert_eq!(outcome.unwrap(), invalid);
        let body = json!({"ShardIterator": taken, "StreamARN": arn_of("shut")});
        let outcome = refusal(&lab, STRANGER, "GetRecords", &body).await;
        let expected = denied(STRANGER_ARN, "GetRecords", &arn_of("shut"), NO_RESOURCE);
        assert_eq!(outcome, Some(expected));
    });
}

#[test]
fn a_page_token_is_judged_by_the_stream_inside_it() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let first = json!({"StreamName": "shut", "MaxResults": 1});
        let first = ok(&lab, OWNER, "ListShards", first).await;
        let next = json!({"NextToken": first["NextToken"]});
        assert_eq!(
            refusal(&lab, READER, "ListShards", &next).await,
            shut("ListShards")
        );
        let outcome = refusal(&lab, STRANGER, "ListShards", &next).await;
        let expected = denied(STRANGER_ARN, "ListShards", &arn_of("shut"), NO_RESOURCE);
        assert_eq!(outcome, Some(expected));
        assert_eq!(refusal(&lab, OWNER, "ListShards", &next).await, None);
    });
}

#[test]
fn an_arn_elsewhere_is_judged_elsewhere() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let region = arn_of("open").replace("us-east-1", "eu-west-1");
        let account = arn_of("open").replace("000000000000", ABROAD);
        // An ARN with another partition still names the same stream.
        let partition = arn_of("shut").replace("arn:aws:", "arn:aws-cn:");
        for (arn, resource) in [(&account, account.clone()), (&partition, arn_of("shut"))] {
            let outcome = refusal(&lab, READER, "PutRecord", &record(arn)).await;
            assert_eq!(
                outcome,
                Some(denied(READER_ARN, "PutRecord", &resource, NO_IDENTITY))
            );
        }
        // The region of the request is a part of the resource that it names.
        let elsewhere = Request::json("PutRecord", &record("open").to_string());
        let elsewhere = by(READER, elsewhere);
        let authorization = elsewhere
            .headers
            .iter()
            .find(|(name, _)| name == "Authorization");
        let authorization = authorization.unwrap().1.replace("us-east-1", "eu-west-1");
        let answer = lab
            .send(&elsewhere.header("Authorization", &authorization))
            .await;
        let expected = denied(READER_ARN, "PutRecord", &region, NO_IDENTITY);
        assert_eq!(answer.refusal().to_string(), expected);
    });
}

#[test]
fn tags_and_policies_by_arn_are_judged_by_that_arn() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        let register = json!({"StreamARN": arn_of("shut"), "ConsumerName": "c"});
        let consumer = ok(&lab, OWNER, "RegisterStreamConsumer", register).await;
        let consumer = consumer["Consumer"]["ConsumerARN"]
            .as_str()
            .unwrap()
            .to_owned();
        for arn in [arn_of("shut"), consumer] {
            for (operation, more) in [
                ("TagResource", json!({"Tags": {"a": "b"}})),
                ("UntagResource", json!({"TagKeys": ["a"]})),
                ("ListTagsForResource", json!({})),
                ("PutResourcePolicy", json!({"Policy": "{}"})),
                ("GetResourcePolicy", json!({})),
                ("DeleteResourcePolicy", json!({})),
            ] {
                let mut body = more;
                body["ResourceARN"] = json!(arn);
                let outcome = refusal(&lab, READER, operation, &body).await;
                assert_eq!(
                    outcome,
                    Some(denied(READER_ARN, operation, &arn, NO_IDENTITY))
                );
            }
        }
        // The name and the ARN of a consumer must agree, whichever of them is permitted.
        let register = json!({"StreamARN": arn_of("open"), "ConsumerName": "c"});
        let consumer = ok(&lab, READER, "RegisterStreamConsumer", register).await;
        let consumer = &consumer["Consumer"]["ConsumerARN"];
        let body = json!({"ConsumerARN": consumer, "StreamARN": arn_of("shut")});
        let message = refusal(&lab, READER, "DescribeStreamConsumer", &body)
            .await
            .unwrap();
        assert!(message.starts_with("InvalidArgumentException"), "{message}");
    });
}

#[test]
fn a_denial_is_not_slipped_past_by_another_name_of_the_same_stream() {
    let reader = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "KINESIS:PUT*", "Resource": arn_of("shut")},
    ]);
    under(&policies(&reader, &Value::Null), |lab| async move {
        streams(&lab).await;
        let arn = arn_of("shut");
        let other_partition = arn.replace("arn:aws:", "arn:aws-us-gov:");
        for name in ["shut", &arn, &other_partition] {
            let outcome = refusal(&lab, READER, "PutRecord", &record(name)).await;
            assert_eq!(
                outcome,
                Some(denied(READER_ARN, "PutRecord", &arn, BY_IDENTITY))
            );
        }
        assert_eq!(
            refusal(&lab, READER, "PutRecord", &record("open")).await,
            None
        );
    });
}

#[test]
fn a_dry_run_needs_the_same_permissions() {
    under(&open_only(), |lab| async move {
        streams(&lab).await;
        for (stream, expected) in [("shut", "AccessDenied"), ("open", "DryRunOperation")] {
            let mut body = record(stream);
            body["DryRun"] = json!(true);
            let message = refusal(&lab, READER, "PutRecord", &body).await.unwrap();
            assert!(message.starts_with(expected), "{message}");
        }
    });
}

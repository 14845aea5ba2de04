//! Permissions with `--policies`: the policies of principals and the policies of resources.

mod bypasses;
mod every_operation;
mod sharing;
mod starts;

use crate::hostile::counter;
use crate::lab::{ACCOUNT, Lab, Place, REGION, Request, arn_of, cbor, run};
use aws_sdk_kinesis::error::ProvideErrorMetadata as _;
use aws_sdk_kinesis::primitives::Blob;
use minikin::internals::operation::Entry;
use serde_json::{Value, json};
use std::io::Write as _;
use tempfile::NamedTempFile;

/// Another account. Its number is also the access key of its root.
const ABROAD: &str = "111111111111";
/// An access key that the file of policies does not name: the root of the configured account.
const OWNER: &str = "AKIDOWNER";
/// The access key of a user of the configured account.
const READER: &str = "AKIDREADER";
const READER_ARN: &str = "arn:aws:iam::000000000000:user/reader";
/// The access key of a user of the other account.
const STRANGER: &str = "AKIDSTRANGER";
const STRANGER_ARN: &str = "arn:aws:iam::111111111111:user/stranger";

/// The text of a file of policies with these statements for the reader and for the stranger.
fn policies(reader: &Value, stranger: &Value) -> String {
    let of = |arn: &str, statement: &Value| {
        let policies = match statement {
            Value::Null => json!([]),
            _ => json!([{"Version": "2012-10-17", "Statement": statement}]),
        };
        json!({"arn": arn, "policies": policies})
    };
    json!({READER: of(READER_ARN, reader), STRANGER: of(STRANGER_ARN, stranger)}).to_string()
}

fn written(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Runs a test with this file of policies.
fn under<F: Future<Output = ()>>(policies: &str, test: impl FnOnce(Lab) -> F) {
    let file = written(policies);
    run(
        Place::Memory,
        &["--policies", file.path().to_str().unwrap()],
        test,
    );
}

/// The same request with another access key.
fn by(key: &str, request: Request) -> Request {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20231114/{REGION}/kinesis/aws4_request, \
         SignedHeaders=host, Signature=0123456789abcdef"
    );
    request.header("Authorization", &authorization)
}

/// The refusal of a call. Checks that it is the same in JSON and in CBOR. None if both calls
/// succeed.
async fn refusal(lab: &Lab, key: &str, operation: &str, body: &Value) -> Option<String> {
    let json = lab
        .send(&by(key, Request::json(operation, &body.to_string())))
        .await;
    let shape = Entry::find(operation).unwrap().input;
    let encoded = cbor::of_json(&body.to_string(), shape);
    let cbor = lab.send(&by(key, Request::cbor(operation, &encoded))).await;
    assert_eq!(json.status, cbor.status, "{}", cbor.text());
    if json.status == 200 {
        return None;
    }
    let message = json.refusal().to_string();
    assert_eq!(cbor.refusal().to_string(), message);
    Some(message)
}

/// Calls an operation. The call must succeed.
async fn ok(lab: &Lab, key: &str, operation: &str, body: Value) -> Value {
    let answer = lab
        .send(&by(key, Request::json(operation, &body.to_string())))
        .await;
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

fn record(stream: &str) -> Value {
    let name = if stream.starts_with("arn:") {
        "StreamARN"
    } else {
        "StreamName"
    };
    json!({name: stream, "PartitionKey": "k", "Data": "dg=="})
}

/// A refusal with the text of the service. As the live service was recorded, only DescribeLimits
/// names the resource `*` (radkawar/stackd, testdata/aws/kinesis/controls.json).
fn denied(caller: &str, operation: &str, resource: &str, because: &str) -> String {
    let because = because.replace('…', &format!("kinesis:{operation}"));
    let on = match resource {
        "*" if operation == "DescribeLimits" => format!(" on resource: {}", arn_of("null")),
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    };
    format!(
        "AccessDeniedException (Message): User: {caller} is not authorized to perform: \
         kinesis:{operation}{on} {because}"
    )
}

#[test]
fn a_refusal_is_counted_as_one_of_its_operation_and_nothing_is_done() {
    under(&policies(&Value::Null, &Value::Null), |lab| async move {
        ok(
            &lab,
            OWNER,
            "CreateStream",
            json!({"StreamName": "orders", "ShardCount": 1}),
        )
        .await;
        assert!(
            refusal(&lab, READER, "PutRecord", &record("orders"))
                .await
                .is_some()
        );
        let refused = "requests_total{operation=\"PutRecord\",outcome=\"refused\"}";
        assert_eq!(counter(&lab, refused).await, 2, "in JSON and in CBOR");
        assert_eq!(counter(&lab, "records_written_total").await, 0);
    });
}

const NO_IDENTITY: &str = "because no identity-based policy allows the … action";
const NO_RESOURCE: &str = "because no resource-based policy allows the … action";
const BY_IDENTITY: &str = "with an explicit deny in an identity-based policy";
const BY_RESOURCE: &str = "with an explicit deny in a resource-based policy";

#[test]
fn the_sdk_may_do_what_its_policies_allow_and_nothing_else() {
    let reader = json!([
        {"Effect": "Allow", "Action": "kinesis:*", "Resource": arn_of("orders*")},
        {"Effect": "Deny", "Action": "kinesis:Delete*", "Resource": "*"},
    ]);
    under(&policies(&reader, &Value::Null), |lab| async move {
        let client = lab.client_of(READER, REGION);
        let create = |name: &str| {
            client
                .create_stream()
                .stream_name(name)
                .shard_count(1)
                .send()
        };
        create("orders-1").await.unwrap();
        let error = create("other").await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("AccessDeniedException"));
        let expected = denied(READER_ARN, "CreateStream", &arn_of("other"), NO_IDENTITY);
        let expected = expected.split_once(": ").unwrap().1;
        assert_eq!(error.message(), Some(expected));
        let put = client
            .put_record()
            .stream_name("orders-1")
            .partition_key("k");
        put.data(Blob::new("v")).send().await.unwrap();
        let delete = client.delete_stream().stream_name("orders-1").send().await;
        let error = delete.unwrap_err().into_service_error();
        let expected = denied(READER_ARN, "DeleteStream", &arn_of("orders-1"), BY_IDENTITY);
        assert_eq!(
            error.message(),
            expected.split_once(": ").map(|(_, text)| text)
        );
        let error = client
            .list_streams()
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        let expected = denied(READER_ARN, "ListStreams", "*", NO_IDENTITY);
        assert_eq!(
            error.message(),
            expected.split_once(": ").map(|(_, text)| text)
        );
        let owner = lab.client_of(OWNER, REGION);
        owner
            .delete_stream()
            .stream_name("orders-1")
            .send()
            .await
            .unwrap();
    });
}

#[test]
fn a_key_that_is_not_named_is_its_account_and_another_is_its_principals() {
    under(
        &policies(
            &Value::Null,
            &json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
        ),
        |lab| async move {
            lab.stream("s").create().await;
            assert_eq!(
                refusal(&lab, OWNER, "DescribeLimits", &json!({})).await,
                None
            );
            let by_name = json!({"StreamName": "s"});
            // The stranger's streams are those of the account in the stranger's ARN.
            let message = refusal(&lab, STRANGER, "DescribeStreamSummary", &by_name)
                .await
                .unwrap();
            assert!(
                message.ends_with("Stream s under account 111111111111 not found."),
                "{message}"
            );
            ok(
                &lab,
                STRANGER,
                "CreateStream",
                json!({"StreamName": "s", "ShardCount": 1}),
            )
            .await;
            let described = ok(&lab, ABROAD, "DescribeStreamSummary", by_name).await;
            let arn = described["StreamDescriptionSummary"]["StreamARN"]
                .as_str()
                .unwrap();
            assert_eq!(arn, arn_of("s").replace(ACCOUNT, ABROAD));
        },
    );
}

#[test]
fn conditions_are_of_the_request_and_of_its_resource() {
    let reader = json!([
        {
            "Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}},
        },
        {
            "Effect": "Allow", "Action": "kinesis:DescribeStreamSummary", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        },
        {
            "Effect": "Allow", "Action": "kinesis:ListStreams", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        },
        {
            "Effect": "Allow", "Action": "kinesis:DescribeLimits", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        },
    ]);
    under(&policies(&reader, &Value::Null), |lab| async move {
        lab.stream("s").create().await;
        let outcome = refusal(&lab, READER, "PutRecord", &record("s")).await;
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "PutRecord", &arn_of("s"), NO_IDENTITY))
        );
        let tags = json!({"ResourceARN": arn_of("s"), "Tags": {"Team": "red"}});
        ok(&lab, OWNER, "TagResource", tags).await;
        assert_eq!(refusal(&lab, READER, "PutRecord", &record("s")).await, None);
        let named = json!({"StreamName": "s"});
        assert_eq!(
            refusal(&lab, READER, "DescribeStreamSummary", &named).await,
            None
        );
        for operation in ["ListStreams", "DescribeLimits"] {
            let outcome = refusal(&lab, READER, operation, &json!({})).await;
            assert_eq!(
                outcome,
                Some(denied(READER_ARN, operation, "*", NO_IDENTITY))
            );
        }
    });
}

#[test]
fn tags_at_the_creation_need_the_permission_to_tag() {
    let reader = json!({
        "Effect": "Allow", "Resource": "*",
        "Action": ["kinesis:CreateStream", "kinesis:RegisterStreamConsumer"],
    });
    under(&policies(&reader, &Value::Null), |lab| async move {
        let create = json!({"StreamName": "s", "ShardCount": 1, "Tags": {"a": "b"}});
        let outcome = refusal(&lab, READER, "CreateStream", &create).await;
        assert_eq!(
            outcome,
            Some(denied(
                READER_ARN,
                "AddTagsToStream",
                &arn_of("s"),
                NO_IDENTITY
            ))
        );
        ok(
            &lab,
            READER,
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 1}),
        )
        .await;
        let register = json!({"StreamARN": arn_of("s"), "ConsumerName": "c", "Tags": {"a": "b"}});
        let outcome = refusal(&lab, READER, "RegisterStreamConsumer", &register).await;
        let consumer = format!("{}/consumer/c:1700000000", arn_of("s"));
        assert_eq!(
            outcome,
            Some(denied(READER_ARN, "TagResource", &consumer, NO_IDENTITY))
        );
        let register = json!({"StreamARN": arn_of("s"), "ConsumerName": "c"});
        ok(&lab, READER, "RegisterStreamConsumer", register).await;
    });
}

//! Calls of operations in both formats, and the ARNs that they name.

use super::{ACCOUNT, Lab, REGION, Request, cbor};
use minikin::internals::operation::Entry;
use serde_json::{Value, json};

/// The ARN of a stream of the configured account.
pub(crate) fn arn_of(name: &str) -> String {
    format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}")
}

/// Calls an operation in JSON. The call must succeed.
pub(crate) async fn ok(lab: &Lab, operation: &str, body: Value) -> Value {
    lab.ok(operation, &body.to_string()).await
}

/// Creates an on-demand stream.
pub(crate) async fn create_stream(lab: &Lab, name: &str) {
    ok(lab, "CreateStream", json!({"StreamName": name})).await;
}

/// Calls an operation in CBOR. The call must succeed.
pub(crate) async fn ok_cbor(lab: &Lab, operation: &str, body: Value) -> Value {
    let answer = lab.send(&in_cbor(operation, &body.to_string())).await;
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.value()
    }
}

/// The refusal of a request. Checks that it is the same in JSON and in CBOR.
pub(crate) async fn refused(lab: &Lab, operation: &str, body: Value) -> String {
    refused_in_both(lab, operation, &body.to_string()).await
}

/// The refusal of a request with this text. Checks that it is the same in JSON and in CBOR.
pub(crate) async fn refused_in_both(lab: &Lab, operation: &str, body: &str) -> String {
    let json = lab.refusal(operation, body).await;
    let answer = lab.send(&in_cbor(operation, body)).await;
    let cbor = answer.refusal().to_string();
    assert_eq!(cbor, json, "{operation} {body} in CBOR");
    json
}

fn in_cbor(operation: &str, body: &str) -> Request {
    let shape = Entry::find(operation).unwrap().input;
    Request::cbor(operation, &cbor::of_json(body, shape))
}

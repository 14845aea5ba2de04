//! Compares the answers of the operations with the service model, at every depth.

use super::Model;
use crate::lab::{Lab, SHARD_0, kinesis_test};
use serde_json::{Value, json};

/// Shapes with a minimum length of 1 in the model that are empty in answers, with the reason.
const EMPTY: &[(&str, &str)] = &[
    (
        "MetricsNameList",
        "recorded: a stream without metrics shows an empty list",
    ),
    (
        "PositiveIntegerObject",
        "recorded: FailedRecordCount is 0 when all records were taken",
    ),
];

/// Checks a value against a shape: types, members, requirements, values and bounds.
fn check(model: &Model, name: &str, value: &Value, path: &str) {
    let shape = model.shape(name);
    let kind = shape["type"].as_str().unwrap();
    let length = match (kind, value) {
        ("structure", Value::Object(members)) => {
            for member in model.required(name) {
                assert!(members.contains_key(member), "{path}.{member} is missing");
            }
            let known = model.members(name);
            for (member, value) in members {
                assert!(
                    known.contains(member.as_str()),
                    "{path}.{member} is not in the model"
                );
                check(
                    model,
                    model.member(name, member),
                    value,
                    &format!("{path}.{member}"),
                );
            }
            return;
        }
        ("list", Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                let element = shape["member"]["shape"].as_str().unwrap();
                check(model, element, item, &format!("{path}[{at}]"));
            }
            items.len()
        }
        ("string", Value::String(text)) => {
            let values = shape["enum"].as_array();
            assert!(
                values.is_none_or(|values| values.contains(value)),
                "{path}: {value}"
            );
            text.len()
        }
        ("blob", Value::String(_)) | ("boolean", Value::Bool(_)) => return,
        ("timestamp", Value::Number(_)) => return,
        ("integer" | "long", Value::Number(number)) => {
            usize::try_from(number.as_u64().unwrap()).unwrap()
        }
        _ => panic!("{path}: {value} for a {kind}"),
    };
    if length == 0 && EMPTY.iter().any(|(empty, _)| *empty == name) {
        return;
    }
    let bound = |side: &str| {
        shape[side]
            .as_u64()
            .map(|bound| usize::try_from(bound).unwrap())
    };
    assert!(
        bound("min").is_none_or(|min| length >= min),
        "{path}: {value}"
    );
    assert!(
        bound("max").is_none_or(|max| length <= max),
        "{path}: {value}"
    );
}

/// Calls an operation and checks its answer.
async fn call(lab: &Lab, model: &Model, operation: &str, body: Value) -> Value {
    let answer = lab.ok(operation, &body.to_string()).await;
    match model.of(operation, "output") {
        Some(shape) => check(model, shape, &answer, operation),
        None => assert_eq!(answer, Value::Null, "{operation}"),
    }
    answer
}

kinesis_test!(answers_keep_the_model, |lab| async move {
    let model = Model::read();
    let named = json!({"StreamName": "s"});
    call(
        &lab,
        &model,
        "CreateStream",
        json!({"StreamName": "s", "ShardCount": 2}),
    )
    .await;
    call(&lab, &model, "CreateStream", json!({"StreamName": "t"})).await;
    for name in ["s", "t"] {
        let named = json!({ "StreamName": name });
        call(&lab, &model, "DescribeStream", named.clone()).await;
        call(&lab, &model, "DescribeStreamSummary", named).await;
    }
    call(&lab, &model, "ListStreams", json!({"Limit": 1})).await;
    call(
        &lab,
        &model,
        "ListShards",
        json!({"StreamName": "s", "MaxResults": 1}),
    )
    .await;
    let record = json!({"PartitionKey": "a", "Data": "AA==", "ExplicitHashKey": "0"});
    let mut put = record.clone();
    put["StreamName"] = json!("s");
    call(&lab, &model, "PutRecord", put).await;
    let puts = json!({"StreamName": "s", "Records": vec![record; 3]});
    call(&lab, &model, "PutRecords", puts).await;
    let iterate = json!({
        "StreamName": "s", "ShardId": SHARD_0, "ShardIteratorType": "TRIM_HORIZON",
    });
    let iterator = call(&lab, &model, "GetShardIterator", iterate).await;
    let got = call(&lab, &model, "GetRecords", iterator).await;
    assert_eq!(got["Records"].as_array().unwrap().len(), 4);
    call(&lab, &model, "DeleteStream", named).await;
});

//! Values of the wrong type, generated for every member of every operation.

use super::{Spot, entry};
use crate::lab::{Lab, Request, cbor, wire_test};
use ciborium::Value as Cbor;
use minikin::internals::operation::OPERATIONS;
use minikin::internals::wire::Shape;
use serde_json::{Value, json};

const LIST: &str = "Start of list found where not expected";
const STRUCTURE: &str = "Start of structure or map found where not expected.";
const NUMBER: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";

/// The service's error for a value in the place of a shape. None if the service accepts the value.
fn text(shape: &Shape, value: &Value) -> Option<String> {
    let class = match value {
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Number(_) => NUMBER,
        _ => "class java.lang.String",
    };
    let not = |target: &str| Some(format!("{class} can not be converted to {target}"));
    match (shape, value) {
        (Shape::List { .. }, Value::Array(_))
        | (Shape::Map { .. } | Shape::Structure(_), Value::Object(_))
        | (Shape::Text { .. } | Shape::Blob { .. }, Value::String(_))
        | (Shape::Integer { .. } | Shape::Timestamp, Value::Number(_))
        | (Shape::Boolean, Value::Bool(_)) => None,
        (_, Value::Array(_)) => Some(LIST.to_owned()),
        (_, Value::Object(_)) => Some(STRUCTURE.to_owned()),
        (Shape::List { .. }, _) => Some("Expected list or null".to_owned()),
        (Shape::Map { .. }, _) => Some("Expected map or null".to_owned()),
        (Shape::Structure(_), _) => Some("Expected null".to_owned()),
        (Shape::Text { .. }, _) => not("an String"),
        (Shape::Integer { long: false, .. }, _) => not("an Integer"),
        (Shape::Integer { long: true, .. }, _) => not("an Long"),
        (Shape::Timestamp, _) => not("milliseconds since epoch"),
        (Shape::Blob { .. }, _) => not("a Blob"),
        (Shape::Boolean, Value::String(word)) => Some(format!(
            "'{}' can not be converted to an Boolean",
            word.to_uppercase()
        )),
        (Shape::Boolean, _) => not("an Boolean"),
    }
}

fn samples() -> [Value; 8] {
    [
        json!(true),
        json!(false),
        json!(1),
        json!(1.5),
        json!("twos"),
        json!([]),
        json!([[]]),
        json!({"a": "b"}),
    ]
}

/// The error of a value or, if the value itself has none, the error of its first element.
fn fault(shape: &Shape, value: &Value) -> Option<String> {
    text(shape, value).or_else(|| match (shape, value) {
        (Shape::List { element, .. }, Value::Array(items)) => {
            items.iter().find_map(|item| fault(element, item))
        }
        (Shape::Map { value: inner, .. }, Value::Object(entries)) => {
            entries.values().find_map(|value| fault(inner, value))
        }
        (Shape::Blob { .. }, Value::String(text)) => {
            assert_eq!(text.len() % 4, 0, "the samples are good base64");
            None
        }
        _ => None,
    })
}

async fn check(lab: &Lab, request: &Request, spot: &Spot, value: &Value, what: &str) {
    let answer = lab.send(request).await;
    match fault(spot.shape, value) {
        Some(text) => {
            let got = answer.refusal();
            let expected = format!("SerializationException (Message): {text}");
            assert_eq!(got.to_string(), expected, "{what}");
        }
        None => {
            let kind = (answer.status != 200).then(|| answer.refusal().kind);
            assert_ne!(kind.as_deref(), Some("SerializationException"), "{what}");
            assert_ne!(answer.status, 500, "{what}");
        }
    }
}

wire_test!(
    every_wrong_type_of_every_member_is_named_in_json,
    |lab| async move {
        let mut checked = 0;
        for entry in OPERATIONS {
            for spot in Spot::all(entry) {
                for value in samples() {
                    // The types are checked first, so the other members need not be present.
                    let mut body = json!({});
                    spot.put(&mut body, value.clone());
                    let request = Request::json(entry.name, &body.to_string());
                    let what = format!("{} {body}", entry.name);
                    check(&lab, &request, &spot, &value, &what).await;
                    checked += 1;
                }
            }
        }
        assert!(checked > 400, "{checked} samples were generated");
    }
);

wire_test!(
    every_wrong_type_of_every_member_is_named_in_cbor,
    |lab| async move {
        for entry in OPERATIONS {
            for spot in Spot::all(entry) {
                for value in samples() {
                    let mut body = json!({});
                    spot.put(&mut body, value.clone());
                    let bytes = cbor::write(&cbor::from_json(&body, None));
                    let request = Request::cbor(entry.name, &bytes);
                    let what = format!("{} {body} in CBOR", entry.name);
                    check(&lab, &request, &spot, &value, &what).await;
                }
            }
        }
    }
);

wire_test!(a_byte_string_is_taken_for_blobs_only, |lab| async move {
    for entry in OPERATIONS {
        for spot in Spot::all(entry) {
            let mut body = json!({});
            spot.put(&mut body, json!("here"));
            let mut body = cbor::from_json(&body, None);
            replace(&mut body);
            let answer = lab.cbor(entry.name, &cbor::write(&body)).await;
            let got = answer.refusal().to_string();
            if matches!(spot.shape, Shape::Blob { .. }) {
                assert_ne!(got, "SerializationException", "{} {body:?}", entry.name);
            } else {
                assert_eq!(got, "SerializationException", "{} {body:?}", entry.name);
            }
        }
    }
});

/// Replaces the text `here` by bytes.
fn replace(value: &mut Cbor) {
    match value {
        Cbor::Text(text) if text == "here" => *value = Cbor::Bytes(b"here".to_vec()),
        Cbor::Map(entries) => entries.iter_mut().for_each(|(_, value)| replace(value)),
        Cbor::Array(items) => items.iter_mut().for_each(replace),
        _ => {}
    }
}

wire_test!(
    words_for_true_and_false_are_taken_in_any_case,
    |lab| async move {
        lab.ok("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#)
            .await;
        let put = |word: &str| {
            format!(r#"{{"StreamName":"s","PartitionKey":"k","Data":"","DryRun":"{word}"}}"#)
        };
        for word in ["true", "TRUE", "True", "yes", "YES", "1"] {
            let got = lab.refusal("PutRecord", &put(word)).await;
            assert!(
                got.starts_with("DryRunOperationException: "),
                "{word}: {got}"
            );
        }
        for word in ["false", "FALSE", "no", "No", "0"] {
            lab.ok("PutRecord", &put(word)).await;
        }
        for word in ["23", "on", "", " true", "10"] {
            let upper = word.to_uppercase();
            let expected = format!(
                "SerializationException (Message): '{upper}' can not be converted to an Boolean"
            );
            assert_eq!(lab.refusal("PutRecord", &put(word)).await, expected);
        }
    }
);

wire_test!(
    base64_is_refused_by_length_then_characters_then_last_bits,
    |lab| async move {
        let cases = [
            (
                "23456",
                "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
            ),
            (
                "=",
                "Base64 encoded length is expected a multiple of 4 bytes but found: 1",
            ),
            ("=+/=", "Invalid Base64 character: '='"),
            ("AA=A", "Invalid Base64 character: '='"),
            ("A===", "Invalid Base64 character: '='"),
            ("====", "Invalid Base64 character: '='"),
            ("+-_=", "Invalid Base64 character: '-'"),
            ("AA A", "Invalid Base64 character: ' '"),
            ("AAAA\\nAAA", "Invalid Base64 character: '\n'"),
            ("+/+=", "Invalid last non-pad Base64 character dectected"),
            ("AB==", "Invalid last non-pad Base64 character dectected"),
        ];
        for (given, reason) in cases {
            let raw = given.replace("\\n", "\n");
            let expected = format!(
                "SerializationException (Message): '{raw}' can not be converted to a Blob: {reason}"
            );
            let body = format!(r#"{{"StreamName":"s","PartitionKey":"k","Data":"{given}"}}"#);
            assert_eq!(lab.refusal("PutRecord", &body).await, expected);
            let body = format!(r#"{{"StreamName":"s","Records":[{{"Data":"{given}"}}]}}"#);
            assert_eq!(lab.refusal("PutRecords", &body).await, expected);
            let bytes = cbor::write(&cbor::from_json(&json!({ "Data": raw }), None));
            let answer = lab.cbor("PutRecord", &bytes).await;
            assert_eq!(answer.refusal().to_string(), expected, "in CBOR");
        }
    }
);

wire_test!(
    the_first_wrong_type_in_member_order_is_refused_in_every_order_sent,
    |lab| async move {
        let table = entry("GetShardIterator").input.members();
        let first = table.first().unwrap().name;
        let last = table.last().unwrap().name;
        let got = lab
            .refusal(
                "GetShardIterator",
                &format!(r#"{{"{last}":[],"{first}":{{}}}}"#),
            )
            .await;
        assert_eq!(
            got,
            format!("SerializationException (Message): {STRUCTURE}")
        );
        let inner = r#"{"Records":[{"Data":true},{"PartitionKey":true}]}"#;
        let got = lab.refusal("PutRecords", inner).await;
        assert_eq!(
            got,
            "SerializationException (Message): class java.lang.Boolean can not be converted to a Blob"
        );
    }
);

wire_test!(types_come_before_constraints, |lab| async move {
    let got = lab
        .refusal("CreateStream", r#"{"StreamName":"","ShardCount":"a"}"#)
        .await;
    assert_eq!(
        got,
        "SerializationException (Message): class java.lang.String can not be converted to an \
         Integer"
    );
});

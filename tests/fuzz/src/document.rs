//! Documents between the formats: the same request in other spellings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value;
use minikin::internals::wire::{Node, Shape};
use serde_json::Value as Json;

/// Greatest distance of a time from 1970, in seconds. Floats round greater ones.
const FARTHEST_S: i128 = 100_000_000_000;

/// Turns a JSON request into CBOR by its shape. None if the two formats may differ.
pub fn cbor_of(node: &Node, shape: Option<&Shape>) -> Option<Value> {
    Some(match (node, shape) {
        (Node::Null, _) => Value::Null,
        (Node::Bool(truth), _) => Value::Bool(*truth),
        (Node::Integer(seconds), Some(Shape::Timestamp)) => {
            let ms = i64::try_from(seconds * 1000).ok()?;
            (seconds.abs() < FARTHEST_S)
                .then(|| Value::Tag(1, Box::new(Value::Integer(ms.into()))))?
        }
        (Node::Integer(number), _) => Value::Integer(i64::try_from(*number).ok()?.into()),
        (Node::Float(_), Some(Shape::Timestamp)) | (Node::Bytes(_), _) => return None,
        (Node::Float(number), _) => Value::Float(*number),
        (Node::Text(text), Some(Shape::Blob { .. })) => Value::Bytes(STANDARD.decode(text).ok()?),
        (Node::Text(text), _) => Value::Text(text.clone()),
        (Node::List(items), _) => {
            let element = match shape {
                Some(Shape::List { element, .. }) => Some(*element),
                _ => None,
            };
            let items = items.iter().map(|item| cbor_of(item, element));
            Value::Array(items.collect::<Option<_>>()?)
        }
        (Node::Map(members), _) => {
            let entry = |(name, node): &(String, Node)| {
                Some((Value::Text(name.clone()), cbor_of(node, of(shape, name))?))
            };
            Value::Map(members.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

/// The shape of a member.
fn of<'a>(shape: Option<&'a Shape>, name: &str) -> Option<&'a Shape> {
    match shape? {
        Shape::Map { value, .. } => Some(value),
        shape @ Shape::Structure(_) => {
            let member = shape.members().into_iter().find(|known| known.name == name);
            member.map(|member| member.shape)
        }
        _ => None,
    }
}

/// The bytes of a CBOR item, in its shortest form.
pub fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// A JSON text with every letter escaped and blanks between, and with its first member twice if
/// `doubled`, which only the explaining reader takes.
pub fn json_of(node: &Node, doubled: bool) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(truth) => truth.to_string(),
        Node::Integer(number) => number.to_string(),
        Node::Float(number) => Json::from(*number).to_string(),
        Node::Text(text) => escaped(text),
        Node::Bytes(_) => unreachable!("JSON has no bytes"),
        Node::List(items) => {
            let items: Vec<_> = items.iter().map(|item| json_of(item, false)).collect();
            format!("[ {} ]", items.join(" ,\n"))
        }
        Node::Map(members) => {
            let member = |(name, node): &(String, Node)| {
                format!("{}\t: {}", escaped(name), json_of(node, false))
            };
            let mut members: Vec<_> = members.iter().map(member).collect();
            if doubled {
                members.extend(members.first().cloned());
            }
            format!("{{\r\n{} }}", members.join(","))
        }
    }
}

fn escaped(text: &str) -> String {
    let letters: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    format!("\"{letters}\"")
}

/// Turns a CBOR answer into the JSON answer: bytes in base64, times in seconds.
pub fn as_json(value: &Value) -> Json {
    match value {
        Value::Null => panic!("answers hold no null"),
        Value::Bool(truth) => (*truth).into(),
        Value::Integer(number) => i64::try_from(i128::from(*number)).unwrap().into(),
        Value::Text(text) => text.clone().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Tag(1, inner) => {
            let ms = match &**inner {
                Value::Integer(ms) => i64::try_from(i128::from(*ms)).unwrap(),
                // RPC v2 writes seconds.
                Value::Float(seconds) => return (*seconds).into(),
                other => panic!("a time is a number, not {other:?}"),
            };
            (ms as f64 / 1000.0).into()
        }
        Value::Array(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => {
            let entry = |(name, value): &(Value, Value)| {
                let name = name.as_text().expect("answers have texts for names");
                (name.to_owned(), as_json(value))
            };
            let members: serde_json::Map<_, _> = entries.iter().map(entry).collect();
            assert_eq!(members.len(), entries.len(), "an answer has a member twice");
            Json::Object(members)
        }
        other => panic!("answers hold no {other:?}"),
    }
}

/// Turns all numbers into floats, because the formats spell whole numbers differently.
pub fn plain(value: Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(items) => items.into_iter().map(plain).collect(),
        Json::Object(members) => {
            let members = members.into_iter();
            members.map(|(name, value)| (name, plain(value))).collect()
        }
        other => other,
    }
}

//! Converts between CBOR and JSON. Requests are converted by their shapes, and answers by the types
//! of their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value as Cbor;
use minikin::internals::wire::Shape;
use serde_json::Value as Json;

/// Reads exactly one item.
pub(crate) fn read(bytes: &[u8]) -> Cbor {
    let mut rest = bytes;
    let value = ciborium::from_reader(&mut rest)
        .unwrap_or_else(|error| panic!("{error}: {:02x?}", &bytes[..bytes.len().min(200)]));
    assert!(rest.is_empty(), "bytes behind the item");
    value
}

/// Writes an item in its shortest form.
pub(crate) fn write(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// Encodes a JSON request in CBOR by its shape.
pub(crate) fn of_json(body: &str, shape: &Shape) -> Vec<u8> {
    write(&from_json(
        &serde_json::from_str(body).unwrap(),
        Some(shape),
    ))
}

/// Converts a JSON document to CBOR. A text becomes bytes, and a number becomes a time, only if the
/// shape has such a member and the value fits.
pub(crate) fn from_json(value: &Json, shape: Option<&Shape>) -> Cbor {
    match (value, shape) {
        (Json::Null, _) => Cbor::Null,
        (Json::Bool(truth), _) => Cbor::Bool(*truth),
        (Json::Number(number), Some(Shape::Timestamp)) => {
            let ms = (number.as_f64().unwrap() * 1000.0).round();
            Cbor::Tag(1, Box::new(Cbor::Integer((ms as i64).into())))
        }
        (Json::Number(number), _) => match number.as_i64() {
            Some(number) => Cbor::Integer(number.into()),
            None => Cbor::Float(number.as_f64().unwrap()),
        },
        (Json::String(text), Some(Shape::Blob { .. })) => match STANDARD.decode(text) {
            Ok(bytes) => Cbor::Bytes(bytes),
            Err(_) => Cbor::Text(text.clone()),
        },
        (Json::String(text), _) => Cbor::Text(text.clone()),
        (Json::Array(items), _) => {
            let element = match shape {
                Some(Shape::List { element, .. }) => Some(*element),
                _ => None,
            };
            Cbor::Array(items.iter().map(|item| from_json(item, element)).collect())
        }
        (Json::Object(members), _) => {
            let known = shape.map(Shape::members).unwrap_or_default();
            let entry = |(name, value): (&String, &Json)| {
                let member = known.iter().find(|member| member.name == name);
                (
                    Cbor::Text(name.clone()),
                    from_json(value, member.map(|member| member.shape)),
                )
            };
            Cbor::Map(members.iter().map(entry).collect())
        }
    }
}

/// Converts a CBOR document to JSON: bytes become base64, and times become seconds.
pub(crate) fn to_json(value: &Cbor) -> Json {
    match value {
        Cbor::Null => panic!("answers hold no null"),
        Cbor::Bool(truth) => (*truth).into(),
        Cbor::Integer(number) => i64::try_from(i128::from(*number)).unwrap().into(),
        Cbor::Text(text) => text.clone().into(),
        Cbor::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Cbor::Tag(1, inner) => {
            let ms = match &**inner {
                Cbor::Integer(ms) => i64::try_from(i128::from(*ms)).unwrap(),
                // A time in RPC v2.
                Cbor::Float(seconds) => return (*seconds).into(),
                other => panic!("a time is a number, not {other:?}"),
            };
            (ms as f64 / 1000.0).into()
        }
        Cbor::Array(items) => items.iter().map(to_json).collect(),
        Cbor::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.as_text().unwrap().to_owned(), to_json(value)))
            .collect(),
        other => panic!("answers hold no {other:?}"),
    }
}

//! Decoding and encoding of bodies: the entry points of the fast reader, the explaining reader (see
//! `wire`) and the writer.

use super::blob::with_buffers;
use super::cbor;
use super::format::Format;
use super::json;
use super::mismatch::Mismatch;
use super::node::Node;
use super::shape::Shape;
use super::timestamp::with_unit;
use super::violations::Violations;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Decodes a body to a value of type `T` with the fast reader. Returns `None` if the fast reader
/// refuses the body.
pub fn decode<T: DeserializeOwned>(format: Format, body: &Bytes) -> Option<T> {
    with_buffers(format, body, || match format {
        Format::Json => json::from_slice(body),
        Format::Cbor => cbor::from_slice(body),
        Format::RpcV2Cbor => with_unit(format, || cbor::from_slice(body)),
    })
}

/// Returns true if the body is well formed and its root is a structure.
pub fn parses(format: Format, body: &[u8]) -> bool {
    matches!(tree(format, body), Some(Node::Map(_)))
}

/// Returns the fault of a body that is malformed or whose root is not a structure, as a text for
/// the log. Returns `None` for a well-formed body whose root is a structure.
pub(crate) fn unreadable_reason(format: Format, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return Some("the body is empty".to_owned());
    }
    let error = match format {
        Format::Json => serde_json::from_slice::<serde::de::IgnoredAny>(body)
            .err()
            .map(|error| format!("the body is not JSON: {error}")),
        Format::Cbor | Format::RpcV2Cbor => ciborium::from_reader::<serde::de::IgnoredAny, _>(body)
            .err()
            .map(|error| format!("the body is not CBOR: {}", cbor_fault(&error, body.len()))),
    };
    error.or_else(|| (!parses(format, body)).then(|| "the body is not a structure".to_owned()))
}

/// Returns the fault of a CBOR body of `length` bytes.
fn cbor_fault<E>(error: &ciborium::de::Error<E>, length: usize) -> String {
    use ciborium::de::Error;
    match error {
        Error::Io(_) => format!("it ends within a value, after {length} bytes"),
        Error::Syntax(at) => format!("the value at offset {at} is malformed"),
        Error::Semantic(Some(at), reason) => format!("{reason}, at offset {at}"),
        Error::Semantic(None, reason) => reason.clone(),
        Error::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    }
}

/// Finds the first value in a body with a type that does not fit `shape`. Returns the position of
/// this value in the body, as a text for the log. Returns `None` if all types fit or the body is
/// malformed.
pub(crate) fn mismatch_path(format: Format, body: &[u8], shape: &Shape) -> Option<String> {
    let mismatch = Mismatch::find(&tree(format, body)?, shape).err()?;
    Some(mismatch.path.trim_start_matches('.').to_owned())
}

/// Returns the text of the member `name` in the first item of a list. `list` is the name of this
/// list in the root of the body. Returns `None` if the list is empty, or if the member is missing
/// or is not text.
pub(crate) fn item_text(format: Format, body: &[u8], list: &str, name: &str) -> Option<String> {
    match tree(format, body)?.member(list)? {
        Node::List(items) => items.first()?.member(name)?.text().map(str::to_owned),
        _ => None,
    }
}

/// Returns the text of the member `name` in the root of a body. Returns `None` if the member is
/// missing or is not text.
pub(crate) fn member_text(format: Format, body: &[u8], name: &str) -> Option<String> {
    tree(format, body)?.member(name)?.text().map(str::to_owned)
}

/// The result of the explaining reader.
#[derive(Debug)]
pub(crate) enum Explained<T> {
    /// The body is valid.
    Valid(T),
    /// The body is malformed, or its root is not a structure.
    Unreadable,
    /// A member has the wrong type.
    Mistyped(Mismatch),
    /// Members violate their constraints.
    Invalid(Violations),
}

/// Reads a body with the explaining reader. If the reader refuses the body, the result has the
/// reason. `tolerates_missing` returns true for a body in which members of presence
/// [`Expected`](super::Presence::Expected) may be missing.
pub(crate) fn explain<T: DeserializeOwned>(
    format: Format,
    body: &[u8],
    shape: &Shape,
    tolerates_missing: impl FnOnce(&Node) -> bool,
) -> Explained<T> {
    let Some(node @ Node::Map(_)) = tree(format, body) else {
        return Explained::Unreadable;
    };
    if let Err(mismatch) = Mismatch::find(&node, shape) {
        return Explained::Mistyped(mismatch);
    }
    let violations = Violations::find(&node, shape, tolerates_missing(&node));
    // A request in which only members of presence `Expected` are missing is decoded, because the
    // operation decides if the request needs these members.
    if (violations.is_empty() || violations.is_tolerable())
        && let Some(value) = with_unit(format, || node.read(format == Format::Json))
    {
        return Explained::Valid(value);
    }
    if violations.is_empty() {
        Explained::Unreadable
    } else {
        Explained::Invalid(violations)
    }
}

/// Encodes a value as a body in `format`.
pub fn encode(format: Format, value: &impl Serialize) -> Vec<u8> {
    match format {
        Format::Json => serde_json::to_vec(value).expect("answers have text keys only"),
        Format::Cbor | Format::RpcV2Cbor => with_unit(format, || {
            let mut bytes = Vec::with_capacity(256);
            ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
            bytes
        }),
    }
}

fn tree(format: Format, body: &[u8]) -> Option<Node> {
    match format {
        Format::Json => Node::from_json(body),
        Format::Cbor | Format::RpcV2Cbor => Node::from_cbor(body),
    }
}

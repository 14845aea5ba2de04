//! Bytes to values and back: the fast reader, the explaining reader and the writer.

use super::blob::with_buffers;
use super::cbor;
use super::format::Format;
use super::json;
use super::mismatch::Mismatch;
use super::node::Node;
use super::shape::Shape;
use super::violations::Violations;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a typed value straight from the bytes: the way of every good request.
pub fn decode<T: DeserializeOwned>(format: Format, body: &Bytes) -> Option<T> {
    with_buffers(format, body, || match format {
        Format::Json => json::from_slice(body),
        Format::Cbor => cbor::from_slice(body),
    })
}

/// Whether the body is a structure at all.
pub fn parses(format: Format, body: &[u8]) -> bool {
    matches!(tree(format, body), Some(Node::Map(_)))
}

/// The text of a member of the structure that a body is, if it has it.
pub fn member_text(format: Format, body: &[u8], name: &str) -> Option<String> {
    tree(format, body)?.member(name)?.text().map(str::to_owned)
}

/// What the explaining reader found.
#[derive(Debug)]
pub enum Explained<T> {
    /// Nothing is wrong: the fast reader was merely stricter.
    Fine(T),
    /// The body is no document, or not a structure.
    Unreadable,
    /// A member has the wrong type.
    Mistyped(Mismatch),
    /// Members break their constraints.
    Invalid(Violations),
}

/// Reads a body that the fast reader refused, to say why. `tolerates_missing` is asked, with the document,
/// whether members that are only expected may be absent.
pub fn explain<T: DeserializeOwned>(
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
    // What is left to the operation itself is not judged here.
    if (violations.is_empty() || violations.is_excusable())
        && let Some(value) = node.read(format == Format::Json)
    {
        return Explained::Fine(value);
    }
    if violations.is_empty() {
        Explained::Unreadable
    } else {
        Explained::Invalid(violations)
    }
}

/// Writes a value.
pub fn encode(format: Format, value: &impl Serialize) -> Vec<u8> {
    match format {
        Format::Json => serde_json::to_vec(value).expect("answers have text keys only"),
        Format::Cbor => {
            let mut bytes = Vec::with_capacity(256);
            ciborium::into_writer(value, &mut bytes).expect("a vector takes every byte");
            bytes
        }
    }
}

fn tree(format: Format, body: &[u8]) -> Option<Node> {
    match format {
        Format::Json => Node::from_json(body),
        Format::Cbor => Node::from_cbor(body),
    }
}

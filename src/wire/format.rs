//! The two formats, and the two ways to read them.

use super::blob::with_room;
use super::cbor;
use super::json;
use super::mismatch::Mismatch;
use super::node::Node;
use super::report::Report;
use super::shape::Shape;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a request's body is written, and so its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON 1.1.
    Json,
    /// CBOR 1.1: the same headers and members in CBOR.
    Cbor,
}

impl Format {
    /// The media type of its requests and answers.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
        }
    }
}

/// Reads a typed value straight from the bytes: the way of every good request.
pub fn decode<T: DeserializeOwned>(format: Format, body: &Bytes) -> Option<T> {
    with_room(format, body, || match format {
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
    Invalid(Report),
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
    let report = Report::of(&node, shape, tolerates_missing(&node));
    // What is left to the operation itself is not judged here.
    if (report.is_empty() || report.is_excusable())
        && let Some(value) = node.read(format == Format::Json)
    {
        return Explained::Fine(value);
    }
    if report.is_empty() {
        Explained::Unreadable
    } else {
        Explained::Invalid(report)
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

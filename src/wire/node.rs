//! A JSON or CBOR body as a tree in memory, for the explaining reader.

use super::{base64_text, item_count};
use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A value in a JSON or CBOR body. If a structure has several members with the same name, the node
/// has only the last one of them. This rule is a choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Null, or the value undefined of CBOR.
    Null,
    /// A Boolean.
    Bool(bool),
    /// A number without fraction and exponent.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A text string.
    Text(String),
    /// A byte string, which exists in CBOR only.
    Bytes(Vec<u8>),
    /// A list of values, in the order of the body.
    List(Vec<Node>),
    /// The entries of a dictionary or the members of a structure, in the order of the body.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Builds the tree of a JSON body. Returns `None` if the body is malformed or has too many
    /// items.
    pub(super) fn from_json(body: &[u8]) -> Option<Self> {
        if !item_count::is_bounded_json(body) {
            return None;
        }
        serde_json::from_slice(body).ok()
    }

    /// Builds the tree of a CBOR body. Returns `None` if the body is malformed or has too many
    /// items. Drops tags, because the type of the member determines the type of the value.
    pub(super) fn from_cbor(body: &[u8]) -> Option<Self> {
        if !item_count::is_bounded_cbor(body) {
            return None;
        }
        ciborium::from_reader::<ciborium::Value, _>(body)
            .ok()
            .and_then(from_value)
    }

    /// Returns the member `name` of a structure. Returns `None` if the member is missing or null,
    /// or if the node is not a structure.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let found = entries.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value)
            .filter(|value| **value != Self::Null)
    }

    /// Returns the text of a text node. Returns `None` for other nodes.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the node's number without its fraction, as the service does. Clamps the number to
    /// the range of 64 bits if `long` is true, and otherwise to the range of 32 bits. Returns
    /// `None` if the node is not a number.
    pub(super) fn number(&self, long: bool) -> Option<i64> {
        let (low, high) = integer_bounds(long);
        match self {
            Self::Integer(number) => {
                let clamped = (*number).clamp(i128::from(low), i128::from(high));
                i64::try_from(clamped).ok()
            }
            Self::Float(number) => Some(truncated(*number, long)),
            _ => None,
        }
    }

    /// Returns the bytes of a byte string, or the decoded bytes of a base64 text. Returns `None`
    /// for other nodes.
    pub(super) fn blob(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Text(text) => base64_text::decode(text).map(Cow::Owned),
            _ => None,
        }
    }

    /// Reads the node as a value of type `T`. `json` is true if the node comes from a JSON body.
    /// Returns `None` if the node is not a valid value of this type.
    pub(super) fn read<T: DeserializeOwned>(&self, json: bool) -> Option<T> {
        T::deserialize(NodeReader { node: self, json }).ok()
    }
}

/// Returns the least and the greatest value of the service's type Long if `long` is true, and
/// otherwise of its type Integer.
pub(super) fn integer_bounds(long: bool) -> (i64, i64) {
    if long {
        (i64::MIN, i64::MAX)
    } else {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    }
}

/// Cuts off the fraction of a number. Clamps the number to the range of the service's type Long if
/// `long` is true, and otherwise to the range of its type Integer.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a float's cast saturates, as wanted"
)]
pub(super) fn truncated(number: f64, long: bool) -> i64 {
    let (low, high) = integer_bounds(long);
    (number as i64).clamp(low, high)
}

/// Returns the Boolean value that the service reads from a text. The case of the letters does not
/// matter. Returns `None` if the text is not a Boolean value.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_uppercase().as_str() {
        "TRUE" | "YES" | "1" => Some(true),
        "FALSE" | "NO" | "0" => Some(false),
        _ => None,
    }
}

fn from_value(value: ciborium::Value) -> Option<Node> {
    use ciborium::Value;
    Some(match value {
        Value::Null => Node::Null,
        Value::Bool(truth) => Node::Bool(truth),
        Value::Integer(number) => Node::Integer(number.into()),
        Value::Float(number) => Node::Float(number),
        Value::Text(text) => Node::Text(text),
        Value::Bytes(bytes) => Node::Bytes(bytes),
        Value::Tag(_, inner) => return from_value(*inner),
        Value::Array(items) => {
            Node::List(items.into_iter().map(from_value).collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let entry = |(key, value)| Some((key_text(key)?, from_value(value)?));
            Node::Map(last_of_each(
                entries.into_iter().map(entry).collect::<Option<_>>()?,
            ))
        }
        _ => return None,
    })
}

fn key_text(key: ciborium::Value) -> Option<String> {
    match key {
        ciborium::Value::Text(text) => Some(text),
        ciborium::Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
        ciborium::Value::Tag(_, key) => key_text(*key),
        _ => None,
    }
}

/// Removes each member of a structure if a later member has the same name.
fn last_of_each(mut entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    let last: HashMap<&str, usize> = entries
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.as_str(), at))
        .collect();
    if last.len() == entries.len() {
        return entries;
    }
    let kept: HashSet<usize> = last.into_values().collect();
    let mut at = 0..;
    entries.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
    entries
}

/// Writes the value in the form that it has in the service's messages.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Integer(_) | Self::Float(_) => {
                write!(f, "{}", self.number(false).unwrap_or_default())
            }
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => {
                let count = bytes.len();
                write!(f, "java.nio.HeapByteBuffer[pos=0 lim={count} cap={count}]")
            }
            Self::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (at, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}={value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Integer(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(last_of_each(entries)))
    }
}

/// A serde deserializer that reads from a node.
#[derive(Clone, Copy)]
struct NodeReader<'a> {
    node: &'a Node,
    json: bool,
}

impl<'de> Deserializer<'de> for NodeReader<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let json = self.json;
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(truth) => visitor.visit_bool(*truth),
            Node::Integer(number) => match i64::try_from(*number) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_i64(if *number < 0 { i64::MIN } else { i64::MAX }),
            },
            Node::Float(number) => visitor.visit_f64(*number),
            Node::Text(text) => visitor.visit_borrowed_str(text),
            Node::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Node::List(items) => visitor.visit_seq(value::SeqDeserializer::new(
                items.iter().map(|node| NodeReader { node, json }),
            )),
            Node::Map(entries) => visitor.visit_map(value::MapDeserializer::new(
                entries
                    .iter()
                    .map(|(key, node)| (key.as_str(), NodeReader { node, json })),
            )),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn is_human_readable(&self) -> bool {
        self.json
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> de::IntoDeserializer<'de> for NodeReader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

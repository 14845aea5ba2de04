//! Mismatches, with the service's messages. A mismatch is a value with a type that its member does
//! not accept.

use super::base64_text;
use super::node::{Node, truth};
use super::shape::Shape;
use std::borrow::Cow;

/// A value with a type that its member does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The message of the SerializationException, or `None` for an exception that the service sends
    /// without a message.
    pub(crate) message: Option<Cow<'static, str>>,
    /// The position of the value in the body, such as `.Records[1].Data`, for the log.
    pub(super) path: String,
}

const LIST: &str = "Start of list found where not expected";
const STRUCTURE: &str = "Start of structure or map found where not expected.";

impl Mismatch {
    /// Searches for the first value in `node` whose type does not fit `shape`. The search is depth
    /// first, in the order of the members in `shape`.
    ///
    /// # Errors
    /// The first mismatch.
    pub(crate) fn find(node: &Node, shape: &Shape) -> Result<(), Self> {
        match (shape, node) {
            (_, Node::Null) => Ok(()),
            (Shape::Structure(_), Node::Map(_)) => shape.members().iter().try_for_each(|member| {
                let found = node
                    .member(member.name)
                    .map_or(Ok(()), |value| Self::find(value, member.shape));
                found.map_err(|mismatch| mismatch.within(format!(".{}", member.name)))
            }),
            (Shape::Map { value, .. }, Node::Map(entries)) => {
                Self::find_in_items(entries.iter().map(|(_, value)| value), value)
            }
            (Shape::List { element, .. }, Node::List(items)) => {
                Self::find_in_items(items.iter(), element)
            }
            _ => match scalar(shape, node) {
                None => Ok(()),
                Some(text) => Err(Self {
                    message: Some(text).filter(|text| !text.is_empty()),
                    path: String::new(),
                }),
            },
        }
    }

    /// Searches `items` for the first value whose type does not fit `shape`. `items` are the
    /// elements of a list or the values of a map. In the path of the mismatch, a value of a map has
    /// a number instead of its key, because the key comes from the request.
    ///
    /// # Errors
    /// The first mismatch.
    fn find_in_items<'a>(items: impl Iterator<Item = &'a Node>, shape: &Shape) -> Result<(), Self> {
        items.enumerate().try_for_each(|(at, item)| {
            let found = Self::find(item, shape);
            found.map_err(|mismatch| mismatch.within(format!("[{at}]")))
        })
    }

    fn within(self, above: String) -> Self {
        Self {
            path: above + &self.path,
            ..self
        }
    }
}

/// Returns the message for a value whose type does not fit `shape`. Returns `None` if the type
/// fits, and an empty text if the exception has no message. Must not be called for a structure,
/// list or map that fits `shape`.
fn scalar(shape: &Shape, node: &Node) -> Option<Cow<'static, str>> {
    match node {
        Node::List(_) => Some(LIST.into()),
        Node::Map(_) => Some(STRUCTURE.into()),
        // Byte strings exist in CBOR only. No message of the service about a misplaced byte string
        // was recorded, so the exception has no message.
        Node::Bytes(_) if !matches!(shape, Shape::Blob { .. }) => Some(Cow::Borrowed("")),
        Node::Null => None,
        Node::Bool(_) | Node::Integer(_) | Node::Float(_) | Node::Text(_) | Node::Bytes(_) => {
            plain(shape, node)
        }
    }
}

fn plain(shape: &Shape, node: &Node) -> Option<Cow<'static, str>> {
    let class = match node {
        Node::Bool(_) => "java.lang.Boolean",
        Node::Text(_) => "java.lang.String",
        _ => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
    };
    let number = matches!(node, Node::Integer(_) | Node::Float(_));
    let target = match shape {
        Shape::Text { .. } if matches!(node, Node::Text(_)) => return None,
        Shape::Text { .. } => "an String",
        Shape::Integer { .. } | Shape::Timestamp if number => return None,
        Shape::Integer { long: false, .. } => "an Integer",
        Shape::Integer { long: true, .. } => "an Long",
        Shape::Timestamp => "milliseconds since epoch",
        Shape::Boolean => match node {
            Node::Text(text) => return boolean_fault(text).map(Cow::Owned),
            Node::Bool(_) => return None,
            _ => "an Boolean",
        },
        Shape::Blob { .. } => match node {
            Node::Text(text) => return base64_text::fault(text).map(Cow::Owned),
            Node::Bytes(_) => return None,
            _ => "a Blob",
        },
        Shape::List { .. } => return Some("Expected list or null".into()),
        Shape::Map { .. } => return Some("Expected map or null".into()),
        Shape::Structure(_) => return Some("Expected null".into()),
    };
    Some(format!("class {class} can not be converted to {target}").into())
}

fn boolean_fault(text: &str) -> Option<String> {
    truth(text).is_none().then(|| {
        format!(
            "'{}' can not be converted to an Boolean",
            text.to_uppercase()
        )
    })
}

//! An answer with its bytes as received.

use super::cbor;
use super::request::{CBOR, JSON, RPC_V2};
use serde_json::Value;
use std::fmt;

/// The status, the headers in their order, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A refusal: its type, the key of its message, and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) key: Option<String>,
    pub(crate) message: Option<String>,
}

/// Writes `Type: text`. Marks a message member with a capital letter by `(Message)`, and puts a
/// status other than 400 first.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.status != 400 {
            write!(f, "{} ", self.status)?;
        }
        f.write_str(&self.kind)?;
        match (&self.key, &self.message) {
            (Some(key), Some(message)) if key == "Message" => write!(f, " (Message): {message}"),
            (_, Some(message)) => write!(f, ": {message}"),
            _ => Ok(()),
        }
    }
}

impl Answer {
    /// The value of a header. None if the answer does not have the header. Panics if the answer has
    /// the header twice.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(
            found.next().is_none(),
            "{name} is there twice: {:?}",
            self.headers
        );
        value
    }

    /// The names of the headers, in lower case and sorted.
    pub(crate) fn header_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names
    }

    /// True if the answer has a length, is chunked, or never has a body.
    pub(crate) fn has_length(&self) -> bool {
        let names = ["content-length", "transfer-encoding"];
        self.status == 204 || names.iter().any(|name| self.header(name).is_some())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The document as JSON, whatever its format.
    pub(crate) fn value(&self) -> Value {
        match self.header("content-type") {
            Some(JSON | "application/json") => serde_json::from_slice(&self.body)
                .unwrap_or_else(|error| panic!("{error}: {}", self.text())),
            Some(CBOR | RPC_V2) => cbor::to_json(&cbor::read(&self.body)),
            other => panic!("{other:?} {}", self.text()),
        }
    }

    /// The refusal in this answer. Checks that the answer has no other members.
    pub(crate) fn refusal(&self) -> Refusal {
        assert_ne!(self.status, 200, "{}", self.text());
        let value = self.value();
        let members = value.as_object().unwrap();
        let text = |key: &str| members.get(key).and_then(Value::as_str).map(str::to_owned);
        let key = ["message", "Message"]
            .into_iter()
            .find(|key| members.contains_key(*key));
        assert_eq!(members.len(), 1 + usize::from(key.is_some()), "{value}");
        if self.header("content-type") == Some(JSON) {
            assert!(self.text().starts_with(r#"{"__type":""#), "{}", self.text());
        }
        Refusal {
            status: self.status,
            kind: text("__type").unwrap(),
            key: key.map(str::to_owned),
            message: key.and_then(text),
        }
    }
}

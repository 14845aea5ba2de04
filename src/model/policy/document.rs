//! The JSON of a policy. A member that occurs twice is an error, because another parser of the same
//! policy could use the other of the two values.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON document. Numbers and Booleans are stored as text, because conditions compare texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) enum Document {
    Null,
    Scalar(String),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Document {
    /// Parses a JSON text.
    ///
    /// # Errors
    /// The text is not JSON or repeats a member. The message contains the place of the error and
    /// names of members, but no values.
    pub(in crate::model) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Scalar(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Returns the elements of a list. Any other JSON value counts as a list with one element.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Scalar(_) | Self::Text(_) | Self::Map(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    /// Returns the members of an object; `None` for any other JSON value.
    pub(in crate::model) fn members(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Map(members) => Some(members),
            Self::Null | Self::Scalar(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Document, E> {
        Ok(Document::Scalar(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Document, E> {
        Ok(Document::Scalar(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Scalar(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Document::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
        let mut names = std::collections::HashSet::new();
        let mut map = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(format_args!("{name} is there twice")));
            }
            map.push((name, members.next_value()?));
        }
        Ok(Document::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_is_said_twice() {
        let error = Document::read(r#"{"a": 1, "b": {"c": true, "c": true}}"#).unwrap_err();
        assert!(error.starts_with("c is there twice"), "{error}");
        assert!(Document::read(r#"{"a": {"c": 1}, "b": {"c": 1}}"#).is_ok());
    }

    #[test]
    fn an_error_does_not_quote_the_document() {
        for text in [
            r#"{"secret": hush}"#,
            r#""hush"#,
            "hush",
            r#"{"a": "hush" "b"}"#,
        ] {
            let error = Document::read(text).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn depth_has_an_end() {
        assert!(Document::read(&"[".repeat(100_000)).is_err());
    }
}

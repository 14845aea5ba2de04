//! The names of members, read as bytes.

use serde::de::{self, Visitor, value};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use std::borrow::Cow;
use std::fmt;

/// The name of a member in a JSON or CBOR body. This type does not check that the bytes are UTF-8,
/// because names are only compared with known names.
pub(crate) struct Name<'de>(pub(super) Cow<'de, [u8]>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name.as_bytes())))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name<'de>, E> {
        self.visit_bytes(name.as_bytes())
    }
}

/// A serde deserializer over the bytes of one member name.
pub(crate) struct NameReader<'de>(&'de [u8]);

impl<'de> NameReader<'de> {
    /// Creates a deserializer of `name`. Returns `None` if the bytes are not UTF-8, because JSON
    /// and CBOR require UTF-8.
    pub(crate) fn of(name: &'de [u8]) -> Option<Self> {
        // All member names of the service are ASCII, and the check for ASCII is faster than for
        // UTF-8.
        let good = name.is_ascii() || std::str::from_utf8(name).is_ok();
        good.then_some(Self(name))
    }
}

impl<'de> Deserializer<'de> for NameReader<'de> {
    type Error = value::Error;

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let text = std::str::from_utf8(self.0).map_err(de::Error::custom)?;
        visitor.visit_borrowed_str(text)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum ignored_any
    }
}

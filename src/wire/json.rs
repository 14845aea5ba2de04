//! The fast JSON reader. It borrows strings from the body. It finds the end of a string with vector
//! instructions, because a string can be a megabyte of base64.
//!
//! The fast reader passes each string with escapes and each unusual number to serde_json. If the
//! fast reader refuses a body, the explaining reader reads the body again with serde_json, and
//! serde_json decides if the body is valid. The fast reader must therefore never accept a body that
//! serde_json refuses.

use super::name::NameReader;
use crate::limits::{DOCUMENT_ITEMS, JSON_DEPTH};
use memchr::memchr2;
use serde::Deserializer as _;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor, value};
use serde::forward_to_deserialize_any;

/// Maximum number of digits in a whole number that the fast reader parses without serde_json. Every
/// number of 18 digits fits in 64 bits.
const MOST_DIGITS: usize = 18;

/// Reads the single value in `body`. Returns `None` if the fast reader refuses the body.
pub(super) fn from_slice<'de, T: de::Deserialize<'de>>(body: &'de [u8]) -> Option<T> {
    let mut reader = JsonReader {
        rest: body,
        depth: 0,
        items: 0,
    };
    let value = T::deserialize(&mut reader).ok()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct JsonReader<'de> {
    rest: &'de [u8],
    depth: u8,
    /// Number of items read so far, in lists and structures of every depth.
    items: usize,
}

type Result<T> = std::result::Result<T, value::Error>;

fn refused() -> value::Error {
    de::Error::custom("left to the explaining reader")
}

/// A string in the body, not yet decoded.
enum Text<'de> {
    /// A string without escapes. The slice does not contain the quotes.
    Plain(&'de [u8]),
    /// A string with escapes. The slice contains the quotes, because serde_json needs them.
    Escaped(&'de [u8]),
}

impl<'de> JsonReader<'de> {
    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Returns the next byte after white space, without consuming it.
    fn peek(&mut self) -> Result<u8> {
        self.skip_space();
        self.rest.first().copied().ok_or_else(refused)
    }

    /// Adds 1 to the number of items read, and refuses the body if it has too many items.
    fn count(&mut self) -> Result<()> {
        self.items += 1;
        if self.items > DOCUMENT_ITEMS {
            return Err(refused());
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> &'de [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn expect(&mut self, wanted: &[u8]) -> Result<()> {
        self.rest = self.rest.strip_prefix(wanted).ok_or_else(refused)?;
        Ok(())
    }

    /// Reads the string whose opening quote is the next byte.
    fn text(&mut self) -> Result<Text<'de>> {
        let inner = &self.rest[1..];
        let mut end = memchr2(b'"', b'\\', inner).ok_or_else(refused)?;
        if inner[end] == b'"' {
            let text = self.take(end + 2);
            return Ok(Text::Plain(&text[1..=end]));
        }
        while inner[end] == b'\\' {
            // Skip the byte after a backslash. The byte may be a quote that does not end the
            // string, or a second backslash.
            let behind = inner.get(end + 2..).ok_or_else(refused)?;
            end += 2 + memchr2(b'"', b'\\', behind).ok_or_else(refused)?;
        }
        Ok(Text::Escaped(self.take(end + 2)))
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        let inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.rest.iter().take_while(|byte| inside(byte)).count();
        let number = self.take(length);
        let whole = number.iter().all(u8::is_ascii_digit) && number.len() <= MOST_DIGITS;
        if !whole || (number[0] == b'0' && number.len() > 1) {
            return with_serde_json(number, |library| library.deserialize_any(visitor));
        }
        let digits = number.iter().map(|digit| u64::from(digit - b'0'));
        visitor.visit_u64(digits.fold(0, |number, digit| number * 10 + digit))
    }

    /// Reads the elements of a list or the entries of a structure, up to the closing bracket `end`.
    /// Refuses the body if it is nested too deep.
    fn within<T>(
        &mut self,
        end: u8,
        read: impl FnOnce(&mut JsonItems<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        if self.depth == JSON_DEPTH {
            return Err(refused());
        }
        self.depth += 1;
        self.take(1);
        let mut items = JsonItems {
            reader: self,
            end,
            first: true,
            ended: false,
        };
        let read = read(&mut items)?;
        // Refuses the body if `read` stopped before the last element.
        if items.is_more()? {
            return Err(refused());
        }
        self.depth -= 1;
        Ok(read)
    }
}

/// Reads the single value in `part` with serde_json. Refuses further bytes after the value.
fn with_serde_json<'de, T>(
    part: &'de [u8],
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::SliceRead<'de>>,
    ) -> serde_json::Result<T>,
) -> Result<T> {
    let mut library = serde_json::Deserializer::from_slice(part);
    let value = read(&mut library).map_err(|_| refused())?;
    library.end().map_err(|_| refused())?;
    Ok(value)
}

/// Returns the text of a string without escapes. Refuses control characters and invalid UTF-8.
fn plain(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(without_controls(text)?).map_err(|_| refused())
}

fn without_controls(text: &[u8]) -> Result<&[u8]> {
    if text.iter().any(|byte| *byte < b' ') {
        return Err(refused());
    }
    Ok(text)
}

impl<'de> de::Deserializer<'de> for &mut JsonReader<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek()? {
            b'"' => match self.text()? {
                Text::Plain(text) => visitor.visit_borrowed_str(plain(text)?),
                Text::Escaped(text) => {
                    with_serde_json(text, |library| library.deserialize_str(visitor))
                }
            },
            b'{' => self.within(b'}', |items| visitor.visit_map(items)),
            b'[' => self.within(b']', |items| visitor.visit_seq(items)),
            b'-' | b'0'..=b'9' => self.number(visitor),
            b't' => self.expect(b"true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self
                .expect(b"false")
                .and_then(|()| visitor.visit_bool(false)),
            b'n' => self.expect(b"null").and_then(|()| visitor.visit_unit()),
            _ => Err(refused()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek()? == b'n' {
            self.expect(b"null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    /// Passes the bytes of a string to the visitor. Does not check that the bytes are UTF-8,
    /// because the visitor decodes them as base64, and base64 decoding checks every byte.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek()? != b'"' {
            return self.deserialize_any(visitor);
        }
        match self.text()? {
            Text::Plain(text) => visitor.visit_borrowed_bytes(text),
            Text::Escaped(text) => {
                with_serde_json(text, |library| library.deserialize_str(visitor))
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Access to the elements of a list or the entries of a structure, for serde.
struct JsonItems<'a, 'de> {
    reader: &'a mut JsonReader<'de>,
    /// The closing bracket that ends the list or structure.
    end: u8,
    /// True until the first element is read. No comma stands before the first element.
    first: bool,
    ended: bool,
}

impl JsonItems<'_, '_> {
    /// Returns true if another element or entry follows. Consumes the comma before this element or
    /// entry.
    fn is_more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let next = self.reader.peek()?;
        if next == self.end {
            self.reader.take(1);
            self.ended = true;
            return Ok(false);
        }
        if !self.first {
            self.reader.expect(b",")?;
        }
        self.first = false;
        self.reader.count()?;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for &mut JsonItems<'_, 'de> {
    type Error = value::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if !self.is_more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut JsonItems<'_, 'de> {
    type Error = value::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if !self.is_more()? {
            return Ok(None);
        }
        // No client escapes characters in the name of a member, so the fast reader refuses an
        // escaped name.
        if self.reader.peek()? != b'"' {
            return Err(refused());
        }
        let Text::Plain(name) = self.reader.text()? else {
            return Err(refused());
        };
        let name = NameReader::of(without_controls(name)?).ok_or_else(refused)?;
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        if self.reader.peek()? != b':' {
            return Err(refused());
        }
        self.reader.take(1);
        seed.deserialize(&mut *self.reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Checks that serde_json accepts `body` if the fast reader accepts it, and that both read the
    /// same value. Returns this value, or `None` if the fast reader refuses `body`.
    fn agree(body: &[u8]) -> Option<Value> {
        let read: Value = from_slice(body)?;
        let other: Value = serde_json::from_slice(body).expect("serde_json accepts it too");
        assert_eq!(read, other);
        Some(read)
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            Just(Value::Null),
            "[a-zA-Z0-9+/=]{0,80}".prop_map(Value::from),
            ".*".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec(("[^\\p{C}\"\\\\]*", inner), 0..6)
                    .prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_the_documents_that_serde_json_writes(value in document(), pretty in any::<bool>()) {
            let body = if pretty {
                serde_json::to_vec_pretty(&value)
            } else {
                serde_json::to_vec(&value)
            };
            prop_assert!(agree(&body.expect("a document")).is_some());
        }

        #[test]
        fn it_accepts_no_text_that_serde_json_refuses(body in "[\\[\\]{}:,\"\\\\ntrue0-9.eE+ -]{0,20}") {
            agree(body.as_bytes());
        }

        #[test]
        fn it_agrees_with_serde_json_on_damaged_documents(
            value in document(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = serde_json::to_vec(&value).expect("a document");
            agree(&body[..cut.index(body.len())]);
            let at = at.index(body.len());
            body[at] = byte;
            agree(&body);
        }
    }

    #[test]
    fn near_misses_of_json_are_refused() {
        for body in [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "[1]]",
            "01",
            "-",
            "1.",
            "+1",
            "\"a",
            "\"\\\"",
            "\"\\",
            "\"\\x\"",
            "\"\n\"",
            "nul",
            "truee",
            "[1}",
        ] {
            assert_eq!(agree(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn escapes_and_unusual_numbers_are_read() {
        let body = br#" {"a\u00e9": 1} "#;
        assert_eq!(agree(body), None, "a name is never escaped");
        let body = br#" {"a": ["\u00e9\"\\\/", "\\", -0, -7, 1e3, 18446744073709551616, 123456789012345678901]} "#;
        assert!(agree(body).is_some());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(agree(&nested(usize::from(JSON_DEPTH))).is_some());
        assert!(from_slice::<Value>(&nested(usize::from(JSON_DEPTH) + 1)).is_none());
    }
}

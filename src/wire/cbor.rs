//! The fast CBOR reader. It borrows texts and byte strings from the body, whereas ciborium copies
//! each of them through a small buffer.
//!
//! The fast reader accepts the items that clients send and refuses rare ones: strings of indefinite
//! length, half floats, unassigned simple values and big numbers. If the fast reader refuses a
//! body, the explaining reader reads the body again with ciborium, and ciborium decides if the body
//! is valid. The fast reader must therefore never accept a body that ciborium refuses.

use super::name::NameReader;
use crate::limits::{CBOR_DEPTH, CBOR_TAGS, DOCUMENT_ITEMS};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde::forward_to_deserialize_any;

/// Reads a value from the CBOR item at the start of `body`. Returns `None` if the fast reader
/// refuses the item.
pub(super) fn from_slice<'de, T: de::Deserialize<'de>>(body: &'de [u8]) -> Option<T> {
    T::deserialize(&mut CborReader {
        rest: body,
        depth: 0,
        items: 0,
    })
    .ok()
}

struct CborReader<'de> {
    rest: &'de [u8],
    depth: u8,
    /// Number of items read so far, in lists and maps of every depth.
    items: usize,
}

type Result<T> = std::result::Result<T, value::Error>;

/// The head of a CBOR item. The head has the type of the item, and the value or the length of the
/// item.
enum Head {
    Unsigned(u64),
    /// A negative number. The field n stands for the number −1 − n.
    Negative(u64),
    Bytes(usize),
    Text(usize),
    /// A list. The field is the number of elements, or `None` for a list of indefinite length.
    List(Option<usize>),
    /// A map. The field is the number of entries, or `None` for a map of indefinite length.
    Map(Option<usize>),
    Bool(bool),
    /// The value null or the value undefined of CBOR.
    Null,
    Float(f64),
}

const TAG: u8 = 6;
/// The CBOR tag of a positive big number, whose content is a byte string.
const BIG: u64 = 2;
const BIG_NEGATIVE: u64 = 3;
/// The byte that ends a list or a map of indefinite length.
const BREAK: u8 = 0xff;
const NULL: u8 = 0xf6;
const UNDEFINED: u8 = 0xf7;

fn refused() -> value::Error {
    de::Error::custom("left to the explaining reader")
}

fn negative<'de, V: Visitor<'de>>(number: u64, visitor: V) -> Result<V::Value> {
    let number = i64::try_from(number).map_err(|_| refused())?;
    visitor.visit_i64(-1 - number)
}

impl<'de> CborReader<'de> {
    /// Adds 1 to the number of items read, and refuses the body if it has too many items.
    fn count(&mut self) -> Result<()> {
        self.items += 1;
        if self.items > DOCUMENT_ITEMS {
            return Err(refused());
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'de [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(refused)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT]> {
        let taken = self.take(COUNT)?;
        Ok(taken.try_into().expect("just as many were taken"))
    }

    /// Reads the first bytes of an item. Returns the major type, the low five bits of the first
    /// byte, and the number in the head of the item. This number is a value or a length, or `None`
    /// for an indefinite length.
    fn kind(&mut self) -> Result<(u8, u8, Option<u64>)> {
        let [first] = self.array()?;
        let (kind, detail) = (first >> 5, first & 31);
        let number = match detail {
            0..24 => u64::from(detail),
            24 => u64::from(u8::from_be_bytes(self.array()?)),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            31 => return Ok((kind, detail, None)),
            _ => return Err(refused()),
        };
        Ok((kind, detail, Some(number)))
    }

    /// Reads the head of the next item. Skips tags, because the type of the member determines the
    /// type of the item.
    fn head(&mut self) -> Result<Head> {
        let (mut kind, mut detail, mut number) = self.kind()?;
        for _ in 0..CBOR_TAGS {
            if kind == TAG && number.is_some() {
                if matches!(number, Some(BIG | BIG_NEGATIVE)) {
                    return Err(refused());
                }
                (kind, detail, number) = self.kind()?;
            }
        }
        let length = |number: u64| usize::try_from(number).map_err(|_| refused());
        Ok(match (kind, number) {
            (0, Some(number)) => Head::Unsigned(number),
            (1, Some(number)) => Head::Negative(number),
            (2, Some(number)) => Head::Bytes(length(number)?),
            (3, Some(number)) => Head::Text(length(number)?),
            (4, number) => Head::List(number.map(length).transpose()?),
            (5, number) => Head::Map(number.map(length).transpose()?),
            (7, Some(20)) if detail == 20 => Head::Bool(false),
            (7, Some(21)) if detail == 21 => Head::Bool(true),
            (7, Some(22 | 23)) if detail < 24 => Head::Null,
            (7, Some(bits)) if detail == 26 => {
                let bits = u32::try_from(bits).expect("four bytes were read");
                Head::Float(f32::from_bits(bits).into())
            }
            (7, Some(bits)) if detail == 27 => Head::Float(f64::from_bits(bits)),
            _ => return Err(refused()),
        })
    }

    fn text(&mut self, length: usize) -> Result<&'de str> {
        std::str::from_utf8(self.take(length)?).map_err(|_| refused())
    }

    /// Reads the elements of a list or the entries of a map. `left` is the number of elements or
    /// entries, or `None` for an indefinite length. Refuses the body if it is nested too deep.
    fn within<T>(
        &mut self,
        left: Option<usize>,
        read: impl FnOnce(&mut CborItems<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        if self.depth == CBOR_DEPTH {
            return Err(refused());
        }
        self.depth += 1;
        let mut items = CborItems { reader: self, left };
        let read = read(&mut items)?;
        // Refuses the body if `read` stopped before the last element.
        if items.is_more()? {
            return Err(refused());
        }
        self.depth -= 1;
        Ok(read)
    }
}

impl<'de> Deserializer<'de> for &mut CborReader<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.head()? {
            Head::Unsigned(number) => visitor.visit_u64(number),
            Head::Negative(number) => negative(number, visitor),
            Head::Bytes(length) => visitor.visit_borrowed_bytes(self.take(length)?),
            Head::Text(length) => visitor.visit_borrowed_str(self.text(length)?),
            Head::List(left) => self.within(left, |items| visitor.visit_seq(items)),
            Head::Map(left) => self.within(left, |items| visitor.visit_map(items)),
            Head::Bool(truth) => visitor.visit_bool(truth),
            Head::Null => visitor.visit_unit(),
            Head::Float(number) => visitor.visit_f64(number),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(&(NULL | UNDEFINED)) = self.rest.first() {
            self.take(1)?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    /// Reads a whole number, and refuses every other CBOR item. Without this check, the visitors
    /// would also accept fractions, because JSON bodies contain fractions.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.head()? {
            Head::Unsigned(number) => visitor.visit_u64(number),
            Head::Negative(number) => negative(number, visitor),
            _ => Err(refused()),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// Access to the elements of a list or the entries of a map, for serde.
struct CborItems<'a, 'de> {
    reader: &'a mut CborReader<'de>,
    left: Option<usize>,
}

impl CborItems<'_, '_> {
    /// Returns true if another element or entry follows. Counts this element or entry as an item.
    fn is_more(&mut self) -> Result<bool> {
        match &mut self.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                self.reader.count()?;
                Ok(true)
            }
            None if *self.reader.rest.first().ok_or_else(refused)? == BREAK => {
                self.reader.take(1)?;
                self.left = Some(0);
                Ok(false)
            }
            None => {
                self.reader.count()?;
                Ok(true)
            }
        }
    }
}

impl<'de> SeqAccess<'de> for &mut CborItems<'_, 'de> {
    type Error = value::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if !self.is_more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.left
    }
}

impl<'de> MapAccess<'de> for &mut CborItems<'_, 'de> {
    type Error = value::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if !self.is_more()? {
            return Ok(None);
        }
        // Member names are always text. The fast reader refuses a map with other keys, and ciborium
        // reads the body again.
        let Head::Text(length) = self.reader.head()? else {
            return Err(refused());
        };
        let name = NameReader::of(self.reader.take(length)?).ok_or_else(refused)?;
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::Value;
    use proptest::prelude::*;

    fn without_tags(value: Value) -> Value {
        match value {
            Value::Tag(_, inner) => without_tags(*inner),
            Value::Array(items) => Value::Array(items.into_iter().map(without_tags).collect()),
            Value::Map(entries) => {
                let entry = |(key, value)| (without_tags(key), without_tags(value));
                Value::Map(entries.into_iter().map(entry).collect())
            }
            other => other,
        }
    }

    /// Checks that ciborium accepts `body` if the fast reader accepts it, and that both read the
    /// same value. Returns this value, or `None` if the fast reader refuses `body`.
    fn agree(body: &[u8]) -> Option<Value> {
        let read: Value = from_slice(body)?;
        let other: Value = ciborium::from_reader(body).expect("ciborium accepts it too");
        // Compares the texts of the values, because NaN does not equal itself.
        assert_eq!(format!("{read:?}"), format!("{:?}", without_tags(other)));
        Some(read)
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            Just(Value::Null),
            ".*".prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((".*".prop_map(Value::from), inner.clone()), 0..6)
                    .prop_map(Value::Map),
                (any::<u64>(), inner).prop_map(|(tag, value)| Value::Tag(tag, value.into())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_the_documents_that_ciborium_writes(value in document()) {
            let mut body = Vec::new();
            ciborium::into_writer(&value, &mut body).expect("a vector takes every byte");
            // The fast reader may refuse a body with one of these bytes, because they mark half
            // floats and big numbers, which only ciborium reads.
            let left = body.iter().any(|byte| [0xf9, 0xc2, 0xc3].contains(byte));
            prop_assert!(agree(&body).is_some() || left);
        }

        #[test]
        fn it_accepts_no_bytes_that_ciborium_refuses(mut body in prop::collection::vec(any::<u8>(), 1..40)) {
            agree(&body);
            // If the random body starts with the head of a map or list, the fast reader reads more
            // of the body.
            body[0] = 0xbf;
            agree(&body);
            body[0] = 0x9f;
            agree(&body);
        }

        #[test]
        fn it_agrees_with_ciborium_on_damaged_documents(
            value in document(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = Vec::new();
            ciborium::into_writer(&value, &mut body).expect("a vector takes every byte");
            agree(&body[..cut.index(body.len())]);
            let at = at.index(body.len());
            body[at] = byte;
            agree(&body);
        }
    }

    #[test]
    fn open_lengths_and_long_forms_are_read() {
        let body = [
            0xbf, 0x79, 0, 1, b'a', 0x9f, 0xc1, 0x18, 1, 0xf7, 0xff, 0xff,
        ];
        let read = agree(&body).expect("a good document");
        let list = Value::Array(vec![Value::from(1), Value::Null]);
        assert_eq!(read, Value::Map(vec![(Value::from("a"), list)]));
    }

    #[test]
    fn big_numbers_are_refused() {
        for tag in [0xc2, 0xc3] {
            let body = [0xa1, 0x61, b'a', tag, 0x41, 5];
            assert!(from_slice::<Value>(&body).is_none());
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        assert!(agree(&nested(usize::from(CBOR_DEPTH))).is_some());
        assert!(from_slice::<Value>(&nested(usize::from(CBOR_DEPTH) + 1)).is_none());
    }
}

//! Bytes: base64 text in JSON, a byte string in CBOR.
//!
//! Base64 is what a JSON record costs most, so it is done by vector instructions (measured: a
//! tenth of the time for 1 KB); for all else in the crate the plain library will do.

use super::format::Format;
use super::shape::{Shape, Shaped};
use crate::limits::{KEPT_ROOM_BYTES, SHARED_ROOM_FROM_BYTES};
use base64_turbo::STANDARD;
use bytes::{Bytes, BytesMut};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;

/// A blob without a bound of its own; shapes of the service model give it one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl Shaped for Blob {
    const SHAPE: &'static Shape = &Shape::Blob { length: None };
}

thread_local! {
    /// Where the blobs of the body that this thread reads are put, one behind the other, when they
    /// stand there as base64.
    static ROOM: RefCell<BytesMut> = RefCell::default();
    /// Where a blob is before its length is known.
    static SCRAP: RefCell<Vec<u8>> = RefCell::default();
    /// The body that this thread reads: blobs that stand in it as they are share its bytes.
    static BODY: RefCell<Bytes> = RefCell::default();
}

/// Reads a body with room for its blobs at hand. Those that are kept longer than the others keep
/// all of it: they are for being copied on.
pub(super) fn with_buffers<T>(format: Format, body: &Bytes, read: impl FnOnce() -> T) -> T {
    match format {
        Format::Cbor => {
            BODY.set(body.clone());
            let read = read();
            BODY.take();
            read
        }
        Format::Json if body.len() < SHARED_ROOM_FROM_BYTES => read(),
        Format::Json => {
            let length = body.len() - body.len() / 4;
            // The room of the last body, if nothing holds it any more.
            ROOM.with_borrow_mut(|room| room.reserve(length));
            let read = read();
            if length > KEPT_ROOM_BYTES {
                ROOM.take();
            }
            read
        }
    }
}

/// The same as [`decoded`], in room that blobs share, or in just the room it takes.
fn decoded_in_room(text: &[u8]) -> Option<Bytes> {
    let most = STANDARD.decoded_len_estimate(text.len());
    ROOM.with_borrow_mut(|room| {
        if room.capacity() < most {
            return decoded_alone(text, most);
        }
        room.resize(most, 0);
        let length = STANDARD.decode_slice(text, room).ok()?;
        room.truncate(length);
        Some(room.split().freeze())
    })
}

/// How many bytes there are shows only in the end, and more room than that costs another
/// allocation.
fn decoded_alone(text: &[u8], most: usize) -> Option<Bytes> {
    if most > SHARED_ROOM_FROM_BYTES {
        return STANDARD.decode(text).ok().map(Bytes::from);
    }
    SCRAP.with_borrow_mut(|scrap| {
        scrap.resize(most.max(scrap.len()), 0);
        let length = STANDARD.decode_slice(text, scrap).ok()?;
        Some(Bytes::copy_from_slice(&scrap[..length]))
    })
}

/// Bytes of the body that is read, which are shared, or any other bytes, which are copied.
fn shared_or_copied(bytes: &[u8]) -> Bytes {
    BODY.with_borrow(|body| {
        let (all, some) = (body.as_ptr_range(), bytes.as_ptr_range());
        if all.start <= some.start && some.end <= all.end {
            body.slice_ref(bytes)
        } else {
            Bytes::copy_from_slice(bytes)
        }
    })
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            // As bytes, since decoding finds whatever is not base64, be it text or not.
            deserializer.deserialize_bytes(Base64Visitor)
        } else {
            deserializer.deserialize_byte_buf(BytesVisitor)
        }
    }
}

struct Base64Visitor;

impl Visitor<'_> for Base64Visitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text")
    }

    fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Blob, E> {
        let bytes = decoded_in_room(text).ok_or_else(|| E::custom("not base64"))?;
        Ok(Blob(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        self.visit_bytes(text.as_bytes())
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(shared_or_copied(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(Blob(Bytes::from(bytes)))
    }

    /// Text where bytes belong is taken for base64, as the service does.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        Base64Visitor.visit_str(text)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::base64_text;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as PLAIN;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_reads_and_writes_what_the_plain_library_does(
            data in prop::collection::vec(any::<u8>(), 0..600),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut text = PLAIN.encode(&data);
            prop_assert_eq!(&STANDARD.encode(&data), &text);
            prop_assert_eq!(base64_text::decode(&text), Some(data.clone()));
            let in_room = |length: usize| {
                let body = Bytes::from(vec![b' '; length]);
                with_buffers(Format::Json, &body, || decoded_in_room(text.as_bytes()))
            };
            for length in [0, SHARED_ROOM_FROM_BYTES, SHARED_ROOM_FROM_BYTES] {
                prop_assert_eq!(in_room(length), Some(Bytes::from(data.clone())));
            }
            let body = Bytes::from(data);
            for part in [&body[..], &body[body.len() / 2..], b"else"] {
                let shared = with_buffers(Format::Cbor, &body, || shared_or_copied(part));
                prop_assert_eq!(shared, part);
            }
            if !text.is_empty() && byte.is_ascii() {
                let at = at.index(text.len());
                text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
                prop_assert_eq!(base64_text::decode(&text), PLAIN.decode(&text).ok());
            }
        }
    }
}

//! Blobs. A blob is base64 text in JSON, and a byte string in CBOR.
//!
//! Base64 is the largest cost of reading a JSON record, so this file uses a base64 library with
//! vector instructions. In a measurement with 1 KB, this library took a tenth of the time of the
//! `base64` crate, which all other code uses.

use super::format::Format;
use super::shape::{Shape, Shaped};
use crate::limits::{KEPT_BUFFER_BYTES, SHARED_BUFFER_FROM_BYTES};
use base64_turbo::STANDARD;
use bytes::{Bytes, BytesMut};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;

/// A byte string of any length. A type for byte strings of limited length contains a blob and
/// checks the length of the blob.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl Shaped for Blob {
    const SHAPE: &'static Shape = &Shape::Blob { length: None };
}

thread_local! {
    /// The shared buffer for the base64 blobs of the JSON body that this thread reads. Decoded
    /// blobs are slices of this buffer, one after the other.
    static SHARED: RefCell<BytesMut> = RefCell::default();
    /// The scratch buffer in which `decode_alone` decodes a base64 blob, before it copies the blob
    /// to a buffer of the right length.
    static SINGLE: RefCell<Vec<u8>> = RefCell::default();
    /// The CBOR body that this thread reads. The blobs of the body are slices of the body, not
    /// copies.
    static BODY: RefCell<Bytes> = RefCell::default();
}

/// Sets up the buffers for the blobs of `body`, then calls `read` and returns the result of `read`.
/// A blob keeps the whole buffer or body in memory, so a caller must copy a blob that outlives its
/// request.
pub(super) fn with_buffers<T>(format: Format, body: &Bytes, read: impl FnOnce() -> T) -> T {
    match format {
        Format::Cbor | Format::RpcV2Cbor => {
            BODY.set(body.clone());
            let read = read();
            BODY.take();
            read
        }
        Format::Json if body.len() < SHARED_BUFFER_FROM_BYTES => read(),
        Format::Json => {
            let length = body.len() - body.len() / 4;
            // `reserve` reuses the previous body's buffer if no blob of that body is alive.
            SHARED.with_borrow_mut(|buffer| buffer.reserve(length));
            let read = read();
            if length > KEPT_BUFFER_BYTES {
                SHARED.take();
            }
            read
        }
    }
}

/// Decodes base64 into the shared buffer if the buffer's capacity is large enough, and otherwise
/// into a new buffer. Returns `None` if `text` is not base64.
fn decode_in_buffer(text: &[u8]) -> Option<Bytes> {
    let most = STANDARD.decoded_len_estimate(text.len());
    SHARED.with_borrow_mut(|buffer| {
        if buffer.capacity() < most {
            return decode_alone(text, most);
        }
        buffer.resize(most, 0);
        let length = STANDARD.decode_slice(text, buffer).ok()?;
        buffer.truncate(length);
        Some(buffer.split().freeze())
    })
}

/// Decodes base64 into a new buffer. `most` is the maximum number of decoded bytes. A short text is
/// first decoded into a scratch buffer and then copied, because the exact length is known only
/// after the decoding. Shrinking a new buffer to this length would allocate a second time.
fn decode_alone(text: &[u8], most: usize) -> Option<Bytes> {
    if most > SHARED_BUFFER_FROM_BYTES {
        return STANDARD.decode(text).ok().map(Bytes::from);
    }
    SINGLE.with_borrow_mut(|buffer| {
        buffer.resize(most.max(buffer.len()), 0);
        let length = STANDARD.decode_slice(text, buffer).ok()?;
        Some(Bytes::copy_from_slice(&buffer[..length]))
    })
}

/// Returns `bytes` as a slice of the CBOR body that this thread reads, if `bytes` is a part of that
/// body. Otherwise returns a copy of `bytes`.
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
            // Reads the text as bytes. UTF-8 need not be checked, because base64 decoding refuses
            // all other bytes.
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
        let bytes = decode_in_buffer(text).ok_or_else(|| E::custom("not base64"))?;
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

    /// Decodes a CBOR text as base64 if the body has a text instead of a byte string. The service
    /// does the same.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        Base64Visitor.visit_str(text)
    }
}

/// Borrowed bytes with the same encoding in JSON and CBOR as a [`Blob`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlobView<'a>(pub(crate) &'a [u8]);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BlobView(&self.0).serialize(serializer)
    }
}

impl Serialize for BlobView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(self.0))
        } else {
            serializer.serialize_bytes(self.0)
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
            let in_buffer = |length: usize| {
                let body = Bytes::from(vec![b' '; length]);
                with_buffers(Format::Json, &body, || decode_in_buffer(text.as_bytes()))
            };
            for length in [0, SHARED_BUFFER_FROM_BYTES, SHARED_BUFFER_FROM_BYTES] {
                prop_assert_eq!(in_buffer(length), Some(Bytes::from(data.clone())));
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

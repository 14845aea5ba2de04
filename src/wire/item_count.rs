//! The limit on the number of items in the body of a request. The items are the values in the
//! body's lists and structures. The explaining reader checks the limit before it builds a tree of
//! the body, because one byte of the body can become a hundred bytes of the tree.

use crate::limits::DOCUMENT_ITEMS;
use ciborium_ll::{Decoder, Header};
use memchr::memchr3_iter;

/// Number of bytes of a text or a byte string that are skipped in one step.
const STEP_BYTES: usize = 4 << 10;

/// Returns true if a JSON text has at most [`DOCUMENT_ITEMS`] items. The function counts commas,
/// opening brackets and opening braces instead of items. These characters also count inside
/// strings, because strings in requests contain few of them.
pub(super) fn is_bounded_json(body: &[u8]) -> bool {
    body.len() <= DOCUMENT_ITEMS
        || memchr3_iter(b',', b'[', b'{', body)
            .nth(DOCUMENT_ITEMS)
            .is_none()
}

/// Returns true if a CBOR item contains at most [`DOCUMENT_ITEMS`] items. Each part of a text or
/// byte string of indefinite length counts as an item. Also returns true for a malformed item,
/// because the explaining reader refuses such an item anyway.
pub(super) fn is_bounded_cbor(body: &[u8]) -> bool {
    if body.len() <= DOCUMENT_ITEMS {
        return true;
    }
    let mut decoder = Decoder::from(body);
    let mut left = DOCUMENT_ITEMS;
    while left > 0 {
        match skip_item(&mut decoder, left) {
            Some(count) => left -= count.min(left),
            None => return true,
        }
    }
    false
}

/// Skips the head of one CBOR item, and also the content if the item is a text or a byte string.
/// Returns the number of skipped items. This number is 1, or the number of parts if the item is a
/// string with several parts. Stops after `most` parts. Returns `None` if the item is malformed.
fn skip_item(decoder: &mut Decoder<&[u8]>, most: usize) -> Option<usize> {
    let mut step = [0; STEP_BYTES];
    let mut parts = 0;
    match decoder.pull().ok()? {
        Header::Bytes(length) => {
            let mut segments = decoder.bytes(length);
            while parts < most
                && let Some(mut segment) = segments.pull().ok()?
            {
                parts += 1;
                while segment.pull(&mut step).ok()?.is_some() {}
            }
        }
        Header::Text(length) => {
            let mut segments = decoder.text(length);
            while parts < most
                && let Some(mut segment) = segments.pull().ok()?
            {
                parts += 1;
                while segment.pull(&mut step).ok()?.is_some() {}
            }
        }
        _ => {}
    }
    Some(parts.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Format, parses};

    fn json(items: usize) -> Vec<u8> {
        [&b"{\"a\":["[..], &b"{},".repeat(items), b"0]}"].concat()
    }

    fn cbor(items: usize) -> Vec<u8> {
        [
            &[0xa1, 0x61, b'a', 0x9f][..],
            &[0xa0].repeat(items),
            &[0xff],
        ]
        .concat()
    }

    #[test]
    fn documents_of_too_many_items_are_refused() {
        assert!(parses(Format::Json, &json(DOCUMENT_ITEMS / 3)));
        assert!(!parses(Format::Json, &json(DOCUMENT_ITEMS)));
        assert!(parses(Format::Cbor, &cbor(DOCUMENT_ITEMS / 2)));
        assert!(!parses(Format::Cbor, &cbor(DOCUMENT_ITEMS)));
    }

    #[test]
    fn a_string_of_too_many_parts_is_refused() {
        let parts = |count: usize, part: &[u8]| {
            let data = part.repeat(count);
            [&[0xa1, 0x61, b'a', 0x5f][..], &data, &[0xff]].concat()
        };
        assert!(is_bounded_cbor(&parts(DOCUMENT_ITEMS / 2, &[0x41, 0])));
        assert!(!is_bounded_cbor(&parts(DOCUMENT_ITEMS, &[0x40])));
        let text = [0x7f].into_iter().chain([0x60].repeat(DOCUMENT_ITEMS));
        let text: Vec<u8> = text.chain([0xff]).collect();
        assert!(!is_bounded_cbor(&text));
    }

    #[test]
    fn large_documents_of_few_items_are_read() {
        let text = "x".repeat(3 * DOCUMENT_ITEMS);
        assert!(parses(
            Format::Json,
            format!("{{\"a\":\"{text}\"}}").as_bytes()
        ));
        let mut body = Vec::new();
        let entries = vec![("a".into(), text.into())];
        ciborium::into_writer(&ciborium::Value::Map(entries), &mut body).expect("it is written");
        assert!(parses(Format::Cbor, &body));
    }
}

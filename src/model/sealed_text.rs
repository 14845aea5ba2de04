//! Opaque texts: shard iterators and page tokens, which a client receives and sends back unchanged.
//!
//! A shard iterator of the service is base64. It decodes to the eight bytes
//! `00 00 00 00 00 00 00 01`, followed by blocks of 16 bytes. The opaque texts of the emulator have
//! the same form and length. Their blocks contain a salt, a checksum and the padded text. The
//! checksum covers the salt, the purpose and the text. The text is masked, so that no client comes
//! to depend on its format.
//!
//! Every GetRecords call decodes one opaque text and encodes another, so both operations must be
//! fast.

use crate::world::Random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::LazyLock;

/// Number of bytes of the salt in an opaque text. The salt is random, so that every opaque text is
/// different.
pub const SALT_BYTES: usize = 6;

/// Number of bytes of the checksum in an opaque text. Salt and checksum have 20 bytes together. The
/// reason is the length of the service's shard iterators, which suggests that 20 bytes precede the
/// text.
const CHECKSUM_BYTES: usize = 14;

const PREFIX: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

const BLOCK_BYTES: usize = 16;

/// The key of the checksum. The key is fixed, so that opaque texts remain valid after a restart. It
/// need not be secret, because an opaque text contains nothing that its holder could not request
/// anyway.
static KEYED: LazyLock<Hmac<Sha256>> = LazyLock::new(|| {
    let keyed = Hmac::new_from_slice(b"minikin seals what it hands out.");
    keyed.expect("a key of any length will do")
});

/// The purpose of an opaque text. A text that was encoded for one purpose cannot be decoded for
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The opaque text is a `ShardIterator`.
    ShardIterator,
    /// The opaque text is a `NextToken`.
    PageToken,
}

/// Encodes `text` as an opaque text, which only [`open`] can decode.
pub(super) fn seal(purpose: Purpose, salt: [u8; SALT_BYTES], text: &str) -> String {
    let mut sealed =
        Vec::with_capacity(PREFIX.len() + SALT_BYTES + CHECKSUM_BYTES + text.len() + 16);
    sealed.extend_from_slice(&PREFIX);
    sealed.extend_from_slice(&salt);
    let mut body = text.as_bytes().to_vec();
    pad(&mut body);
    let checksum = checksum(purpose, &salt, &body);
    mask(&checksum, &mut body);
    sealed.extend_from_slice(&checksum);
    sealed.extend_from_slice(&body);
    STANDARD.encode(sealed)
}

/// Decodes an opaque text that [`seal`] encoded for the same purpose. `None` for every other text.
pub(super) fn open(purpose: Purpose, sealed: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let (salt, rest) = bytes.strip_prefix(&PREFIX)?.split_first_chunk()?;
    let (written, body) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    let mut body = body.to_vec();
    mask(written, &mut body);
    if checksum(purpose, salt, &body) != *written {
        return None;
    }
    let padding = usize::from(*body.last()?);
    body.truncate(body.len().checked_sub(padding)?);
    String::from_utf8(body).ok()
}

/// Pads the body of an opaque text so that salt, checksum and body fill whole blocks. Each byte of
/// padding holds the number of padding bytes, from 1 to 16.
fn pad(body: &mut Vec<u8>) {
    let used = (SALT_BYTES + CHECKSUM_BYTES + body.len()) % BLOCK_BYTES;
    let padding = BLOCK_BYTES - used;
    body.resize(body.len() + padding, padding as u8);
}

fn checksum(purpose: Purpose, salt: &[u8; SALT_BYTES], body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut keyed = KEYED.clone();
    keyed.update(&[purpose as u8]);
    keyed.update(salt);
    keyed.update(body);
    let digest = keyed.finalize().into_bytes();
    *digest
        .first_chunk()
        .expect("a digest is longer than a checksum")
}

/// Masks or unmasks the body of an opaque text. The checksum is the seed of the mask, and differs
/// with every salt. The mask need not keep the text secret, so a simple random sequence suffices.
fn mask(checksum: &[u8; CHECKSUM_BYTES], body: &mut [u8]) {
    let seed = checksum
        .first_chunk()
        .expect("a checksum is longer than a seed");
    let numbers = Random::seeded(u64::from_le_bytes(*seed));
    for part in body.chunks_mut(size_of::<u64>()) {
        for (byte, mask) in part.iter_mut().zip(numbers.number().to_le_bytes()) {
            *byte ^= mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SALT: [u8; SALT_BYTES] = [1, 2, 3, 4, 5, 0xff];

    #[test]
    fn the_salt_changes_every_block() {
        let text = "a text of more than one block, to see how far the salt reaches";
        let one = STANDARD
            .decode(seal(Purpose::PageToken, SALT, text))
            .unwrap();
        let two = STANDARD
            .decode(seal(Purpose::PageToken, [0; SALT_BYTES], text))
            .unwrap();
        assert_eq!(one[..8], PREFIX);
        assert_eq!(two[..8], PREFIX);
        for (one, two) in one[8..].chunks(16).zip(two[8..].chunks(16)) {
            assert_ne!(one, two);
        }
    }

    #[test]
    fn what_was_sealed_for_one_purpose_does_not_open_for_another() {
        let sealed = seal(Purpose::PageToken, SALT, "text");
        assert_eq!(open(Purpose::PageToken, &sealed).as_deref(), Some("text"));
        assert_eq!(open(Purpose::ShardIterator, &sealed), None);
    }

    #[test]
    fn what_was_never_sealed_does_not_open() {
        let blocks = |count: usize| STANDARD.encode([&PREFIX[..], &vec![7; count]].concat());
        for text in [
            "",
            "A",
            "AAAA",
            "AAAAAAAAAAE=",
            "not base64!",
            &blocks(15),
            &blocks(160),
        ] {
            assert_eq!(open(Purpose::PageToken, text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back(salt: [u8; SALT_BYTES], text in "\\PC{0,200}") {
            let sealed = seal(Purpose::PageToken, salt, &text);
            prop_assert_eq!(open(Purpose::PageToken, &sealed), Some(text));
        }
    }
}

//! Texts that travel through a caller and come back unread: how iterators and tokens are packed.
//!
//! The service's iterators are eight bytes, `00 00 00 00 00 00 00 01`, and then as many 16-byte
//! blocks as AES makes of a text, all of it in base64. Ours look the same.

use aes::{Aes256Dec, Aes256Enc};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

/// Random bytes that make every sealed text a different one.
pub const SALT_BYTES: usize = 6;

const CHECKSUM_CHARACTERS: usize = 8;

const PREFIX: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

/// A sealed text is to be opaque, not secret: it holds nothing its owner could not ask for. With a
/// fixed key it outlives a restart.
const KEY: [u8; 32] = *b"minikin seals what it hands out.";

/// The salt stands in the first block, so a fixed start still gives different texts throughout.
const START: [u8; 16] = [0; 16];

/// What a text was sealed for; one sealed for one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `ShardIterator`.
    ShardIterator,
    /// `NextToken`.
    PageToken,
}

/// Packs `text` so that only [`open`] understands it.
pub(super) fn seal(purpose: Purpose, salt: [u8; SALT_BYTES], text: &str) -> String {
    let salt = format!(
        "{:012x}",
        salt.iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
    );
    let plain = format!("{salt}{:08x}{text}", checksum(purpose, &salt, text));
    let blocks = cbc::Encryptor::<Aes256Enc>::new(&KEY.into(), &START.into())
        .encrypt_padded_vec::<Pkcs7>(plain.as_bytes());
    STANDARD.encode([&PREFIX[..], &blocks].concat())
}

/// Unpacks what [`seal`] packed for the same purpose; `None` for everything else.
pub(super) fn open(purpose: Purpose, sealed: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let blocks = bytes.strip_prefix(&PREFIX)?;
    let plain = cbc::Decryptor::<Aes256Dec>::new(&KEY.into(), &START.into())
        .decrypt_padded_vec::<Pkcs7>(blocks)
        .ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (salt, rest) = plain.split_at_checked(2 * SALT_BYTES)?;
    let (written, text) = rest.split_at_checked(CHECKSUM_CHARACTERS)?;
    // Comparing texts refuses every other spelling of the same number as well.
    (written == format!("{:08x}", checksum(purpose, salt, text))).then(|| text.to_owned())
}

fn checksum(purpose: Purpose, salt: &str, text: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[purpose as u8]);
    hasher.update(salt.as_bytes());
    hasher.update(text.as_bytes());
    hasher.finalize()
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

//! Receipt handles: texts that name one delivery of one record of a queue.
//!
//! A handle is the base64url of `version u8 | kind u8 | shard u32 | index u64 | delivery u64 | tag
//! u64`, all big endian: 30 bytes, 40 characters. The tag is the first eight bytes of an
//! HMAC-SHA256 with a secret key of the queue. A client therefore cannot guess a handle, and a
//! handle is valid for one queue only. The emulator needs no table of handles, because a handle
//! contains the shard and the index of its record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Number of bytes of a queue's secret key.
pub(crate) const QUEUE_SECRET_BYTES: usize = 32;

/// Makes and checks the tags of a queue's receipt handles with the queue's secret key.
#[derive(Clone)]
pub(crate) struct HandleSeal(Hmac<Sha256>);

impl std::fmt::Debug for HandleSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandleSeal")
    }
}

/// A receipt handle in decoded form: it names one delivery of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReceiptHandle {
    /// True if the handle was returned by a receive of dead-letter records.
    pub(crate) dead: bool,
    /// The index of the record's shard.
    pub(crate) shard: u32,
    /// The index of the record in its shard.
    pub(crate) index: u64,
    /// The number of the delivery. The numbers are unique within a queue.
    pub(crate) delivery: u64,
}

const VERSION: u8 = 1;
const NAMED_BYTES: usize = 22;
const TAG_BYTES: usize = 8;
const BYTES: usize = NAMED_BYTES + TAG_BYTES;

impl HandleSeal {
    /// Prepares the secret key of a queue for making and checking the tags of receipt handles.
    pub(crate) fn new(secret: &[u8; QUEUE_SECRET_BYTES]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key of any length will do"))
    }

    /// Encodes a handle as text for the client.
    pub(crate) fn encode(&self, handle: &ReceiptHandle) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1] = u8::from(handle.dead);
        bytes[2..6].copy_from_slice(&handle.shard.to_be_bytes());
        bytes[6..14].copy_from_slice(&handle.index.to_be_bytes());
        bytes[14..NAMED_BYTES].copy_from_slice(&handle.delivery.to_be_bytes());
        let tag = self.tag(&bytes);
        bytes[NAMED_BYTES..].copy_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a handle that this seal encoded. `None` for every other text.
    pub(crate) fn decode(&self, text: &str) -> Option<ReceiptHandle> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: [u8; BYTES] = decoded.try_into().ok()?;
        let [VERSION, kind @ (0 | 1), ..] = bytes else {
            return None;
        };
        let authentic = self.tag(&bytes).ct_eq(&bytes[NAMED_BYTES..]);
        bool::from(authentic).then(|| ReceiptHandle {
            dead: kind == 1,
            shard: u32::from_be_bytes(part(&bytes, 2)),
            index: u64::from_be_bytes(part(&bytes, 6)),
            delivery: u64::from_be_bytes(part(&bytes, 14)),
        })
    }

    fn tag(&self, bytes: &[u8; BYTES]) -> [u8; TAG_BYTES] {
        let keyed = self.0.clone().chain_update(&bytes[..NAMED_BYTES]);
        let hash: [u8; 32] = keyed.finalize().into_bytes().into();
        part(&hash, 0)
    }
}

fn part<const N: usize, const M: usize>(bytes: &[u8; N], at: usize) -> [u8; M] {
    let mut part = [0; M];
    part.copy_from_slice(&bytes[at..at + M]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn handles_read_back_and_belong_to_one_queue(
            dead: bool, shard: u32, index: u64, delivery: u64,
            secret: [u8; QUEUE_SECRET_BYTES], at: prop::sample::Index, other in "[A-Za-z0-9_-]",
        ) {
            let handle = ReceiptHandle { dead, shard, index, delivery };
            let seal = HandleSeal::new(&secret);
            let text = seal.encode(&handle);
            prop_assert_eq!(text.len(), 40);
            prop_assert_eq!(seal.decode(&text), Some(handle));
            let mut foreign = secret;
            foreign[0] ^= 1;
            prop_assert_eq!(HandleSeal::new(&foreign).decode(&text), None);
            let at = at.index(text.len());
            let changed = [&text[..at], &other, &text[at + 1..]].concat();
            prop_assert!(changed == text || seal.decode(&changed).is_none());
        }
    }

    #[test]
    fn other_texts_are_no_handles() {
        let seal = HandleSeal::new(&[7; QUEUE_SECRET_BYTES]);
        let handle = ReceiptHandle {
            dead: false,
            shard: 0,
            index: 1,
            delivery: 1,
        };
        let text = seal.encode(&handle);
        for text in [
            "",
            "a",
            &text[1..],
            &format!("{text}="),
            &format!("{text}AAAA"),
        ] {
            assert_eq!(seal.decode(text), None, "{text}");
        }
    }
}

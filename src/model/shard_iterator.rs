//! Shard iterators. An iterator is the position of a reader in a shard. The client gets the
//! iterator as an opaque text.

use super::sealed_text::{Purpose, SALT_BYTES, open, seal};
use super::sequence_number::SequenceNumber;
use super::shard_id::ShardId;
use crate::limits;
use crate::world::Timestamp;

/// A position in a shard. A read with this iterator begins with the record at the position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIterator {
    /// The time at which the iterator was issued.
    pub issued: Timestamp,
    /// The identity number of the stream. A stream that was deleted and created again has the same
    /// name but a new identity number.
    pub identity: u64,
    /// The name of the stream.
    pub stream: String,
    /// The id of the shard that the iterator reads.
    pub shard: ShardId,
    /// The first sequence number to read. It is a number of the shard `shard`.
    pub position: SequenceNumber,
}

impl ShardIterator {
    /// Encodes the iterator as an opaque text. `salt` must be random, because the service never
    /// returns the same text twice.
    ///
    /// Before the encoding, the text is `{identity number, 16 hexadecimal digits}{time of issue in
    /// ms, 14 digits}/{stream}/{shard}/{position}/`. With this form, the opaque text is as long as
    /// the service's shard iterator for a stream name of the same length.
    pub fn encode(&self, salt: [u8; SALT_BYTES]) -> String {
        seal(Purpose::ShardIterator, salt, &self.plain())
    }

    fn plain(&self) -> String {
        // Fourteen digits of milliseconds are enough until the year 5138.
        let issued_ms = self.issued.millis().clamp(0, 99_999_999_999_999);
        format!(
            "{:016x}{issued_ms:014}/{}/{}/{}/",
            self.identity, self.stream, self.shard, self.position
        )
    }

    /// Decodes a text made by [`Self::encode`]. The text may stand in double quotes, because the
    /// service also accepts a quoted iterator. Returns `None` for a text that the service would
    /// refuse as an invalid iterator.
    pub fn decode(text: &str) -> Option<Self> {
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let plain = open(Purpose::ShardIterator, quoted.unwrap_or(text))?;
        let (identity, rest) = plain.split_at_checked(16)?;
        let (issued_ms, rest) = rest.split_at_checked(14)?;
        let fields: Vec<&str> = rest.split('/').collect();
        let ["", stream, shard, position, ""] = fields[..] else {
            return None;
        };
        let iterator = Self {
            issued: Timestamp::from_millis(issued_ms.parse().ok()?),
            identity: u64::from_str_radix(identity, 16).ok()?,
            stream: stream.to_owned(),
            shard: ShardId::parse(shard)?,
            position: SequenceNumber::parse(position)?.as_version_two()?,
        };
        let same_shard = iterator.position.shard == iterator.shard.index();
        // Refuses a second spelling of the same position. The text is valid only if encoding the
        // iterator again gives the same text.
        (same_shard && iterator.plain() == plain).then_some(iterator)
    }

    /// Returns true if the age of the iterator at the time `now` exceeds the lifetime of shard
    /// iterators.
    pub fn expired(&self, now: Timestamp) -> bool {
        now.millis_since(self.issued) > limits::ITERATOR_LIFE_MS
    }

    /// Returns true if the iterator's time of issue is so far after `now` that the iterator is
    /// invalid. An iterator from the near future is valid, because the machine's clock may have
    /// been set back before a restart of the emulator.
    pub fn is_of_far_future(&self, now: Timestamp) -> bool {
        self.issued.millis_since(now) > limits::ITERATOR_AHEAD_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const SALT: [u8; SALT_BYTES] = [0, 1, 2, 3, 4, 5];

    fn iterator(stream: &str) -> ShardIterator {
        ShardIterator {
            issued: Timestamp::from_millis(1_700_000_000_123),
            identity: 0xfedc_ba98_7654_3210,
            stream: stream.to_owned(),
            shard: ShardId::new(7),
            position: SequenceNumber::first_of(1_700_000_000, 7),
        }
    }

    #[test]
    fn iterators_are_as_long_as_the_services() {
        for length in 1..=128 {
            let text = iterator(&"s".repeat(length)).encode(SALT);
            let bytes = STANDARD.decode(&text).unwrap();
            assert_eq!(bytes.len(), 152 + 16 * ((length + 2) / 16), "{length}");
            assert_eq!(bytes[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
        }
        assert_eq!(iterator("short").encode(SALT).len(), 204);
        assert!(iterator("short").encode(SALT).starts_with("AAAAAAAAAA"));
    }

    #[test]
    fn surrounding_quotes_are_tolerated() {
        let text = iterator("orders").encode(SALT);
        let read = ShardIterator::decode(&format!("\"{text}\""));
        assert_eq!(read, Some(iterator("orders")));
        for text in [
            format!("\"{text}"),
            format!("{text}\""),
            format!("\"\"{text}\"\""),
        ] {
            assert_eq!(ShardIterator::decode(&text), None);
        }
        for text in ["\"", "\"\"", ""] {
            assert_eq!(ShardIterator::decode(text), None);
        }
    }

    #[test]
    fn the_salt_makes_another_text_of_the_same_place() {
        assert_ne!(
            iterator("orders").encode(SALT),
            iterator("orders").encode([0; SALT_BYTES])
        );
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let text = iterator("orders").encode(SALT);
        for at in 0..text.len() {
            for other in ["A", "B", "/", "z", "=", "\"", " ", ""] {
                let changed = [&text[..at], other, &text[at + 1..]].concat();
                let read = ShardIterator::decode(&changed);
                assert!(changed == text || read.is_none(), "{changed}");
            }
        }
    }

    #[test]
    fn sealed_texts_with_broken_fields_are_refused() {
        let plain = iterator("orders").plain();
        let decode = |text: &str| ShardIterator::decode(&seal(Purpose::ShardIterator, SALT, text));
        assert!(decode(&plain).is_some());
        for (from, to) in [
            ("fedc", "FEDC"),
            ("fedc", "zedc"),
            ("01700000000123", "+1700000000123"),
            ("01700000000123", "-1700000000123"),
            ("shardId-000000000007", "shardId-7"),
            ("shardId-000000000007", "shardId-000000000008"),
            ("/orders/", "/orders/orders/"),
            ("/49", "/049"),
            ("/49", "/"),
        ] {
            assert_eq!(decode(&plain.replacen(from, to, 1)), None, "{from} {to}");
        }
        assert_eq!(decode(""), None);
    }

    #[test]
    fn iterators_live_for_five_minutes() {
        let iterator = iterator("orders");
        let after = |ms| iterator.issued.plus_millis(ms);
        assert!(!iterator.expired(after(300_000)));
        assert!(iterator.expired(after(300_001)));
        assert!(!iterator.expired(after(-1)));
        assert!(!iterator.is_of_far_future(after(-86_400_000)));
        assert!(iterator.is_of_far_future(after(-86_400_001)));
    }

    proptest! {
        #[test]
        fn iterators_read_back(
            issued_ms in 0_i64..100_000_000_000_000, identity: u64,
            stream in "[a-zA-Z0-9_.-]{1,128}", shard in 0..=ShardId::MAX_INDEX,
            created_s in 0..SequenceNumber::CREATED_LIMIT_S, index in 0..=SequenceNumber::LAST_INDEX,
            time_s in 0..=SequenceNumber::LAST_TIME_S, salt: [u8; SALT_BYTES],
        ) {
            let iterator = ShardIterator {
                issued: Timestamp::from_millis(issued_ms),
                identity,
                stream,
                shard: ShardId::new(shard),
                position: SequenceNumber { created_s, shard, index, time_s },
            };
            let text = iterator.encode(salt);
            prop_assert!(text.len() <= 512);
            prop_assert_eq!(ShardIterator::decode(&text), Some(iterator));
        }

        #[test]
        fn any_changed_byte_is_noticed(at in 0_usize..152, flip in 1_u8..) {
            let mut bytes = STANDARD.decode(iterator("orders").encode(SALT)).unwrap();
            bytes[at] ^= flip;
            prop_assert_eq!(ShardIterator::decode(&STANDARD.encode(bytes)), None);
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,300}") {
            prop_assert_eq!(ShardIterator::decode(&text), None);
        }
    }
}

//! Shard ids, such as `shardId-000000000000`.

use std::fmt;

/// Number of characters of a shard id as the service prints it.
pub(crate) const SHARD_ID_CHARACTERS: usize = 20;

const PREFIX: &[u8; 8] = b"shardId-";

/// The id of a shard. The number in the id is the shard's index in the order of creation, from 0.
/// The index of an expired shard is not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(u32);

impl ShardId {
    /// The largest index of a shard. The service stores the index as a signed 32-bit number.
    pub const MAX_INDEX: u32 = i32::MAX as u32;

    /// Creates the id of the shard with this index.
    ///
    /// # Panics
    /// Panics when the index is greater than [`Self::MAX_INDEX`].
    pub const fn new(index: u32) -> Self {
        assert!(
            index <= Self::MAX_INDEX,
            "a shard index is a signed 32-bit number"
        );
        Self(index)
    }

    /// Creates the id of the shard with this index. `None` if the index is too large.
    pub fn checked(index: u32) -> Option<Self> {
        (index <= Self::MAX_INDEX).then_some(Self(index))
    }

    /// The index of the shard in the order of creation, from 0.
    pub const fn index(self) -> u32 {
        self.0
    }

    /// Returns the id of the shard with the next greater index.
    pub const fn next(self) -> Self {
        Self::new(self.0 + 1)
    }

    /// Parses a shard id as leniently as the service. If the text has a hyphen, the part between
    /// the first and the second hyphen counts, otherwise the whole text. This part must be a
    /// decimal number of at most 2147483647. Thus `shardId-000000000001`, `anything-1` and `1` all
    /// name the same shard.
    pub fn parse(raw: &str) -> Option<Self> {
        let digits = match raw.split_once('-') {
            None => raw,
            Some((_, rest)) => rest.split_once('-').map_or(rest, |(digits, _)| digits),
        };
        if digits.is_empty() {
            return None;
        }
        let index = digits.bytes().try_fold(0_u32, |index, byte| {
            let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
            let index = index.checked_mul(10)?.checked_add(digit)?;
            (index <= Self::MAX_INDEX).then_some(index)
        })?;
        Some(Self(index))
    }

    /// Writes the id into `out`, without an allocation.
    pub fn write(self, out: &mut [u8; SHARD_ID_CHARACTERS]) {
        out[..PREFIX.len()].copy_from_slice(PREFIX);
        let mut rest = self.0;
        for byte in out[PREFIX.len()..].iter_mut().rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; SHARD_ID_CHARACTERS];
        self.write(&mut text);
        formatter.pad(str::from_utf8(&text).expect("a shard id is ASCII"))
    }
}

/// Formats the shard index of a sequence number from a request as a shard id. The index may be
/// negative: the service's messages show −2147483648 as `shardId--02147483648`.
pub(crate) fn display_shard_index(index: i32) -> impl fmt::Display {
    fmt::from_fn(move |formatter| write!(formatter, "shardId-{index:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn callers_may_write_a_shard_id_in_many_ways() {
        for raw in [
            "shardId-000000000001",
            "shardId-1",
            "anything-1",
            "-00001",
            "1",
            "a-1-b",
        ] {
            assert_eq!(ShardId::parse(raw), Some(ShardId::new(1)), "{raw}");
        }
        assert_eq!(
            ShardId::parse("shardId-002147483647"),
            Some(ShardId::new(2_147_483_647))
        );
        assert_eq!(ShardId::parse(&"0".repeat(128)), Some(ShardId::new(0)));
    }

    #[test]
    fn other_texts_are_no_shard_ids() {
        for raw in [
            "ABC",
            "2.14E4",
            "2147483648",
            "shardId-002147483648",
            "shardId-4294967296",
            "shardId-",
            "",
            "-",
            "1-",
            "shardId--1",
            "+1",
            "1 ",
            "١",
        ] {
            assert_eq!(ShardId::parse(raw), None, "{raw}");
        }
    }

    #[test]
    fn ids_have_twelve_digits() {
        assert_eq!(ShardId::new(0).to_string(), "shardId-000000000000");
        assert_eq!(
            ShardId::new(2_147_483_647).to_string(),
            "shardId-002147483647"
        );
        assert_eq!(ShardId::new(9).next().to_string(), "shardId-000000000010");
    }

    #[test]
    fn a_negative_index_has_eleven_digits_and_a_sign() {
        assert_eq!(
            display_shard_index(i32::MIN).to_string(),
            "shardId--02147483648"
        );
        assert_eq!(display_shard_index(-1).to_string(), "shardId--00000000001");
        assert_eq!(display_shard_index(5).to_string(), "shardId-000000000005");
    }

    proptest! {
        #[test]
        fn ids_read_back(index in 0..=ShardId::MAX_INDEX) {
            let id = ShardId::new(index);
            prop_assert_eq!(ShardId::parse(&id.to_string()), Some(id));
            let shown = display_shard_index(index as i32).to_string();
            prop_assert_eq!(shown, id.to_string());
        }
    }
}

//! Hash keys: the 128-bit numbers that select the shard of a record.

use md5::{Digest, Md5};
use std::fmt;

/// A hash key: a number from 0 to 2^128 − 1 (`HashKey` in the service model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashKey(u128);

impl HashKey {
    /// The smallest hash key, 0.
    pub const MIN: Self = Self(u128::MIN);
    /// The largest hash key, 340282366920938463463374607431768211455.
    pub const MAX: Self = Self(u128::MAX);

    /// Creates a hash key from its numeric value.
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The hash key as a number.
    pub const fn value(self) -> u128 {
        self.0
    }

    /// Computes the hash key of a partition key: the MD5 of the key's UTF-8 bytes, read as a
    /// big-endian number.
    pub fn of_partition_key(partition_key: &str) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key).into()))
    }

    /// Parses a decimal hash key. Returns `None` for other texts, and for a number above 2^128 − 1.
    /// The pattern in the service model allows any number of 39 digits, and therefore some numbers
    /// above 2^128 − 1.
    pub fn parse(text: &str) -> Option<Self> {
        // `u128::from_str` accepts a leading plus sign, but the service refuses it.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().map(Self)).flatten()
    }

    /// The hash key that is smaller by one. `None` for the smallest hash key.
    pub fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// The hash key that is greater by one. `None` for the largest hash key.
    pub fn after(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A range of hash keys that belongs to one shard (`HashKeyRange` in the service model). Both ends
/// are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashKeyRange {
    /// `StartingHashKey`, the first key of the range.
    pub start: HashKey,
    /// `EndingHashKey`, the last key of the range.
    pub end: HashKey,
}

impl HashKeyRange {
    /// The range of all hash keys.
    pub const ALL: Self = Self {
        start: HashKey::MIN,
        end: HashKey::MAX,
    };

    /// True if `key` lies in the range.
    pub fn contains(&self, key: HashKey) -> bool {
        self.start <= key && key <= self.end
    }

    /// True if `next` begins at the hash key just after the end of this range.
    pub fn is_followed_by(&self, next: &Self) -> bool {
        self.end.after() == Some(next.start)
    }

    /// Divides all hash keys into the ranges of the `count` shards of a new stream. Each range
    /// holds ⌊2^128 / count⌋ keys. The last range also holds the remainder.
    pub fn uniform(count: u32) -> impl ExactSizeIterator<Item = Self> {
        let width = uniform_width(count);
        (0..count).map(move |index| {
            let start = u128::from(index) * width;
            let last = index + 1 == count;
            let end = if last {
                HashKey::MAX
            } else {
                HashKey(start + (width - 1))
            };
            Self {
                start: HashKey(start),
                end,
            }
        })
    }
}

/// Computes ⌊2^128 / count⌋, the number of hash keys in each of `count` ranges. For a count of 1
/// the result overflows to 0. The overflow has no effect on the range, because the only range
/// starts at 0.
fn uniform_width(count: u32) -> u128 {
    let width = u128::MAX / u128::from(count.max(1));
    // `width` is ⌊(2^128 − 1) / count⌋. The result ⌊2^128 / count⌋ is greater by one if the count
    // divides 2^128. Otherwise both numbers are equal.
    width.wrapping_add(u128::from(count.is_power_of_two()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn starts(count: u32) -> Vec<String> {
        HashKeyRange::uniform(count)
            .map(|range| range.start.to_string())
            .collect()
    }

    #[test]
    fn streams_are_created_with_the_ranges_the_service_gives() {
        assert_eq!(
            HashKeyRange::uniform(1).collect::<Vec<_>>(),
            [HashKeyRange::ALL]
        );
        assert_eq!(starts(2), ["0", "170141183460469231731687303715884105728"]);
        assert_eq!(
            starts(3),
            [
                "0",
                "113427455640312821154458202477256070485",
                "226854911280625642308916404954512140970"
            ]
        );
        assert_eq!(
            starts(4),
            [
                "0",
                "85070591730234615865843651857942052864",
                "170141183460469231731687303715884105728",
                "255211775190703847597530955573826158592"
            ]
        );
        assert_eq!(starts(5)[1], "68056473384187692692674921486353642291");
        assert_eq!(HashKeyRange::uniform(0).len(), 0);
    }

    #[test]
    fn partition_keys_hash_as_the_service_hashes_them() {
        for (partition_key, hash_key) in [
            ("a", "16955237001963240173058271559858726497"),
            ("b", "195289424170611159128911017612795795343"),
            ("e", "299611584147932843547128611849858313266"),
            ("f", "190917122200326810055233066464581373159"),
        ] {
            assert_eq!(
                HashKey::of_partition_key(partition_key).to_string(),
                hash_key
            );
        }
    }

    #[test]
    fn numbers_beyond_the_key_space_are_refused() {
        assert_eq!(HashKey::parse("0"), Some(HashKey::MIN));
        let last = "340282366920938463463374607431768211455";
        assert_eq!(HashKey::parse(last), Some(HashKey::MAX));
        assert_eq!(HashKey::MAX.to_string(), last);
        for text in [
            "340282366920938463463374607431768211456",
            &"9".repeat(39),
            "",
            "+1",
            "-1",
        ] {
            assert_eq!(HashKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn neighbours_end_with_the_key_space() {
        assert_eq!(HashKey::MIN.before(), None);
        assert_eq!(HashKey::MAX.after(), None);
        assert_eq!(
            HashKey::new(7).before().and_then(HashKey::after),
            Some(HashKey::new(7))
        );
    }

    proptest! {
        #[test]
        fn uniform_ranges_cover_every_key_once(count in 1_u32..2000, key: u128) {
            let ranges: Vec<_> = HashKeyRange::uniform(count).collect();
            prop_assert_eq!(ranges[0].start, HashKey::MIN);
            prop_assert_eq!(ranges[ranges.len() - 1].end, HashKey::MAX);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].is_followed_by(&pair[1])));
            let owners = ranges.iter().filter(|range| range.contains(HashKey::new(key))).count();
            prop_assert_eq!(owners, 1);
        }

        #[test]
        fn hash_keys_read_back(value: u128) {
            let key = HashKey::new(value);
            prop_assert_eq!(HashKey::parse(&key.to_string()), Some(key));
        }
    }
}

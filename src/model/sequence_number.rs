//! Sequence numbers: the service's 56-digit numbers, written, compared and taken apart.
//!
//! In hexadecimal, version 2 has 47 digits: `2`, the shard's creation second (9), the low nibble
//! of the shard's index (1), the sequence index (16), `00`, the sequence second (9), the shard's
//! index (8), and the version, `2`.

use super::shard_id::ShardId;
use super::u192::{U192, U192_DIGITS};
use crate::world::Timestamp;
use std::cmp::Ordering;
use std::fmt;

/// Decimal digits of a sequence number.
pub const SEQUENCE_NUMBER_DIGITS: usize = U192_DIGITS;

/// The sequence number of a record, or the starting or ending number of a shard (version 2).
///
/// The order is that of the decimal numbers; it means something only within one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// The creation time of the shard, in seconds since 1970; below [`Self::CREATED_LIMIT_S`].
    pub created_s: u64,
    /// The shard's index, at most [`ShardId::MAX_INDEX`].
    pub shard: u32,
    /// The sequence index, at most [`Self::LAST_INDEX`].
    pub index: u64,
    /// The time at which the record was accepted, in seconds since 1970; at most
    /// [`Self::LAST_TIME_S`].
    pub time_s: u64,
}

impl SequenceNumber {
    /// The first creation time, in seconds since the epoch, that the service calls invalid.
    pub const CREATED_LIMIT_S: u64 = 16_025_175_000;
    /// The sequence index of a shard's ending sequence number.
    pub const LAST_INDEX: u64 = i64::MAX as u64;
    /// The last sequence time, in seconds since the epoch, that fits nine hexadecimal digits.
    pub const LAST_TIME_S: u64 = (1 << 36) - 1;

    /// The sequence number of a record. The time in it is never before the creation of the shard.
    pub fn of_record(created_s: u64, shard: u32, index: u64, arrival: Timestamp) -> Self {
        let arrived_s = u64::try_from(arrival.seconds()).unwrap_or_default();
        Self {
            created_s,
            shard,
            index,
            time_s: arrived_s.max(created_s),
        }
    }

    /// The starting sequence number of a shard.
    pub const fn first_of(created_s: u64, shard: u32) -> Self {
        Self {
            created_s,
            shard,
            index: 0,
            time_s: created_s,
        }
    }

    /// The ending sequence number of a shard that was closed at `time_s`.
    pub const fn last_of(created_s: u64, shard: u32, time_s: u64) -> Self {
        Self {
            created_s,
            shard,
            index: Self::LAST_INDEX,
            time_s,
        }
    }

    /// The next number of the same shard; a record with it need not exist. To read from the next
    /// number on is to read after this one. The largest number is its own next.
    pub const fn next(self) -> Self {
        if self.time_s < Self::LAST_TIME_S {
            Self {
                time_s: self.time_s + 1,
                ..self
            }
        } else if self.index < Self::LAST_INDEX {
            Self {
                index: self.index + 1,
                time_s: 0,
                ..self
            }
        } else {
            self
        }
    }

    /// Reads a number from a request. `None` for a number that the service calls invalid.
    pub fn parse(text: &str) -> Option<ParsedNumber> {
        ParsedNumber::read(text)
    }

    /// Writes the decimal digits without allocating.
    ///
    /// # Panics
    /// When a field is beyond its limit.
    pub fn write_decimal(&self, out: &mut [u8; SEQUENCE_NUMBER_DIGITS]) {
        self.wide().write_decimal(out);
    }

    fn wide(&self) -> U192 {
        assert!(
            self.created_s < Self::CREATED_LIMIT_S
                && self.shard <= ShardId::MAX_INDEX
                && self.index <= Self::LAST_INDEX
                && self.time_s <= Self::LAST_TIME_S,
            "a sequence number's fields fit their digits: {self:?}"
        );
        let nibble = u64::from(self.shard & 0xf);
        let low = (u128::from(self.index) << 80)
            | (u128::from(self.time_s) << 36)
            | (u128::from(self.shard) << 4)
            | 2;
        U192 {
            high: (2 << 56) | (self.created_s << 20) | (nibble << 16) | (self.index >> 48),
            low,
        }
    }

    /// The fields in the order of comparison.
    const fn order(&self) -> (u64, u32, u64, u64, u32) {
        (
            self.created_s,
            self.shard & 0xf,
            self.index,
            self.time_s,
            self.shard,
        )
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
        self.write_decimal(&mut digits);
        formatter.pad(str::from_utf8(&digits).expect("decimal digits are ASCII"))
    }
}

/// A valid number from a request. It may be of any shard, and of the present or an earlier
/// version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedNumber {
    /// The version of the form: 2 is the present one, 1 and 0 are earlier ones.
    pub version: u8,
    /// The creation time of the shard, in seconds since 1970.
    pub created_s: u64,
    /// The shard's index. A number from a request can have a negative one.
    pub shard_index: i32,
    /// The sequence index; in version 0, sixteen other digits.
    pub index: u64,
    /// The time at which the record was accepted, in seconds since 1970. Version 0 has no such
    /// field.
    pub time_s: Option<u64>,
    written: U192,
}

impl ParsedNumber {
    fn read(text: &str) -> Option<Self> {
        const VERSION_0_OFFSET: U192 = U192::power_of_two(124);
        const VERSION_0_LIMIT: U192 = U192::power_of_two(129);
        const LATER_START: U192 = U192::power_of_two(185);
        const LATER_LIMIT: U192 = U192 {
            high: 3 << 56,
            low: 0,
        };

        let number = U192::parse(text)?;
        if number < VERSION_0_OFFSET {
            return Self::version_zero(number.plus(VERSION_0_OFFSET));
        }
        if number < VERSION_0_LIMIT {
            return Self::version_zero(number);
        }
        if number <= LATER_START || number >= LATER_LIMIT {
            return None;
        }
        match number.bits(0, 4) {
            1 => Some(Self::version_one(number)),
            2 => Self::version_two(number),
            _ => None,
        }
    }

    /// 32 digits: one, creation time (9), two, sixteen, shard index (4).
    fn version_zero(written: U192) -> Option<Self> {
        // The digits count from the left: of 33 digits, the last has no meaning.
        let digits = if written.high == 0 {
            written
        } else {
            written.without_last_digit()
        };
        let created_s = digits.bits(88, 36);
        (created_s < SequenceNumber::CREATED_LIMIT_S).then(|| Self {
            version: 0,
            created_s,
            shard_index: digits.bits(0, 16) as i32,
            index: digits.bits(16, 64),
            time_s: None,
            written,
        })
    }

    /// 47 digits: one, creation time (9), nibble, two, sequence time (9), fourteen, index (2),
    /// shard index (8), version. The service checks no limit here.
    fn version_one(written: U192) -> Self {
        Self {
            version: 1,
            created_s: written.bits(148, 36),
            shard_index: written.bits(4, 32) as u32 as i32,
            index: written.bits(36, 8),
            time_s: Some(written.bits(100, 36)),
            written,
        }
    }

    fn version_two(written: U192) -> Option<Self> {
        let created_s = written.bits(148, 36);
        let index = written.bits(80, 64);
        if created_s >= SequenceNumber::CREATED_LIMIT_S || index > SequenceNumber::LAST_INDEX {
            return None;
        }
        Some(Self {
            version: 2,
            created_s,
            shard_index: written.bits(4, 32) as u32 as i32,
            index,
            time_s: Some(written.bits(36, 36)),
            written,
        })
    }

    /// The same number in version 2. `None` for a number of another version, with a negative shard
    /// index, or with digits that are zero in every number of the service.
    pub fn as_version_two(&self) -> Option<SequenceNumber> {
        self.fields().filter(|number| number.wide() == self.written)
    }

    /// The start of AT_SEQUENCE_NUMBER: the first number of the same shard that is not below this
    /// number. `None` for another version or a negative shard index.
    pub fn position_at(&self) -> Option<SequenceNumber> {
        let fields = self.fields()?;
        let first = SequenceNumber {
            index: 0,
            time_s: 0,
            ..fields
        };
        let last = SequenceNumber {
            index: SequenceNumber::LAST_INDEX,
            time_s: SequenceNumber::LAST_TIME_S,
            ..fields
        };
        Some(if fields.wide() == self.written {
            fields
        } else if first.wide() > self.written {
            // A number from a request may have the nibble of another shard: every number of the
            // shard is above it …
            first
        } else if last.wide() < self.written {
            // … or below it …
            last
        } else {
            // … or it has digits between two indexes.
            SequenceNumber {
                index: fields.index + 1,
                time_s: 0,
                ..fields
            }
        })
    }

    /// The start of AFTER_SEQUENCE_NUMBER: the first number of the same shard that is above this
    /// number. `None` for another version or a negative shard index.
    pub fn position_after(&self) -> Option<SequenceNumber> {
        self.as_version_two()
            .map_or_else(|| self.position_at(), |number| Some(number.next()))
    }

    fn fields(&self) -> Option<SequenceNumber> {
        let shard = u32::try_from(self.shard_index).ok()?;
        let (created_s, index, time_s) = (self.created_s, self.index, self.time_s?);
        (self.version == 2).then_some(SequenceNumber {
            created_s,
            shard,
            index,
            time_s,
        })
    }
}

#[cfg(test)]
mod tests;

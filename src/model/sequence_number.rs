//! Sequence numbers: formatting, comparing and parsing the service's 56-digit numbers.
//!
//! A number of version 2 has 47 hexadecimal digits: `2`, the shard's creation time in seconds (9
//! digits), the low four bits of the shard's index (1), the sequence index (16), `00`, the sequence
//! time in seconds (9), the shard's index (8), and `2` for the version.

use super::shard_id::ShardId;
use super::u192::{U192, U192_DIGITS};
use crate::world::Timestamp;
use std::cmp::Ordering;
use std::fmt;

/// Number of decimal digits of a sequence number.
pub const SEQUENCE_NUMBER_DIGITS: usize = U192_DIGITS;

/// A sequence number of version 2. It is the number of a record, or the starting or ending number
/// of a shard.
///
/// Sequence numbers are ordered by their decimal value. The order is meaningful only within one
/// shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// The creation time of the shard in seconds since 1970, below [`Self::CREATED_LIMIT_S`].
    pub created_s: u64,
    /// The index of the shard, at most [`ShardId::MAX_INDEX`].
    pub shard: u32,
    /// The sequence index: the position of the record in its shard, at most [`Self::LAST_INDEX`].
    pub index: u64,
    /// The sequence time: the time at which the record was accepted, in seconds since 1970, at most
    /// [`Self::LAST_TIME_S`].
    pub time_s: u64,
}

impl SequenceNumber {
    /// The smallest creation time, in seconds since 1970, that the service calls invalid.
    pub const CREATED_LIMIT_S: u64 = 16_025_175_000;
    /// The greatest sequence index. The ending sequence number of every closed shard contains it.
    pub const LAST_INDEX: u64 = i64::MAX as u64;
    /// The greatest sequence time, in seconds since 1970, that fits in nine hexadecimal digits.
    pub const LAST_TIME_S: u64 = (1 << 36) - 1;

    /// Creates the sequence number of a record that arrived at `arrival`. The sequence time is
    /// never before the creation of the shard.
    pub fn of_record(created_s: u64, shard: u32, index: u64, arrival: Timestamp) -> Self {
        let arrived_s = u64::try_from(arrival.seconds()).unwrap_or_default();
        Self {
            created_s,
            shard,
            index,
            time_s: arrived_s.max(created_s),
        }
    }

    /// Creates the starting sequence number of a shard.
    pub const fn first_of(created_s: u64, shard: u32) -> Self {
        Self {
            created_s,
            shard,
            index: 0,
            time_s: created_s,
        }
    }

    /// Creates the ending sequence number of a shard that was closed at `time_s`, in seconds since
    /// 1970.
    pub const fn last_of(created_s: u64, shard: u32, time_s: u64) -> Self {
        Self {
            created_s,
            shard,
            index: Self::LAST_INDEX,
            time_s,
        }
    }

    /// Returns the next greater number of the same shard, which need not be the number of a record.
    /// A read that begins at the returned number leaves out the record with the number `self`. The
    /// largest number is returned unchanged.
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

    /// Parses a sequence number from a request. `None` for a text that the service would refuse as
    /// an invalid sequence number.
    pub fn parse(text: &str) -> Option<ParsedNumber> {
        ParsedNumber::read(text)
    }

    /// Writes the number as decimal digits, without an allocation.
    ///
    /// # Panics
    /// Panics when a field is greater than its documented limit.
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

    /// Returns the fields as a tuple. Two such tuples have the same order as the decimal numbers.
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

/// A valid sequence number from a request. It may belong to any shard, and may have the present
/// version 2 or the older version 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedNumber {
    /// The version of the format. Version 2 is in use, and versions 1 and 0 are older.
    pub version: u8,
    /// The creation time of the shard, in seconds since 1970.
    pub created_s: u64,
    /// The index of the shard. It can be negative, because a request may contain any number.
    pub shard_index: i32,
    /// The sequence index. In a number of version 0 this field holds sixteen digits of unknown
    /// meaning.
    pub index: u64,
    /// The sequence time: the time at which the record was accepted, in seconds since 1970. `None`
    /// for version 0, which contains no sequence time.
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

    /// Parses a number of version 0, which has 32 hexadecimal digits: one digit of unknown meaning,
    /// the creation time of the shard (9 digits), two digits and then sixteen digits of unknown
    /// meaning, and the shard index (4 digits).
    fn version_zero(written: U192) -> Option<Self> {
        // The digits of version 0 are counted from the left. In a number of 33 digits, the last
        // digit has no meaning.
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

    /// Parses a number of version 1, which has 47 hexadecimal digits: one digit, the creation time
    /// of the shard (9 digits), the low four bits of the shard index (1 digit), two digits, the
    /// sequence time (9 digits), fourteen digits, the sequence index (2 digits), the shard index (8
    /// digits), and the version (1 digit). The meaning of the other digits is unknown. The service
    /// checks no limits of the fields in this version.
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

    /// Returns the same number as a [`SequenceNumber`]. `None` for version 0 or 1, and for a
    /// negative shard index. Also `None` if a digit of the number is not zero, but the service
    /// always writes a zero in the position of this digit.
    pub fn as_version_two(&self) -> Option<SequenceNumber> {
        self.fields().filter(|number| number.wide() == self.written)
    }

    /// The position for AT_SEQUENCE_NUMBER: the smallest valid number of the same shard that is at
    /// least this number. `None` for version 0 or 1 and for a negative shard index.
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
            // Every valid number of the shard is greater than the parsed number. The reason is that
            // the low four bits of the shard index in the parsed number belong to another shard.
            first
        } else if last.wide() < self.written {
            // Every valid number of the shard is smaller than the parsed number.
            last
        } else {
            // The parsed number lies between two valid numbers with consecutive sequence indexes.
            SequenceNumber {
                index: fields.index + 1,
                time_s: 0,
                ..fields
            }
        })
    }

    /// The position for AFTER_SEQUENCE_NUMBER: the smallest valid number of the same shard that is
    /// greater than this number. `None` for version 0 or 1 and for a negative shard index.
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

//! An unsigned number of 192 bits, to parse and format the decimal digits of sequence numbers.

/// 10^19, the largest power of ten below 2^64. This number can be a divisor in
/// [`divide_by_ten_19`], because it is above 2^63.
const TEN_19: u64 = 10_000_000_000_000_000_000;

/// The reciprocal of 10^19 for [`divide_by_ten_19`]: ⌊(2^128 − 1) / 10^19⌋ − 2^64.
const TEN_19_RECIPROCAL: u64 = (u128::MAX / TEN_19 as u128 - (1 << 64)) as u64;

/// Number of decimal digits that [`U192::write_decimal`] writes.
pub(super) const U192_DIGITS: usize = 56;

/// An unsigned number of 192 bits, in two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct U192 {
    /// Bits 128 to 191. This field comes first, so that the derived order is the numeric order.
    pub(super) high: u64,
    /// Bits 0 to 127.
    pub(super) low: u128,
}

impl U192 {
    /// Computes 2 to the power of `exponent`.
    pub(super) const fn power_of_two(exponent: u32) -> Self {
        if exponent < 128 {
            Self {
                high: 0,
                low: 1 << exponent,
            }
        } else {
            Self {
                high: 1 << (exponent - 128),
                low: 0,
            }
        }
    }

    /// Parses decimal digits. `None` for other texts and for numbers of more than 192 bits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        // The digits are read in chunks of eighteen, because a chunk and 10^18 both fit in 64 bits.
        text.as_bytes()
            .chunks(18)
            .try_fold(Self { high: 0, low: 0 }, |number, digits| {
                let (mut scale, mut term) = (1_u64, 0_u64);
                for byte in digits {
                    let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
                    scale *= 10;
                    term = term * 10 + digit;
                }
                number.multiply_add(scale, term)
            })
    }

    fn multiply_add(self, factor: u64, term: u64) -> Option<Self> {
        let factor = u128::from(factor);
        let first = u128::from(self.low as u64) * factor + u128::from(term);
        let second = (self.low >> 64) * factor + (first >> 64);
        let third = u128::from(self.high) * factor + (second >> 64);
        let low = (second << 64) | u128::from(first as u64);
        Some(Self {
            high: u64::try_from(third).ok()?,
            low,
        })
    }

    /// The sum of two numbers. The caller makes sure that the sum fits in 192 bits.
    pub(super) fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self {
            high: self.high + other.high + u64::from(carry),
            low,
        }
    }

    /// Shifts the number right by one hexadecimal digit, which drops the last digit.
    pub(super) fn without_last_digit(self) -> Self {
        Self {
            high: self.high >> 4,
            low: (self.low >> 4) | (u128::from(self.high) << 124),
        }
    }

    /// Returns `width` consecutive bits of the number. The lowest of them is bit `shift`. `width`
    /// is from 1 to 64, and `shift` is below 192.
    pub(super) fn bits(self, shift: u32, width: u32) -> u64 {
        let shifted = if shift >= 128 {
            self.high >> (shift - 128)
        } else {
            let from_high = u128::from(self.high).checked_shl(128 - shift).unwrap_or(0);
            ((self.low >> shift) | from_high) as u64
        };
        shifted & (u64::MAX >> (64 - width))
    }

    /// Writes the number as 56 decimal digits with leading zeros. The number must be below 10^56.
    pub(super) fn write_decimal(self, out: &mut [u8; U192_DIGITS]) {
        let (low_high, low_low) = ((self.low >> 64) as u64, self.low as u64);
        // 10^56 / 2^128 is below 10^19, so every quotient here fits in 64 bits.
        let (second, rest) = divide_by_ten_19(self.high, low_high);
        let (first, last) = divide_by_ten_19(rest, low_low);
        let (top, middle) = divide_by_ten_19(second, first);
        write_digits(&mut out[..18], top);
        write_digits(&mut out[18..37], middle);
        write_digits(&mut out[37..], last);
    }
}

/// Returns the quotient and the remainder of (`high`·2^64 + `low`) / 10^19. `high` must be below
/// 10^19.
///
/// The function uses multiplications, which are several times faster than a division of 128 bits.
/// The method is algorithm 4 in Möller and Granlund, "Improved division by invariant integers".
fn divide_by_ten_19(high: u64, low: u64) -> (u64, u64) {
    let product = u128::from(TEN_19_RECIPROCAL) * u128::from(high);
    let estimate = product.wrapping_add((u128::from(high) << 64) | u128::from(low));
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut remainder = low.wrapping_sub(quotient.wrapping_mul(TEN_19));
    if remainder > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        remainder = remainder.wrapping_add(TEN_19);
    }
    if remainder >= TEN_19 {
        quotient = quotient.wrapping_add(1);
        remainder -= TEN_19;
    }
    (quotient, remainder)
}

/// The two-digit texts of the numbers 00 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Writes the last digits of `value` into `out`, which has 16 to 19 bytes.
fn write_digits(out: &mut [u8], value: u64) {
    const TEN_8: u64 = 100_000_000;
    let (front, sixteen) = out.split_at_mut(out.len() - 16);
    let (upper, lower) = sixteen.split_at_mut(8);
    let rest = value / TEN_8;
    write_eight_digits(lower, (value % TEN_8) as u32);
    write_eight_digits(upper, (rest % TEN_8) as u32);
    let mut rest = rest / TEN_8;
    for byte in front.iter_mut().rev() {
        *byte = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn write_eight_digits(out: &mut [u8], value: u32) {
    let (upper, lower) = (value / 10_000, value % 10_000);
    let pairs = [upper / 100, upper % 100, lower / 100, lower % 100];
    for (to, pair) in out.chunks_exact_mut(2).zip(pairs) {
        to.copy_from_slice(&PAIRS[pair as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(number: U192) -> String {
        let mut text = [0; U192_DIGITS];
        number.write_decimal(&mut text);
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn powers_of_two_are_written_and_read() {
        for (exponent, text) in [
            (0, "1"),
            (64, "18446744073709551616"),
            (124, "21267647932558653966460912964485513216"),
            (128, "340282366920938463463374607431768211456"),
            (
                185,
                "49039857307708443467467104868809893875799651909875269632",
            ),
        ] {
            let number = U192::power_of_two(exponent);
            assert_eq!(decimal(number), format!("{text:0>56}"));
            assert_eq!(U192::parse(text), Some(number));
        }
    }

    #[test]
    fn the_last_number_that_fits_is_read_and_the_next_is_not() {
        let last = "6277101735386680763835789423207666416102355444464034512895";
        assert_eq!(
            U192::parse(last),
            Some(U192 {
                high: u64::MAX,
                low: u128::MAX
            })
        );
        let next = "6277101735386680763835789423207666416102355444464034512896";
        for text in [next, &"9".repeat(129), "", "-1", "+1", "1 ", "1e3"] {
            assert_eq!(U192::parse(text), None, "{text}");
        }
    }

    #[test]
    fn bits_are_taken_from_both_halves() {
        let number = U192 {
            high: 0x1234,
            low: 0xabcd << 112,
        };
        assert_eq!(number.bits(112, 32), 0x1234_abcd);
        assert_eq!(number.bits(128, 16), 0x1234);
        assert_eq!(number.bits(132, 4), 0x3);
        assert_eq!(number.bits(0, 64), 0);
        assert_eq!(number.without_last_digit().bits(108, 32), 0x1234_abcd);
    }

    proptest! {
        #[test]
        fn division_agrees_with_the_slow_one(high in 0..TEN_19, low: u64) {
            let number = (u128::from(high) << 64) | u128::from(low);
            let (quotient, remainder) = divide_by_ten_19(high, low);
            prop_assert_eq!(u128::from(quotient), number / u128::from(TEN_19));
            prop_assert_eq!(u128::from(remainder), number % u128::from(TEN_19));
        }

        #[test]
        fn numbers_read_back(high in 0_u64..1 << 58, low: u128) {
            let number = U192 { high, low };
            // 2^186 still has 56 decimal digits.
            prop_assert_eq!(U192::parse(&decimal(number)), Some(number));
        }

        #[test]
        fn decimal_order_is_the_numbers_order(high in 0_u64..4, low: u128, other: u128) {
            let (one, two) = (U192 { high, low }, U192 { high: 1, low: other });
            prop_assert_eq!(one.cmp(&two), decimal(one).cmp(&decimal(two)));
        }
    }
}

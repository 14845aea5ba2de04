//! Exact decimal numbers, parsed from the text of JSON numbers.

/// The reason why a number does not fit the precision and scale of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// The number has more digits after the decimal point than the scale permits.
    TooFine,
    TooLarge,
}

/// A decimal number in parts: its sign, and `digits` × 10^`exponent`.
struct Parts {
    is_negative: bool,
    /// Digits without leading and trailing zeros. Empty for the number zero.
    digits: String,
    exponent: i64,
}

/// Multiplies the JSON number `text` by 10^`scale`.
///
/// # Errors
/// The result is not a whole number, or has more than `max_digits` digits.
pub(super) fn scaled(text: &str, scale: u32, max_digits: u32) -> Result<i128, NumberError> {
    let parts = Parts::of(text);
    if parts.digits.is_empty() {
        return Ok(0);
    }
    let zeros = parts.exponent.saturating_add(i64::from(scale));
    let zeros = u32::try_from(zeros).map_err(|_| match zeros {
        ..0 => NumberError::TooFine,
        _ => NumberError::TooLarge,
    })?;
    let length = u32::try_from(parts.digits.len()).unwrap_or(u32::MAX);
    if length.saturating_add(zeros) > max_digits {
        return Err(NumberError::TooLarge);
    }
    let digits: i128 = parts.digits.parse().map_err(|_| NumberError::TooLarge)?;
    let shift = 10_i128.checked_pow(zeros).ok_or(NumberError::TooLarge)?;
    let number = digits.checked_mul(shift).ok_or(NumberError::TooLarge)?;
    Ok(if parts.is_negative { -number } else { number })
}

/// Counts the digits after the decimal point of the JSON number `text`, without trailing zeros.
pub(super) fn scale_of(text: &str) -> u32 {
    u32::try_from(Parts::of(text).exponent.saturating_neg()).unwrap_or(0)
}

impl Parts {
    fn of(text: &str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        // An exponent that does not fit in an `i64` is replaced by a very large or very small
        // exponent, which has the same effect.
        let beyond = if exponent.starts_with('-') {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        };
        let exponent = exponent.parse::<i64>().unwrap_or(beyond);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let kept = digits.trim_end_matches('0');
        let zeros = (digits.len() - kept.len()) as i64 - fraction.len() as i64;
        let digits = kept.trim_start_matches('0').to_owned();
        let exponent = if digits.is_empty() {
            0
        } else {
            exponent.saturating_add(zeros)
        };
        Self {
            is_negative,
            digits,
            exponent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_exact() {
        let cases = [
            ("12345678901234567.89", 2, Ok(1_234_567_890_123_456_789)),
            ("-0.5", 1, Ok(-5)),
            ("-0.5", 3, Ok(-500)),
            ("1.50", 1, Ok(15)),
            ("1e3", 0, Ok(1000)),
            ("12E-1", 1, Ok(12)),
            ("0.000", 0, Ok(0)),
            ("0e999999999999999999999", 2, Ok(0)),
            ("0.01", 1, Err(NumberError::TooFine)),
            ("1e-99999999999999999999", 38, Err(NumberError::TooFine)),
            ("1e99999999999999999999", 2, Err(NumberError::TooLarge)),
            ("1e38", 0, Err(NumberError::TooLarge)),
            ("1e36", 2, Err(NumberError::TooLarge)),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled(text, scale, 38), expected, "{text}");
        }
    }

    #[test]
    fn scales_are_counted_without_zeros_at_the_end() {
        for (text, scale) in [("0.01", 2), ("0.10", 1), ("5", 0), ("1e-7", 7), ("100", 0)] {
            assert_eq!(scale_of(text), scale, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_themselves(number: i64) {
            prop_assert_eq!(scaled(&number.to_string(), 0, 38), Ok(number.into()));
        }

        #[test]
        fn the_point_moves_by_the_scale(
            number in -999_999_999_999_i64..999_999_999_999, scale in 0_u32..10,
        ) {
            let text = format!("{number}e-{scale}");
            prop_assert_eq!(scaled(&text, scale, 38), Ok(number.into()));
        }
    }
}

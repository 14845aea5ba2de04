//! Sequence numbers, computed from their fields without code of the emulator.

/// A decimal number from hexadecimal digits.
fn decimal(hex: &str) -> String {
    let mut parts: Vec<u64> = vec![0];
    for digit in hex.chars() {
        let mut carry = u64::from(digit.to_digit(16).unwrap());
        for part in &mut parts {
            let value = *part * 16 + carry;
            (*part, carry) = (value % 1_000_000_000, value / 1_000_000_000);
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut text = parts.pop().unwrap().to_string();
    for part in parts.into_iter().rev() {
        text.push_str(&format!("{part:09}"));
    }
    text
}

/// The sequence number of a record: the shard was created in second `created_s`, the index is
/// `index`, and the record arrived in second `time_s`.
fn number(created_s: u64, shard: usize, index: u64, time_s: u64) -> String {
    let nibble = shard % 16;
    decimal(&format!(
        "2{created_s:09x}{nibble:x}{index:016x}00{time_s:09x}{shard:08x}2"
    ))
}

/// The starting sequence number of a shard that was created in second `created_s`.
pub(crate) fn start(created_s: u64, shard: usize) -> String {
    number(created_s, shard, 0, created_s)
}

/// The ending sequence number of the same shard, if it is closed in second `closed_s`.
pub(crate) fn end(created_s: u64, shard: usize, closed_s: u64) -> String {
    number(created_s, shard, 0x7fff_ffff_ffff_ffff, closed_s)
}

#[test]
fn numbers_are_those_that_were_published() {
    assert_eq!(
        start(1_572_297_165, 2),
        "49600871683001637932762086172474144873796357303140614178"
    );
    assert_eq!(
        start(1_700_000_000, 16),
        "49646437577108476416916876405825929425585429676275269890"
    );
    assert_eq!(
        end(1_700_000_000, 1, 1_700_003_600),
        "49646437577141927534714672340537024077175034979475783698"
    );
    assert_eq!(
        start(1_700_003_601, 2),
        "49646438862032813265854320574830944859038970386690605090"
    );
}

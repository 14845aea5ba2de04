//! Tests with published sequence numbers, and tests of properties of random numbers.

use super::*;
use proptest::prelude::*;

const fn number(created_s: u64, shard: u32, index: u64, time_s: u64) -> SequenceNumber {
    SequenceNumber {
        created_s,
        shard,
        index,
        time_s,
    }
}

fn numbers() -> impl Strategy<Value = SequenceNumber> {
    let created_s = 0..SequenceNumber::CREATED_LIMIT_S;
    let index = prop_oneof![0..=SequenceNumber::LAST_INDEX, 0..4_u64];
    let shard = prop_oneof![0..=ShardId::MAX_INDEX, 0..40_u32];
    (created_s, shard, index, 0..=SequenceNumber::LAST_TIME_S)
        .prop_map(|(created_s, shard, index, time_s)| number(created_s, shard, index, time_s))
}

/// Converts hexadecimal digits to decimal digits by long multiplication, without [`U192`].
fn from_hex(hex: &str) -> String {
    let mut digits = vec![0_u32];
    for nibble in hex.chars() {
        let mut carry = nibble.to_digit(16).unwrap();
        for digit in &mut digits {
            carry += *digit * 16;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(ToString::to_string).collect()
}

#[test]
fn published_numbers_are_written_and_read() {
    let at = 1_572_297_165;
    let now = 1_700_000_000;
    for (expected, text) in [
        (
            number(1_421_279_230, 0, 469, 1_421_279_386),
            "49546986683135544286507457936321625675700192471156785154",
        ),
        (
            SequenceNumber::first_of(at, 0),
            "49600871682957036442365024926191073437251060580128653314",
        ),
        (
            SequenceNumber::first_of(at, 1),
            "49600871682979337187563555549332609155523708941634633746",
        ),
        (
            SequenceNumber::first_of(at, 2),
            "49600871683001637932762086172474144873796357303140614178",
        ),
        (
            SequenceNumber::first_of(now, 0),
            "49646437577108476416916876405825929425585429676275269634",
        ),
        (
            SequenceNumber::first_of(now, 1),
            "49646437577130777162115407028967465143858078037781250066",
        ),
        (
            SequenceNumber::first_of(now, 15),
            "49646437577442987594894835752948965199675155098864976114",
        ),
        (
            SequenceNumber::first_of(now, 16),
            "49646437577108476416916876405825929425585429676275269890",
        ),
        (
            number(now, 1, 5, now + 100),
            "49646437577130777162115407028973509772956158055602454546",
        ),
        (
            SequenceNumber::last_of(now, 1, now + 3600),
            "49646437577141927534714672340537024077175034979475783698",
        ),
        (
            SequenceNumber::first_of(now + 3601, 2),
            "49646438862032813265854320574830944859038970386690605090",
        ),
    ] {
        assert_eq!(expected.to_string(), text);
        let parsed = SequenceNumber::parse(text).unwrap();
        assert_eq!(
            (parsed.version, parsed.shard_index),
            (2, expected.shard as i32)
        );
        assert_eq!(
            (parsed.created_s, parsed.index),
            (expected.created_s, expected.index)
        );
        assert_eq!(parsed.time_s, Some(expected.time_s));
        assert_eq!(parsed.as_version_two(), Some(expected));
    }
}

#[test]
fn a_plain_number_encodes_a_shard_in_version_zero() {
    for (text, created_s, shard_index, index) in [
        ("0", 0, 0, 0),
        ("5", 0, 5, 0),
        ("65536", 0, 0, 1),
        // The number 2^124 itself. The parser adds 2^124 to smaller numbers, such as the numbers
        // above.
        ("21267647932558653966460912964485513216", 0, 0, 0),
        // 2^88: the creation time of the shard is one second.
        ("309485009821345068724781056", 1, 0, 0),
        // 2^128 has 33 hexadecimal digits, so the shard index stands one digit further to the left.
        ("340282366920938463463374607431768211456", 0, 0, 0),
        ("340282366920938463463374607431768211488", 0, 2, 0),
    ] {
        let parsed = SequenceNumber::parse(text).unwrap();
        assert_eq!(parsed.version, 0, "{text}");
        assert_eq!(
            (parsed.created_s, parsed.shard_index),
            (created_s, shard_index),
            "{text}"
        );
        assert_eq!((parsed.index, parsed.time_s), (index, None), "{text}");
        assert_eq!(parsed.as_version_two(), None);
        assert_eq!(parsed.position_at(), None);
        assert_eq!(parsed.position_after(), None);
    }
}

#[test]
fn creation_times_beyond_the_limit_are_invalid() {
    let two = |created: &str| from_hex(&["2", created, &"0".repeat(36), "2"].concat());
    assert!(SequenceNumber::parse(&two("3bb2cc3d7")).is_some());
    assert_eq!(SequenceNumber::parse(&two("3bb2cc3d8")), None);
    let zero = |created: &str| from_hex(&["1", created, &"0".repeat(22)].concat());
    assert!(SequenceNumber::parse(&zero("3bb2cc3d7")).is_some());
    assert_eq!(SequenceNumber::parse(&zero("3bb2cc3d8")), None);
    // 2^124 − 1. The parser adds 2^124. The resulting creation time is invalid, because all of its
    // bits are 1.
    assert_eq!(
        SequenceNumber::parse("21267647932558653966460912964485513215"),
        None
    );
    // In version 1, the creation time has no limit.
    let one = from_hex(&["2fffffffff", &"0".repeat(36), "1"].concat());
    assert_eq!(
        SequenceNumber::parse(&one).unwrap().created_s,
        0xf_ffff_ffff
    );
}

#[test]
fn version_one_is_taken_apart() {
    let hex = [
        "2054b6fffe",
        "0",
        "00",
        "054b7009a",
        "123456789abcde",
        "7b",
        "00000003",
        "1",
    ];
    let one = from_hex(&hex.concat());
    let parsed = SequenceNumber::parse(&one).unwrap();
    assert_eq!((parsed.version, parsed.created_s), (1, 1_421_279_230));
    assert_eq!((parsed.shard_index, parsed.index), (3, 0x7b));
    assert_eq!(parsed.time_s, Some(1_421_279_386));
    assert_eq!(parsed.as_version_two(), None);
    assert_eq!(parsed.position_at(), None);
}

#[test]
fn other_numbers_are_invalid() {
    let hex = |text: &str| from_hex(text);
    let digits = |last: &str| hex(&["2", &"0".repeat(45), last].concat());
    for text in [
        String::new(),
        "ABC".to_owned(),
        "-1".to_owned(),
        "9".repeat(129),
        // 2^129 and 2^185: neither number is valid, and no number between them is valid.
        hex(&["2", &"0".repeat(32)].concat()),
        digits("0"),
        digits("3"),
        digits("4"),
        // 1.5 · 2^185, the smallest number above all valid numbers.
        hex(&["3", &"0".repeat(46)].concat()),
        // A sequence index whose top bit is set.
        hex(&["20000000000", "8000000000000000", &"0".repeat(19), "2"].concat()),
    ] {
        assert_eq!(SequenceNumber::parse(&text), None, "{text}");
    }
    assert!(SequenceNumber::parse(&digits("1")).is_some());
    assert!(SequenceNumber::parse(&digits("2")).is_some());
}

#[test]
fn a_shard_index_is_read_as_signed() {
    let number = from_hex(&["2", &"0".repeat(37), "80000000", "2"].concat());
    let parsed = SequenceNumber::parse(&number).unwrap();
    assert_eq!(parsed.shard_index, i32::MIN);
    assert_eq!(parsed.as_version_two(), None);
    assert_eq!(parsed.position_at(), None);
}

#[test]
fn a_number_between_ours_starts_at_the_next_of_ours() {
    let written = |nibble: &str, index: &str, empty: &str| {
        let hex = [
            "2054b6fffe",
            nibble,
            index,
            empty,
            "054b7009a",
            "00000003",
            "2",
        ]
        .concat();
        SequenceNumber::parse(&from_hex(&hex)).unwrap()
    };
    let (created_s, time_s) = (1_421_279_230, 1_421_279_386);
    let five = "0000000000000005";
    let exact = written("3", five, "00");
    assert_eq!(exact.position_at(), Some(number(created_s, 3, 5, time_s)));
    assert_eq!(
        exact.position_after(),
        Some(number(created_s, 3, 5, time_s + 1))
    );
    for (parsed, expected) in [
        (written("3", five, "01"), number(created_s, 3, 6, 0)),
        (written("2", five, "00"), number(created_s, 3, 0, 0)),
        (
            written("4", five, "00"),
            number(
                created_s,
                3,
                SequenceNumber::LAST_INDEX,
                SequenceNumber::LAST_TIME_S,
            ),
        ),
        (
            written("3", "7fffffffffffffff", "01"),
            number(
                created_s,
                3,
                SequenceNumber::LAST_INDEX,
                SequenceNumber::LAST_TIME_S,
            ),
        ),
    ] {
        assert_eq!(parsed.as_version_two(), None);
        assert_eq!(parsed.position_at(), Some(expected));
        assert_eq!(parsed.position_after(), Some(expected));
    }
}

#[test]
fn the_very_last_number_is_its_own_next() {
    let last = number(
        1,
        0,
        SequenceNumber::LAST_INDEX,
        SequenceNumber::LAST_TIME_S,
    );
    assert_eq!(last.next(), last);
    let carried = number(1, 0, 7, SequenceNumber::LAST_TIME_S).next();
    assert_eq!(carried, number(1, 0, 8, 0));
}

proptest! {
    #[test]
    fn numbers_read_back(number in numbers()) {
        let text = number.to_string();
        prop_assert_eq!(text.len(), SEQUENCE_NUMBER_DIGITS);
        let parsed = SequenceNumber::parse(&text).unwrap();
        prop_assert_eq!(parsed.as_version_two(), Some(number));
        prop_assert_eq!(parsed.position_at(), Some(number));
    }

    #[test]
    fn order_is_the_decimal_order(one in numbers(), two in numbers(), same_created: bool) {
        let created_s = if same_created { one.created_s } else { two.created_s };
        let two = SequenceNumber { created_s, ..two };
        prop_assert_eq!(one.cmp(&two), one.to_string().cmp(&two.to_string()));
    }

    #[test]
    fn next_grows_and_reads_back(number in numbers()) {
        let next = number.next();
        prop_assert!(next > number);
        prop_assert_eq!(SequenceNumber::parse(&next.to_string()).unwrap().as_version_two(), Some(next));
    }

    #[test]
    fn reading_never_panics(text in "[1-9][0-9]{0,128}") {
        if let Some(parsed) = SequenceNumber::parse(&text) {
            let _ = (parsed.as_version_two(), parsed.position_at(), parsed.position_after());
        }
    }

    #[test]
    fn any_field_values_have_ordered_positions(
        created in 0..SequenceNumber::CREATED_LIMIT_S, nibble in 0_u64..16, rest: u128,
    ) {
        let high = (2 << 56) | (created << 20) | (nibble << 16) | ((rest >> 112) as u64 & 0x7fff);
        let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
        U192 { high, low: (rest & !0xf) | 2 }.write_decimal(&mut digits);
        let text = str::from_utf8(&digits).unwrap();
        let parsed = SequenceNumber::parse(text).unwrap();
        if let (Some(at), Some(after)) = (parsed.position_at(), parsed.position_after()) {
            prop_assert!(at <= after);
        }
    }
}

//! Formats numbers and times for the pages.

use crate::world::Timestamp;

/// Formats a whole number with a comma between groups of three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number of bytes with the largest unit in which the number is at least 1.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    match value < 10.0 {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}

/// Formats a rate, a number per second, without its unit.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate <= 0.0 => "0".to_owned(),
        rate if rate < 9.95 => format!("{rate:.1}"),
        rate => count(rate.round() as u64),
    }
}

/// Formats a fraction from 0 to 1 in percent.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 9.95 && percent.fract() > 0.05 && percent.fract() < 0.95 => {
            format!("{percent:.1} %")
        }
        percent => format!("{percent:.0} %"),
    }
}

/// Formats a time as `2026-01-31 12:00:00.000` in UTC.
pub(super) fn moment(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    let text = text.trim_end_matches('Z').replacen('T', " ", 1);
    match text.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{fraction:0<3}"),
        None => format!("{text}.000"),
    }
}

/// Formats a duration with its two largest units.
pub(super) fn duration(millis: i64) -> String {
    let seconds = millis / 1000;
    match seconds {
        ..=0 => format!("{millis} ms"),
        1..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Formats a number and the noun after it. The noun gets an `s` unless the number is 1.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_scaled() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(10 << 20), "10 MiB");
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(0.25), "0.2");
        assert_eq!(rate(12_345.6), "12,346");
        assert_eq!(percent(0.01), "1 %");
        assert_eq!(percent(0.0123), "1.2 %");
        assert_eq!(percent(0.125), "12 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(plural(1, "record"), "1 record");
        assert_eq!(plural(2, "record"), "2 records");
    }

    #[test]
    fn times_are_readable() {
        let time = Timestamp::from_millis(1_700_000_000_050);
        assert_eq!(moment(time), "2023-11-14 22:13:20.050");
        assert_eq!(
            moment(Timestamp::from_millis(1_700_000_000_000)),
            "2023-11-14 22:13:20.000"
        );
        assert_eq!(duration(0), "0 ms");
        assert_eq!(duration(1_500), "1.5 s");
        assert_eq!(duration(3_600_000 * 25), "1 d 1 h");
    }
}

//! Dates and times in JSON strings, in the format of RFC 3339.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// The Julian day number of 1970-01-01, from which Iceberg counts the days of a date.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;

/// Parses a date-time. Returns microseconds since 1970, rounded down.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos().div_euclid(1000)).ok()
}

/// Parses a date. Returns days since 1970.
pub(super) fn date(text: &str) -> Option<i32> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.to_julian_day() - EPOCH_JULIAN_DAY)
}

/// Parses a time of day. Returns microseconds since midnight. A time with an offset is converted to
/// UTC. The conversion is a choice, because Iceberg's times have no offset.
pub(super) fn time_of_day(text: &str) -> Option<i64> {
    let moment = format!("1970-01-02T{text}");
    let micros = timestamp(&moment).or_else(|| timestamp(&format!("{moment}Z")))?;
    Some(micros.rem_euclid(MICROS_PER_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_1970() {
        assert_eq!(timestamp("1970-01-01T00:00:01.000001Z"), Some(1_000_001));
        assert_eq!(timestamp("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(timestamp("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(timestamp("2026-02-30T00:00:00Z"), None);
        assert_eq!(timestamp("2026-01-01T00:00:00"), None);
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(date("2026-13-01"), None);
        assert_eq!(time_of_day("00:00:01.5"), Some(1_500_000));
        assert_eq!(
            time_of_day("00:30:00+01:00"),
            Some(23 * 3_600_000_000 + 1_800_000_000)
        );
        assert_eq!(time_of_day("24:00:00"), None);
    }
}

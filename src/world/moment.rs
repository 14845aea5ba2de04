//! Parsing and formatting of times as text.

use super::timestamp::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The smallest number that is read as milliseconds since 1970. A smaller number is read as seconds
/// since 1970. Taken as seconds, the constant would be a time after the year 5000.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

impl Timestamp {
    /// Parses a time. `text` is a time in RFC 3339 with an offset, a number of seconds since 1970,
    /// or a number of milliseconds since 1970. In RFC 3339, a space may replace the `T`. Returns
    /// `None` for any other text, and for a negative number.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse::<i64>() {
            Ok(number) if number < 0 => None,
            Ok(number) if number < FIRST_MILLISECONDS => Some(Self::from_millis(number * 1000)),
            Ok(number) => Some(Self::from_millis(number)),
            Err(_) => rfc3339(text),
        }
    }

    /// Formats the time as a text in RFC 3339, in UTC and with milliseconds.
    pub fn to_rfc3339(self) -> String {
        let nanos = i128::from(self.millis()) * 1_000_000;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
        let text = moment.and_then(|moment| moment.format(&Rfc3339).ok());
        text.unwrap_or_else(|| self.seconds().to_string())
    }
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let moment = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    let seconds = moment.unix_timestamp();
    Some(Timestamp::from_millis(
        seconds * 1000 + i64::from(moment.millisecond()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_again() {
        for text in ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00.5Z"] {
            let moment = Timestamp::parse(text).unwrap();
            assert_eq!(moment.to_rfc3339(), text);
        }
        assert_eq!(Timestamp::parse("tomorrow"), None);
    }
}

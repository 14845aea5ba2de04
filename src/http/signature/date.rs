//! The date of a signature, and the check of the signature's age.

use crate::error::Error;
use crate::limits::SIGNATURE_LIFE_S;
use crate::world::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// Format of the header `X-Amz-Date`, such as `20180920T175004Z`.
const BASIC: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
/// Number of characters of a date in the format `BASIC`. The parser alone would also accept a year
/// with a sign or with more digits.
const BASIC_LENGTH: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignatureDate {
    /// The date in the format of `X-Amz-Date`. The string to sign contains this text.
    pub(super) text: String,
    seconds: i64,
}

impl SignatureDate {
    /// Parses a date in the format of the header `X-Amz-Date`. If `in_date_header` is true, the
    /// date may also have the format of the header `Date` (RFC 2822).
    pub(super) fn parse(text: &str, in_date_header: bool) -> Option<Self> {
        if text.len() == BASIC_LENGTH
            && let Ok(date) = PrimitiveDateTime::parse(text, BASIC)
        {
            return Some(Self {
                text: text.to_owned(),
                seconds: date.assume_utc().unix_timestamp(),
            });
        }
        let date = OffsetDateTime::parse(text, &Rfc2822).ok();
        let date = date.filter(|_| in_date_header)?.to_offset(UtcOffset::UTC);
        Some(Self::at(date.unix_timestamp()))
    }

    fn at(seconds: i64) -> Self {
        let date = OffsetDateTime::from_unix_timestamp(seconds);
        let text = date.ok().and_then(|date| date.format(BASIC).ok());
        Self {
            text: text.unwrap_or_default(),
            seconds,
        }
    }

    /// The day of the date, in the form `20180920`.
    pub(super) fn day(&self) -> &str {
        self.text.split('T').next().unwrap_or_default()
    }

    /// Refuses a signature whose date is too long before or after `now`. `expires_s` is the
    /// lifetime of a presigned request in seconds. It can shorten the accepted age, but cannot
    /// extend it, because the service always applies the same maximum.
    pub(super) fn check_age(&self, now: Timestamp, expires_s: Option<i64>) -> Result<(), Error> {
        let now_s = now.seconds();
        let life_s = expires_s.map_or(SIGNATURE_LIFE_S, |said| said.clamp(0, SIGNATURE_LIFE_S));
        let (first, last) = (now_s - life_s, now_s + SIGNATURE_LIFE_S);
        let now = Self::at(now_s).text;
        if self.seconds < first {
            let first = Self::at(first).text;
            return Err(Error::signature_expired(
                &self.text,
                &first,
                &now,
                &in_minutes(life_s),
            ));
        }
        if self.seconds > last {
            let last = Self::at(last).text;
            let life = in_minutes(SIGNATURE_LIFE_S);
            return Err(Error::signature_not_yet_current(
                &self.text, &last, &now, &life,
            ));
        }
        Ok(())
    }
}

/// A duration in the form `5 min.`, or `90 sec.` if it is not a whole number of minutes.
fn in_minutes(seconds: i64) -> String {
    if seconds % 60 == 0 {
        format!("{} min.", seconds / 60)
    } else {
        format!("{seconds} sec.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2018-09-20T17:50:04.999Z, in milliseconds since 1970.
    const NOW: Timestamp = Timestamp::from_millis(1_537_465_804_999);

    fn age(text: &str, expires_s: Option<i64>) -> Result<(), String> {
        let moment = SignatureDate::parse(text, false).unwrap();
        let checked = moment.check_age(NOW, expires_s);
        checked.map_err(|error| error.message.unwrap().into_owned())
    }

    #[test]
    fn five_minutes_are_tolerated_both_ways() {
        for text in ["20180920T174504Z", "20180920T175004Z", "20180920T175504Z"] {
            assert_eq!(age(text, None), Ok(()), "{text}");
        }
        assert_eq!(
            age("20180920T174101Z", None).unwrap_err(),
            "Signature expired: 20180920T174101Z is now earlier than 20180920T174504Z \
             (20180920T175004Z - 5 min.)"
        );
        assert!(age("20180920T174503Z", None).is_err());
        assert_eq!(
            age("20180920T175505Z", None).unwrap_err(),
            "Signature not yet current: 20180920T175505Z is still later than 20180920T175504Z \
             (20180920T175004Z + 5 min.)"
        );
    }

    #[test]
    fn a_query_may_expire_sooner_and_not_later() {
        assert_eq!(age("20180920T174954Z", Some(10)), Ok(()));
        let refused = age("20180920T174953Z", Some(10)).unwrap_err();
        assert!(
            refused.ends_with("(20180920T175004Z - 10 sec.)"),
            "{refused}"
        );
        assert!(age("20180920T174504Z", Some(3600)).is_ok());
        assert!(age("20180920T174503Z", Some(3600)).is_err());
        assert!(age("20180920T175003Z", Some(-1)).is_err());
    }

    #[test]
    fn the_date_header_has_a_format_of_its_own() {
        let text = "Thu, 20 Sep 2018 17:50:04 GMT";
        let moment = SignatureDate::parse(text, true).unwrap();
        assert_eq!(
            moment,
            SignatureDate::parse("20180920T175004Z", true).unwrap()
        );
        assert_eq!(moment.day(), "20180920");
        for text in [
            text,
            "",
            "20180920",
            "20180920T175004",
            "20180920T175004z",
            "2018-09-20T17:50:04Z",
            "20181320T175004Z",
            "20180920T176004Z",
            "+0180920T175004Z",
            "20180920t175004Z",
        ] {
            assert_eq!(SignatureDate::parse(text, false), None, "{text}");
        }
    }
}

//! Tumbling windows: intervals of arrival time of equal length, without gaps or overlaps.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A tumbling window. Its start and its length are whole numbers of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The start in seconds since 1970, a multiple of the length.
    pub start_s: i64,
    /// The length of the window in seconds.
    pub length_s: u32,
}

/// The two flags in an event that describe the state of a tumbling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowFlags {
    /// `isFinalInvokeForWindow`: true for the last invocation of the window. The event of this
    /// invocation contains no records.
    pub is_final: bool,
    /// `isWindowTerminatedEarly`: true when the window was closed before its end time.
    pub is_early: bool,
}

impl Window {
    /// The window that contains `arrival_ms`, the arrival time of a record in milliseconds since
    /// 1970. Windows are `length_s` seconds long.
    pub const fn of(arrival_ms: i64, length_s: u32) -> Self {
        let second = arrival_ms.div_euclid(1000);
        Self {
            start_s: second - second.rem_euclid(length_s as i64),
            length_s,
        }
    }

    /// The end of the window in milliseconds since 1970. The window does not include this moment.
    pub const fn end_ms(&self) -> i64 {
        (self.start_s + self.length_s as i64) * 1000
    }

    /// True if `arrival_ms`, the arrival time of a record in milliseconds since 1970, belongs to a
    /// later window.
    pub const fn is_before(&self, arrival_ms: i64) -> bool {
        arrival_ms >= self.end_ms()
    }

    /// Returns the start and the end of the window as events show these times: in the format of RFC
    /// 3339, in whole seconds, with `Z`.
    pub fn bounds(&self) -> [String; 2] {
        [self.start_s, self.start_s + i64::from(self.length_s)].map(|second| {
            let moment = OffsetDateTime::from_unix_timestamp(second);
            let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
            moment.format(&Rfc3339).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_moment_is_in_one_window(
            ms in 0_i64..10_000_000_000_000, length in 1_u32..=900,
        ) {
            let window = Window::of(ms, length);
            prop_assert!(window.start_s * 1000 <= ms && ms < window.end_ms());
            prop_assert_eq!(window.start_s.rem_euclid(i64::from(length)), 0);
            prop_assert!(!window.is_before(ms) && window.is_before(window.end_ms()));
            prop_assert_eq!(Window::of(window.end_ms(), length).start_s * 1000, window.end_ms());
        }
    }

    #[test]
    fn bounds_are_whole_seconds() {
        let window = Window::of(1_789_654_275_123, 10);
        assert_eq!(
            window.bounds(),
            ["2026-09-17T14:11:10Z", "2026-09-17T14:11:20Z"]
        );
    }
}

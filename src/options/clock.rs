//! The option `--clock`.

use crate::limits::LAST_MOMENT_MS;
use crate::world::Timestamp;
use std::str::FromStr;

/// The value of the option `--clock`: the kind of clock that the emulator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChoice {
    /// The clock of the machine.
    System,
    /// A virtual clock, which advances only on request.
    Virtual {
        /// The time that the clock shows at the start. None: the machine's time.
        start: Option<Timestamp>,
    },
}

impl FromStr for ClockChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("virtual=")) {
            ("system", _) => Ok(Self::System),
            ("virtual", _) => Ok(Self::Virtual { start: None }),
            (_, Some(time)) => {
                let start = Timestamp::parse(time).ok_or(
                    "the time is written as 2026-01-31T12:00:00Z, or as seconds or milliseconds \
                     since 1970",
                )?;
                if !(0..=LAST_MOMENT_MS).contains(&start.millis()) {
                    return Err("the clock begins with 1970 and ends where 2400 begins".to_owned());
                }
                Ok(Self::Virtual { start: Some(start) })
            }
            _ => Err("choose system, virtual or virtual=TIME".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_three_ways() {
        for text in [
            "1767225600",
            "1767225600000",
            "2026-01-01T00:00:00Z",
            "2026-01-01 01:00:00+01:00",
        ] {
            let start = Some(Timestamp::from_millis(1_767_225_600_000));
            assert_eq!(
                format!("virtual={text}").parse(),
                Ok(ClockChoice::Virtual { start })
            );
        }
        assert_eq!("system".parse(), Ok(ClockChoice::System));
        assert_eq!("virtual".parse(), Ok(ClockChoice::Virtual { start: None }));
        for text in [
            "virtual=",
            "virtual=2026-01-01",
            "virtual=2026-01-01T00:00:00",
            "virtual=-1",
            "virtual=1969-12-31T23:59:59Z",
            "virtual=2400-01-01T00:00:01Z",
            "virtual=9223372036854775807",
            "wall",
        ] {
            assert!(text.parse::<ClockChoice>().is_err(), "{text}");
        }
        let half = "virtual=1970-01-01T00:00:00.5Z".parse();
        assert_eq!(
            half,
            Ok(ClockChoice::Virtual {
                start: Some(Timestamp::from_millis(500))
            })
        );
    }
}

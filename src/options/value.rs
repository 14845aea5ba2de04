//! The values of options and how they are written.

use crate::limits::{LAST_MOMENT_MS, Profile};
use crate::model::KeyState;
use crate::world::Timestamp;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// Numbers from here on are milliseconds: as seconds they would lie beyond the year 5000.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk.
    Always,
    /// At once; it is on disk `ms` milliseconds later.
    Interval {
        /// Time between two commits.
        ms: u64,
    },
    /// At once; it is on disk some time later.
    None,
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "always" => return Ok(Self::Always),
            "none" => return Ok(Self::None),
            _ => {}
        }
        match text.strip_prefix("interval=").map(str::parse) {
            Some(Ok(ms)) if ms > 0 => Ok(Self::Interval { ms }),
            Some(_) => Err("the interval is a number of milliseconds from 1 on".to_owned()),
            None => Err("choose always, interval=MS or none".to_owned()),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => formatter.write_str("always"),
            Self::Interval { ms } => write!(formatter, "interval={ms}"),
            Self::None => formatter.write_str("none"),
        }
    }
}

/// What of a signature is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// Whether it is there and complete.
    Structure,
    /// Whether it is by somebody who may come in.
    Verify,
    /// Nothing.
    Off,
}

impl FromStr for Authentication {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "structure" => Ok(Self::Structure),
            "verify" => Ok(Self::Verify),
            "off" => Ok(Self::Off),
            _ => Err("choose structure, verify or off".to_owned()),
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("choose on or off".to_owned()),
        }
    }
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    /// Its id, alias or ARN, as requests name it.
    pub id: String,
    /// Why it cannot be used.
    pub state: KeyState,
}

impl FromStr for KeySetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, state) = text
            .rsplit_once('=')
            .ok_or("a key is written as ID=STATE")?;
        let state = KeyState::parse(state).ok_or_else(|| {
            let names = KeyState::ALL.map(|(name, _)| name);
            format!("choose {}", names.join(", "))
        })?;
        Ok(Self {
            id: id.to_owned(),
            state,
        })
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("choose text or json".to_owned()),
        }
    }
}

/// Who moves time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChoice {
    /// The machine.
    System,
    /// Whoever asks for it, from `start` on or, without one, from the machine's time on.
    Virtual {
        /// What the clock says first.
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
                let start = moment(time).ok_or(
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

fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => None,
        Ok(number) if number < FIRST_MILLISECONDS => Some(Timestamp::from_millis(number * 1000)),
        Ok(number) => Some(Timestamp::from_millis(number)),
        Err(_) => rfc3339(text),
    }
}

/// TOML's date-times are those of RFC 3339, with parts that may be missing; here none may.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let parsed: toml::value::Datetime = text.parse().ok()?;
    let (date, time, offset) = (parsed.date?, parsed.time?, parsed.offset?);
    let offset_minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let month = time::Month::try_from(date.month).ok()?;
    let day = time::Date::from_calendar_date(i32::from(date.year), month, date.day).ok()?;
    let second = time.second.unwrap_or_default();
    let seconds = day
        .with_hms(time.hour, time.minute, second)
        .ok()?
        .assume_utc()
        .unix_timestamp();
    let ms = i64::from(time.nanosecond.unwrap_or_default()) / 1_000_000;
    Some(Timestamp::from_millis(
        (seconds - offset_minutes * 60) * 1000 + ms,
    ))
}

/// The addresses that one word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(pub Vec<IpAddr>);

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "localhost" {
            return Ok(Self(vec![
                Ipv4Addr::LOCALHOST.into(),
                Ipv6Addr::LOCALHOST.into(),
            ]));
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        let host = bare.parse().map_err(
            |_| "names are not looked up: write an IP address, 0.0.0.0 or :: for all, or localhost",
        )?;
        Ok(Self(vec![host]))
    }
}

/// The addresses and ports that one word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub Vec<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').ok_or("write ADDRESS:PORT")?;
        let port = port
            .parse()
            .map_err(|_| "the port is a number from 0 to 65535")?;
        if host.contains(':') && !host.starts_with('[') {
            return Err("write an IPv6 address in brackets: [::1]:4567".to_owned());
        }
        let hosts = host.parse::<Hosts>()?.0;
        Ok(Self(
            hosts
                .into_iter()
                .map(|host| SocketAddr::new(host, port))
                .collect(),
        ))
    }
}

/// One limit set alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSetting {
    /// Which limit.
    pub name: String,
    /// Its value, as written.
    pub value: String,
}

impl FromStr for LimitSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        Ok(Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

/// A number of bytes, such as `1048576`, `512KiB` or `2GiB`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("the units are KiB, MiB and GiB".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write a number, such as 64MiB")?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "that is more than any machine has".to_owned())
}

pub(super) fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "standard" => Ok(Profile::Standard),
        "fast" => Ok(Profile::Fast),
        "strict" => Ok(Profile::Strict),
        _ => Err("choose standard, fast or strict".to_owned()),
    }
}

pub(super) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account is 12 digits".to_owned())
}

pub(super) fn region(text: &str) -> Result<String, String> {
    // It becomes a part of ARNs, whose parts are told apart by colons.
    if text.is_empty() || text.contains(|letter: char| letter == ':' || letter.is_whitespace()) {
        return Err("a region has at least one letter, no spaces and no colons".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn tls_name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a certificate holds host names and IP addresses".to_owned())
}

/// Longer ones are no host names.
const MAX_NAME_LENGTH: usize = 253;

/// Whether a certificate can hold `name`.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_*:".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME_LENGTH && name.bytes().all(fits)
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::builder()
        .parse(text)
        .map_err(|error| error.to_string())?;
    Ok(text.to_owned())
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

    #[test]
    fn bytes_have_binary_units() {
        for (text, number) in [
            ("5", 5),
            ("5KiB", 5 << 10),
            ("64MiB", 64 << 20),
            ("2 GiB", 2 << 30),
        ] {
            assert_eq!(bytes(text), Ok(number));
        }
        for text in ["", "MiB", "5MB", "-1", "1.5GiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_parsed_and_never_looked_up() {
        let listen = |text: &str| text.parse::<Listen>().map(|listen| listen.0.len());
        assert_eq!(listen("0.0.0.0:1"), Ok(1));
        assert_eq!(listen("[::]:1"), Ok(1));
        assert_eq!(listen("localhost:1"), Ok(2));
        for text in ["::1:1", "kinesis:1", "127.0.0.1", "127.0.0.1:70000"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_reads_as_it_is_written() {
        for text in ["always", "none", "interval=5"] {
            assert_eq!(
                text.parse::<Durability>().map(|policy| policy.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["interval=0", "interval=x", "sometimes"] {
            assert!(text.parse::<Durability>().is_err(), "{text}");
        }
    }
}

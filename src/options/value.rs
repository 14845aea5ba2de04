//! The types of options' values, and the functions that parse these values from text.

#[cfg(feature = "cli")]
use crate::limits::Profile;
use crate::model::KeyState;
pub use crate::store::Durability;
use std::fmt;
use std::str::FromStr;
#[cfg(feature = "cli")]
use tracing_subscriber::filter::Targets;

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

/// The value of the option `--auth`: the check of the signatures of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// The signature must be present and complete, but its value is not verified.
    Structure,
    /// The signature must be made with one of the credentials of `--credential`.
    Verify,
    /// The signature may be missing, and is not checked.
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

/// The value of an option that is switched `on` or `off`.
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

/// The value of the option `--kms-key`: a KMS key, and the state that makes requests with this key
/// fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    /// The id, alias or ARN by which requests name the key.
    pub id: String,
    /// The state of the key, which determines the error of an operation that uses the key.
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

/// The value of the option `--log-format`: the format of log lines.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Log lines are text for people.
    Text,
    /// Log lines are JSON objects.
    Json,
}

#[cfg(feature = "cli")]
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

/// The value of the option `--limit`: the name and the value of one limit, written as `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSetting {
    /// Name of the limit.
    pub name: String,
    /// Value of the limit, as the option gives it.
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

#[cfg(feature = "cli")]
/// Parses a number of bytes, such as `1048576`, `512KiB` or `2GiB`. Returns an error message for
/// any other text.
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
        .ok_or_else(|| "the number is too large".to_owned())
}

#[cfg(feature = "cli")]
pub(super) fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "standard" => Ok(Profile::Standard),
        "fast" => Ok(Profile::Fast),
        "strict" => Ok(Profile::Strict),
        _ => Err("choose standard, fast or strict".to_owned()),
    }
}

#[cfg(feature = "cli")]
pub(super) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account is 12 digits".to_owned())
}

/// True if `text` can be the name of a region.
pub(crate) fn is_region(text: &str) -> bool {
    region(text).is_ok()
}

pub(super) fn region(text: &str) -> Result<String, String> {
    // A region's name becomes a part of ARNs, so it must not contain a colon: colons separate the
    // parts of an ARN.
    if text.is_empty() || text.contains(|letter: char| letter == ':' || letter.is_whitespace()) {
        return Err("a region has at least one letter, no spaces and no colons".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(feature = "cli")]
pub(super) fn tls_name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a certificate holds host names and IP addresses".to_owned())
}

/// Maximum number of bytes in a host name (RFC 1035).
#[cfg(any(feature = "cli", feature = "tls"))]
const MAX_NAME_LENGTH: usize = 253;

/// True if `name` is a host name or IP address that a certificate can contain.
#[cfg(any(feature = "cli", feature = "tls"))]
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_*:".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME_LENGTH && name.bytes().all(fits)
}

#[cfg(feature = "cli")]
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    text.parse::<Targets>().map_err(|error| error.to_string())?;
    let has_target = |directive: &str| !directive.trim_start().starts_with('=');
    if !text.split(',').all(has_target) {
        return Err("a target is missing before =".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "cli")]
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
    fn a_durability_is_written_as_it_is_read() {
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

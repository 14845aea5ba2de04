//! Key templates: texts with variables. A template determines the keys of the objects that a
//! channel delivers.

use crate::world::Timestamp;
use std::fmt;
use time::OffsetDateTime;

/// Greatest length of an object's key, in bytes. The source is the user guide of AWS S3.
const KEY_BYTES: usize = 1024;
/// Greatest length of one part of a key, in bytes. Slashes separate the parts. An object can also
/// be written as a file, and common file systems limit the name of a file to this length.
const NAME_BYTES: usize = 255;
/// The longest value of each variable except the channel's name. A template produces its longest
/// key with these values. `KeyTemplate::parse` checks the length of this key.
const SAMPLE: KeyValues<'static> = KeyValues {
    channel_name: "",
    channel_id: "00000000000000000",
    first_arrival: Timestamp::from_millis(0),
    first_number: "00000000000000000000000000000000000000000000000000000000",
    suffix: "-000000-0000000000000000",
    extension: ".json.zst",
};

/// A template of object keys. It consists of text and of variables such as `!{channel-name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// A variable of a key template. Year, month, day, hour and minute are taken from the arrival time
/// of the object's first record, in UTC. Taking this record's time is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    ChannelName,
    ChannelId,
    /// The year with four digits.
    Year,
    /// The last two digits of the year.
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    /// The sequence number of the object's first record.
    SequenceNumber,
    Extension,
}

impl Variable {
    /// All variables with their names. The source of the names is the AWS developer guide, except
    /// for `YY` and `sequence-number`, which are names of Amazon MSK's channels.
    const ALL: [(Self, &'static str); 10] = [
        (Self::ChannelName, "channel-name"),
        (Self::ChannelId, "channel-id"),
        (Self::Year, "yyyy"),
        (Self::ShortYear, "YY"),
        (Self::Month, "MM"),
        (Self::Day, "dd"),
        (Self::Hour, "HH"),
        (Self::Minute, "mm"),
        (Self::SequenceNumber, "sequence-number"),
        (Self::Extension, "extension"),
    ];

    fn parse(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|(_, known)| *known == name);
        known.map(|(variable, _)| variable)
    }

    fn write(self, values: &KeyValues<'_>, time: OffsetDateTime, key: &mut String) {
        use fmt::Write as _;
        let _infallible = match self {
            Self::ChannelName => key.write_str(values.channel_name),
            Self::ChannelId => key.write_str(values.channel_id),
            Self::Year => write!(key, "{:04}", time.year()),
            Self::ShortYear => write!(key, "{:02}", time.year().rem_euclid(100)),
            Self::Month => write!(key, "{:02}", u8::from(time.month())),
            Self::Day => write!(key, "{:02}", time.day()),
            Self::Hour => write!(key, "{:02}", time.hour()),
            Self::Minute => write!(key, "{:02}", time.minute()),
            Self::SequenceNumber => key.write_str(values.first_number),
            Self::Extension => key.write_str(values.extension),
        };
    }
}

/// The values of a template's variables for one object.
#[derive(Debug, Clone, Copy)]
pub struct KeyValues<'a> {
    /// Name of the channel.
    pub channel_name: &'a str,
    /// Id of the channel.
    pub channel_id: &'a str,
    /// Arrival time of the object's first record.
    pub first_arrival: Timestamp,
    /// Sequence number of the object's first record.
    pub first_number: &'a str,
    /// Text that makes the key unique. Every key contains this text, although no variable stands
    /// for it.
    pub suffix: &'a str,
    /// Extension of the object's name, including the dot.
    pub extension: &'a str,
}

/// The reason why a key template or a key prefix is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The text contains `..`.
    TwoDots,
    /// The text contains `./`.
    DotSlash,
    /// The text begins with a slash.
    LeadingSlash,
    /// The text ends with a slash.
    TrailingSlash,
    /// The text contains an unmatched brace, or a brace that does not belong to a variable.
    Braces,
    /// The text contains a variable that does not exist. Holds the variable's name.
    UnknownVariable(String),
    /// The template or the prefix can produce a key that is too long.
    TooLong,
    /// With the channel's name filled in, a part of the key between two slashes is `.` or `..`.
    DotName,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoDots => formatter.write_str("must not contain '..'"),
            Self::DotSlash => formatter.write_str("must not contain './'"),
            Self::LeadingSlash => formatter.write_str("must not begin with '/'"),
            Self::TrailingSlash => formatter.write_str("must not end with '/'"),
            Self::Braces => formatter.write_str("must have braces only around variables: !{name}"),
            Self::UnknownVariable(name) => write!(formatter, "has no variable !{{{name}}}"),
            Self::TooLong => write!(
                formatter,
                "must give keys of at most {KEY_BYTES} bytes, with at most {NAME_BYTES} bytes \
                 between two slashes"
            ),
            Self::DotName => {
                formatter.write_str("must not give a key with the name '.' or '..' in it")
            }
        }
    }
}

impl KeyTemplate {
    /// Parses the key template of a channel called `channel_name`. The rules are those of Amazon
    /// MSK's channels, which is a choice. The limits on lengths come from S3 and from file systems.
    ///
    /// # Errors
    /// The first rule that the template violates.
    pub fn parse(text: &str, channel_name: &str) -> Result<Self, KeyFault> {
        check_path(text)?;
        if text.ends_with('/') {
            return Err(KeyFault::TrailingSlash);
        }
        let template = Self(parts(text)?);
        let longest = template.key(&KeyValues {
            channel_name,
            ..SAMPLE
        });
        check_key(&longest)?;
        Ok(template)
    }

    /// Returns the key of an object whose variables have the given values. The text `values.suffix`
    /// stands at the end of the key. If the template ends with the extension, the suffix stands
    /// before the extension instead. This position is a choice.
    pub fn key(&self, values: &KeyValues<'_>) -> String {
        let time = utc(values.first_arrival);
        let mut key = String::new();
        for (at, part) in self.0.iter().enumerate() {
            let is_last = at + 1 == self.0.len();
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Variable(Variable::Extension) if is_last => {
                    key.push_str(values.suffix);
                    key.push_str(values.extension);
                    return key;
                }
                Part::Variable(variable) => variable.write(values, time, &mut key),
            }
        }
        key.push_str(values.suffix);
        key
    }
}

/// Checks `prefix`, the text with which the keys of a channel's dead-letter objects begin.
///
/// # Errors
/// The first rule that the prefix violates.
pub fn check_prefix(prefix: &str) -> Result<(), KeyFault> {
    check_path(prefix)?;
    // The sample text after the prefix stands for the hour and the name of a real key.
    check_key(&format!("{prefix}0000/00/00/00/name"))
}

/// Converts a time to a date and time of day in UTC. A time outside of the range of
/// `OffsetDateTime` becomes the start of 1970.
pub(super) fn utc(at: Timestamp) -> OffsetDateTime {
    let nanoseconds = i128::from(at.millis()) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    time.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn check_path(text: &str) -> Result<(), KeyFault> {
    if text.contains("..") {
        return Err(KeyFault::TwoDots);
    }
    if text.contains("./") {
        return Err(KeyFault::DotSlash);
    }
    if text.starts_with('/') {
        return Err(KeyFault::LeadingSlash);
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), KeyFault> {
    let mut names = key.split('/');
    if key.len() > KEY_BYTES || names.clone().any(|name| name.len() > NAME_BYTES) {
        return Err(KeyFault::TooLong);
    }
    match names.any(|name| matches!(name, "." | "..")) {
        true => Err(KeyFault::DotName),
        false => Ok(()),
    }
}

fn parts(text: &str) -> Result<Vec<Part>, KeyFault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("!{") {
        push_text(&mut parts, before)?;
        let (name, after) = after.split_once('}').ok_or(KeyFault::Braces)?;
        let variable = Variable::parse(name).ok_or_else(|| match name.contains('{') {
            true => KeyFault::Braces,
            false => KeyFault::UnknownVariable(name.to_owned()),
        })?;
        parts.push(Part::Variable(variable));
        rest = after;
    }
    push_text(&mut parts, rest)?;
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), KeyFault> {
    if text.contains(['{', '}']) {
        return Err(KeyFault::Braces);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::settings::DEFAULT_KEY_TEMPLATE;
    use super::*;
    use proptest::prelude::*;

    const VALUES: KeyValues<'static> = KeyValues {
        channel_name: "orders",
        channel_id: "a0123456789012345",
        // 2026-09-19T09:10:45.948Z
        first_arrival: Timestamp::from_millis(1_789_809_045_948),
        first_number: "4967",
        suffix: "-000001-ab",
        extension: ".json.gz",
    };

    fn key(template: &str) -> String {
        KeyTemplate::parse(template, "orders").unwrap().key(&VALUES)
    }

    fn fault(template: &str) -> KeyFault {
        KeyTemplate::parse(template, "orders").unwrap_err()
    }

    #[test]
    fn the_default_template_gives_a_key_of_the_hour() {
        assert_eq!(
            key(DEFAULT_KEY_TEMPLATE),
            "kinesis-channel/orders/a0123456789012345/2026/09/19/09/\
             orders-a0123456789012345-2026-09-19-09-10-000001-ab.json.gz"
        );
    }

    #[test]
    fn the_suffix_stands_before_the_last_extension_or_at_the_end() {
        assert_eq!(key("x!{extension}"), "x-000001-ab.json.gz");
        assert_eq!(key("x!{extension}/y"), "x.json.gz/y-000001-ab");
        assert_eq!(key("year=!{yyyy}"), "year=2026-000001-ab");
        assert_eq!(key("!{YY}!{sequence-number}!"), "264967!-000001-ab");
    }

    #[test]
    fn a_violated_rule_is_named() {
        let unknown = |name: &str| KeyFault::UnknownVariable(name.to_owned());
        let faults = [
            ("a..b", KeyFault::TwoDots),
            ("a./b", KeyFault::DotSlash),
            ("/a", KeyFault::LeadingSlash),
            ("a/", KeyFault::TrailingSlash),
            ("a!{yyyy", KeyFault::Braces),
            ("a{yyyy}", KeyFault::Braces),
            ("!{yyyy}}", KeyFault::Braces),
            ("!{y!{MM}}", KeyFault::Braces),
            ("!{}", unknown("")),
            ("!{YYYY}", unknown("YYYY")),
            ("!{timestamp:yyyy}", unknown("timestamp:yyyy")),
        ];
        for (template, expected) in faults {
            assert_eq!(fault(template), expected, "{template}");
        }
        assert_eq!(fault(&"a/".repeat(509).replace('/', "")), KeyFault::TooLong);
        assert_eq!(fault(&"!{channel-id}/x".repeat(70)), KeyFault::TooLong);
    }

    #[test]
    fn a_channel_name_makes_no_relative_path() {
        for name in [".", ".."] {
            let fault = KeyTemplate::parse(DEFAULT_KEY_TEMPLATE, name);
            assert_eq!(fault, Err(KeyFault::DotName));
            assert!(KeyTemplate::parse("x-!{channel-name}", name).is_ok());
        }
        let long = "n".repeat(128);
        assert!(KeyTemplate::parse(DEFAULT_KEY_TEMPLATE, &long).is_ok());
        assert_eq!(
            KeyTemplate::parse("!{channel-name}!{channel-name}", &long),
            Err(KeyFault::TooLong)
        );
    }

    #[test]
    fn a_prefix_has_the_rules_of_a_path() {
        assert_eq!(check_prefix("errors/"), Ok(()));
        assert_eq!(check_prefix("errors-"), Ok(()));
        assert_eq!(check_prefix("/errors"), Err(KeyFault::LeadingSlash));
        assert_eq!(check_prefix("a/../b"), Err(KeyFault::TwoDots));
        assert_eq!(check_prefix(&"a".repeat(300)), Err(KeyFault::TooLong));
    }

    proptest! {
        #[test]
        fn a_valid_template_gives_a_key_without_variables(
            template in r"[0-9A-Za-z!\-_'.*()/=:{}]{1,40}",
        ) {
            if let Ok(parsed) = KeyTemplate::parse(&template, "orders") {
                let key = parsed.key(&VALUES);
                let has_variable = key.contains("!{");
                prop_assert!(!has_variable && key.contains(VALUES.suffix));
                prop_assert!(key.len() <= KEY_BYTES && !key.starts_with('/'));
                prop_assert!(key.split('/').all(|name| name != "." && name != ".."));
            }
        }

        #[test]
        fn the_suffix_tells_the_keys_of_one_template_apart(
            template in r"([0-9A-Za-z\-_/]|!\{extension\}|!\{yyyy\}){1,10}",
        ) {
            if let Ok(parsed) = KeyTemplate::parse(&template, "orders") {
                let other = KeyValues { suffix: "-000001-ac", ..VALUES };
                prop_assert_ne!(parsed.key(&VALUES), parsed.key(&other));
            }
        }
    }
}

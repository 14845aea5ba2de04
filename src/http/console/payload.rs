//! Shows the data of a record as JSON, as text, as the user records of an aggregated record, or in
//! hexadecimal digits.
//!
//! Data can contain anything, so it is escaped and cut to a maximum length. A character that cannot
//! be seen or that changes the direction of text is replaced by its code point.

use super::characters::visible;
use super::json_tree;
use super::numbers;
use crate::limits;
use crate::model::{Aggregate, HashKeyRange, UserRecord};
use maud::{Markup, html};
use serde_json::Value;
use std::fmt::Write as _;

/// Maximum number of characters in a preview.
const PREVIEW: usize = 160;
/// Number of bytes that one line of hexadecimal digits shows.
const HEX_LINE: usize = 16;

/// The data of a record after an attempt to decode it.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    Json(Value),
    Text(&'a str),
    Aggregated(Vec<UserRecord<'a>>),
    Binary,
}

impl<'a> Payload<'a> {
    /// Decodes the data of a record as user records, JSON or text. Data in none of these forms
    /// stays bytes.
    pub(super) fn of(data: &'a [u8]) -> Self {
        if let Aggregate::Records(records) = Aggregate::of(data, &HashKeyRange::ALL) {
            return Self::Aggregated(records);
        }
        let Ok(text) = str::from_utf8(data) else {
            return Self::Binary;
        };
        let is_document = text.trim_start().starts_with(['{', '[']);
        match is_document.then(|| serde_json::from_str(text)) {
            Some(Ok(value)) => Self::Json(value),
            _ if is_readable(text) => Self::Text(text),
            _ => Self::Binary,
        }
    }

    /// The name of the data's form, for the pages.
    pub(super) const fn form(&self) -> &'static str {
        match self {
            Self::Json(_) => "JSON",
            Self::Text(_) => "text",
            Self::Aggregated(_) => "KPL",
            Self::Binary => "binary",
        }
    }
}

/// The first `most` bytes of `data`, without an incomplete UTF-8 character at the end.
pub(super) fn first(data: &[u8], most: usize) -> &[u8] {
    if data.len() <= most {
        return data;
    }
    let cut = &data[..most];
    match str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => &cut[..error.valid_up_to()],
        _ => cut,
    }
}

/// True if the text has no control characters other than white space.
fn is_readable(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| letter.is_control() && !letter.is_whitespace())
}

/// The beginning of a record's data, on one line.
pub(super) fn preview(data: &[u8]) -> String {
    let start = first(data, limits::CONSOLE_ROW_BYTES);
    let line = match Payload::of(start) {
        Payload::Aggregated(records) => {
            let first = records.first().map(|record| preview(record.data));
            let count = numbers::plural(records.len() as u64, "user record");
            format!("{count}: {}", first.unwrap_or_default())
        }
        Payload::Json(value) => visible(&value.to_string()),
        Payload::Text(text) => visible(text),
        Payload::Binary => start.iter().take(48).fold(String::new(), |mut line, byte| {
            // Writing to a String cannot fail.
            let _ = write!(line, "{byte:02x} ");
            line
        }),
    };
    let mut line: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(PREVIEW) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Renders the first `most` bytes of a record's data, decoded if possible.
pub(super) fn whole(data: &[u8], most: usize) -> Markup {
    let shown = first(data, most);
    html! {
        @match Payload::of(shown) {
            Payload::Json(value) => (json_tree::tree(&value, limits::CONSOLE_VALUES)),
            Payload::Text(text) => pre class="data" tabindex="0" { bdi { (visible(text)) } },
            Payload::Aggregated(records) => (aggregated(&records)),
            Payload::Binary => (hex(shown)),
        }
        @if shown.len() < data.len() {
            p class="muted" {
                "The first " (numbers::bytes(shown.len() as u64)) " of "
                (numbers::bytes(data.len() as u64)) " are shown."
            }
        }
    }
}

fn aggregated(records: &[UserRecord<'_>]) -> Markup {
    let most = limits::CONSOLE_VALUES;
    html! {
        table class="user-records" {
            caption { (numbers::plural(records.len() as u64, "user record")) " of the KPL" }
            thead { tr { th scope="col" { "Key" } th scope="col" { "Data" } } }
            tbody {
                @for record in records.iter().take(most) {
                    tr {
                        td class="mono" { bdi { (visible(record.partition_key)) } }
                        td class="mono" { bdi { (preview(record.data)) } }
                    }
                }
            }
        }
        @if records.len() > most { p class="muted" { "The first " (most) " are shown." } }
    }
}

/// Renders data as hexadecimal digits with the ASCII characters next to them, 16 bytes on each
/// line.
pub(super) fn hex(data: &[u8]) -> Markup {
    let mut text = String::with_capacity(data.len() * 5);
    for (line, bytes) in data.chunks(HEX_LINE).enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{:06x}  ", line * HEX_LINE);
        for at in 0..HEX_LINE {
            let _ = match bytes.get(at) {
                Some(byte) => write!(text, "{byte:02x} "),
                None => write!(text, "   "),
            };
        }
        text.push(' ');
        let letter = |byte: &u8| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '·',
        };
        text.extend(bytes.iter().map(letter));
        text.push('\n');
    }
    html! { pre class="data hex" tabindex="0" { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_decoded() {
        let form = |data: &[u8]| Payload::of(data).form();
        assert_eq!(form(b"{\"a\":1}"), "JSON");
        assert_eq!(form(b"{\"a\":"), "text");
        assert_eq!(form(b"17"), "text");
        assert_eq!(form(b"\xff\xfe"), "binary");
        assert_eq!(form(b"a\0b"), "binary");
    }

    #[test]
    fn large_data_is_cut_between_characters() {
        assert_eq!(first("aé".as_bytes(), 2), b"a");
        assert_eq!(first(b"\xff\xff\xff", 2), b"\xff\xff");
        let large = vec![b'x'; 10 << 20];
        assert!(whole(&large, 1000).into_string().len() < 2_000);
        assert!(preview(&large).chars().count() <= PREVIEW + 1);
        let values = format!("[{}]", vec!["1"; 100_000].join(","));
        assert!(whole(values.as_bytes(), 1 << 20).into_string().len() < 100_000);
        let shown = whole(b"</pre><script>alert(1)</script>", 100).into_string();
        assert!(!shown.contains("<script>"));
    }

    #[test]
    fn binary_data_is_shown_in_digits() {
        let shown = hex(b"\x00A<").into_string();
        assert!(shown.contains("000000  00 41 3c "), "{shown}");
        assert!(shown.contains("·A&lt;"), "{shown}");
    }
}

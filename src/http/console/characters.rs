//! Replaces characters that a person cannot see.

use std::fmt::Write as _;

/// True for a character that cannot be seen or that changes the direction of other characters.
fn is_hidden(letter: char) -> bool {
    let is_format = matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    is_format || letter.is_control() && !matches!(letter, '\n' | '\t')
}

/// Replaces each hidden character of a text by its code point, such as ⟨U+200B⟩. Line feeds and
/// tabs remain.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_hidden(letter) {
            // Writing to a String cannot fail.
            true => drop(write!(shown, "⟨U+{:04X}⟩", u32::from(letter))),
            false => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_shown_as_numbers() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}\r\n"),
            "a⟨U+202E⟩b⟨U+200B⟩⟨U+000D⟩\n"
        );
        assert_eq!(visible("naïve 漢字 \u{1f600}"), "naïve 漢字 \u{1f600}");
    }
}

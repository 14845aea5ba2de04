//! Escapes characters in texts for people.

/// Replaces each character for which `is_escaped` is true by its escape sequence, such as `\u{1b}`.
pub(crate) fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_escaped(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

//! Decoding of base64 text, and the service's messages for text that is not base64.

use base64_turbo::STANDARD;

/// Decodes canonical base64 with padding. Returns `None` for any other text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Returns the service's message for a text that is not base64. Returns `None` for valid base64.
/// Like the service, the function checks the length first, then the characters, and then the unused
/// bits of the last character.
pub(super) fn fault(text: &str) -> Option<String> {
    let reason = if !text.len().is_multiple_of(4) {
        let found = text.len();
        format!("Base64 encoded length is expected a multiple of 4 bytes but found: {found}")
    } else if let Some(character) = misplaced(text) {
        format!("Invalid Base64 character: '{character}'")
    } else if decode(text).is_none() {
        "Invalid last non-pad Base64 character dectected".to_owned()
    } else {
        return None;
    };
    Some(format!("'{text}' can not be converted to a Blob: {reason}"))
}

/// Finds the first character that is not in the base64 alphabet, or a `=` at a position where no
/// `=` is allowed. Returns `None` if there is no such character.
fn misplaced(text: &str) -> Option<char> {
    let padding = text.len() - text.trim_end_matches('=').len();
    let body = &text[..text.len() - padding];
    let known = |character: char| character.is_ascii_alphanumeric() || "+/".contains(character);
    body.chars()
        .find(|character| !known(*character))
        .or((padding > 2).then_some('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_in_the_services_order() {
        let message = |text| fault(text).unwrap_or_default();
        assert_eq!(
            message("23456"),
            "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple \
             of 4 bytes but found: 5"
        );
        assert!(message("=+/=").ends_with("Invalid Base64 character: '='"));
        assert!(message("+/-=").ends_with("Invalid Base64 character: '-'"));
        assert!(message("====").ends_with("Invalid Base64 character: '='"));
        assert!(message("+/+=").ends_with("Invalid last non-pad Base64 character dectected"));
        assert_eq!(fault("+/8="), None);
        assert_eq!(fault(""), None);
    }
}

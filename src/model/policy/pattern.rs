//! Wildcards in policies: `*` matches any number of characters, and `?` matches one character. ARNs
//! are compared part by part.

/// True if the whole of `text` matches `pattern`, in which `*` stands for any number of characters
/// and `?` for one character.
///
/// After a mismatch, the search goes back to the last `*` that it reached in the pattern, and never
/// to an earlier `*`. The number of steps is therefore at most proportional to the product of the
/// lengths of `pattern` and `text`.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((starred, taken)) = star else {
                    return false;
                };
                star = Some((starred, taken + 1));
                at = starred + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Number of parts of an ARN: `arn`, partition, service, region, account and resource.
pub(super) const PARTS: usize = 6;

/// Splits an ARN into its six parts. The resource may contain colons. `None` when the text does not
/// begin with `arn:` or has fewer parts.
pub(super) fn parts(text: &str) -> Option<[&str; PARTS]> {
    let parts: Vec<&str> = text.splitn(PARTS, ':').collect();
    let parts = <[&str; PARTS]>::try_from(parts).ok()?;
    (parts[0] == "arn").then_some(parts)
}

/// True if each part of the ARN `arn` matches the same part of `pattern`. A `*` matches no colon,
/// except in the last part, the resource. If the pattern has fewer parts than the ARN, the
/// remaining parts of the ARN may be any text.
pub(super) fn is_arn_like(pattern: &str, arn: &[&str; PARTS]) -> bool {
    let mut patterns = pattern.splitn(PARTS, ':');
    arn.iter()
        .all(|part| patterns.next().is_none_or(|pattern| is_like(pattern, part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Computes the result of [`is_like`] by exhaustive search.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            Some((letter, rest)) => text.split_first().is_some_and(|(first, more)| {
                (*letter == '?' || letter == first) && naive(rest, more)
            }),
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_trying_everything_finds(
            pattern in "[ab?*]{0,10}", text in "[ab?*é]{0,12}",
        ) {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(is_like(&pattern, &text), naive(&p, &t));
        }

        #[test]
        fn a_text_is_like_itself_and_like_a_star(text in "\\PC{0,40}") {
            let plain = text.replace(['*', '?'], "x");
            prop_assert!(is_like(&plain, &plain) && is_like("*", &text));
        }
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!is_like(&"a*".repeat(1_000), &"a".repeat(999)));
        assert!(!is_like(&"*a".repeat(200), &"b".repeat(2_000)));
    }

    #[test]
    fn a_star_stays_within_its_part() {
        let arn = parts("arn:aws:kinesis:us-east-1:000000000001:stream/s/consumer/c:5").unwrap();
        for (pattern, expected) in [
            ("*", true),
            ("arn:*", true),
            ("arn:aws:kinesis", true),
            ("arn:aws:kinesis:*:*:stream/s*", true),
            ("arn:aws:kinesis:*:*:stream/*/consumer/c:*", true),
            ("arn:aws:kinesis:*:*:stream/s", false),
            ("arn:aws:kinesis:*:stream/s*", false),
            ("arn:aws:kinesis:us-*-1:00000000000?:*", true),
            ("arn:aws:kinesis:us-east-1:000000000001", true),
            ("arn:aws:kinesis:us-east-1:000000000002", false),
            ("arn:aws:*:STREAM/s*", false),
            ("arn:aws:kinesis:*:*:Stream/s*", false),
            ("", false),
        ] {
            assert_eq!(is_arn_like(pattern, &arn), expected, "{pattern}");
        }
    }
}

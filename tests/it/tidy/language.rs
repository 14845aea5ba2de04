//! Words and openings that comments must not contain, because they are hard to read.

use super::{check, rust_files};

/// Openings of a comment that describes its item in a clause, or that points at another text. A
/// comment opens with the noun, or with the verb that says what the item does.
const OPENINGS: &[&str] = &[
    "What", "Who", "Whose", "Whether", "How", "Where", "Its", "Of", "Whoever", "Nor", "Nobody",
    "Those", "One over",
];

/// Words that only this project used, each with the field's own term.
const WORDS: &[(&str, &str)] = &[
    ("company", "pacer"),
    ("crowd", "item count"),
    ("excuse", "tolerates_missing"),
    ("excused", "tolerates_missing"),
    ("excuses", "tolerates_missing"),
    ("keeper", "housekeeping"),
    ("nobody", "the noun: no process, no reader, no request …"),
    ("patience", "deadline"),
    ("piece", "segment, part or slice"),
    ("pieces", "segments, parts or slices"),
    ("realm", "account and region"),
    ("room", "budget, reservation, buffer or capacity"),
    ("seat", "subscription"),
    ("seats", "subscriptions"),
    ("somebody", "the noun: a process, a reader, a request …"),
    (
        "told",
        "a verb that names the action: answered, logged, signalled …",
    ),
    ("untaken", "in flight"),
    ("whoever", "the noun: the caller, the reader, the client …"),
    ("wish", "request"),
];

/// The paths and texts of all Rust files, except this file, which must name the words.
fn files() -> Vec<(String, String)> {
    let in_folder = |folder: &'static str| {
        let files = rust_files(folder).into_iter();
        files.map(move |(path, text)| (format!("{folder}/{path}"), text))
    };
    in_folder("src")
        .chain(in_folder("tests"))
        .filter(|(path, _)| path != "tests/it/tidy/language.rs")
        .collect()
}

#[test]
fn paragraphs_of_comments_open_with_a_noun_or_a_verb() {
    let mut problems = Vec::new();
    for (path, text) in files() {
        let mut is_in_paragraph = false;
        for (line, text) in text.lines().enumerate() {
            let comment = comment(text);
            let opening = comment.filter(|_| !is_in_paragraph).and_then(opening);
            if let Some(words) = opening {
                let number = line + 1;
                problems.push(format!(
                    "{path}:{number} opens with {words}: name the item or what it does"
                ));
            }
            is_in_paragraph = comment.is_some_and(|comment| !comment.is_empty());
        }
    }
    check(problems);
}

/// The text of a line that is a comment.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("//")?;
    Some(text.trim_start_matches(['/', '!']).trim())
}

/// The words of `OPENINGS` with which a comment opens.
fn opening(comment: &str) -> Option<&'static str> {
    let opens = |words: &&&str| {
        let rest = comment.strip_prefix(**words);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    OPENINGS.iter().find(opens).copied()
}

#[test]
fn private_words_do_not_come_back() {
    let mut problems = Vec::new();
    for (path, text) in files() {
        for (line, text) in text.lines().enumerate() {
            for word in words(text) {
                if let Some((word, instead)) = WORDS.iter().find(|(known, _)| *known == word) {
                    let number = line + 1;
                    problems.push(format!("{path}:{number} says {word}: say {instead}"));
                }
            }
        }
    }
    check(problems);
}

/// The words of a line in lower case. A name with several words gives each of its words.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last = ' ';
    for letter in line.chars() {
        let begins_part = letter.is_uppercase() && last.is_lowercase();
        if begins_part || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            let word = words.last_mut().unwrap();
            word.extend(letter.to_lowercase());
        }
        last = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn openings_are_whole_words() {
    assert_eq!(comment("    //! Who's it?"), Some("Who's it?"));
    assert_eq!(comment("let a = 1; // Who?"), None);
    assert_eq!(opening("Who's it?"), Some("Who"));
    assert_eq!(opening("One over the limit."), Some("One over"));
    assert_eq!(opening("Often, one over the limit."), None);
}

#[test]
fn names_are_taken_apart() {
    let line = "let a_roomOf = KEPT_ROOM + rooms; // Who's told?";
    let expected = [
        "let", "a", "room", "of", "kept", "room", "rooms", "who", "s", "told",
    ];
    assert_eq!(words(line), expected);
}

//! Words and openings of comments that must not come back: a reader stumbles over them.

use super::{check, sources};

/// A doc comment says what its item is or does; these words open one that describes it in a clause.
const OPENINGS: &[&str] = &["What", "Who", "Whose", "Whether", "How", "Where"];

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

#[test]
fn doc_comments_do_not_open_with_a_clause() {
    let mut problems = Vec::new();
    for source in sources().iter() {
        let mut is_in_block = false;
        for (line, text) in source.text.lines().enumerate() {
            let doc = doc_text(text);
            let opening = doc.and_then(|doc| doc.split_whitespace().next());
            if let Some(word) = opening.filter(|word| !is_in_block && OPENINGS.contains(word)) {
                let number = line + 1;
                problems.push(format!(
                    "src/{}:{number} opens with {word}: name the item or what it does",
                    source.path
                ));
            }
            is_in_block = doc.is_some();
        }
    }
    check(problems);
}

/// The text of a line of a doc comment.
fn doc_text(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))
}

#[test]
fn private_words_do_not_come_back() {
    let mut problems = Vec::new();
    for source in sources().iter() {
        for (line, text) in source.text.lines().enumerate() {
            for word in words(text) {
                if let Some((word, instead)) = WORDS.iter().find(|(known, _)| *known == word) {
                    let number = line + 1;
                    problems.push(format!(
                        "src/{}:{number} says {word}: say {instead}",
                        source.path
                    ));
                }
            }
        }
    }
    check(problems);
}

/// The words of a line in lower case, those of names in it one by one.
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
fn names_are_taken_apart() {
    let line = "let a_roomOf = KEPT_ROOM + rooms; // Who's told?";
    let expected = [
        "let", "a", "room", "of", "kept", "room", "rooms", "who", "s", "told",
    ];
    assert_eq!(words(line), expected);
}

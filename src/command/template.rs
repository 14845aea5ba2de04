//! The templates of `minikin generate`: text with placeholders in double braces.

use crate::world::{Clock, Random};
use fake::Fake;
use fake::faker::address::en::{CityName, CountryName};
use fake::faker::internet::en::{FreeEmailProvider, Username};
use fake::faker::lorem::en::Sentence;
use fake::faker::name::en::{FirstName, LastName, Name};
use fake::rand::SeedableRng;
use fake::rand::rngs::StdRng;
use std::fmt::Write;

/// The template of the records if the command line contains no template.
pub(super) const DEFAULT: &str = concat!(
    r#"{"id":"{{uuid}}","number":{{counter}},"customer":"{{name}}","#,
    r#""total":{{float 1 500 2}},"state":"{{choice new:5 paid:3 shipped:2}}","at":"{{now}}"}"#
);

/// A parsed template.
#[derive(Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    /// A counter: its value in the first record, and the step that is added for each further
    /// record.
    Counter(i64, i64),
    Uuid,
    Integer(i64, i64),
    /// A random number: its lower bound, its upper bound, and its number of decimals.
    Float(f64, f64, usize),
    Now,
    /// The current time in milliseconds since 1970.
    NowMs,
    Boolean,
    /// One of the words at random. The number next to a word is the sum of the weights of this word
    /// and of all words before it.
    Choice(Vec<(String, u64)>),
    Fake(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Name,
    FirstName,
    LastName,
    Email,
    User,
    City,
    Country,
    Sentence,
}

const KINDS: [(&str, Kind); 8] = [
    ("name", Kind::Name),
    ("first-name", Kind::FirstName),
    ("last-name", Kind::LastName),
    ("email", Kind::Email),
    ("user", Kind::User),
    ("city", Kind::City),
    ("country", Kind::Country),
    ("sentence", Kind::Sentence),
];

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A placeholder is unknown or has invalid arguments. The error contains the placeholder and
    /// the reason.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inner, after) = after
                .split_once("}}")
                .ok_or("a placeholder begins with {{ and does not end with }}")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let part = Part::parse(inner.trim());
            parts.push(part.map_err(|reason| format!("{{{{{inner}}}}}: {reason}"))?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Fills in the placeholders, and returns the text of record `number`. The first record has
    /// number 0.
    pub(super) fn fill(&self, number: u64, random: &Random) -> String {
        let mut text = String::new();
        for part in &self.0 {
            part.fill(number, random, &mut text);
        }
        text
    }
}

impl Part {
    fn parse(inner: &str) -> Result<Self, String> {
        let mut words = inner.split_whitespace();
        let name = words.next().unwrap_or_default();
        let arguments: Vec<&str> = words.collect();
        if let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == name) {
            return none(&arguments, Self::Fake(*kind));
        }
        match name {
            "uuid" => none(&arguments, Self::Uuid),
            "now" => none(&arguments, Self::Now),
            "now-ms" => none(&arguments, Self::NowMs),
            "bool" => none(&arguments, Self::Boolean),
            "counter" => counter(&arguments),
            "int" => integer(&arguments),
            "float" => float(&arguments),
            "choice" => choice(&arguments),
            _ => {
                let kinds = KINDS.map(|(name, _)| name).join(", ");
                Err(format!(
                    "choose uuid, counter, int, float, bool, now, now-ms, choice, {kinds}"
                ))
            }
        }
    }

    fn fill(&self, number: u64, random: &Random, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Text(part) => text.write_str(part),
            Self::Counter(first, step) => {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                write!(text, "{}", first.wrapping_add(step.wrapping_mul(number)))
            }
            Self::Uuid => write!(text, "{}", uuid(random)),
            Self::Integer(low, high) => {
                let span = high.abs_diff(*low).saturating_add(1);
                let drawn = low.wrapping_add_unsigned(random.number() % span);
                write!(text, "{drawn}")
            }
            Self::Float(low, high, decimals) => {
                let share = (random.number() >> 11) as f64 / (1_u64 << 53) as f64;
                write!(text, "{:.decimals$}", low + (high - low) * share)
            }
            Self::Now => text.write_str(&Clock::System.now().to_rfc3339()),
            Self::NowMs => write!(text, "{}", Clock::System.now().millis()),
            Self::Boolean => write!(text, "{}", random.number().is_multiple_of(2)),
            Self::Choice(words) => text.write_str(chosen(words, random)),
            Self::Fake(kind) => text.write_str(&kind.draw(random)),
        };
    }
}

fn uuid(random: &Random) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random.bytes()).into_uuid()
}

fn none(arguments: &[&str], part: Part) -> Result<Part, String> {
    if arguments.is_empty() {
        Ok(part)
    } else {
        Err("this takes no arguments".to_owned())
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

fn counter(arguments: &[&str]) -> Result<Part, String> {
    match arguments {
        [] => Ok(Part::Counter(1, 1)),
        [first] => Ok(Part::Counter(number(first)?, 1)),
        [first, step] => Ok(Part::Counter(number(first)?, number(step)?)),
        _ => Err("write counter [FIRST [STEP]]".to_owned()),
    }
}

fn integer(arguments: &[&str]) -> Result<Part, String> {
    let [low, high] = arguments else {
        return Err("write int LOW HIGH".to_owned());
    };
    let (low, high) = (number(low)?, number(high)?);
    match low <= high {
        true => Ok(Part::Integer(low, high)),
        false => Err("LOW is above HIGH".to_owned()),
    }
}

fn float(arguments: &[&str]) -> Result<Part, String> {
    let (low, high, decimals) = match arguments {
        [low, high] => (number(low)?, number(high)?, 3),
        [low, high, decimals] => (number(low)?, number(high)?, number(decimals)?),
        _ => return Err("write float LOW HIGH [DECIMALS]".to_owned()),
    };
    let finite = f64::is_finite(low) && f64::is_finite(high);
    match finite && low <= high && decimals <= 15 {
        true => Ok(Part::Float(low, high, decimals)),
        false => Err("LOW is above HIGH, or there are more than 15 decimals".to_owned()),
    }
}

fn choice(arguments: &[&str]) -> Result<Part, String> {
    let mut sum = 0_u64;
    let mut words = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let (word, weight) = match argument.rsplit_once(':') {
            Some((word, weight)) => (word, number::<u32>(weight)?),
            None => (*argument, 1),
        };
        sum += u64::from(weight);
        words.push((word.to_owned(), sum));
    }
    match sum {
        0 => Err("write choice WORD[:WEIGHT] …".to_owned()),
        _ => Ok(Part::Choice(words)),
    }
}

fn chosen<'a>(words: &'a [(String, u64)], random: &Random) -> &'a str {
    let total = words.last().map_or(1, |(_, sum)| *sum);
    let drawn = random.number() % total;
    let at = words.partition_point(|(_, sum)| *sum <= drawn);
    words.get(at).map_or("", |(word, _)| word)
}

impl Kind {
    fn draw(self, random: &Random) -> String {
        let mut lots = StdRng::seed_from_u64(random.number());
        let lots = &mut lots;
        match self {
            Self::Name => Name().fake_with_rng(lots),
            Self::FirstName => FirstName().fake_with_rng(lots),
            Self::LastName => LastName().fake_with_rng(lots),
            Self::Email => {
                // The e-mail generator of the crate `fake` would add 470 KB of tables for letters
                // beyond ASCII.
                let user: String = Username().fake_with_rng(lots);
                let provider: String = FreeEmailProvider().fake_with_rng(lots);
                format!("{user}@{provider}")
            }
            Self::User => Username().fake_with_rng(lots),
            Self::City => CityName().fake_with_rng(lots),
            Self::Country => CountryName().fake_with_rng(lots),
            Self::Sentence => Sentence(3..8).fake_with_rng(lots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn filled(template: &str, number: u64) -> String {
        let template = Template::parse(template).unwrap();
        template.fill(number, &Random::seeded(number))
    }

    #[test]
    fn counters_go_on_by_their_step() {
        let text = |number| filled("{{counter}} {{counter 10 -5}}", number);
        assert_eq!([text(0), text(2)], ["1 10", "3 0"]);
    }

    #[test]
    fn numbers_lie_in_their_range() {
        for number in 0..200 {
            let text = filled("{{int -2 2}} {{float 1 2 1}}", number);
            let (integer, float) = text.split_once(' ').unwrap();
            assert!(
                (-2..=2).contains(&integer.parse::<i64>().unwrap()),
                "{text}"
            );
            assert!(
                (1.0..=2.0).contains(&float.parse::<f64>().unwrap()),
                "{text}"
            );
            assert_eq!(float.len(), 3, "{text}");
        }
        assert_eq!(filled("{{int 5 5}}", 1), "5");
        let widest = format!("{{{{int {} {}}}}}", i64::MIN, i64::MAX);
        filled(&widest, 1).parse::<i64>().unwrap();
    }

    #[test]
    fn choices_keep_to_their_weights() {
        let count = |word: &str| {
            let drawn =
                (0..1000).filter(|number| filled("{{choice a:9 b:1 c:0}}", *number) == word);
            drawn.count()
        };
        let (often, seldom) = (count("a"), count("b"));
        assert_eq!(often + seldom, 1000);
        assert!((40..200).contains(&seldom), "{seldom}");
    }

    #[test]
    fn the_default_is_a_json_record() {
        for number in 0..50 {
            let record: Value = serde_json::from_str(&filled(DEFAULT, number)).unwrap();
            assert_eq!(record["number"], number + 1);
        }
    }

    #[test]
    fn every_kind_of_word_is_drawn() {
        for (name, _) in KINDS {
            assert!(!filled(&format!("{{{{{name}}}}}"), 7).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_placeholder_that_cannot_be_filled_is_refused() {
        let refused = |text| Template::parse(text).unwrap_err();
        assert!(refused("a {{ b").contains("}}"));
        assert!(refused("{{nothing}}").starts_with("{{nothing}}: choose uuid"));
        assert_eq!(refused("{{int 2 1}}"), "{{int 2 1}}: LOW is above HIGH");
        assert!(refused("{{int a b}}").ends_with("a is not a number"));
        assert!(refused("{{choice a:0}}").contains("write choice"));
        assert!(refused("{{uuid 4}}").contains("no arguments"));
        assert!(refused("{{float 1 inf}}").contains("above"));
    }
}

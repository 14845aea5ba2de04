//! A setup file as a tree of values, read from TOML or JSON. Every value has its line number, for
//! error messages.

use super::problem::Problem;
use crate::limits;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// A value in a setup file, and the number of the line on which the value begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value in a setup file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A string, a number, a boolean or null.
    Scalar(serde_json::Value),
    List(Vec<Node>),
    /// A table or object: its members in the order of the file. Their names are unique.
    Table(Vec<(String, Node)>),
}

impl Node {
    /// Converts the tree of values to a JSON value, without the line numbers.
    pub(super) fn into_json(self) -> serde_json::Value {
        match self.value {
            Value::Scalar(scalar) => scalar,
            Value::List(nodes) => nodes.into_iter().map(Self::into_json).collect(),
            Value::Table(members) => members
                .into_iter()
                .map(|(name, node)| (name, node.into_json()))
                .collect(),
        }
    }
}

/// Converts positions in a text to line numbers.
struct Lines<'a> {
    text: &'a str,
    /// Byte offsets of all line feeds in the text.
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self { text, ends }
    }

    /// Number of the line that contains the byte at `offset`; the first line is 1.
    fn at(&self, offset: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < offset)
    }

    /// Number of the line on which `part` begins. `part` must be a slice of the whole text.
    fn of_part(&self, part: &str) -> usize {
        let offset = part.as_ptr().addr() - self.text.as_ptr().addr();
        self.at(offset)
    }
}

/// Parses a JSON document to a tree of values with line numbers.
pub(super) fn from_json(text: &str) -> Result<Node, Problem> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
    json_node(raw, &Lines::of(text), 0)
}

/// Converts the JSON value `raw` to a tree of values. `depth` is the number of lists and objects
/// around the value. The depth is bounded, because the function is recursive.
fn json_node(raw: &RawValue, lines: &Lines<'_>, depth: usize) -> Result<Node, Problem> {
    let text = raw.get();
    let line = lines.of_part(text);
    if depth > limits::SETUP_DEPTH {
        return Err(Problem::at(line, "lists and objects are nested too deep"));
    }
    let refused = |error: serde_json::Error| Problem::at(line, part_text(text, &error));
    let value = match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(refused)?;
            let node = |(name, raw): (String, _)| match json_node(raw, lines, depth + 1) {
                Ok(node) => Ok((name, node)),
                Err(problem) => Err(problem.within(&name)),
            };
            Value::Table(members.0.into_iter().map(node).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(refused)?;
            let node = |(at, raw)| {
                let node = json_node(raw, lines, depth + 1);
                node.map_err(|problem| problem.within(&format!("[{at}]")))
            };
            let items = items.into_iter().enumerate();
            Value::List(items.map(node).collect::<Result<_, _>>()?)
        }
        _ => Value::Scalar(serde_json::from_str(text).map_err(refused)?),
    };
    Ok(Node { line, value })
}

/// The error for a text that is not valid JSON.
fn json_problem(error: &serde_json::Error) -> Problem {
    let text = match error.classify() {
        Category::Eof => "the JSON ends too early".to_owned(),
        _ => format!("this is not JSON from column {} on", error.column()),
    };
    Problem::at(error.line(), text)
}

/// The reason why `part` cannot be read. `part` is a value in a valid JSON document.
fn part_text(part: &str, error: &serde_json::Error) -> String {
    if error.classify() == Category::Data {
        // Cut off serde's "at line … column …", which counts from the start of `part` and not from
        // the start of the file.
        let text = error.to_string();
        let end = text.rfind(" at line ").unwrap_or(text.len());
        return text[..end].to_owned();
    }
    match part.starts_with(['"', '{']) {
        true => "a text has an escape that stands for no character".to_owned(),
        false => format!("the number {part} is too large"),
    }
}

/// Parses a JSON document, with error messages that contain a line number.
///
/// # Errors
/// The text is not valid JSON.
#[cfg(feature = "cli")]
pub(crate) fn json_of_text(text: &str) -> Result<serde_json::Value, Problem> {
    from_json(text).map(Node::into_json)
}

/// The members of a JSON object in their order, each with the unparsed text of its value.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members: Vec<(String, &RawValue)> = Vec::new();
        let mut names = HashSet::new();
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            if !names.insert(name.clone()) {
                return Err(serde::de::Error::custom(format_args!(
                    "the member {name} is given twice"
                )));
            }
            members.push((name, raw));
        }
        Ok(Members(members))
    }
}

/// Parses a TOML document to a tree of values with line numbers.
#[cfg(feature = "cli")]
pub(super) fn from_toml(text: &str) -> Result<Node, Problem> {
    use toml::de::{DeTable, DeValue};

    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Problem::at(lines.at(start), error.message().to_owned())
    })?;
    let line = lines.at(table.span().start);
    toml_value(DeValue::Table(table.into_inner()), &lines).map(|value| Node { line, value })
}

#[cfg(feature = "cli")]
fn toml_node(
    value: toml::Spanned<toml::de::DeValue<'_>>,
    lines: &Lines<'_>,
) -> Result<Node, Problem> {
    let line = lines.at(value.span().start);
    match toml_value(value.into_inner(), lines) {
        Ok(value) => Ok(Node { line, value }),
        Err(problem) => Err(problem.or_line(line)),
    }
}

#[cfg(feature = "cli")]
fn toml_value(value: toml::de::DeValue<'_>, lines: &Lines<'_>) -> Result<Value, Problem> {
    use toml::de::DeValue;

    let too_large = |text: &str| {
        Problem::new(match text.parse::<f64>().is_ok_and(f64::is_finite) {
            true => format!("the number {text} is too large"),
            false => format!("{text} is not a number that JSON has, or is too large"),
        })
    };
    let scalar: serde_json::Value = match value {
        DeValue::String(text) => text.into_owned().into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| too_large(number.as_str()))?
            .into(),
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().parse().ok();
            let parsed = parsed.and_then(serde_json::Number::from_f64);
            parsed.ok_or_else(|| too_large(number.as_str()))?.into()
        }
        DeValue::Boolean(truth) => truth.into(),
        DeValue::Datetime(moment) => moment.to_string().into(),
        DeValue::Array(items) => {
            let node = |(at, item)| {
                let node = toml_node(item, lines);
                node.map_err(|problem| problem.within(&format!("[{at}]")))
            };
            let items = items.into_iter().enumerate();
            return Ok(Value::List(items.map(node).collect::<Result<_, _>>()?));
        }
        DeValue::Table(members) => {
            let node = |(name, value): (toml::Spanned<_>, _)| {
                let name: std::borrow::Cow<'_, str> = name.into_inner();
                let node = toml_node(value, lines).map_err(|problem| problem.within(&name))?;
                Ok((name.into_owned(), node))
            };
            return Ok(Value::Table(
                members.into_iter().map(node).collect::<Result<_, _>>()?,
            ));
        }
    };
    Ok(Value::Scalar(scalar))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn member<'a>(node: &'a Node, name: &str) -> &'a Node {
        let Value::Table(members) = &node.value else {
            panic!("{node:?} is no table");
        };
        &members.iter().find(|(known, _)| known == name).unwrap().1
    }

    #[test]
    fn json_values_know_their_lines() {
        let text = "{\n \"a\": 1,\n \"b\": {\"c\":\n  [true, \"}\"]}}";
        let node = from_json(text).unwrap();
        assert_eq!(member(&node, "a").line, 2);
        assert_eq!(member(&node, "b").line, 3);
        assert_eq!(member(member(&node, "b"), "c").line, 4);
        let expected = json!({"a": 1, "b": {"c": [true, "}"]}});
        assert_eq!(node.into_json(), expected);
    }

    #[test]
    fn broken_json_is_refused_with_its_line() {
        let refused = |text| from_json(text).unwrap_err().to_string();
        for (text, refusal) in [
            ("{\n\n\"a\": }", "line 3: this is not JSON from column 6 on"),
            ("{\n\n\"a\": ", "line 3: the JSON ends too early"),
            ("{} x", "line 1: this is not JSON from column 4 on"),
            (
                "{\"x\": [{},\n{\"a\": 1,\n\"a\": 2}]}",
                "line 2: x[1]: the member a is given twice",
            ),
            (
                "{\"x\": {\n\"a\": 1e999}}",
                "line 2: x.a: the number 1e999 is too large",
            ),
            (
                "[\"\\ud800\"]",
                "line 1: [0]: a text has an escape that stands for no character",
            ),
        ] {
            assert_eq!(refused(text), refusal);
        }
    }

    #[test]
    fn json_that_is_nested_too_deep_is_refused() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_json(&nested(limits::SETUP_DEPTH)).is_ok());
        for depth in [limits::SETUP_DEPTH + 2, 200_000] {
            let refused = from_json(&nested(depth)).unwrap_err().to_string();
            let reason = "lists and objects are nested too deep";
            assert!(refused.starts_with("line 1: ") && refused.ends_with(reason));
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn toml_values_know_their_lines() {
        let text = "a = 0x10\n\n[[s]]\nt = 2027-01-02T03:04:05Z\nf = [1.5,\n  false]\n[[s]]\n";
        let node = from_toml(text).unwrap();
        let Value::List(tables) = &member(&node, "s").value else {
            panic!("s is a list");
        };
        assert_eq!(member(&node, "a").line, 1);
        assert_eq!((tables[0].line, tables[1].line), (3, 7));
        assert_eq!(member(&tables[0], "f").line, 5);
        let expected = json!({
            "a": 16,
            "s": [{"t": "2027-01-02T03:04:05Z", "f": [1.5, false]}, {}],
        });
        assert_eq!(node.into_json(), expected);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn broken_toml_is_refused_with_its_line() {
        let refused = |text| from_toml(text).unwrap_err().to_string();
        assert!(refused("a = 1\na = 2\n").starts_with("line 2: "));
        assert_eq!(
            refused("\nn = [\n99999999999999999999]"),
            "line 3: n[0]: the number 99999999999999999999 is too large"
        );
        assert_eq!(
            refused("[s]\nt = { u = inf }"),
            "line 2: s.t.u: inf is not a number that JSON has, or is too large"
        );
    }
}

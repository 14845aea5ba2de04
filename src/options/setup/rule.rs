//! Fault rules in a setup file, and in the body of a request.

use super::document::{self, Node, Value};
use super::fields::{Fields, unknown};
use super::problem::Problem;
use crate::operation::fault_rule;
use crate::world::{FaultRule, Timestamp};
use serde_json::{Map, json};

/// The members of a rule.
const MEMBERS: [&str; 11] = [
    "kind",
    "operations",
    "stream",
    "shard",
    "percent",
    "after",
    "times",
    "seed",
    "until",
    "delay_ms",
    "code",
];

/// Reads and checks the rule in `node`.
pub(super) fn rule(path: &str, node: Node) -> Result<FaultRule, Problem> {
    let lines: Vec<(String, usize)> = match &node.value {
        Value::Table(members) => members
            .iter()
            .map(|(name, node)| (name.clone(), node.line))
            .collect(),
        Value::Scalar(_) | Value::List(_) => Vec::new(),
    };
    let mut fields = Fields::of(node, path.to_owned())?;
    let line = fields.line();
    let kind = fields.parsed("kind", |kind| match read(json!({ "kind": kind })) {
        Ok(_) => Ok(kind),
        Err(text) => Err(plain("kind", &text)),
    })?;
    let kind = kind.ok_or_else(|| Problem::at(line, "a fault rule needs a kind").of(path))?;
    let mut members = Map::from_iter([("kind".to_owned(), kind.clone())]);
    for (name, node) in fields.rest() {
        let (path, line) = (member(path, &name), node.line);
        if !MEMBERS.contains(&name.as_str()) {
            return Err(unknown(&name, &MEMBERS).or_line(line).of(&path));
        }
        let value = node.into_json();
        // Parse each member together with the kind only: this finds the member whose value has the
        // wrong type.
        let alone = read(json!({ "kind": kind, name.as_str(): value }));
        alone.map_err(|text| Problem::at(line, plain(&name, &text)).of(&path))?;
        members.insert(name, value);
    }
    let rule = read(members.into()).map_err(|text| Problem::at(line, text).of(path))?;
    let checked = fault_rule::check_all(vec![rule], Timestamp::from_millis(0));
    let mut checked = checked.map_err(|error| refused(path, line, &lines, &error.to_string()))?;
    Ok(checked.remove(0))
}

/// Reads and checks the rules of a JSON document, which is a rule or a list of rules.
///
/// # Errors
/// The first invalid rule: its line, the member and the reason.
pub(crate) fn rules_of_json(text: &str) -> Result<Vec<FaultRule>, Problem> {
    let node = document::from_json(text)?;
    let nodes = match node.value {
        Value::Table(_) => return rule("", node).map(|rule| vec![rule]),
        Value::List(nodes) => nodes,
        Value::Scalar(_) => {
            let text = "the body is a fault rule or a list of rules; a rule is a JSON object";
            return Err(Problem::new(text));
        }
    };
    let rules = nodes.into_iter().enumerate();
    rules
        .map(|(at, node)| rule(&format!("[{at}]"), node))
        .collect()
}

/// Path of the member `name` of the rule at `path`. `path` is empty for a rule that is not part of
/// a list.
fn member(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// The reason in plain words for which the value of the member `name` is refused. `text` is serde's
/// reason, which names types of Rust.
fn plain(name: &str, text: &str) -> String {
    if let Some((_, kinds)) = text.split_once("expected one of ") {
        return format!("there is no such kind; choose {}", kinds.replace('`', ""));
    }
    let expected = match name {
        "kind" | "stream" | "shard" | "code" => "a text",
        "operations" => "a list of texts",
        "percent" => "a number",
        // The reader of a time names the fault itself.
        "until" if text.starts_with("until: ") => return text["until: ".len()..].to_owned(),
        "until" => "a time: 2026-01-31T12:00:00Z or seconds since 1970",
        _ => "a whole number, 0 or more",
    };
    format!("this has to be {expected}")
}

fn read(members: serde_json::Value) -> Result<FaultRule, String> {
    serde_json::from_value(members).map_err(|error| error.to_string())
}

/// The error for a rule that the check refuses. The check's message has the form `MEMBER: TEXT`.
fn refused(path: &str, line: usize, lines: &[(String, usize)], text: &str) -> Problem {
    let (member, reason) = text.split_once(": ").unwrap_or(("", text));
    match lines.iter().find(|(name, _)| name == member) {
        Some((_, line)) => Problem::at(*line, reason).of(&self::member(path, member)),
        None => Problem::at(line, text).of(path),
    }
}

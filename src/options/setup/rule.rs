//! The fault rules of a setup file.

use super::document::{Node, Value};
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
    let kind = fields.parsed("kind", |kind| read(json!({ "kind": kind })).map(|_| kind))?;
    let kind = kind.ok_or_else(|| Problem::at(line, "a fault rule has a kind").of(path))?;
    let mut members = Map::from_iter([("kind".to_owned(), kind.clone())]);
    for (name, node) in fields.rest() {
        let (path, line) = (format!("{path}.{name}"), node.line);
        if !MEMBERS.contains(&name.as_str()) {
            return Err(unknown(&name, &MEMBERS).or_line(line).of(&path));
        }
        let value = node.into_json();
        // Parse each member together with the kind only: this finds the member whose value has the
        // wrong type.
        let alone = read(json!({ "kind": kind, name.as_str(): value }));
        alone.map_err(|text| Problem::at(line, text).of(&path))?;
        members.insert(name, value);
    }
    let rule = read(members.into()).map_err(|text| Problem::at(line, text).of(path))?;
    let checked = fault_rule::check_all(vec![rule], Timestamp::from_millis(0));
    let mut checked = checked.map_err(|error| refused(path, line, &lines, &error.to_string()))?;
    Ok(checked.remove(0))
}

fn read(members: serde_json::Value) -> Result<FaultRule, String> {
    serde_json::from_value(members).map_err(|error| error.to_string())
}

/// The error for a rule that the check refuses. The check's message has the form `MEMBER: TEXT`.
fn refused(path: &str, line: usize, lines: &[(String, usize)], text: &str) -> Problem {
    let (member, reason) = text.split_once(": ").unwrap_or(("", text));
    match lines.iter().find(|(name, _)| name == member) {
        Some((_, line)) => Problem::at(*line, reason).of(&format!("{path}.{member}")),
        None => Problem::at(line, text).of(path),
    }
}

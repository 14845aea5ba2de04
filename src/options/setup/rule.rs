//! Reads fault rules in a setup file or in the body of a request.

use super::document::{self, Node, Value};
use super::fields::{self, Fields};
use super::problem::Problem;
use crate::operation::fault_rule;
use crate::world::{FaultKind, FaultRule, Timestamp};

/// The names of the members that a fault rule may have.
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

/// Reads and checks the fault rule in `node`, which is at `path` in the setup file or the body.
pub(super) fn rule(path: &str, node: Node) -> Result<FaultRule, Problem> {
    let line = node.line;
    let lines: Vec<(String, usize)> = match &node.value {
        Value::Table(members) => members
            .iter()
            .map(|(name, node)| (name.clone(), node.line))
            .collect(),
        Value::Scalar(_) | Value::List(_) => Vec::new(),
    };
    let rule = unchecked(path, node)?;
    let checked = fault_rule::check_all(vec![rule], Timestamp::from_millis(0));
    let mut checked = checked.map_err(|error| refused(path, line, &lines, &error.to_string()))?;
    Ok(checked.remove(0))
}

/// Reads the fault rule in `node`. Checks the names and types of its members, but not their values.
pub(super) fn unchecked(path: &str, mut node: Node) -> Result<FaultRule, Problem> {
    if let Value::Table(members) = &mut node.value {
        // A member that is null counts as missing.
        let null = Value::Scalar(serde_json::Value::Null);
        members.retain(|(name, node)| node.value != null || !MEMBERS.contains(&name.as_str()));
    }
    let mut fields = Fields::of(node, path.to_owned())?;
    let kind = fields.parsed("kind", kind)?;
    let missing = || Problem::at(fields.line(), "a fault rule needs a kind").of(path);
    let mut rule = FaultRule::of(kind.ok_or_else(missing)?);
    rule.operations = fields.parsed("operations", texts)?;
    rule.stream = fields.text("stream")?;
    rule.shard = fields.text("shard")?;
    rule.percent = fields.parsed("percent", |value| {
        value.as_f64().ok_or("this has to be a number".to_owned())
    })?;
    rule.after = fields.parsed("after", whole)?;
    rule.times = fields.parsed("times", whole)?;
    rule.seed = fields.parsed("seed", whole)?;
    rule.until = fields.parsed("until", time)?;
    rule.delay_ms = fields.parsed("delay_ms", |value| {
        let most = u32::MAX;
        let text = format!("this has to be a whole number, {most} at most");
        u32::try_from(whole(value)?).map_err(|_| text)
    })?;
    rule.code = fields.text("code")?;
    fields.end(&MEMBERS)?;
    Ok(rule)
}

fn kind(value: serde_json::Value) -> Result<FaultKind, String> {
    let text = fields::text(value)?;
    let found = FaultKind::ALL.into_iter().find(|kind| kind.name() == text);
    found.ok_or_else(|| {
        let kinds = FaultKind::ALL.map(FaultKind::name).join(", ");
        format!("there is no such kind; choose {kinds}")
    })
}

fn texts(value: serde_json::Value) -> Result<Vec<String>, String> {
    let refused = || "this has to be a list of texts".to_owned();
    let serde_json::Value::Array(items) = value else {
        return Err(refused());
    };
    let texts = items.into_iter().map(fields::text);
    texts.collect::<Result<_, _>>().map_err(|_| refused())
}

fn whole(value: serde_json::Value) -> Result<u64, String> {
    let whole = value.as_u64();
    whole.ok_or_else(|| "this has to be a whole number, 0 or more".to_owned())
}

/// Parses a time, in RFC 3339 or as a number of seconds since 1970.
fn time(value: serde_json::Value) -> Result<Timestamp, String> {
    let text = match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Timestamp::parse(&text).ok_or_else(|| {
        "this has to be a time: 2026-01-31T12:00:00Z or seconds since 1970".to_owned()
    })
}

/// Reads and checks the fault rules in a JSON document, which is one rule or a list of rules.
///
/// # Errors
/// A rule is invalid. The error contains the line and the member of the first such rule, and the
/// reason.
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

/// Path of the member `name` of the fault rule at `path`. `path` is empty if the rule is the whole
/// document.
fn member(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// The error for a fault rule that `check_all` has refused. `text` is the message of `check_all`,
/// in the form `MEMBER: TEXT`.
fn refused(path: &str, line: usize, lines: &[(String, usize)], text: &str) -> Problem {
    let (member, reason) = text.split_once(": ").unwrap_or(("", text));
    match lines.iter().find(|(name, _)| name == member) {
        Some((_, line)) => Problem::at(*line, reason).of(&self::member(path, member)),
        None => Problem::at(line, text).of(path),
    }
}

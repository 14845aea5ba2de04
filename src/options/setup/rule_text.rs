//! Reads a fault rule from text: JSON, or the short form `kind=…,percent=…,operations=A+B`.

use super::document::{self, Node, Value};
use super::problem::Problem;
use super::rule;
use crate::world::FaultRule;

/// The error message for a text that is neither the JSON nor the short form of a fault rule.
const FORM: &str = "write a rule as kind=…,percent=…,operations=A+B or as JSON";

/// Reads a fault rule from JSON or from the short form. The caller has to check the values of the
/// rule with `check_all`.
///
/// # Errors
/// The text is neither the JSON of a rule nor a list of `name=value` pairs with known names and
/// values of the right type.
pub(crate) fn rule_of_text(text: &str) -> Result<FaultRule, Problem> {
    let text = text.trim();
    if text.starts_with('{') {
        return rule::unchecked("", document::from_json(text)?);
    }
    let rule = members(text).and_then(|node| rule::unchecked("", node));
    rule.map_err(Problem::without_line)
}

fn members(text: &str) -> Result<Node, Problem> {
    let mut members: Vec<(String, Node)> = Vec::new();
    for part in text.split(',') {
        let Some((name, value)) = part.split_once('=') else {
            return Err(Problem::new(match part {
                "" => FORM.to_owned(),
                part => format!("{part}: {FORM}"),
            }));
        };
        let (name, value) = (name.trim(), typed(name.trim(), value.trim()));
        if members.iter().any(|(known, _)| known == name) {
            return Err(Problem::new("this is given twice").of(name));
        }
        members.push((name.to_owned(), Node { line: 1, value }));
    }
    let value = Value::Table(members);
    Ok(Node { line: 1, value })
}

/// Converts a value in the short form of a fault rule to the type of the member `name`. A value
/// that cannot be converted stays a text. It is refused later, when the rule is read.
fn typed(name: &str, value: &str) -> Value {
    let scalar = |value: &str| Value::Scalar(value.into());
    match name {
        "operations" => {
            let item = |name: &str| Node {
                line: 1,
                value: scalar(name.trim()),
            };
            Value::List(value.split('+').map(item).collect())
        }
        "percent" | "after" | "times" | "seed" | "delay_ms" => {
            let number: Option<serde_json::Number> = serde_json::from_str(value).ok();
            number.map_or(scalar(value), |number| Value::Scalar(number.into()))
        }
        _ => scalar(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FaultKind;

    #[test]
    fn a_rule_is_written_in_two_ways() {
        let rule = FaultRule {
            operations: Some(vec!["PutRecord".into(), "PutRecords".into()]),
            percent: Some(12.5),
            seed: Some(7),
            ..FaultRule::of(FaultKind::ThroughputExceeded)
        };
        let json = r#"{"kind": "throughput-exceeded", "operations": ["PutRecord", "PutRecords"],
                       "percent": 12.5, "seed": 7}"#;
        let short = "kind=throughput-exceeded,operations=PutRecord+PutRecords,percent=12.5,seed=7";
        assert_eq!(rule_of_text(json), Ok(rule.clone()));
        assert_eq!(rule_of_text(short), Ok(rule));
    }

    #[test]
    fn a_text_that_is_no_rule_is_refused_with_member_and_reason() {
        let whole = "this has to be a whole number, 0 or more";
        for (text, reason) in [
            ("", FORM),
            ("kind", &format!("kind: {FORM}")),
            ("{", "line 1: the JSON ends too early"),
            ("{]", "line 1: this is not JSON from column 2 on"),
            ("percent=5", "a fault rule needs a kind"),
            ("kind=delay,kind=delay", "kind: this is given twice"),
            ("kind=delay,delay_ms=soon", &format!("delay_ms: {whole}")),
            ("kind=delay,delay_ms=-1", &format!("delay_ms: {whole}")),
            ("kind=delay,delay_ms=1.5", &format!("delay_ms: {whole}")),
            (
                "kind=delay,delay_ms=99999999999",
                "delay_ms: this has to be a whole number, 4294967295 at most",
            ),
            (
                "kind=delay,percent=1e999",
                "percent: this has to be a number",
            ),
            (
                "{\"kind\": \"delay\", \"percent\": 1e999}",
                "line 1: percent: the number 1e999 is too large",
            ),
            (
                "{\"kind\": \"delay\",\n\"operations\": \"PutRecord\"}",
                "line 2: operations: this has to be a list of texts",
            ),
            (
                "kind=delay,until=soon",
                "until: this has to be a time: 2026-01-31T12:00:00Z or seconds since 1970",
            ),
        ] {
            assert_eq!(
                rule_of_text(text).unwrap_err().to_string(),
                reason,
                "{text}"
            );
        }
        for (text, reason) in [
            (
                "kind=explode",
                "kind: there is no such kind; choose through",
            ),
            (
                "kind=delay,colour=red",
                "colour: there is no such member; choose kind, ",
            ),
            (
                "kind=delay,Times=1",
                "Times: there is no such member; did you mean times?",
            ),
        ] {
            let refusal = rule_of_text(text).unwrap_err().to_string();
            assert!(refusal.starts_with(reason), "{text}: {refusal}");
        }
    }
}

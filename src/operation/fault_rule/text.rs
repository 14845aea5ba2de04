//! The text form of a fault rule: JSON, or `kind=…,percent=…,operations=A+B`.

use super::check::FaultRuleError;
use crate::world::FaultRule;
use serde_json::{Map, Value};

/// Parses a rule. The result still has to be checked by `check_all`.
///
/// # Errors
/// The text is neither JSON of a rule nor a list of `name=value` pairs with known names.
pub fn parse(text: &str) -> Result<FaultRule, FaultRuleError> {
    let text = text.trim();
    let value = if text.starts_with('{') {
        serde_json::from_str(text).map_err(|error| FaultRuleError::Unreadable(error.to_string()))?
    } else {
        Value::Object(members(text)?)
    };
    serde_json::from_value(value).map_err(|error| FaultRuleError::Unreadable(error.to_string()))
}

fn members(text: &str) -> Result<Map<String, Value>, FaultRuleError> {
    let mut members = Map::new();
    for part in text.split(',') {
        let Some((name, value)) = part.split_once('=') else {
            let reason =
                format!("{part}: write a rule as kind=…,percent=…,operations=A+B or as JSON");
            return Err(FaultRuleError::Unreadable(reason));
        };
        let (name, value) = (name.trim(), value.trim());
        let is_new = members
            .insert(name.to_owned(), typed(name, value))
            .is_none();
        if !is_new {
            return Err(FaultRuleError::Unreadable(format!("{name} is given twice")));
        }
    }
    Ok(members)
}

/// Converts a value to the JSON type of its member. A value that cannot be converted stays a
/// string, which is refused later.
fn typed(name: &str, value: &str) -> Value {
    match name {
        "operations" => value.split('+').map(str::trim).collect(),
        "percent" | "after" | "times" | "seed" | "delay_ms" => {
            serde_json::from_str(value).unwrap_or_else(|_| value.into())
        }
        _ => value.into(),
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
        assert_eq!(parse(json), Ok(rule.clone()));
        assert_eq!(parse(short), Ok(rule));
    }

    #[test]
    fn a_text_that_is_no_rule_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "write a rule as"),
            ("{", "EOF while parsing"),
            ("percent=5", "missing field `kind`"),
            ("kind=explode", "unknown variant `explode`"),
            ("kind=delay,kind=delay", "kind is given twice"),
            ("kind=delay,delay_ms=soon", "invalid type: string \"soon\""),
            ("kind=delay,colour=red", "unknown field `colour`"),
            ("kind=delay,until=soon", "soon is not a time"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}

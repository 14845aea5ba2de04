//! Violated constraints, generated for every member of every operation.

use super::{Spot, good, good_input, refused_in_both};
use crate::lab::wire_test;
use minikin::internals::operation::OPERATIONS;
use minikin::internals::wire::Shape;
use serde_json::{Value, json};

/// A value that violates constraints of a shape: its form in messages, and the violations in their
/// order.
struct Breach {
    value: Value,
    printed: String,
    rules: Vec<String>,
}

fn breach(value: Value, rules: &[String]) -> Breach {
    let printed = match &value {
        Value::String(text) => format!("'{text}' "),
        other => format!("'{other}' "),
    };
    let rules = rules.to_vec();
    Breach {
        value,
        printed,
        rules,
    }
}

fn too_short(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn too_long(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn breaches(shape: &Shape) -> Vec<Breach> {
    let mut all = Vec::new();
    match shape {
        Shape::Text { .. } => all.extend(text_breaches(shape)),
        Shape::Integer { min, max, .. } => {
            all.extend(min.map(|min| {
                let rule = format!("Member must have value greater than or equal to {min}");
                breach(json!(min - 1), &[rule])
            }));
            all.extend(max.map(|max| {
                let rule = format!("Member must have value less than or equal to {max}");
                breach(json!(max + 1), &[rule])
            }));
        }
        Shape::List {
            element,
            length: Some((min, max)),
        } => all.extend(list_breaches(element, (*min, *max))),
        Shape::Map {
            length: Some((min, max)),
            ..
        } => {
            let entry = |at: usize| (format!("k{at}"), json!("v"));
            all.push(Breach {
                value: json!({}),
                printed: "'{}' ".to_owned(),
                rules: vec![too_short(*min)],
            });
            let printed: Vec<_> = (0..=*max).map(|at| format!("k{at}=v")).collect();
            all.push(Breach {
                value: Value::Object((0..=*max).map(entry).collect()),
                printed: format!("'{{{}}}' ", printed.join(", ")),
                rules: vec![too_long(*max)],
            });
        }
        _ => {}
    }
    all
}

/// Texts that violate the constraints of a shape: they do not match the pattern, are too short, or
/// are too long.
fn text_breaches(shape: &Shape) -> Vec<Breach> {
    let Shape::Text {
        length,
        pattern,
        values,
    } = shape
    else {
        panic!("{shape:?} is of no text");
    };
    let mut all = Vec::new();
    let unmatched = pattern.map(|pattern| {
        format!(
            "Member must satisfy regular expression pattern: {}",
            pattern.text
        )
    });
    let unknown = (!values.is_empty()).then(|| {
        format!(
            "Member must satisfy enum value set: [{}]",
            values.join(", ")
        )
    });
    let kind: Vec<_> = unknown.iter().chain(&unmatched).cloned().collect();
    if !kind.is_empty() {
        let length = length.filter(|(min, _)| *min > 1);
        let length = length.map(|(min, _)| too_short(min));
        let rules: Vec<_> = kind.iter().cloned().chain(length).collect();
        let texts = ["~", ":"].into_iter();
        let mut unmatched = texts.filter(|text| !shape.accepts_text(text));
        all.push(breach(json!(unmatched.next().unwrap()), &rules));
    }
    if let Some((min, max)) = length {
        if *min > 0 {
            // The pattern of a log stream permits an empty text.
            let matches = pattern.is_some_and(|pattern| pattern.matches(""));
            let kind = if matches { Vec::new() } else { kind.clone() };
            let rules = [kind, vec![too_short(*min)]].concat();
            all.push(breach(json!(""), &rules));
        }
        // A text with one character too many matches the pattern of a name, but not the pattern of
        // an ARN.
        let text = "a".repeat(max + 1);
        let matches = pattern.is_none_or(|pattern| pattern.matches(&text));
        let kind = if matches { Vec::new() } else { kind };
        all.push(breach(json!(text), &[kind, vec![too_long(*max)]].concat()));
    }
    all
}

/// A list with too few elements, a list with too many elements, and a list with an invalid element.
fn list_breaches(element: &Shape, (min, max): (usize, usize)) -> Vec<Breach> {
    let list = |items: Vec<Value>, rule: String| {
        // Messages do not print values that contain data.
        let printed = if element.holds_blob() && !items.is_empty() {
            String::new()
        } else {
            format!("'{}' ", printed(&Value::from(items.clone())))
        };
        Breach {
            value: items.into(),
            printed,
            rules: vec![rule],
        }
    };
    let mut all = vec![
        list(Vec::new(), too_short(min)),
        list(vec![good(element); max + 1], too_long(max)),
    ];
    if let Shape::Text { length, values, .. } = element {
        let mut rules = Vec::new();
        if let Some((min, max)) = length {
            rules.extend([too_long(*max), too_short(*min)]);
        }
        if !values.is_empty() {
            rules.push(format!(
                "Member must satisfy enum value set: [{}]",
                values.join(", ")
            ));
        }
        let rules = format!("Member must satisfy constraint: [{}]", rules.join(", "));
        all.push(list(vec![good(element), json!("")], rules));
    }
    all
}

/// A value as messages print it.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(printed).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name}={}", printed(value));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// The whole text of the message, which other tests shorten.
fn sentence(violations: &[String]) -> String {
    let plural = if violations.len() == 1 { "" } else { "s" };
    format!(
        "ValidationException: {} validation error{plural} detected: {}",
        violations.len(),
        violations.join("; ")
    )
}

wire_test!(
    every_violated_constraint_of_every_member_is_reported_in_json_and_cbor,
    |lab| async move {
        let mut checked = 0;
        for entry in OPERATIONS {
            for spot in Spot::all(entry).iter().filter(|spot| spot.is_member()) {
                for breach in breaches(spot.shape) {
                    let mut body = good_input(entry.name);
                    spot.put(&mut body, breach.value);
                    let violation = |rule: &String| {
                        let (printed, path) = (&breach.printed, spot.path());
                        format!("Value {printed}at '{path}' failed to satisfy constraint: {rule}")
                    };
                    let expected: Vec<_> = breach.rules.iter().map(violation).collect();
                    // serde_json sorts the keys of a map, but the message prints its entries in the
                    // order of the request.
                    let got = refused_in_both(&lab, entry.name, &body.to_string()).await;
                    if spot.shape.members().is_empty() && got.contains("k10=v") {
                        assert_eq!(got.len(), sentence(&expected).len(), "{}", entry.name);
                        assert!(got.ends_with(&breach.rules[0]), "{got}");
                    } else {
                        assert_eq!(got, sentence(&expected), "{} {}", entry.name, spot.path());
                    }
                    checked += 1;
                }
            }
        }
        assert!(checked > 80, "{checked} breaches were generated");
    }
);

wire_test!(
    every_absent_required_member_is_reported_in_json_and_cbor,
    |lab| async move {
        let mut checked = Vec::new();
        for entry in OPERATIONS {
            for spot in Spot::all(entry).iter().filter(|spot| spot.required) {
                let path = spot.path();
                let expected = sentence(&[format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                )]);
                let mut body = good_input(entry.name);
                spot.put(&mut body, Value::Null);
                let got = refused_in_both(&lab, entry.name, &body.to_string()).await;
                assert_eq!(got, expected, "{} null", entry.name);
                remove_nulls(&mut body);
                let got = refused_in_both(&lab, entry.name, &body.to_string()).await;
                assert_eq!(got, expected, "{} absent", entry.name);
                checked.push(format!("{}.{path}", entry.name));
            }
        }
        let first = [
            "CreateStream.",
            "GetRecords.",
            "GetShardIterator.",
            "ListShards.",
            "PutRecord.",
            "PutRecords.",
        ];
        checked.retain(|what: &String| first.iter().any(|operation| what.starts_with(operation)));
        assert_eq!(
            checked,
            [
                "CreateStream.streamName",
                "CreateStream.streamModeDetails.streamMode",
                "GetRecords.shardIterator",
                "GetShardIterator.shardIteratorType",
                "GetShardIterator.shardId",
                "ListShards.shardFilter.type",
                "PutRecord.partitionKey",
                "PutRecord.data",
                "PutRecords.records",
                "PutRecords.records.1.member.partitionKey",
                "PutRecords.records.1.member.data",
            ]
        );
    }
);

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

wire_test!(
    values_at_their_bounds_break_no_rule,
    ["--profile", "fast"],
    |lab| async move {
        let mut checked = 0;
        for entry in OPERATIONS {
            for spot in Spot::all(entry).iter().filter(|spot| spot.is_member()) {
                let values = match spot.shape {
                    Shape::Text {
                        length: Some((min, max)),
                        pattern: None,
                        values: [],
                    } => vec![json!("a".repeat(*min)), json!("a".repeat(*max))],
                    Shape::Integer { min, max, .. } => {
                        min.iter().chain(max).map(|bound| json!(bound)).collect()
                    }
                    Shape::Text { values, .. } => values.iter().map(|value| json!(value)).collect(),
                    _ => Vec::new(),
                };
                for value in values {
                    let mut body = good_input(entry.name);
                    // The stream does not exist, so the request has no effect.
                    if entry.name != "CreateStream" && !body["StreamName"].is_null() {
                        body["StreamName"] = json!("missing");
                    }
                    spot.put(&mut body, value);
                    let answer = lab.json(entry.name, &body.to_string()).await;
                    let got = (answer.status != 200).then(|| answer.refusal().to_string());
                    let got = got.unwrap_or_default();
                    let what = format!("{} {} {got}", entry.name, spot.path());
                    assert!(!got.contains(&format!("at '{}'", spot.path())), "{what}");
                    lab.json("DeleteStream", r#"{"StreamName":"s"}"#).await;
                    checked += 1;
                }
            }
        }
        assert!(checked > 40, "{checked} values were generated");
    }
);

wire_test!(lengths_count_utf_16_code_units, |lab| async move {
    lab.ok("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#)
        .await;
    // A character outside the basic multilingual plane counts as two units, so 128 such characters
    // count as 256.
    let put = |count: usize| {
        let key = "\u{1F600}".repeat(count);
        format!(r#"{{"StreamName":"s","Data":"","PartitionKey":"{key}"}}"#)
    };
    lab.ok("PutRecord", &put(128)).await;
    let got = lab.refusal("PutRecord", &put(129)).await;
    assert!(
        got.ends_with("Member must have length less than or equal to 256"),
        "{got}"
    );
});

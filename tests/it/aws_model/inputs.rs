//! Compares the inputs of the operations with the service model: members, requirements and
//! constraints.

use super::Model;
use minikin::internals::operation::OPERATIONS;
use minikin::internals::wire::{Presence, Shape};
use serde_json::Value;
use std::collections::BTreeSet;

/// Intended differences from the model, each with its reason.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "EncryptionType: another order of values",
        "the service's message lists them in an order of its own",
    ),
    (
        "MetricsName: another order of values",
        "the service's message lists them in an order of its own",
    ),
    (
        "PutRecordInput.PartitionKey: expected though optional",
        "only streams that distribute records by themselves do without it",
    ),
    (
        "PutRecordsRequestEntry.PartitionKey: expected though optional",
        "only streams that distribute records by themselves do without it",
    ),
    (
        "ShardIteratorType: another order of values",
        "the service's message lists them in an order of its own",
    ),
    (
        "StreamMode: another order of values",
        "the service's message lists them in an order of its own",
    ),
];

/// Collects differences between our shapes and the model's.
struct Comparison<'a> {
    model: &'a Model,
    found: BTreeSet<String>,
    structures: usize,
}

fn number(value: &Value) -> Option<i64> {
    (!value.is_null()).then(|| value.as_i64().unwrap())
}

/// The bounds of a length. The model does not name a bound that is its default.
fn bounds(length: Option<(usize, usize)>) -> (Option<i64>, Option<i64>) {
    let signed = |bound: usize| i64::try_from(bound).unwrap();
    (
        length.map(|length| signed(length.0)),
        length.map(|length| signed(length.1)),
    )
}

impl Comparison<'_> {
    fn differ(&mut self, what: impl Into<String>) {
        self.found.insert(what.into());
    }

    fn compare(&mut self, ours: &Shape, name: &str) {
        let model = self.model;
        let theirs = model.shape(name);
        let kind = match ours {
            Shape::Text { .. } => "string",
            Shape::Integer { long: false, .. } => "integer",
            Shape::Integer { long: true, .. } => "long",
            Shape::Boolean => "boolean",
            Shape::Blob { .. } => "blob",
            Shape::Timestamp => "timestamp",
            Shape::List { .. } => "list",
            Shape::Map { .. } => "map",
            Shape::Structure(_) => "structure",
        };
        if theirs["type"] != kind {
            self.differ(format!("{name}: {kind} for {}", theirs["type"]));
            return;
        }
        let (min, max) = match ours {
            Shape::Integer { min, max, .. } => (*min, *max),
            Shape::Text { length, .. }
            | Shape::Blob { length }
            | Shape::List { length, .. }
            | Shape::Map { length, .. } => bounds(*length),
            Shape::Boolean | Shape::Timestamp | Shape::Structure(_) => (None, None),
        };
        let bounds = (number(&theirs["min"]), number(&theirs["max"]));
        if (min, max) != bounds {
            self.differ(format!("{name}: bounds {:?} for {bounds:?}", (min, max)));
        }
        match ours {
            Shape::Text {
                pattern, values, ..
            } => {
                self.compare_pattern(pattern.map(|pattern| pattern.text), name);
                self.compare_values(values, name);
            }
            Shape::List { element, .. } => {
                self.compare(element, theirs["member"]["shape"].as_str().unwrap());
            }
            Shape::Map { key, value, .. } => {
                self.compare(key, theirs["key"]["shape"].as_str().unwrap());
                self.compare(value, theirs["value"]["shape"].as_str().unwrap());
            }
            Shape::Structure(_) => self.compare_members(ours, name),
            _ => {}
        }
    }

    fn compare_pattern(&mut self, ours: Option<&str>, name: &str) {
        let theirs = self.model.shape(name)["pattern"].as_str();
        if ours != theirs {
            let (ours, theirs) = (ours.unwrap_or("none"), theirs.unwrap_or("none"));
            self.differ(format!("{name}: pattern {ours} for {theirs}"));
        }
    }

    fn compare_values(&mut self, ours: &[&str], name: &str) {
        let theirs = self.model.shape(name)["enum"].as_array();
        let theirs: Vec<_> = theirs
            .into_iter()
            .flatten()
            .map(|value| value.as_str().unwrap())
            .collect();
        let sorted = |values: &[&str]| {
            let mut values: Vec<_> = values.iter().map(ToString::to_string).collect();
            values.sort();
            values
        };
        if sorted(ours) != sorted(&theirs) {
            self.differ(format!("{name}: values {ours:?} for {theirs:?}"));
        } else if ours != theirs {
            self.differ(format!("{name}: another order of values"));
        }
    }

    fn compare_members(&mut self, ours: &Shape, name: &str) {
        self.structures += 1;
        let members = ours.members();
        let names: BTreeSet<_> = members.iter().map(|member| member.name).collect();
        if names.len() != members.len() {
            self.differ(format!("{name}: a member twice"));
        }
        let theirs = self.model.members(name);
        for missing in theirs.difference(&names) {
            self.differ(format!("{name}.{missing}: missing"));
        }
        let required = self.model.required(name);
        for member in members {
            let member_name = member.name;
            if !theirs.contains(member_name) {
                self.differ(format!("{name}.{member_name}: not in the model"));
                continue;
            }
            match (member.presence, required.contains(member_name)) {
                (Presence::Required, true) | (Presence::Optional, false) => {}
                (Presence::Expected, false) => {
                    self.differ(format!("{name}.{member_name}: expected though optional"));
                }
                (presence, required) => {
                    let what = format!("{presence:?} for required: {required}");
                    self.differ(format!("{name}.{member_name}: {what}"));
                }
            }
            self.compare(member.shape, self.model.member(name, member_name));
        }
    }
}

#[test]
fn inputs_are_the_models_but_for_the_differences_on_purpose() {
    let model = Model::read();
    let mut comparison = Comparison {
        model: &model,
        found: BTreeSet::new(),
        structures: 0,
    };
    for entry in OPERATIONS {
        match model.of(entry.name, "input") {
            Some(shape) => comparison.compare(entry.input, shape),
            None => assert!(
                entry.input.members().is_empty(),
                "{} takes nothing",
                entry.name
            ),
        }
    }
    let known: BTreeSet<_> = DIFFERENCES
        .iter()
        .map(|(what, _)| (*what).to_owned())
        .collect();
    assert_eq!(comparison.found, known);
    assert!(
        comparison.structures >= OPERATIONS.len(),
        "every input was compared"
    );
}

#[test]
fn every_difference_has_a_reason() {
    assert!(DIFFERENCES.iter().all(|(_, reason)| reason.len() > 20));
    assert!(DIFFERENCES.is_sorted());
}

//! The exact texts of refusals.

mod identifiers;
mod input;
mod positions;
mod rules;
mod streams;
mod types;
mod writes;

use crate::lab::{Lab, Place, block_on, refused_in_both};
use expect_test::Expect;
use minikin::internals::operation::{Entry, OPERATIONS};
use minikin::internals::wire::{Presence, Shape};
use serde_json::{Value, json};

/// The operation called `name`.
fn entry(name: &str) -> &'static Entry {
    OPERATIONS.iter().find(|entry| entry.name == name).unwrap()
}

/// Sends a request in both formats and compares the refusal. Each violation is on its own line.
fn check_input(operation: &str, body: &str, expected: Expect) {
    expected.assert_eq(&refusal_of(operation, body));
}

/// The refusal of a request in both formats. Each violation is on its own line.
fn refusal_of(operation: &str, body: &str) -> String {
    let got = block_on(async {
        let lab = Lab::start(Place::Memory, &[]).await;
        let got = refused_in_both(&lab, operation, body).await;
        lab.stop().await;
        got
    });
    one_a_line(&got)
}

/// Formats a ValidationException with each violation on its own line, without the words that all of
/// them have. Leaves other refusals unchanged.
fn one_a_line(refusal: &str) -> String {
    let Some(message) = refusal.strip_prefix("ValidationException: ") else {
        return format!("{refusal}\n");
    };
    let Some((head, list)) = message.split_once(" detected: ") else {
        return format!("{refusal}\n");
    };
    let violations: Vec<_> = list.split("; Value ").collect();
    let plural = if violations.len() == 1 { "" } else { "s" };
    assert_eq!(
        head,
        format!("{} validation error{plural}", violations.len()),
        "{refusal}"
    );
    let mut lines = format!("ValidationException: {head} detected:\n");
    for violation in violations {
        let violation = violation.strip_prefix("Value ").unwrap_or(violation);
        let (place, rule) = violation
            .split_once("' failed to satisfy constraint: ")
            .unwrap();
        let (value, path) = place.rsplit_once("at '").unwrap();
        lines.push_str(&format!("{value}at {path}: {rule}\n"));
    }
    lines
}

/// A request of an operation that violates no constraint and contains all structures of the input.
fn good_input(operation: &str) -> Value {
    let mut input = good(entry(operation).input);
    if operation == "CreateStream" {
        input["ShardCount"] = json!(1);
    }
    input
}

/// A value that satisfies the constraints of a shape.
fn good(shape: &Shape) -> Value {
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    let texts = [
        "s",
        "0",
        arn,
        &format!("{arn}/consumer/c:1"),
        "arn:aws:kinesis:us-east-1:000000000000:queue/q",
        "arn:aws:kinesis:us-east-1:000000000000:channel/n",
        "arn:aws:iam::000000000000:role/r",
        "arn:aws:glue:us-east-1:000000000000:schema/r/s",
        "arn:aws:s3:::bucket",
        "arn:aws:s3tables:us-east-1:000000000000:bucket/tables",
        "000000000000",
        "abcdefghij0123456789-xyz",
    ];
    match shape {
        Shape::Text { values, .. } => {
            let mut candidates = values.iter().chain(&texts);
            json!(
                candidates
                    .find(|text| shape.accepts_text(text))
                    .expect("a text that will do")
            )
        }
        Shape::Integer { min, .. } => json!(min.unwrap_or(1).max(1)),
        Shape::Boolean => json!(false),
        Shape::Blob { .. } => json!(""),
        Shape::Timestamp => json!(1),
        Shape::List { element, .. } => json!([good(element)]),
        Shape::Map { value, .. } => json!({"k": good(value)}),
        Shape::Structure(_) => {
            let wanted = shape.members().into_iter().filter(|member| {
                let structure = matches!(member.shape, Shape::Structure(_));
                let named = member.name == "StreamName";
                structure || named || member.presence != Presence::Optional
            });
            wanted
                .map(|member| (member.name.to_owned(), good(member.shape)))
                .collect()
        }
    }
}

/// A path into an input, and the shape of the value at its end.
#[derive(Debug, Clone)]
struct Spot {
    steps: Vec<Step>,
    shape: &'static Shape,
    required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(&'static str),
    /// The first element of a list.
    Item,
    /// The entry `k` of a map.
    Entry,
}

impl Spot {
    /// All paths in the input of an operation.
    fn all(entry: &'static Entry) -> Vec<Self> {
        let mut spots = Vec::new();
        gather(entry.input, &[], &mut spots);
        spots
    }

    /// The path in the form that messages have.
    fn path(&self) -> String {
        let step = |step: &Step| match step {
            Step::Member(name) => format!("{}{}", name[..1].to_lowercase(), &name[1..]),
            Step::Item => "1.member".to_owned(),
            Step::Entry => "k.member".to_owned(),
        };
        self.steps.iter().map(step).collect::<Vec<_>>().join(".")
    }

    /// True if the value belongs to a member of a structure, and not to a list or map.
    fn is_member(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Member(_)))
    }

    /// Sets the value at this path. Creates missing values on the path.
    fn put(&self, input: &mut Value, value: Value) {
        let mut at = input;
        for step in &self.steps {
            at = match step {
                Step::Member(name) => &mut at[*name],
                Step::Entry => &mut at["k"],
                Step::Item => {
                    if !at.is_array() {
                        *at = json!([null]);
                    }
                    &mut at[0]
                }
            };
        }
        *at = value;
    }
}

fn gather(shape: &'static Shape, steps: &[Step], spots: &mut Vec<Spot>) {
    let mut enter = |step: Step, shape: &'static Shape, required: bool| {
        let steps = [steps, &[step]].concat();
        spots.push(Spot {
            steps: steps.clone(),
            shape,
            required,
        });
        gather(shape, &steps, spots);
    };
    match shape {
        Shape::Structure(_) => {
            for member in shape.members() {
                let required = member.presence != Presence::Optional;
                enter(Step::Member(member.name), member.shape, required);
            }
        }
        Shape::List { element, .. } => enter(Step::Item, element, false),
        Shape::Map { value, .. } => enter(Step::Entry, value, false),
        _ => {}
    }
}

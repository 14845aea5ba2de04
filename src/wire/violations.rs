//! Violations of constraints, with the service's messages.

use super::node::Node;
use super::shape::{Field, Member, Presence, Shape, utf16_length};
use std::fmt::Write as _;

/// Maximum number of violations that one message lists. The service's message about a request with
/// 502 violations was recorded, and lists this number of violations.
const MAX_VIOLATIONS: usize = 10;

/// The violations of constraints in one request, in the order in which the structure declares its
/// members.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    violations: Vec<String>,
    /// True if each violation is a missing member of presence `Expected`.
    only_expected_missing: bool,
}

/// One step of the path from the request to a value.
enum Step<'a> {
    Member(&'static str),
    Item(usize),
    Key(&'a str),
}

impl Violations {
    /// Finds the constraints of `shape` that `node` violates. If `tolerates_missing` is true,
    /// members of presence `Expected` may be missing.
    ///
    /// If `tolerates_missing` is false, a missing member of presence `Expected` is a violation, but
    /// the result contains such violations only if there are no other violations. For a PutRecord
    /// request with neither PartitionKey nor Data, the service was recorded to report only Data in
    /// September 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
    pub(crate) fn find(node: &Node, shape: &Shape, tolerates_missing: bool) -> Self {
        let mut walk = Walk::default();
        walk.value(node, shape, &mut Vec::new());
        if walk.violations.is_empty() && !tolerates_missing {
            return Self {
                only_expected_missing: !walk.missing.is_empty(),
                violations: walk.missing,
            };
        }
        Self {
            violations: walk.violations,
            only_expected_missing: false,
        }
    }

    /// Creates the violations of a request that lacks the member at each of `paths`. The operation
    /// requires these members.
    pub(crate) fn missing(paths: impl Iterator<Item = String>) -> Self {
        let violations = paths.take(MAX_VIOLATIONS).map(|path| null(&path)).collect();
        Self {
            violations,
            only_expected_missing: true,
        }
    }

    /// Creates the violations of a request in which the value at each of `paths` is longer than
    /// `max` bytes.
    pub(crate) fn too_long(paths: impl Iterator<Item = String>, max: usize) -> Self {
        let violation = |path| {
            let rule = at_most_long(max);
            format!("Value at '{path}' failed to satisfy constraint: {rule}")
        };
        let violations = paths.take(MAX_VIOLATIONS).map(violation).collect();
        Self {
            violations,
            only_expected_missing: false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.violations.is_empty()
    }

    /// Returns true if each violation is a missing member of presence `Expected`. The operation may
    /// tolerate such violations.
    pub(crate) fn is_tolerable(&self) -> bool {
        self.only_expected_missing
    }

    /// Returns the message of the ValidationException that lists the violations.
    pub(crate) fn message(&self) -> String {
        let count = self.violations.len();
        let plural = if count == 1 { "" } else { "s" };
        let mut message = format!("{count} validation error{plural} detected: ");
        message.push_str(&self.violations.join("; "));
        message
    }
}

#[derive(Default)]
struct Walk {
    violations: Vec<String>,
    /// The violations for missing members of presence `Expected`.
    missing: Vec<String>,
}

impl Walk {
    fn value<'a>(&mut self, node: &'a Node, shape: &Shape, path: &mut Vec<Step<'a>>) {
        if self.violations.len() >= MAX_VIOLATIONS {
            return;
        }
        match (shape, node) {
            (Shape::Structure(fields), _) => self.fields(node, fields, path),
            (Shape::List { element, .. }, Node::List(items)) => {
                self.check(node, shape, path);
                match element {
                    Shape::Structure(_) => self.items(items, element, path),
                    _ if items.iter().any(|item| is_broken(item, element)) => {
                        let rules = bracketed("Member must satisfy constraint", element);
                        self.violate(node, shape, path, &rules);
                    }
                    _ => {}
                }
            }
            (Shape::Map { key, value, .. }, Node::Map(entries)) => {
                self.check(node, shape, path);
                if entries.iter().any(|(name, _)| !key.accepts_text(name)) {
                    let rules = bracketed("Map keys must satisfy constraint", key);
                    self.violate(node, shape, path, &rules);
                }
                match value {
                    Shape::Structure(_) => {
                        for (name, entry) in entries {
                            path.push(Step::Key(name));
                            self.value(entry, value, path);
                            path.pop();
                        }
                    }
                    _ if entries.iter().any(|(_, entry)| is_broken(entry, value)) => {
                        let rules = bracketed("Map value must satisfy constraint", value);
                        self.violate(node, shape, path, &rules);
                    }
                    _ => {}
                }
            }
            _ => self.check(node, shape, path),
        }
    }

    fn fields<'a>(&mut self, node: &'a Node, fields: &'static [Field], path: &mut Vec<Step<'a>>) {
        for field in fields {
            match field {
                Field::Group(fields) => self.fields(node, fields, path),
                Field::Member(member) => self.member(node, member, path),
            }
        }
    }

    fn member<'a>(&mut self, node: &'a Node, member: &Member, path: &mut Vec<Step<'a>>) {
        path.push(Step::Member(member.name));
        match node.member(member.name) {
            Some(value) => self.value(value, member.shape, path),
            None => match member.presence {
                Presence::Required => push(&mut self.violations, null(&spell(path))),
                Presence::Expected => push(&mut self.missing, null(&spell(path))),
                Presence::Optional => {}
            },
        }
        path.pop();
    }

    fn items<'a>(&mut self, items: &'a [Node], element: &Shape, path: &mut Vec<Step<'a>>) {
        for (at, item) in items.iter().enumerate() {
            path.push(Step::Item(at + 1));
            self.value(item, element, path);
            path.pop();
        }
    }

    fn check(&mut self, node: &Node, shape: &Shape, path: &[Step<'_>]) {
        for rule in broken(node, shape) {
            self.violate(node, shape, path, &rule);
        }
    }

    fn violate(&mut self, node: &Node, shape: &Shape, path: &[Step<'_>], rule: &str) {
        let path = spell(path);
        // Since about 2020, the service's messages do not show values that contain blobs. A message
        // about an empty list of records still shows the empty list, as was recorded in September
        // 2026 (radkawar/stackd, testdata/aws/kinesis/records.json).
        let is_empty = matches!(node, Node::List(items) if items.is_empty());
        let value = if shape.holds_blob() && !is_empty {
            String::new()
        } else {
            format!("'{node}' ")
        };
        let violation = format!("Value {value}at '{path}' failed to satisfy constraint: {rule}");
        push(&mut self.violations, violation);
    }
}

fn push(violations: &mut Vec<String>, violation: String) {
    if violations.len() < MAX_VIOLATIONS {
        violations.push(violation);
    }
}

fn null(path: &str) -> String {
    format!("Value null at '{path}' failed to satisfy constraint: Member must not be null")
}

fn spell(path: &[Step<'_>]) -> String {
    let mut spelled = String::new();
    for step in path {
        if !spelled.is_empty() {
            spelled.push('.');
        }
        match step {
            Step::Member(name) => {
                let mut letters = name.chars();
                spelled.extend(letters.next().map(|first| first.to_ascii_lowercase()));
                spelled.push_str(letters.as_str());
            }
            Step::Item(number) => {
                let _ = write!(spelled, "{number}.member");
            }
            Step::Key(key) => {
                let _ = write!(spelled, "{key}.member");
            }
        }
    }
    spelled
}

/// Returns the constraints of `shape` that the value `node` itself violates, in the order in which
/// the service lists them. Other functions check the constraints of the elements and members of
/// `node`.
fn broken(node: &Node, shape: &Shape) -> Vec<String> {
    let mut rules = Vec::new();
    match (shape, node) {
        (
            Shape::Text {
                length,
                pattern,
                values,
            },
            Node::Text(text),
        ) => {
            if !values.is_empty() && !values.contains(&text.as_str()) {
                rules.push(one_of(values));
            }
            if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
                rules.push(matching(pattern.text));
            }
            rules.extend(length.and_then(|bounds| out_of(utf16_length(text), bounds)));
        }
        (Shape::Integer { min, max, long }, Node::Integer(_) | Node::Float(_)) => {
            let number = node.number(*long).unwrap_or_default();
            if let Some(min) = min.filter(|min| number < *min) {
                rules.push(format!(
                    "Member must have value greater than or equal to {min}"
                ));
            }
            if let Some(max) = max.filter(|max| number > *max) {
                rules.push(format!(
                    "Member must have value less than or equal to {max}"
                ));
            }
        }
        (
            Shape::Blob {
                length: Some(bounds),
            },
            _,
        ) => {
            rules.extend(node.blob().and_then(|bytes| out_of(bytes.len(), *bounds)));
        }
        (
            Shape::List {
                length: Some(bounds),
                ..
            },
            Node::List(items),
        ) => {
            rules.extend(out_of(items.len(), *bounds));
        }
        (
            Shape::Map {
                length: Some(bounds),
                ..
            },
            Node::Map(entries),
        ) => {
            rules.extend(out_of(entries.len(), *bounds));
        }
        _ => {}
    }
    rules
}

/// Returns true if `node`, an element of a list or a value of a map, is null or violates a
/// constraint of `shape`.
fn is_broken(node: &Node, shape: &Shape) -> bool {
    *node == Node::Null || !broken(node, shape).is_empty()
}

/// Returns the text about an element, key or value that violates a constraint of `shape`. Like the
/// service's text, the text lists all constraints of `shape`, even if only one is violated.
fn bracketed(lead: &str, shape: &Shape) -> String {
    let mut rules = Vec::new();
    if let Shape::Text {
        length,
        pattern,
        values,
    } = shape
    {
        if let Some((min, max)) = length {
            rules.push(at_most_long(*max));
            rules.push(at_least_long(*min));
        }
        rules.extend(pattern.map(|pattern| matching(pattern.text)));
        if !values.is_empty() {
            rules.push(one_of(values));
        }
    }
    format!("{lead}: [{}]", rules.join(", "))
}

fn out_of(count: usize, (min, max): (usize, usize)) -> Option<String> {
    if count < min {
        Some(at_least_long(min))
    } else if count > max {
        Some(at_most_long(max))
    } else {
        None
    }
}

fn at_least_long(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn at_most_long(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn matching(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn one_of(values: &[&str]) -> String {
    format!(
        "Member must satisfy enum value set: [{}]",
        values.join(", ")
    )
}

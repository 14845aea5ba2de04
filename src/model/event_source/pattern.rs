//! Filter patterns of mappings: the part of EventBridge's pattern language that Lambda documents
//! for event sources.

use super::event::EventRecord;
use super::refusal::Refusal;
use serde_json::{Map, Value};

/// The filters of a mapping. The mapping delivers a record that at least one filter matches, and
/// drops every other record.
#[derive(Debug, Clone, Default)]
pub struct Filters(Vec<Pattern>);

/// The attributes of a record that a filter can compare, but that [`EventRecord`] does not hold.
#[derive(Debug, Clone, Copy)]
pub struct MetaData<'a> {
    /// The shard's id. The `eventID` of a record is this id, a colon and the sequence number.
    pub shard: &'a str,
    /// The value of the record's attribute `eventSourceARN`.
    pub source: &'a str,
    /// The value of the record's attribute `awsRegion`.
    pub region: &'a str,
}

/// A filter, parsed from its JSON pattern.
#[derive(Debug, Clone)]
struct Pattern {
    /// The part of the pattern under `data`, which the record's data must match.
    data: Option<Node>,
    /// The parts of the pattern outside of `data`, which the other attributes of the record must
    /// match. The comparison of these attributes is a choice, because Lambda's newest guide says
    /// that a filter compares data only.
    rest: Option<Node>,
}

/// The part of a pattern that is compared with one JSON object.
#[derive(Debug, Clone)]
struct Node {
    /// The tests of an object's members, each with the name of its member. All tests must succeed.
    members: Vec<(String, Test)>,
    /// The alternatives of each `$or`. At least one alternative of each `$or` must match.
    any_of: Vec<Vec<Node>>,
}

#[derive(Debug, Clone)]
enum Test {
    /// Succeeds if the member is an object that matches the node.
    Object(Node),
    /// Succeeds if the member is a value that matches at least one rule, or an array with an
    /// element that matches at least one rule.
    Leaf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Null,
    Flag(bool),
    /// A number in the spelling of `serde_json`. Numbers are compared as texts, because
    /// EventBridge's guide says that 300 does not match 3.0e2. The spelling is not that of the
    /// pattern or of the data: 3.0e2 becomes 300.0, and 1.10 becomes 1.1.
    Number(String),
    Text(String),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    AnythingBut(Vec<Rule>),
    Range(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Filters {
    /// Parses the filters of a mapping. `texts` contains the pattern of each filter as JSON.
    pub fn read(texts: &[String]) -> Result<Self, Refusal> {
        let patterns = texts.iter().map(|text| Pattern::read(text));
        let patterns: Option<Vec<_>> = patterns.collect();
        patterns.map(Self).ok_or_else(Refusal::filter)
    }

    /// True if there are no filters. The mapping then delivers every record.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if at least one filter compares attributes other than the record's data.
    pub fn compare_attributes(&self) -> bool {
        self.0.iter().any(|pattern| pattern.rest.is_some())
    }

    /// True if the mapping delivers `record`, because at least one filter matches the record or
    /// there are no filters.
    pub fn keep(&self, record: &EventRecord<'_>, meta: MetaData<'_>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let wants_data = self.0.iter().any(|pattern| pattern.data.is_some());
        let data = wants_data
            .then(|| serde_json::from_slice(record.data).ok())
            .flatten();
        let rest = self.compare_attributes().then(|| rest_of(record, meta));
        self.0
            .iter()
            .any(|pattern| pattern.matches(data.as_ref(), rest.as_ref()))
    }
}

/// Builds the JSON of the record's attributes outside of `data`, for the filters that compare such
/// attributes.
fn rest_of(record: &EventRecord<'_>, meta: MetaData<'_>) -> Value {
    let number = record.number.to_string();
    serde_json::json!({
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record.partition_key,
        "eventID": format!("{}:{number}", meta.shard),
        "sequenceNumber": number,
        "approximateArrivalTimestamp": record.arrival_ms as f64 / 1000.0,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventName": "aws:kinesis:record",
        "awsRegion": meta.region,
        "eventSourceARN": meta.source,
    })
}

impl Pattern {
    fn read(text: &str) -> Option<Self> {
        let Value::Object(mut members) = serde_json::from_str(text).ok()? else {
            return None;
        };
        let data = match members.remove("data") {
            None => None,
            Some(Value::Object(data)) => Some(Node::read(&data)?),
            Some(_) => return None,
        };
        let rest = (!members.is_empty()).then(|| Node::read(&members));
        let rest = match rest {
            None => None,
            Some(rest) => Some(rest?),
        };
        Some(Self { data, rest })
    }

    fn matches(&self, data: Option<&Value>, rest: Option<&Value>) -> bool {
        let matches = |node: &Option<Node>, value: Option<&Value>| {
            node.as_ref()
                .is_none_or(|node| value.is_some_and(|value| node.matches(value)))
        };
        matches(&self.data, data) && matches(&self.rest, rest)
    }
}

impl Node {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let mut node = Self {
            members: Vec::new(),
            any_of: Vec::new(),
        };
        for (name, value) in members {
            match value {
                Value::Array(choices) if name == "$or" => {
                    let choices = choices.iter().map(|choice| Self::read(choice.as_object()?));
                    let choices: Vec<Self> = choices.collect::<Option<_>>()?;
                    (!choices.is_empty()).then_some(())?;
                    node.any_of.push(choices);
                }
                Value::Object(inner) => {
                    node.members
                        .push((name.clone(), Test::Object(Self::read(inner)?)));
                }
                Value::Array(rules) => {
                    let rules: Vec<Rule> = rules.iter().map(Rule::read).collect::<Option<_>>()?;
                    (!rules.is_empty()).then_some(())?;
                    node.members.push((name.clone(), Test::Leaf(rules)));
                }
                _ => return None,
            }
        }
        Some(node)
    }

    fn matches(&self, value: &Value) -> bool {
        match value {
            Value::Object(object) => {
                let tests = |(name, test): &(String, Test)| test.matches(object.get(name));
                self.members.iter().all(tests)
                    && self
                        .any_of
                        .iter()
                        .all(|choices| choices.iter().any(|choice| choice.matches(value)))
            }
            // An array matches the node if at least one of its elements is an object that matches
            // the node.
            Value::Array(elements) => elements
                .iter()
                .any(|element| element.is_object() && self.matches(element)),
            _ => false,
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Object(node) => match value {
                Some(value @ (Value::Object(_) | Value::Array(_))) => node.matches(value),
                // A missing object counts as an object without members, so that `"exists": false`
                // can match.
                _ => node.matches(&Value::Object(Map::new())) && !node.is_trivial(),
            },
            Self::Leaf(rules) => rules.iter().any(|rule| rule.matches_member(value)),
        }
    }
}

impl Node {
    fn is_trivial(&self) -> bool {
        self.members.is_empty() && self.any_of.is_empty()
    }
}

impl Rule {
    fn read(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) => return None,
            Value::Object(operator) => {
                let mut operators = operator.iter();
                let (name, value) = operators.next()?;
                if operators.next().is_some() {
                    return None;
                }
                return Self::operator(name, value);
            }
        })
    }

    fn operator(name: &str, value: &Value) -> Option<Self> {
        let text = || value.as_str().map(str::to_owned);
        Some(match name {
            "prefix" => Self::Prefix(text()?),
            "suffix" => Self::Suffix(text()?),
            "equals-ignore-case" => Self::IgnoreCase(text()?.to_lowercase()),
            "exists" => Self::Exists(value.as_bool()?),
            "numeric" => Self::Range(comparisons(value.as_array()?)?),
            "anything-but" => Self::AnythingBut(excluded(value)?),
            _ => return None,
        })
    }

    /// True if `value`, the value of a member, matches the rule or is an array with an element that
    /// matches the rule. `None` stands for a missing member.
    fn matches_member(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // `exists` tests plain values only: an object does not count as existing.
            (Self::Exists(wanted), value) => {
                let there = value.is_some_and(|value| !value.is_object());
                there == *wanted
            }
            (_, None) => false,
            // `anything-but` matches an array only if none of its elements is excluded.
            (Self::AnythingBut(_), Some(Value::Array(elements))) => {
                !elements.is_empty() && elements.iter().all(|element| self.matches(element))
            }
            (_, Some(Value::Array(elements))) => {
                elements.iter().any(|element| self.matches(element))
            }
            (_, Some(value)) => self.matches(value),
        }
    }

    fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Flag(wanted), Value::Bool(flag)) => wanted == flag,
            (Self::Number(wanted), Value::Number(number)) => *wanted == number.to_string(),
            (Self::Range(range), Value::Number(number)) => {
                let number = number.as_f64();
                number
                    .is_some_and(|number| range.iter().all(|(is, bound)| is.holds(number, *bound)))
            }
            (Self::AnythingBut(excluded), value) => {
                !value.is_object() && !excluded.iter().any(|rule| rule.matches(value))
            }
            (_, Value::String(text)) => match self {
                Self::Text(wanted) => wanted == text,
                Self::Prefix(prefix) => text.starts_with(prefix),
                Self::Suffix(suffix) => text.ends_with(suffix),
                Self::IgnoreCase(wanted) => *wanted == text.to_lowercase(),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Parses the values that an `anything-but` excludes: a text, a number, a list of texts and
/// numbers, a prefix or a suffix.
fn excluded(value: &Value) -> Option<Vec<Rule>> {
    let plain = |value: &Value| match value {
        Value::String(_) | Value::Number(_) => Rule::read(value),
        _ => None,
    };
    match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(plain).collect(),
        Value::Object(_) => {
            let rule = Rule::read(value)?;
            matches!(rule, Rule::Prefix(_) | Rule::Suffix(_)).then(|| vec![rule])
        }
        value => plain(value).map(|rule| vec![rule]),
    }
}

/// Parses one numeric comparison, or two comparisons that form a range.
fn comparisons(parts: &[Value]) -> Option<Vec<(Comparison, f64)>> {
    let (pairs, rest) = parts.as_chunks::<2>();
    if !rest.is_empty() || !(1..=2).contains(&pairs.len()) {
        return None;
    }
    let pair = |[operator, bound]: &[Value; 2]| {
        let comparison = match operator.as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::More,
            ">=" => Comparison::MoreOrEqual,
            _ => return None,
        };
        Some((comparison, bound.as_f64()?))
    };
    let range: Vec<_> = pairs.iter().map(pair).collect::<Option<_>>()?;
    if let [(low, from), (high, to)] = range.as_slice() {
        let is_range = matches!(low, Comparison::More | Comparison::MoreOrEqual)
            && matches!(high, Comparison::Less | Comparison::LessOrEqual)
            && from < to;
        is_range.then_some(())?;
    }
    Some(range)
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number == bound,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::More => number > bound,
            Self::MoreOrEqual => number >= bound,
        }
    }
}

#[cfg(test)]
mod tests;

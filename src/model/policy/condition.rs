//! Conditions of statements: the operators and condition keys that minikin supports.

use super::attributes::Attributes;
use super::document::Document;
use super::flaws::Flaws;
use super::pattern::{is_arn_like, is_like, parts};
use super::truth::Truth;
use crate::model::tag::Tags;
use std::net::IpAddr;

/// A condition of a statement: an operator, a condition key and a list of values. The condition
/// holds if the key's value in the request matches at least one of the listed values. A negated
/// condition holds if the key's value matches none of the listed values.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    key: Key,
    compare: Compare,
    negated: bool,
    /// True if a request without the condition key satisfies the condition.
    if_exists: bool,
    values: Vec<Value>,
}

/// A condition key that minikin supports.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    PrincipalAccount,
    PrincipalArn,
    RequestedRegion,
    ResourceAccount,
    ResourceTag(String),
    SecureTransport,
    SourceIp,
}

/// The comparison that an operator of a condition makes between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Address,
    Arn,
    /// Compares texts without regard to case. `Bool` uses this comparison too.
    IgnoringCase,
    Like,
    Null,
    Text,
}

/// A value in the list of a condition. A value for a comparison of IP addresses is parsed as a
/// network.
#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Network(IpAddr, u8),
}

/// The supported operators. Each entry is the operator's name, the comparison, and a Boolean that
/// is true if the comparison is negated. Every operator except `Null` may also have the suffix
/// `IfExists`.
const OPERATORS: [(&str, Compare, bool); 14] = [
    ("ArnEquals", Compare::Arn, false),
    ("ArnLike", Compare::Arn, false),
    ("ArnNotEquals", Compare::Arn, true),
    ("ArnNotLike", Compare::Arn, true),
    ("Bool", Compare::IgnoringCase, false),
    ("IpAddress", Compare::Address, false),
    ("NotIpAddress", Compare::Address, true),
    ("Null", Compare::Null, false),
    ("StringEquals", Compare::Text, false),
    ("StringEqualsIgnoreCase", Compare::IgnoringCase, false),
    ("StringLike", Compare::Like, false),
    ("StringNotEquals", Compare::Text, true),
    ("StringNotEqualsIgnoreCase", Compare::IgnoringCase, true),
    ("StringNotLike", Compare::Like, true),
];

/// The names of the condition keys in lower case, because keys are compared without regard to case.
const KEYS: [(&str, Key); 6] = [
    ("aws:principalaccount", Key::PrincipalAccount),
    ("aws:principalarn", Key::PrincipalArn),
    ("aws:requestedregion", Key::RequestedRegion),
    ("aws:resourceaccount", Key::ResourceAccount),
    ("aws:securetransport", Key::SecureTransport),
    ("aws:sourceip", Key::SourceIp),
];
const RESOURCE_TAG: &str = "aws:resourcetag/";

/// Reads the element `Condition`. Leaves out a condition that minikin does not understand, and
/// records it as a flaw.
pub(super) fn read(document: &Document, flaws: &mut Flaws) -> Vec<Condition> {
    let Some(operators) = document.members() else {
        flaws.note("is not an object");
        return Vec::new();
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        flaws.within(operator, |flaws| {
            let Some(keys) = keys.members() else {
                return flaws.note("is not an object");
            };
            for (key, values) in keys {
                flaws.within(key, |flaws| {
                    conditions.extend(one(operator, key, values, flaws))
                });
            }
        });
    }
    conditions
}

fn one(operator: &str, key: &str, values: &Document, flaws: &mut Flaws) -> Option<Condition> {
    let found = find_operator(operator);
    let Some((compare, negated, if_exists)) = found else {
        flaws.note(format!("{operator} is not a supported operator"));
        return None;
    };
    let Some(key) = Key::read(key) else {
        flaws.note("is not a supported key");
        return None;
    };
    let values: Option<Vec<Value>> = values
        .items()
        .iter()
        .map(|value| Value::read(value, compare))
        .collect();
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        flaws.note("has a value that is not supported");
        return None;
    };
    Some(Condition {
        key,
        compare,
        negated,
        if_exists,
        values,
    })
}

fn find_operator(name: &str) -> Option<(Compare, bool, bool)> {
    let find = |name: &str| OPERATORS.iter().find(|(known, ..)| *known == name);
    let (bare, if_exists) = match name.strip_suffix("IfExists") {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let (_, compare, negated) = find(bare)?;
    let sensible = *compare != Compare::Null || !if_exists;
    sensible.then_some((*compare, *negated, if_exists))
}

impl Key {
    fn read(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with(RESOURCE_TAG) {
            let tag = &name[RESOURCE_TAG.len()..];
            return (!tag.is_empty()).then(|| Self::ResourceTag(tag.to_owned()));
        }
        let found = KEYS.into_iter().find(|(known, _)| *known == lower);
        found.map(|(_, key)| key)
    }

    /// Returns the value of the condition key in a request, or `Ok(None)` if the request does not
    /// have the key. Returns `Err` if the request has two possible values for the key.
    fn value(&self, request: &Attributes<'_>) -> Result<Option<String>, ()> {
        let caller = request.caller;
        Ok(match self {
            Self::PrincipalAccount => Some(caller.account().to_string()),
            Self::PrincipalArn => Some(caller.principal_arn().to_owned()),
            Self::RequestedRegion => Some(request.target.scope().region.to_string()),
            Self::ResourceAccount => Some(request.target.scope().account.to_string()),
            Self::ResourceTag(tag) => return tag_value(request.tags, tag),
            Self::SecureTransport => Some(request.over_tls.to_string()),
            Self::SourceIp => Some(request.address.to_string()),
        })
    }
}

/// Returns the value of the tag `key`, or `Ok(None)` if no tag has this key. Conditions compare tag
/// keys without regard to case, so two tags of a resource may match `key`. The function then
/// returns `Err`.
fn tag_value(tags: &Tags, key: &str) -> Result<Option<String>, ()> {
    let mut found = tags
        .iter()
        .filter(|(known, _)| known.to_lowercase() == key.to_lowercase());
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((_, value)), None) => Ok(Some(value.to_owned())),
        (Some(_), Some(_)) => Err(()),
    }
}

impl Value {
    fn read(document: &Document, compare: Compare) -> Option<Self> {
        let text = match document {
            Document::Text(text) | Document::Scalar(text) => text,
            Document::Null | Document::List(_) | Document::Map(_) => return None,
        };
        if text.contains("${") {
            return None;
        }
        match compare {
            Compare::Address => {
                let (network, bits) = network(text)?;
                Some(Self::Network(network, bits))
            }
            Compare::Null if !is_truth(text) => None,
            Compare::Arn if parts(text).is_none() => None,
            _ => Some(Self::Text(text.clone())),
        }
    }
}

fn is_truth(text: &str) -> bool {
    ["true", "false"]
        .iter()
        .any(|truth| text.eq_ignore_ascii_case(truth))
}

/// Parses a network such as `10.0.0.0/8`, or a single IP address. Returns an address of the
/// network, and the length of the network's prefix in bits.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= bits
        }
        _ => false,
    }
}

impl Condition {
    pub(super) fn holds(&self, request: &Attributes<'_>) -> Truth {
        let Ok(value) = self.key.value(request) else {
            return Truth::Unknown;
        };
        if self.compare == Compare::Null {
            let absent = value.is_none().to_string();
            return Truth::from(self.values.iter().any(|wanted| wanted.is_truth(&absent)));
        }
        let Some(value) = value else {
            return Truth::from(self.negated || self.if_exists);
        };
        let found = self
            .values
            .iter()
            .any(|listed| self.compare(listed, &value));
        Truth::from(found != self.negated)
    }

    fn compare(&self, listed: &Value, value: &str) -> bool {
        let listed = match listed {
            Value::Text(text) => text,
            Value::Network(network, bits) => {
                let address = value.parse();
                return address.is_ok_and(|address| is_within(address, *network, *bits));
            }
        };
        match self.compare {
            Compare::Text => listed == value,
            Compare::IgnoringCase => listed.to_lowercase() == value.to_lowercase(),
            Compare::Like => is_like(listed, value),
            Compare::Arn => parts(value).is_some_and(|parts| is_arn_like(listed, &parts)),
            Compare::Address | Compare::Null => false,
        }
    }
}

impl Value {
    fn is_truth(&self, truth: &str) -> bool {
        matches!(self, Self::Text(text) if text.eq_ignore_ascii_case(truth))
    }
}

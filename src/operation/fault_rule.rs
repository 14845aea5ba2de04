//! The check of a fault rule. The check refuses a rule that could never fire, or that has
//! contradictory members.

use super::fault_effect::KMS_CODES;
use super::table::OPERATIONS;
use crate::limits;
use crate::model::{ShardId, StreamArn, is_name};
use crate::world::{FaultKind, FaultRule, ListedRule, Timestamp, World};
use std::fmt;

/// Operations whose request names a shard, and operations that write records to shards.
const WITH_SHARD: [&str; 5] = [
    "GetRecords",
    "GetShardIterator",
    "PutRecord",
    "PutRecords",
    "SubscribeToShard",
];

/// Operations whose request does not name one stream.
const WITHOUT_STREAM: [&str; 6] = [
    "DescribeAccountSettings",
    "DescribeLimits",
    "ListChannels",
    "ListQueues",
    "ListStreams",
    "UpdateAccountSettings",
];

/// The codes that a fault rule of kind `fail-entries` may have: the error codes that the service
/// documents for the entries of PutRecords.
const ENTRY_CODES: [&str; 2] = ["InternalFailure", "ProvisionedThroughputExceededException"];

/// The codes that a fault rule of kind `invoke` may have. With `not-reached`, the function is not
/// invoked. With `lost`, the function is invoked, but its answer is dropped.
const INVOKE_CODES: [&str; 2] = ["lost", "not-reached"];

/// The reason why a fault rule is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultRuleError {
    /// `operations` names an unknown operation.
    UnknownOperation(String),
    /// `operations` is an empty list.
    NoOperation,
    /// `operations` names an operation in which a rule of this kind cannot fire.
    OtherOperation(FaultKind, String),
    /// The rule names a stream, but the request of this operation does not name one stream.
    NoStream(String),
    /// The rule names a shard, but the request of this operation concerns no shards.
    NoShard(String),
    /// `shard` is not a valid shard id.
    ShardId(String),
    /// `stream` is neither a valid stream name nor the ARN of a stream.
    StreamName(String),
    /// `percent` is not a number above 0 and up to 100.
    Percent(String),
    /// `times` is 0, so the rule could never fire.
    NoTimes,
    /// `until` is not later than the present time.
    Over,
    /// `delay_ms` is missing or 0.
    NoDelay,
    /// A rule of kind `invoke` has both a delay and a code.
    DelayWithCode,
    /// A rule of this kind cannot have this member.
    OtherMember(FaultKind, &'static str),
    /// `code` is missing, or a rule of this kind cannot have the given code. Holds the codes that
    /// such a rule may have.
    Code(FaultKind, Vec<&'static str>),
    /// With the new fault rules, the emulator would have more than this number of rules.
    TooMany(usize),
}

impl fmt::Display for FaultRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperation(name) => write!(f, "operations: there is no operation {name}"),
            Self::NoOperation => f.write_str("operations: the list is empty"),
            Self::OtherOperation(kind, name) => {
                let possible = kind.operations().unwrap_or_default().join(", ");
                write!(f, "operations: {kind} hits {possible}, not {name}")
            }
            Self::NoStream(name) => write!(f, "stream: {name} does not act on a single stream"),
            Self::NoShard(name) => write!(f, "shard: {name} does not act on a shard"),
            Self::ShardId(text) => write!(f, "shard: {text} is not a shard id"),
            Self::StreamName(text) => {
                write!(f, "stream: {text:?} is not the name or the ARN of a stream")
            }
            Self::Percent(percent) => {
                write!(f, "percent: {percent} is not above 0 and at most 100")
            }
            Self::NoTimes => f.write_str("times: this has to be at least 1"),
            Self::Over => f.write_str("until: this time is in the past"),
            Self::NoDelay => f.write_str("delay_ms: a delay of at least 1 ms is needed"),
            Self::DelayWithCode => {
                f.write_str("delay_ms: a rule cannot have both a delay and a code")
            }
            Self::OtherMember(kind, member) => {
                write!(f, "{member}: a rule of kind {kind} has no such member")
            }
            Self::Code(kind, codes) => {
                write!(f, "code: {kind} takes one of {}", codes.join(", "))
            }
            Self::TooMany(most) => write!(f, "an emulator has at most {most} fault rules"),
        }
    }
}

impl std::error::Error for FaultRuleError {}

/// Checks fault rules, and adds them after the present rules of the emulator. Returns the added
/// rules with their ids.
///
/// # Errors
/// A rule is invalid, or there would be too many rules. In this case no rule is added.
pub fn add(world: &World, rules: Vec<FaultRule>) -> Result<Vec<ListedRule>, FaultRuleError> {
    let rules = check_all(rules, world.clock.now())?;
    let added = world.faults.add(rules, limits::FAULT_RULES);
    added.ok_or(FaultRuleError::TooMany(limits::FAULT_RULES))
}

/// Checks fault rules, and replaces all rules of the emulator by them. Returns the new rules with
/// their ids.
///
/// # Errors
/// A rule is invalid, or there are too many rules. In this case no rule is replaced.
pub fn replace(world: &World, rules: Vec<FaultRule>) -> Result<Vec<ListedRule>, FaultRuleError> {
    let rules = check_all(rules, world.clock.now())?;
    let replaced = world.faults.replace(rules, limits::FAULT_RULES);
    replaced.ok_or(FaultRuleError::TooMany(limits::FAULT_RULES))
}

/// Checks a fault rule. Returns the rule with its shard id and its ARN in the service's spelling.
///
/// # Errors
/// The reason why the rule is invalid.
pub fn check(rule: FaultRule, now: Timestamp) -> Result<FaultRule, FaultRuleError> {
    check_operations(&rule)?;
    check_chance(&rule, now)?;
    check_members(&rule)?;
    let stream = check_stream(&rule)?;
    let shard = check_shard(&rule)?;
    Ok(FaultRule {
        stream,
        shard,
        ..rule
    })
}

/// Checks several fault rules. Returns the rules with their shard ids and their ARNs in the
/// service's spelling.
///
/// # Errors
/// The reason why the first invalid rule is invalid.
pub fn check_all(rules: Vec<FaultRule>, now: Timestamp) -> Result<Vec<FaultRule>, FaultRuleError> {
    rules.into_iter().map(|rule| check(rule, now)).collect()
}

fn check_operations(rule: &FaultRule) -> Result<(), FaultRuleError> {
    let Some(named) = &rule.operations else {
        return Ok(());
    };
    if rule.kind.is_of_delivery() {
        return Err(FaultRuleError::OtherMember(rule.kind, "operations"));
    }
    if named.is_empty() {
        return Err(FaultRuleError::NoOperation);
    }
    for name in named {
        if !OPERATIONS.iter().any(|entry| entry.name == name) {
            return Err(FaultRuleError::UnknownOperation(name.clone()));
        }
        let possible = rule.kind.operations();
        if possible.is_some_and(|possible| !possible.contains(&name.as_str())) {
            return Err(FaultRuleError::OtherOperation(rule.kind, name.clone()));
        }
        if rule.stream.is_some() && WITHOUT_STREAM.contains(&name.as_str()) {
            return Err(FaultRuleError::NoStream(name.clone()));
        }
        if rule.shard.is_some() && !WITH_SHARD.contains(&name.as_str()) {
            return Err(FaultRuleError::NoShard(name.clone()));
        }
    }
    Ok(())
}

fn check_chance(rule: &FaultRule, now: Timestamp) -> Result<(), FaultRuleError> {
    if let Some(percent) = rule
        .percent
        .filter(|percent| !(*percent > 0.0 && *percent <= 100.0))
    {
        return Err(FaultRuleError::Percent(percent.to_string()));
    }
    if rule.times == Some(0) {
        return Err(FaultRuleError::NoTimes);
    }
    if rule.until.is_some_and(|until| until <= now) {
        return Err(FaultRuleError::Over);
    }
    Ok(())
}

fn check_members(rule: &FaultRule) -> Result<(), FaultRuleError> {
    let takes_delay = rule.kind == FaultKind::Delay || rule.kind.is_of_delivery();
    match rule.delay_ms {
        Some(_) if !takes_delay => {
            return Err(FaultRuleError::OtherMember(rule.kind, "delay_ms"));
        }
        Some(0) => return Err(FaultRuleError::NoDelay),
        None if rule.kind == FaultKind::Delay => return Err(FaultRuleError::NoDelay),
        _ => {}
    }
    if rule.kind == FaultKind::DeliverObject && rule.shard.is_some() {
        return Err(FaultRuleError::OtherMember(rule.kind, "shard"));
    }
    let code = rule.code.as_deref();
    match rule.kind {
        FaultKind::Kms if !KMS_CODES.iter().any(|(known, _)| Some(*known) == code) => {
            let codes = KMS_CODES.map(|(known, _)| known).into();
            Err(FaultRuleError::Code(rule.kind, codes))
        }
        FaultKind::FailEntries if code.is_some_and(|code| !ENTRY_CODES.contains(&code)) => {
            Err(FaultRuleError::Code(rule.kind, ENTRY_CODES.into()))
        }
        FaultKind::Invoke if code.is_some_and(|code| !INVOKE_CODES.contains(&code)) => {
            Err(FaultRuleError::Code(rule.kind, INVOKE_CODES.into()))
        }
        FaultKind::Invoke if code.is_some() && rule.delay_ms.is_some() => {
            Err(FaultRuleError::DelayWithCode)
        }
        FaultKind::Kms | FaultKind::FailEntries | FaultKind::Invoke => Ok(()),
        _ if code.is_some() => Err(FaultRuleError::OtherMember(rule.kind, "code")),
        _ => Ok(()),
    }
}

fn check_stream(rule: &FaultRule) -> Result<Option<String>, FaultRuleError> {
    let Some(text) = &rule.stream else {
        return Ok(None);
    };
    if is_name(text) {
        return Ok(Some(text.clone()));
    }
    let arn = StreamArn::parse(text).ok_or_else(|| FaultRuleError::StreamName(text.clone()))?;
    Ok(Some(arn.to_string()))
}

fn check_shard(rule: &FaultRule) -> Result<Option<String>, FaultRuleError> {
    let Some(text) = &rule.shard else {
        return Ok(None);
    };
    match ShardId::parse(text) {
        Some(id) => Ok(Some(id.to_string())),
        None => Err(FaultRuleError::ShardId(text.clone())),
    }
}

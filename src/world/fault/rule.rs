//! A fault rule. The rule names a kind of fault, and selects the calls that the fault may hit.

use super::kind::FaultKind;
use crate::world::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A rule that causes faults. Every field except `kind` is optional. An optional field either
/// limits the calls that the rule hits, or changes the fault.
///
/// ```
/// use minikin::{FaultKind, FaultRule};
/// let quarter = FaultRule {
///     operations: Some(vec!["PutRecords".into()]),
///     percent: Some(25.0),
///     ..FaultRule::of(FaultKind::ThroughputExceeded)
/// };
/// assert_eq!(quarter.times, None);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The kind of fault that the rule causes.
    pub kind: FaultKind,
    /// The names of the operations that the rule hits. By default, the rule hits all operations
    /// that its kind of fault can hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
    /// The name or ARN of the stream whose calls the rule hits. By default, the rule hits the calls
    /// on all streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The id of the shard whose calls the rule hits. By default, the rule hits the calls on all
    /// shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The percentage of the matching calls that the rule hits. The percentage is above 0 and at
    /// most 100, and the default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// The number of matching calls that the rule lets pass before it may fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The maximum number of calls that the rule hits. By default there is no maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// The seed of the rule's random choices. Two rules with the same seed hit the same ones of the
    /// matching calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The time of the emulator's clock at which the rule stops firing.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "until")]
    pub until: Option<Timestamp>,
    /// The length of the delay in milliseconds, for the kinds of faults that can delay their work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// The error code, for the kinds of faults `kms`, `fail-entries` and `invoke`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl FaultRule {
    /// Creates a rule that hits every call that `kind` can hit. The caller sets further fields to
    /// hit fewer calls.
    pub const fn of(kind: FaultKind) -> Self {
        Self {
            kind,
            operations: None,
            stream: None,
            shard: None,
            percent: None,
            after: None,
            times: None,
            seed: None,
            until: None,
            delay_ms: None,
            code: None,
        }
    }
}

/// Reads a time from a text in RFC 3339 or from a number of seconds since 1970, and writes a time
/// as a text in RFC 3339.
mod until {
    use crate::world::timestamp::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(i64),
        Text(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let Some(given) = Option::<Given>::deserialize(reader)? else {
            return Ok(None);
        };
        let text = match given {
            Given::Number(number) => number.to_string(),
            Given::Text(text) => text,
        };
        match Timestamp::parse(&text) {
            Some(moment) => Ok(Some(moment)),
            None => Err(D::Error::custom(format!(
                "until: {text} is not a time; write 2026-01-31T12:00:00Z or seconds since 1970"
            ))),
        }
    }

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        moment: &Option<Timestamp>,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => writer.serialize_str(&moment.to_rfc3339()),
            None => writer.serialize_none(),
        }
    }
}

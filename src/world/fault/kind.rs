//! The kinds of faults that a rule can cause.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The moment at which a rule may fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A valid and permitted call is about to be run.
    Call,
    /// A subscription is about to send an event.
    Event,
    /// An event source mapping is about to invoke its function.
    Invoke,
    /// An event source mapping is about to deliver an on-failure record.
    Deliver,
}

/// The fault that a rule causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// ProvisionedThroughputExceededException; in PutRecords for each entry on its own.
    ThroughputExceeded,
    /// ExpiredIteratorException.
    ExpiredIterator,
    /// InternalFailure, status 500.
    InternalError,
    /// ServiceUnavailable, status 503.
    Unavailable,
    /// ThrottlingException.
    Throttle,
    /// The call waits for `delay_ms` of the given clock and then goes on.
    Delay,
    /// The call does its work, and its connection closes without an answer.
    DropAnswer,
    /// The connection closes before the call does its work.
    ResetConnection,
    /// Entries of a PutRecords fail with `code`.
    FailEntries,
    /// A subscription ends with an internal failure instead of its next event.
    EndSubscription,
    /// A KMS error, which `code` names.
    Kms,
    /// The function of an event source mapping is not reached, or by `code` `lost` its answer is
    /// lost, or it is invoked `delay_ms` later.
    Invoke,
    /// An on-failure record does not reach its destination, or is delivered `delay_ms` later.
    Deliver,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::ThroughputExceeded,
        Self::ExpiredIterator,
        Self::InternalError,
        Self::Unavailable,
        Self::Throttle,
        Self::Delay,
        Self::DropAnswer,
        Self::ResetConnection,
        Self::FailEntries,
        Self::EndSubscription,
        Self::Kms,
        Self::Invoke,
        Self::Deliver,
    ];

    /// The name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThroughputExceeded => "throughput-exceeded",
            Self::ExpiredIterator => "expired-iterator",
            Self::InternalError => "internal-error",
            Self::Unavailable => "unavailable",
            Self::Throttle => "throttle",
            Self::Delay => "delay",
            Self::DropAnswer => "drop-answer",
            Self::ResetConnection => "reset-connection",
            Self::FailEntries => "fail-entries",
            Self::EndSubscription => "end-subscription",
            Self::Kms => "kms",
            Self::Invoke => "invoke",
            Self::Deliver => "deliver",
        }
    }

    /// The operations that the kind can hit; none stands for all.
    pub const fn operations(self) -> Option<&'static [&'static str]> {
        match self {
            Self::ThroughputExceeded => {
                Some(&["GetRecords", "GetShardIterator", "PutRecord", "PutRecords"])
            }
            Self::ExpiredIterator => Some(&["GetRecords"]),
            Self::FailEntries => Some(&["PutRecords"]),
            Self::EndSubscription => Some(&["SubscribeToShard"]),
            Self::Kms => Some(&[
                "GetRecords",
                "PutRecord",
                "PutRecords",
                "StartStreamEncryption",
                "SubscribeToShard",
            ]),
            Self::InternalError
            | Self::Unavailable
            | Self::Throttle
            | Self::Delay
            | Self::DropAnswer
            | Self::ResetConnection
            | Self::Invoke
            | Self::Deliver => None,
        }
    }

    /// The kind hits the work of event source mappings, not calls.
    pub(crate) const fn is_of_mapping(self) -> bool {
        matches!(self, Self::Invoke | Self::Deliver)
    }

    /// The moment at which the kind can fire.
    pub(crate) const fn moment(self) -> Moment {
        match self {
            Self::EndSubscription => Moment::Event,
            Self::Invoke => Moment::Invoke,
            Self::Deliver => Moment::Deliver,
            _ => Moment::Call,
        }
    }

    /// The kind is drawn for each entry of a PutRecords.
    pub(super) const fn is_per_entry(self) -> bool {
        matches!(self, Self::ThroughputExceeded | Self::FailEntries)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

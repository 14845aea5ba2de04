//! The kinds of faults that a fault rule can cause.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The occasion on which a fault rule may fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A call is about to run. Its request was found valid and permitted.
    Call,
    /// A subscription is about to send an event.
    Event,
    /// An event source mapping is about to invoke its function.
    Invoke,
    /// An event source mapping is about to deliver a failure record to its on-failure destination.
    Deliver,
    /// A channel is about to write an object to its destination.
    DeliverObject,
}

/// The kind of fault that a fault rule causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The call fails with ProvisionedThroughputExceededException. A PutRecords call succeeds
    /// instead, but single entries of it fail.
    ThroughputExceeded,
    /// A GetRecords call fails with ExpiredIteratorException.
    ExpiredIterator,
    /// The call fails with InternalFailure, HTTP status 500.
    InternalError,
    /// The call fails with ServiceUnavailable, HTTP status 503.
    Unavailable,
    /// The call fails with ThrottlingException.
    Throttle,
    /// The call waits for `delay_ms` milliseconds of the emulator's clock before it does its work.
    Delay,
    /// The call does its work, but the connection is closed without an answer.
    DropAnswer,
    /// The connection is closed before the call does its work. The call changes nothing.
    ResetConnection,
    /// Single entries of a PutRecords call fail with the error code `code`.
    FailEntries,
    /// A subscription ends with InternalFailure instead of sending its next event.
    EndSubscription,
    /// The call fails with the KMS exception that `code` names.
    Kms,
    /// The invocation of a function by an event source mapping does not reach the function. With
    /// the code `lost`, the function runs but its answer is lost. With `delay_ms`, the invocation
    /// comes that many milliseconds later instead.
    Invoke,
    /// A failure record of an event source mapping does not reach its on-failure destination. With
    /// `delay_ms`, the record arrives that many milliseconds later instead.
    Deliver,
    /// An object of a channel does not reach its destination, and the channel tries again later.
    /// With `delay_ms`, the channel writes the object that many milliseconds later instead.
    DeliverObject,
}

impl FaultKind {
    /// All kinds of faults.
    pub const ALL: [Self; 14] = [
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
        Self::DeliverObject,
    ];

    /// The name of this kind of fault in fault rules.
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
            Self::DeliverObject => "deliver-object",
        }
    }

    /// The operations that this kind of fault can hit. `None` means every operation.
    pub const fn operations(self) -> Option<&'static [&'static str]> {
        match self {
            Self::ThroughputExceeded => {
                Some(&["GetRecords", "GetShardIterator", "PutRecord", "PutRecords"])
            }
            Self::ExpiredIterator => Some(&["GetRecords"]),
            Self::FailEntries => Some(&["PutRecords"]),
            Self::EndSubscription => Some(&["SubscribeToShard"]),
            Self::Kms => Some(&[
                "CreateChannel",
                "GetRecords",
                "PutRecord",
                "PutRecords",
                "ReceiveDeadLetterQueueRecords",
                "ReceiveQueueRecords",
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
            | Self::Deliver
            | Self::DeliverObject => None,
        }
    }

    /// True if this kind of fault hits invocations and deliveries of event source mappings or
    /// channels, and no calls.
    pub(crate) const fn is_of_delivery(self) -> bool {
        matches!(self, Self::Invoke | Self::Deliver | Self::DeliverObject)
    }

    /// The occasion on which this kind of fault can fire.
    pub(crate) const fn moment(self) -> Moment {
        match self {
            Self::EndSubscription => Moment::Event,
            Self::Invoke => Moment::Invoke,
            Self::Deliver => Moment::Deliver,
            Self::DeliverObject => Moment::DeliverObject,
            _ => Moment::Call,
        }
    }

    /// True if a rule for this kind of fault decides at random for each entry of a PutRecords call.
    /// False if such a rule decides once for the whole call.
    pub(super) const fn is_per_entry(self) -> bool {
        matches!(self, Self::ThroughputExceeded | Self::FailEntries)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

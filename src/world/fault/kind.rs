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
    /// instead, and single entries of its request fail.
    ThroughputExceeded,
    /// A GetRecords call fails with ExpiredIteratorException.
    ExpiredIterator,
    /// The call fails with InternalFailure, HTTP status 500.
    InternalError,
    /// The call fails with ServiceUnavailable, HTTP status 503.
    Unavailable,
    /// The call fails with ThrottlingException.
    Throttle,
    /// The call waits before it does its work. The rule's field `delay_ms` is the length of the
    /// wait in milliseconds of the emulator's clock.
    Delay,
    /// The call does its work, but the connection is closed without an answer.
    DropAnswer,
    /// The connection is closed before the call does its work. The call changes nothing.
    ResetConnection,
    /// Single entries of a PutRecords call fail with the error code in the rule's field `code`.
    FailEntries,
    /// A subscription ends with InternalFailure instead of sending its next event.
    EndSubscription,
    /// The call fails with the KMS exception that the rule's field `code` names.
    Kms,
    /// The invocation of a function by an event source mapping does not reach the function. If the
    /// rule's `code` is `lost`, the function runs, but its answer is lost. If the rule has
    /// `delay_ms`, the function is invoked, but later by this number of milliseconds.
    Invoke,
    /// A failure record of an event source mapping does not reach the mapping's on-failure
    /// destination. If the rule has `delay_ms`, the record arrives, but later by this number of
    /// milliseconds.
    Deliver,
    /// An object of a channel does not reach the channel's destination, and the channel writes the
    /// object again later. If the rule has `delay_ms`, the object arrives, but later by this number
    /// of milliseconds.
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

    /// Returns the name of this kind of fault in fault rules.
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

    /// Returns the operations that this kind of fault can hit, or `None` if it can hit every
    /// operation.
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

    /// Returns true if this kind of fault hits invocations by event source mappings, or deliveries
    /// of mappings or channels. Returns false if it hits calls or events of subscriptions.
    pub(crate) const fn is_of_delivery(self) -> bool {
        matches!(self, Self::Invoke | Self::Deliver | Self::DeliverObject)
    }

    /// Returns the occasion on which a rule for this kind of fault can fire.
    pub(crate) const fn moment(self) -> Moment {
        match self {
            Self::EndSubscription => Moment::Event,
            Self::Invoke => Moment::Invoke,
            Self::Deliver => Moment::Deliver,
            Self::DeliverObject => Moment::DeliverObject,
            _ => Moment::Call,
        }
    }

    /// Returns true if a rule for this kind of fault decides at random for each entry of a
    /// PutRecords call. Returns false if such a rule decides once for the whole call.
    pub(super) const fn is_per_entry(self) -> bool {
        matches!(self, Self::ThroughputExceeded | Self::FailEntries)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

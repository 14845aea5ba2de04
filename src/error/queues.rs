//! Errors about queues. All texts are choices: none was recorded.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::engine::queue::EntryFault;
use crate::model::{AccountId, HandleFault, QueueArn, StreamArn, StreamStatus};

/// Queues and their status.
impl Error {
    /// There is no such queue; `given` is the ARN in the request.
    pub(crate) fn queue_not_found(given: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Queue {given} not found."))
    }

    /// The queue is CREATING or DELETING, so nothing can be received from it (choice 1 about the
    /// code).
    pub(crate) fn queue_not_serving(queue: &QueueArn) -> Self {
        Kind::ResourceNotFoundException.says(format!(
            "Queue {queue} is not in ACTIVE or UPDATING status."
        ))
    }

    /// The account has a queue of that name in the region (choice 12 about the code).
    pub(crate) fn queue_exists(name: &str, account: AccountId) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Queue {name} under account {account} already exists."
        ))
    }

    /// The queue's status does not allow the change.
    pub(crate) fn queue_not_active(name: &str, account: AccountId, status: StreamStatus) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Queue {name} under account {account} not ACTIVE, instead in state {status}"
        ))
    }

    /// Too many queues are being created or deleted.
    pub(crate) fn too_many_queues_in_transition(account: AccountId, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of queues that can \
                 simultaneously be in CREATING or DELETING for the account {account}. Limit: \
                 {limit}."
            ))
            .by(["queues-in-transition"])
    }

    /// The stream has queues, so it can neither be deleted nor be provisioned (choice 10 about the
    /// code).
    pub(crate) fn stream_has_queues(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!("Stream {stream} has queues. Delete them first."))
    }
}

/// CreateQueue's members against each other.
impl Error {
    /// A queue has exactly one stream.
    pub(crate) fn queue_streams(count: usize) -> Self {
        Kind::ValidationException.says(format!(
            "StreamConfigurationList must contain exactly one stream configuration, not {count}."
        ))
    }

    /// AT_TIMESTAMP comes with a timestamp, the other starting positions without.
    pub(crate) fn queue_timestamp(expected: bool) -> Self {
        Kind::ValidationException.says(if expected {
            "StartingPosition.Timestamp is required when StartingPosition.Type is AT_TIMESTAMP."
        } else {
            "StartingPosition.Timestamp is only expected when StartingPosition.Type is \
             AT_TIMESTAMP."
        })
    }

    /// A dead-letter configuration without a count.
    pub(crate) fn max_receive_count_required() -> Self {
        Kind::ValidationException.says("MaxReceiveCount is required when TargetType is BUILT_IN.")
    }
}

/// The code and the message of an entry that fails by itself.
pub(crate) fn entry_failure(fault: EntryFault) -> (&'static str, &'static str) {
    const INVALID: &str = "InvalidArgumentException";
    const GONE: &str = "ResourceNotFoundException";
    match fault {
        EntryFault::Malformed => (INVALID, "The receipt handle is not one of this queue."),
        EntryFault::Handle(HandleFault::Stale) => (
            INVALID,
            "The receipt handle has expired: the record was received again since.",
        ),
        EntryFault::Handle(HandleFault::NotInFlight) => (
            INVALID,
            "The record is not in flight: its visibility timeout has ended.",
        ),
        EntryFault::Handle(HandleFault::WrongKind) => (
            INVALID,
            "The receipt handle is of the other kind: of a normal or of a dead-letter receive.",
        ),
        EntryFault::Handle(HandleFault::Gone) => (
            GONE,
            "The record was acknowledged, has expired, or has moved to or from dead-letter.",
        ),
        EntryFault::Store => (
            "InternalFailureException",
            "The request processing has failed because of an internal error.",
        ),
    }
}

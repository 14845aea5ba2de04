//! Errors about queues. All messages are choices: none was recorded at the service.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::engine::queue::EntryFault;
use crate::model::{AccountId, HandleFault, QueueArn, StreamArn, StreamStatus};

/// Errors about a queue's existence and status.
impl Error {
    /// The queue does not exist. `given` is the ARN in the request.
    pub(crate) fn queue_not_found(given: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Queue {given} not found."))
    }

    /// The request needs a queue in status ACTIVE or UPDATING, but the queue is in status CREATING
    /// or DELETING. The exception's name is a choice.
    pub(crate) fn queue_not_serving(queue: &QueueArn) -> Self {
        Kind::ResourceNotFoundException.says(format!(
            "Queue {queue} is not in ACTIVE or UPDATING status."
        ))
    }

    /// CreateQueue: the account already has a queue of this name in the region. The exception's
    /// name is a choice.
    pub(crate) fn queue_exists(name: &str, account: AccountId) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Queue {name} under account {account} already exists."
        ))
    }

    /// The queue's status does not allow the requested change.
    pub(crate) fn queue_not_active(name: &str, account: AccountId, status: StreamStatus) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Queue {name} under account {account} not ACTIVE, instead in state {status}"
        ))
    }

    /// Too many queues of the account are in status CREATING or DELETING.
    pub(crate) fn too_many_queues_in_transition(account: AccountId, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of queues that can \
                 simultaneously be in CREATING or DELETING for the account {account}. Limit: \
                 {limit}."
            ))
            .by(["queues-in-transition"])
    }

    /// DeleteStream or a switch to provisioned mode: the stream still has queues. The exception's
    /// name is a choice.
    pub(crate) fn stream_has_queues(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException.says(format!("Stream {stream} has queues. Delete them first."))
    }
}

/// Errors about members of CreateQueue that do not fit together.
impl Error {
    /// CreateQueue: StreamConfigurationList does not name exactly one stream.
    pub(crate) fn queue_streams(count: usize) -> Self {
        Kind::ValidationException.says(format!(
            "StreamConfigurationList must contain exactly one stream configuration, not {count}."
        ))
    }

    /// CreateQueue: StartingPosition has a Timestamp without the type AT_TIMESTAMP, or the type
    /// AT_TIMESTAMP without a Timestamp. `expected` is true if the Timestamp is missing.
    pub(crate) fn queue_timestamp(expected: bool) -> Self {
        Kind::ValidationException.says(if expected {
            "StartingPosition.Timestamp is required when StartingPosition.Type is AT_TIMESTAMP."
        } else {
            "StartingPosition.Timestamp is only expected when StartingPosition.Type is \
             AT_TIMESTAMP."
        })
    }

    /// CreateQueue: the dead-letter configuration has no MaxReceiveCount.
    pub(crate) fn max_receive_count_required() -> Self {
        Kind::ValidationException.says("MaxReceiveCount is required when TargetType is BUILT_IN.")
    }
}

/// Returns the error code and the message for one failed entry of a batch. The other entries of the
/// batch may succeed.
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

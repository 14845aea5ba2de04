//! Errors about requests that cannot be decoded or served.

use super::exception::{Error, Kind};
use crate::engine::StoreError;
use std::borrow::Cow;

/// Requests that cannot be read.
impl Error {
    /// The body is no document or no structure.
    pub fn unreadable() -> Self {
        Kind::SerializationException.bare()
    }

    /// A member has the wrong type.
    pub fn mistyped(message: Option<Cow<'static, str>>) -> Self {
        Self {
            message,
            ..Kind::SerializationException.bare()
        }
    }

    /// Members violate their constraints, which `message` lists.
    pub fn invalid(message: String) -> Self {
        Kind::ValidationException.says(message)
    }

    /// There is no such service or operation.
    pub fn unknown_operation() -> Self {
        Kind::UnknownOperationException.bare()
    }

    /// The in-flight budget had no permit for the request within the time limit. The name is one of
    /// the errors common to all actions; clients retry.
    pub fn unavailable() -> Self {
        Kind::ServiceUnavailable
            .says("The request has failed due to a temporary failure of the server.")
            .by(["in-flight-bytes", "admission-wait-seconds"])
    }

    /// A fault rule makes the service unavailable, in the same words.
    pub fn unavailable_by_fault() -> Self {
        Self {
            limits: Vec::new(),
            ..Self::unavailable()
        }
    }

    /// A fault rule throttles the call. The service names ThrottlingException among the errors common
    /// to all actions; the text is a choice.
    pub fn throttled() -> Self {
        Kind::ThrottlingException.says("Rate exceeded")
    }

    /// The request's body was not received in time. Clients know the name and retry.
    pub fn too_slow() -> Self {
        Kind::RequestTimeoutException
            .says("The request's body was not received in time.")
            .by(["body-stall-seconds", "body-seconds"])
    }

    /// A bug, or a store that cannot read or write.
    pub fn internal() -> Self {
        Kind::InternalFailure.bare()
    }
}

/// A client sees an internal failure; the log has the store's own error.
impl From<StoreError> for Error {
    fn from(_: StoreError) -> Self {
        Self::internal()
    }
}

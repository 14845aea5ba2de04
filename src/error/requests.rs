//! Refusals of requests that cannot be read.

use super::exception::{Error, Kind};
use crate::engine::StoreError;
use std::borrow::Cow;

/// Requests that cannot be read.
impl Error {
    /// The body is no document or not a structure.
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

    /// Members break their constraints; `message` lists how.
    pub fn invalid(message: String) -> Self {
        Kind::ValidationException.says(message)
    }

    /// No such service or operation.
    pub fn unknown_operation() -> Self {
        Kind::UnknownOperationException.bare()
    }

    /// There is no room for the request among the bytes in flight, and there was none for a while.
    /// The name is among the errors common to all actions; clients try again.
    pub fn unavailable() -> Self {
        Kind::ServiceUnavailable
            .says("The request has failed due to a temporary failure of the server.")
            .by(["in-flight-bytes", "admission-wait-seconds"])
    }

    /// The request's body does not come. The name is one that clients know and try again after.
    pub fn too_slow() -> Self {
        Kind::RequestTimeoutException
            .says("The request's body was not received in time.")
            .by(["body-stall-seconds", "body-seconds"])
    }

    /// A bug, or a store that refuses to write.
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

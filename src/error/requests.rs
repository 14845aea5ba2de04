//! Errors about requests that cannot be decoded or served.

use super::exception::{Error, Kind};
use crate::engine::StoreError;
use std::borrow::Cow;

/// Errors that requests of every operation can get.
impl Error {
    /// The body is not JSON or CBOR, or its root is not a structure.
    pub fn unreadable() -> Self {
        Kind::SerializationException.bare()
    }

    /// A member of the request has the wrong type. `message` is `None` if the service sends no
    /// message.
    pub fn mistyped(message: Option<Cow<'static, str>>) -> Self {
        Self {
            message,
            ..Kind::SerializationException.bare()
        }
    }

    /// Members of the request violate their constraints. `message` lists the violations.
    pub fn invalid(message: String) -> Self {
        Kind::ValidationException.says(message)
    }

    /// The request names a service or an operation that does not exist.
    pub fn unknown_operation() -> Self {
        Kind::UnknownOperationException.bare()
    }

    /// The request got no permit from the in-flight budget within the limit
    /// `admission-wait-seconds`. The exception is one of the errors that are common to all AWS
    /// services, and clients repeat the request after it.
    pub fn unavailable() -> Self {
        Kind::ServiceUnavailable
            .says("The request has failed due to a temporary failure of the server.")
            .by(["in-flight-bytes", "admission-wait-seconds"])
    }

    /// A fault rule answers the request as if the service were unavailable. The message is that of
    /// [`Error::unavailable`], but the error names no limit.
    pub fn unavailable_by_fault() -> Self {
        Self {
            limits: Vec::new(),
            ..Self::unavailable()
        }
    }

    /// A fault rule answers the request as if it exceeded a call rate. ThrottlingException is one
    /// of the errors that are common to all AWS services. The message is a choice.
    pub fn throttled() -> Self {
        Kind::ThrottlingException.says("Rate exceeded")
    }

    /// The body of the request did not arrive in time. Clients know this exception, and repeat the
    /// request after it.
    pub fn too_slow() -> Self {
        Kind::RequestTimeoutException
            .says("The request's body was not received in time.")
            .by(["body-stall-seconds", "body-seconds"])
    }

    /// The request failed because of a bug in minikin, or because the store failed to read or
    /// write.
    pub fn internal() -> Self {
        Kind::InternalFailure.bare()
    }
}

/// Converts an error of the store to the client's exception: ServiceUnavailable if the store is
/// busy, and otherwise InternalFailure. The client does not see the store's error.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::unavailable(),
            _ => Self::internal(),
        }
    }
}

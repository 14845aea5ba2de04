//! Refusals of requests that cannot be read.

use super::{Error, Kind};
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

    /// A bug, or a store that refuses to write.
    pub fn internal() -> Self {
        Kind::InternalFailure.bare()
    }
}

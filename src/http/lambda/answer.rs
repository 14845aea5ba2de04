//! Answers of Lambda's API, in the protocol REST-JSON.

use crate::error::Error;
use crate::model::event_source::{Refusal, RefusalKind};
use hyper::StatusCode;
use serde_json::{Value, json};

/// An answer of Lambda's API, without the headers that all answers have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The name of the error, for the header `x-amzn-ErrorType`. None if the operation succeeded.
    pub(super) error: Option<&'static str>,
    /// The JSON document in the body of the answer. None for an answer with an empty body.
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            error: None,
            body: Some(body),
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            error: None,
            body: None,
        }
    }

    fn refused(status: StatusCode, error: &'static str, body: Value) -> Self {
        Self {
            status,
            error: Some(error),
            body: Some(body),
        }
    }

    /// The refusal of an operation that minikin does not implement.
    pub(super) fn unknown() -> Self {
        let error = "UnknownOperationException";
        let message = "minikin serves event source mappings and their tags only";
        let body = json!({ "Type": "User", "message": message });
        Self::refused(StatusCode::NOT_FOUND, error, body)
    }

    /// The refusal of a request whose signature is missing or wrong.
    pub(super) fn unsigned(error: &Error) -> Self {
        let message = error.message.as_deref().unwrap_or_default();
        let body = json!({ "Type": "User", "message": message });
        Self::refused(StatusCode::FORBIDDEN, error.kind.name(), body)
    }

    /// The refusal of a request whose body arrived too slowly or exceeds the in-flight budget.
    pub(super) fn body_not_received(error: &Error) -> Self {
        let status = StatusCode::from_u16(error.kind.status());
        let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let message = error.message.as_deref().unwrap_or_default();
        Self::refused(status, error.kind.name(), json!({ "message": message }))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.message;
        let (status, error, body) = match refusal.kind {
            RefusalKind::InvalidParameterValue => (
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                json!({ "Type": "User", "message": message }),
            ),
            RefusalKind::Validation => (
                StatusCode::BAD_REQUEST,
                "ValidationException",
                json!({ "message": message }),
            ),
            RefusalKind::InvalidRequestContent => (
                StatusCode::BAD_REQUEST,
                "InvalidRequestContentException",
                json!({ "Type": "User", "message": message }),
            ),
            RefusalKind::ResourceNotFound => (
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                json!({ "Type": "User", "Message": message }),
            ),
            RefusalKind::ResourceConflict => (
                StatusCode::CONFLICT,
                "ResourceConflictException",
                json!({ "Type": "User", "message": message }),
            ),
            RefusalKind::ResourceInUse => (
                StatusCode::BAD_REQUEST,
                "ResourceInUseException",
                json!({ "Type": "User", "Message": message }),
            ),
            RefusalKind::Service => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "ServiceException",
                json!({ "Type": "Service", "Message": message }),
            ),
        };
        Self::refused(status, error, body)
    }
}

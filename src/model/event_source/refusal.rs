//! Refusals of requests about event source mappings by Lambda's API, in the service's words where
//! they were recorded; the rest is a choice.

use std::fmt;

/// The exceptions of the API that mappings can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A member cannot have its value here.
    InvalidParameterValue,
    /// A member is outside of the service model's constraints.
    Validation,
    /// There is no such mapping.
    ResourceNotFound,
    /// The same stream and function are mapped already.
    ResourceConflict,
    /// The mapping is in a passing state.
    ResourceInUse,
    /// The body is no JSON of the right form.
    InvalidRequestContent,
    /// The store does not write.
    Service,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The exception.
    pub kind: RefusalKind,
    /// The message.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Refusal {
    fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// An InvalidParameterValueException with this text.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::InvalidParameterValue, message)
    }

    /// The value of a member breaks a constraint of the service model.
    pub fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::new(
            RefusalKind::Validation,
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy \
                 constraint: {constraint}"
            ),
        )
    }

    /// The request does not name its source.
    pub fn unrecognized_source() -> Self {
        Self::invalid("Unrecognized event source.")
    }

    /// No function of that name is configured.
    pub fn no_function() -> Self {
        Self::invalid("Function does not exist")
    }

    /// The text names no function.
    pub fn function_name(text: &str) -> Self {
        Self::constraint(
            text,
            "functionName",
            "Member must satisfy regular expression pattern: \
             (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?\
             (\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    }

    /// There is no stream, or no consumer, of that ARN.
    pub fn no_stream(arn: &str) -> Self {
        Self::invalid(format!("Stream not found: {arn}"))
    }

    /// The starting position is missing.
    pub fn no_starting_position() -> Self {
        Self::invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy \
             constraint: Member must not be null.",
        )
    }

    /// AT_TIMESTAMP without a timestamp.
    pub fn no_timestamp() -> Self {
        Self::invalid("Need to specify a timestamp")
    }

    /// A timestamp with another position.
    pub fn needless_timestamp() -> Self {
        Self::invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")
    }

    /// A timestamp that lies after now.
    pub fn future_timestamp(timestamp_ms: i64, now_ms: i64) -> Self {
        Self::invalid(format!(
            "Received Exception while reading from provided stream. The timestampInMillis \
             parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             {timestamp_ms}, currentTimestampInMillis: {now_ms}"
        ))
    }

    /// The stream and the function are mapped already, by mapping `uuid`.
    pub fn conflict(source: &str, function: &str, uuid: &str) -> Self {
        Self::new(
            RefusalKind::ResourceConflict,
            format!(
                "The event source arn (\" {source} \") and function (\" {function} \") provided \
                 mapping already exists. Please update or delete the existing mapping with UUID \
                 {uuid}"
            ),
        )
    }

    /// OnSuccess, which streams do not have.
    pub fn on_success() -> Self {
        Self::invalid(
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        )
    }

    /// A filter that is no JSON or no pattern.
    pub fn filter() -> Self {
        Self::invalid("Invalid filter pattern definition.")
    }

    /// There is no mapping of that UUID.
    pub fn not_found() -> Self {
        Self::new(
            RefusalKind::ResourceNotFound,
            "The resource you requested does not exist.",
        )
    }

    /// There is no mapping of that ARN, whose tags were asked for.
    pub fn no_tagged(arn: &str) -> Self {
        Self::new(
            RefusalKind::ResourceNotFound,
            format!("Event source mapping not found: {arn}"),
        )
    }

    /// The text is not the ARN of something that has tags.
    pub fn tagged_arn(arn: &str) -> Self {
        Self::constraint(
            arn,
            "resource",
            "Member must satisfy regular expression pattern: \
             arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:\
             (function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|\
             code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:\
             [a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})",
        )
    }

    /// The mapping is in a passing state; `action` is `update` or `delete`.
    pub fn in_use(action: &str) -> Self {
        Self::new(
            RefusalKind::ResourceInUse,
            format!("Cannot {action} the event source mapping because it is in use."),
        )
    }

    /// The body is not JSON, or a member has the wrong type.
    pub fn content(problem: &str) -> Self {
        Self::new(
            RefusalKind::InvalidRequestContent,
            format!("Could not parse request body into json: {problem}"),
        )
    }

    /// The store does not write.
    pub fn store() -> Self {
        Self::new(RefusalKind::Service, "Service is temporarily unavailable.")
    }
}

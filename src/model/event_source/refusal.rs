//! Errors of Lambda's API about event source mappings. The messages that a recording shows are
//! Lambda's own. Every other message is a choice.

use std::fmt;

/// The exceptions of Lambda's API that concern event source mappings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A member has a value that this request does not allow.
    InvalidParameterValue,
    /// A member violates a constraint of Lambda's service model.
    Validation,
    /// The mapping does not exist.
    ResourceNotFound,
    /// A mapping between the stream and the function exists already.
    ResourceConflict,
    /// The mapping is in a transitional state, such as Creating, and cannot be changed now.
    ResourceInUse,
    /// The body is not JSON, or a member has the wrong type.
    InvalidRequestContent,
    /// The store failed to write the change of a mapping.
    Service,
}

/// An error answer of Lambda's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The exception that the client receives.
    pub kind: RefusalKind,
    /// The message for the client.
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

    /// An InvalidParameterValueException with the message `message`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::InvalidParameterValue, message)
    }

    /// A ValidationException: the value of `member` violates `constraint` of Lambda's service
    /// model.
    pub fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::new(
            RefusalKind::Validation,
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy \
                 constraint: {constraint}"
            ),
        )
    }

    /// A ValidationException: the member `member`, which Lambda's service model requires, is
    /// missing.
    pub fn missing(member: &str) -> Self {
        Self::new(
            RefusalKind::Validation,
            format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy \
                 constraint: Member must not be null"
            ),
        )
    }

    /// The error for an EventSourceArn that is missing, or is not the ARN of a stream or consumer.
    pub fn unrecognized_source() -> Self {
        Self::invalid("Unrecognized event source.")
    }

    /// The error for a FunctionName that names no configured function.
    pub fn no_function() -> Self {
        Self::invalid("Function does not exist")
    }

    /// The error for `text`, which is neither the name nor the ARN of a function.
    pub fn function_name(text: &str) -> Self {
        Self::constraint(
            text,
            "functionName",
            "Member must satisfy regular expression pattern: \
             (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?\
             (\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    }

    /// The error for `arn`, the ARN of a stream or consumer that does not exist.
    pub fn no_stream(arn: &str) -> Self {
        Self::invalid(format!("Stream not found: {arn}"))
    }

    /// The error for a request without StartingPosition.
    pub fn no_starting_position() -> Self {
        Self::invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy \
             constraint: Member must not be null.",
        )
    }

    /// The error for the StartingPosition AT_TIMESTAMP without a StartingPositionTimestamp.
    pub fn no_timestamp() -> Self {
        Self::invalid("Need to specify a timestamp")
    }

    /// The error for a StartingPositionTimestamp with a StartingPosition other than AT_TIMESTAMP.
    pub fn needless_timestamp() -> Self {
        Self::invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")
    }

    /// The error for a StartingPositionTimestamp in the future.
    pub fn future_timestamp(timestamp_ms: i64, now_ms: i64) -> Self {
        Self::invalid(format!(
            "Received Exception while reading from provided stream. The timestampInMillis \
             parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             {timestamp_ms}, currentTimestampInMillis: {now_ms}"
        ))
    }

    /// The error for a second mapping between the same stream and function. `uuid` is the UUID of
    /// the existing mapping.
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

    /// The error for a DestinationConfig with OnSuccess, which is not available for streams.
    pub fn on_success() -> Self {
        Self::invalid(
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        )
    }

    /// The error for a filter that is not JSON, or not a valid pattern.
    pub fn filter() -> Self {
        Self::invalid("Invalid filter pattern definition.")
    }

    /// The error for a UUID that belongs to no mapping.
    pub fn not_found() -> Self {
        Self::new(
            RefusalKind::ResourceNotFound,
            "The resource you requested does not exist.",
        )
    }

    /// The error for a request about the tags of `arn`, a mapping that does not exist.
    pub fn no_tagged(arn: &str) -> Self {
        Self::new(
            RefusalKind::ResourceNotFound,
            format!("Event source mapping not found: {arn}"),
        )
    }

    /// The error for a request about tags in which `arn` is not the ARN of a resource with tags.
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

    /// The error for a request to change a mapping while the mapping is in a transitional state.
    /// `action` is `update` or `delete`.
    pub fn in_use(action: &str) -> Self {
        Self::new(
            RefusalKind::ResourceInUse,
            format!("Cannot {action} the event source mapping because it is in use."),
        )
    }

    /// The error for a body that is not JSON, or that has a member of the wrong type. `problem`
    /// describes the fault.
    pub fn content(problem: &str) -> Self {
        Self::new(
            RefusalKind::InvalidRequestContent,
            format!("Could not parse request body into json: {problem}"),
        )
    }

    /// The error for a change that the store failed to write.
    pub fn store() -> Self {
        Self::new(RefusalKind::Service, "Service is temporarily unavailable.")
    }
}

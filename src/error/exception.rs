//! The service's exceptions: their names, HTTP statuses and messages.

use std::borrow::Cow;
use std::fmt;

/// An exception of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of the exception, which determines its name and its HTTP status.
    pub kind: Kind,
    /// The message for the client. `None` if the service sends the exception without a message.
    pub message: Option<Cow<'static, str>>,
    /// The names of the limits that may have caused the error, spelled as for the option `--limit`.
    /// The log shows these names, but the answer does not.
    pub limits: Vec<&'static str>,
}

/// The kind of an exception. The kind determines the name and the HTTP status of the exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the service's")]
pub enum Kind {
    AccessDeniedException,
    DryRunOperationException,
    ExpiredIteratorException,
    ExpiredNextTokenException,
    IncompleteSignatureException,
    InternalFailure,
    InvalidArgumentException,
    InvalidSignatureException,
    KMSAccessDeniedException,
    KMSDisabledException,
    KMSInvalidStateException,
    KMSNotFoundException,
    KMSOptInRequired,
    KMSThrottlingException,
    LimitExceededException,
    MissingAuthenticationTokenException,
    ProvisionedThroughputExceededException,
    RequestTimeoutException,
    ResourceInUseException,
    ResourceNotFoundException,
    SerializationException,
    ServiceUnavailable,
    ThrottlingException,
    UnknownOperationException,
    UnrecognizedClientException,
    ValidationException,
}

impl Kind {
    /// Returns the exception's name, spelled as in an answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDeniedException => "AccessDeniedException",
            Self::DryRunOperationException => "DryRunOperationException",
            Self::ExpiredIteratorException => "ExpiredIteratorException",
            Self::ExpiredNextTokenException => "ExpiredNextTokenException",
            Self::IncompleteSignatureException => "IncompleteSignatureException",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidArgumentException => "InvalidArgumentException",
            Self::InvalidSignatureException => "InvalidSignatureException",
            Self::KMSAccessDeniedException => "KMSAccessDeniedException",
            Self::KMSDisabledException => "KMSDisabledException",
            Self::KMSInvalidStateException => "KMSInvalidStateException",
            Self::KMSNotFoundException => "KMSNotFoundException",
            Self::KMSOptInRequired => "KMSOptInRequired",
            Self::KMSThrottlingException => "KMSThrottlingException",
            Self::LimitExceededException => "LimitExceededException",
            Self::MissingAuthenticationTokenException => "MissingAuthenticationTokenException",
            Self::ProvisionedThroughputExceededException => {
                "ProvisionedThroughputExceededException"
            }
            Self::RequestTimeoutException => "RequestTimeoutException",
            Self::ResourceInUseException => "ResourceInUseException",
            Self::ResourceNotFoundException => "ResourceNotFoundException",
            Self::SerializationException => "SerializationException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::ThrottlingException => "ThrottlingException",
            Self::UnknownOperationException => "UnknownOperationException",
            Self::UnrecognizedClientException => "UnrecognizedClientException",
            Self::ValidationException => "ValidationException",
        }
    }

    /// Returns the HTTP status code of an answer with this exception.
    pub const fn status(self) -> u16 {
        match self {
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
            Self::RequestTimeoutException => 408,
            _ => 400,
        }
    }

    /// Returns true if the service model of Kinesis declares the exception. Other exceptions come
    /// from the HTTP framework in front of the service, or are common to all AWS services.
    pub const fn is_modelled(self) -> bool {
        !matches!(
            self,
            Self::IncompleteSignatureException
                | Self::InternalFailure
                | Self::InvalidSignatureException
                | Self::MissingAuthenticationTokenException
                | Self::RequestTimeoutException
                | Self::SerializationException
                | Self::ServiceUnavailable
                | Self::UnknownOperationException
                | Self::UnrecognizedClientException
        )
    }

    /// Returns the name of the member that holds the message in an answer. For two exceptions the
    /// name is `Message`, and for all others `message`. The name for AccessDeniedException was
    /// recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub const fn message_key(self) -> &'static str {
        match self {
            Self::AccessDeniedException | Self::SerializationException => "Message",
            _ => "message",
        }
    }

    pub(super) fn says(self, message: impl Into<Cow<'static, str>>) -> Error {
        Error {
            message: Some(message.into()),
            ..self.bare()
        }
    }

    pub(super) const fn bare(self) -> Error {
        Error {
            kind: self,
            message: None,
            limits: Vec::new(),
        }
    }
}

impl Error {
    /// Sets the names of the limits that may have caused the error.
    pub(super) fn by<const COUNT: usize>(self, limits: [&'static str; COUNT]) -> Self {
        Self {
            limits: limits.to_vec(),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        self.message
            .as_ref()
            .map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl std::error::Error for Error {}

//! What the service answers when it refuses: every exception, and every text, by what it is about.

mod access;
mod changes;
mod consumers;
mod reading;
mod requests;
mod shards;
mod signatures;
mod streams;

use crate::engine::StoreError;
use crate::limits::LOGGED_CHARACTERS;
use crate::model::StreamArn;
use std::borrow::Cow;
use std::fmt;

/// An exception of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Which one.
    pub kind: Kind,
    /// Its message; some have none.
    pub message: Option<Cow<'static, str>>,
    /// The limits behind it, by the names that `--limit` takes: for the log, not for the client.
    pub limits: Vec<&'static str>,
}

/// The exceptions' names.
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
    UnknownOperationException,
    UnrecognizedClientException,
    ValidationException,
}

impl Kind {
    /// The name on the wire.
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
            Self::UnknownOperationException => "UnknownOperationException",
            Self::UnrecognizedClientException => "UnrecognizedClientException",
            Self::ValidationException => "ValidationException",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
            Self::RequestTimeoutException => 408,
            _ => 400,
        }
    }

    /// The key of the message: the service spells it with a capital for this one type only.
    pub const fn message_key(self) -> &'static str {
        if matches!(self, Self::SerializationException) {
            "Message"
        } else {
            "message"
        }
    }

    fn says(self, message: impl Into<Cow<'static, str>>) -> Error {
        Error {
            message: Some(message.into()),
            ..self.bare()
        }
    }

    const fn bare(self) -> Error {
        Error {
            kind: self,
            message: None,
            limits: Vec::new(),
        }
    }
}

impl Error {
    /// The error and, where a limit is behind it, the name of the limit and how to set it.
    pub fn with_remedy(&self) -> impl fmt::Display + '_ {
        WithRemedy(self)
    }

    /// The same, with the names of limits of which one is behind it.
    fn by<const COUNT: usize>(self, limits: [&'static str; COUNT]) -> Self {
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

/// An [`Error`] as the log shows it.
struct WithRemedy<'a>(&'a Error);

impl WithRemedy<'_> {
    fn cut(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0.message.as_deref().unwrap_or_default();
        match message.char_indices().nth(LOGGED_CHARACTERS) {
            Some((end, _)) => {
                let (kind, bytes) = (self.0.kind.name(), message.len());
                write!(f, "{kind}: {}... ({bytes} bytes)", &message[..end])
            }
            None => fmt::Display::fmt(self.0, f),
        }
    }

    /// The text, without the header that the service quotes in it: whoever has sent an admin token
    /// or a password to the wrong path would find it in the log.
    fn shown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoting = self.0.kind == Kind::IncompleteSignatureException;
        let message = self.0.message.as_deref().filter(|_| quoting);
        match message.and_then(|message| message.split_once("Authorization=")) {
            Some((text, _)) => write!(f, "{}: {}", self.0.kind.name(), text.trim_end()),
            None => self.cut(f),
        }
    }
}

impl fmt::Display for WithRemedy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown(f)?;
        for (at, limit) in self.0.limits.iter().enumerate() {
            let before = if at == 0 { " (set it by" } else { " or" };
            write!(f, "{before} --limit {limit}=N")?;
        }
        f.write_str(if self.0.limits.is_empty() { "" } else { ")" })
    }
}

/// Whatever the store's trouble is, a client is told of none of it; the log is.
impl From<StoreError> for Error {
    fn from(_: StoreError) -> Self {
        Self::internal()
    }
}

/// A stream as every text names it, also when it was addressed by its ARN.
fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}

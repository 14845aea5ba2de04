//! The operation and the format that the head of a request names.

use crate::operation::Entry;
use crate::wire::Format;
use hyper::header::{CONTENT_TYPE, HeaderName};
use hyper::http::request::Parts;

/// The only service there is.
pub(super) const SERVICE: &str = "Kinesis_20131202";

/// Names service and operation.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The first two parts of the target header; further parts are ignored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(head: &'a Parts) -> Self {
        let value = head.headers.get(TARGET);
        let value = value.and_then(|value| value.to_str().ok());
        let mut rest = value.unwrap_or_default();
        let mut part = || {
            let end = rest.bytes().position(|byte| byte == b'.');
            let part = &rest[..end.unwrap_or(rest.len())];
            rest = rest.get(part.len() + 1..).unwrap_or_default();
            part
        };
        Self {
            service: part(),
            operation: part(),
        }
    }

    /// The operation, if the service has it.
    pub(super) fn entry(self) -> Option<&'static Entry> {
        (self.service == SERVICE)
            .then(|| Entry::find(self.operation))
            .flatten()
    }
}

/// The meaning of a request's content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// One of the service's formats.
    Known(Format),
    /// `application/json`, which the service reads and then always refuses.
    PlainJson,
    /// Any other type, or none.
    Unknown,
}

impl Content {
    pub(super) fn of(head: &Parts) -> Self {
        let formats = [Format::Json, Format::Cbor];
        let value = head.headers.get(CONTENT_TYPE);
        let usual = |format: &Format| value.is_some_and(|value| value == format.content_type());
        if let Some(format) = formats.into_iter().find(usual) {
            return Self::Known(format);
        }
        let value = value.and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default().split(';').next();
        let value = value.unwrap_or_default().trim();
        let known = |format: &Format| value.eq_ignore_ascii_case(format.content_type());
        if let Some(format) = formats.into_iter().find(known) {
            return Self::Known(format);
        }
        if value.eq_ignore_ascii_case("application/json") {
            Self::PlainJson
        } else {
            Self::Unknown
        }
    }
}

/// The format of a refusal of a request whose body was not read: JSON, unless the request names
/// another content type.
pub(super) fn unread_format(head: &Parts) -> Format {
    let json = head.headers.get(CONTENT_TYPE).is_none_or(|value| {
        value
            .as_bytes()
            .starts_with(Format::Json.content_type().as_bytes())
    });
    if json { Format::Json } else { Format::Cbor }
}
